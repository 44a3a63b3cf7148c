import { type Source, type Span, textOf } from '../../base/source.ts'
import type { Message } from '../../ir/ir.ts'
import type { Expr, StringLiteral } from '../../syntax/ast.ts'
import { NodeIds, parse } from '../../syntax/build.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { hostNumber } from '../operators.ts'

/** The text of a `print`, `stop` or `checkpoint`: `{expression}` is replaced by its value, `{{` is a brace. */
export function message(ctx: Context, node: StringLiteral): Message {
  const parts: Message[number][] = []
  const pattern = /\{\{|\}\}|\{([^{}]*)\}/g
  let from = 0
  const text = (piece: string): void => {
    const last = parts.at(-1)
    if (typeof last === 'string') parts[parts.length - 1] = last + piece
    else if (piece !== '') parts.push(piece)
  }
  for (const match of node.text.matchAll(pattern)) {
    text(node.text.slice(from, match.index))
    from = match.index + match[0].length
    if (match[1] === undefined) text(match[0][0]!)
    else parts.push(insertion(ctx, match[1], braceSpan(node, match.index, match[0].length)))
  }
  text(node.text.slice(from))
  return parts
}

/** Where a `{…}` of the text stands in the file; escapes before it make it stand further on. */
function braceSpan({ span, text }: StringLiteral, index: number, length: number): Span {
  const before = text.slice(0, index).split('{').length - 1
  const raw = textOf(span)
  let at = raw.indexOf('{')
  for (let i = 0; i < before; i++) at = raw.indexOf('{', at + 1)
  const start = at < 0 ? span.start : span.start + at
  return { source: span.source, start, end: Math.min(start + length, span.end) }
}

function insertion(ctx: Context, text: string, span: Span): Message[number] {
  const parsed = expressionIn(text, span)
  if (!parsed) {
    complain(ctx, 'LTM2109', span, {
      wanted: 'an expression between the braces',
      got: text.trim() === '' ? 'nothing' : `\`${text}\``,
    })
    return ''
  }
  const value = expression({ ...ctx, expected: undefined }, parsed)
  const number = hostNumber(value)
  if (number) return { expr: number.expr }
  if (value.kind === 'tensor') return { value: value.name }
  if (value.kind === 'string') return value.text
  if (value.kind === 'bool' || value.kind === 'run_string') return { expr: value.expr }
  if (value.kind !== 'error')
    complain(ctx, 'LTM2109', parsed.span, {
      wanted: 'a number, a tensor or a string between the braces',
      got: describe(value),
    })
  return ''
}

/** The expression inside braces, parsed as the value of a constant of its own, at its place in the file. */
function expressionIn(text: string, braces: Span): Expr | undefined {
  const source: Source = { name: braces.source.name, text: `${constant}${text}` }
  let failed = false
  const file = parse(
    source,
    () => {
      failed = true
    },
    new NodeIds(),
  )
  const [declaration] = file.declarations
  if (failed || file.declarations.length !== 1 || declaration?.kind !== 'Const' || declaration.type)
    return undefined
  return moved(declaration.value, braces.source, braces.start + 1 - constant.length)
}

const constant = 'const value = '

/** A tree with its spans moved into another source. */
function moved<T>(node: T, source: Source, by: number): T {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value !== 'object' || value === null) return value
    if (isSpan(value)) return { source, start: value.start + by, end: value.end + by }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner)]))
  }
  // The same tree, so of the same type.
  return visit(node) as T
}

const isSpan = (value: object): value is Span => 'source' in value && 'start' in value && 'end' in value
