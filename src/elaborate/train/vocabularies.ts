import type { DataSource, Vocabulary } from '../../ir/ir.ts'
import type { Call, DatasetMember, Expr, Fit } from '../../syntax/ast.ts'
import { type Context, complain, originOf } from '../context.ts'
import { isColumnCall, placeOf, sizeArgument, unitOf, type Vocabularies } from './columnCalls.ts'

/** `fit names: vocabulary = …`: what is learned are texts, and no tensor. */
export function isVocabulary(member: DatasetMember): boolean {
  return (
    member.kind === 'Fit' &&
    member.type.kind === 'NamedType' &&
    member.type.shape === undefined &&
    member.type.name.text === 'vocabulary'
  )
}

/** The vocabularies that a dataset declares. */
export function vocabulariesOf(
  ctx: Context,
  members: readonly DatasetMember[],
  source: DataSource,
): Vocabularies {
  const found = members.flatMap((member): readonly [string, Vocabulary | undefined][] => {
    if (member.kind !== 'Fit') return []
    if (isVocabulary(member)) return [[member.name.text, vocabularyOf(ctx, member, source)]]
    // One of another type is reported as a fit.
    return isVocabularyCall(member.value) ? [[member.name.text, undefined]] : []
  })
  return new Map(found)
}

function isVocabularyCall(node: Expr): node is Call {
  return node.kind === 'Call' && node.callee.kind === 'Name' && node.callee.text === 'vocabulary'
}

/** `vocabulary(column("question"), column("answer"), words, size: 20000)`. */
function vocabularyOf(ctx: Context, member: Fit, source: DataSource): Vocabulary | undefined {
  const { value: node, name, span } = member
  if (!isVocabularyCall(node)) return void complain(ctx, 'LTM4347', node.span, undefined)
  const given = node.args.filter(arg => arg.kind === 'Positional')
  const last = given.at(-1)
  const unit = unitOf(last)
  const columns = unit ? given.slice(0, -1) : given
  const wrong = columns.find(({ value }) => !isColumnCall(value))
  if (wrong || columns.length === 0) return void complain(ctx, 'LTM4347', (wrong ?? node).span, undefined)
  const places = columns.map(({ value }) => isColumnCall(value) && placeOf(ctx, value, source))
  const size = sizeArgument(ctx, node)
  const from = places.flatMap(place => (place ? [place.name ?? place.from] : []))
  if (from.length < places.length || size === 'wrong') return undefined
  const most = size === undefined ? {} : { size }
  return { name: name.text, unit: unit ?? 'whole', ...most, from, origin: originOf(span) }
}
