import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import { columnBehind } from '../../ir/datasets.ts'
import type { Dataset } from '../../ir/ir.ts'
import type { Expr } from '../../syntax/ast.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Context, complain } from '../context.ts'
import type { StepContext } from './stepContext.ts'

/** `kinds.color.decode(ids)`: the texts of a field's vocabulary in place of their numbers. */
export interface Decoding {
  readonly data: string
  readonly field: string
  readonly span: Span
}

/** What a step returns with numbers where it has texts, and which fields those are. */
export interface Decodings {
  readonly numbers: Expr
  readonly texts: ReadonlyMap<string, Decoding>
}

/** Texts are made when they are written out, so only what a `predict` step returns has any. */
export function decodings(step: StepContext, value: Expr): Decodings {
  const texts = new Map<string, Decoding>()
  if (value.kind !== 'RecordLiteral') return { numbers: value, texts }
  const fields = value.fields.map(field => {
    const found = decodingOf(step, field.value)
    if (found === undefined) return field
    if (step.phase !== 'predict') complain(step.ctx, 'LTM4344', field.value.span, {})
    else if (isOfTexts(step, found.decoding)) texts.set(field.name.text, found.decoding)
    return { ...field, value: found.numbers }
  })
  return { numbers: { ...value, fields }, texts }
}

function decodingOf(
  { training }: StepContext,
  node: Expr,
): { readonly numbers: Expr; readonly decoding: Decoding } | undefined {
  if (node.kind !== 'Call' || node.callee.kind !== 'Member' || node.callee.name.text !== 'decode')
    return undefined
  const { object } = node.callee
  if (object.kind !== 'Member' || object.object.kind !== 'Name') return undefined
  const data = object.object.text
  const [arg, ...others] = node.args
  if (!training.datasets.has(data) || arg?.kind !== 'Positional' || others.length > 0) return undefined
  return { numbers: arg.value, decoding: { data, field: object.name.text, span: node.span } }
}

function isOfTexts({ ctx, training }: StepContext, { data, field, span }: Decoding): boolean {
  const dataset = training.datasets.get(data)
  if (dataset === undefined) return false
  const names = [...dataset.fields, ...dataset.vocabularies].map(({ name }) => name)
  if (!names.includes(field)) complain(ctx, 'LTM3001', span, { name: field, near: nearest(field, names) })
  const known = names.filter(name => hasVocabulary(ctx, dataset, name))
  if (names.includes(field) && !known.includes(field))
    complain(ctx, 'LTM4345', span, { field: `${data}.${field}`, known: known.map(name => `${data}.${name}`) })
  return known.includes(field)
}

/** A field that is a column of texts as numbers, with nothing computed of it. */
function hasVocabulary({ world }: Context, dataset: Dataset, field: string): boolean {
  const func = world.functions.list.find(({ name }) => name === dataset.func)
  const isOwn = dataset.vocabularies.some(({ name }) => name === field)
  return isOwn || (func !== undefined && columnBehind(dataset, func, field)?.tokens !== undefined)
}

/** Only whole numbers have texts. */
export function checkNumbers({ ctx }: StepContext, { span }: Decoding, { dtype }: TensorType): void {
  if (dtype === 'i32') return
  complain(
    ctx,
    'LTM2109',
    span,
    { wanted: 'whole numbers to decode', got: `\`${dtype}\`` },
    {
      help: `\`${textOf(span)}\` looks up the texts of places in a vocabulary, which \`argmax\` finds`,
    },
  )
}
