import type { Source } from '../../base/source.ts'
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
    else parts.push(insertion(ctx, node, match[1]))
  }
  text(node.text.slice(from))
  return parts
}

function insertion(ctx: Context, node: StringLiteral, source: string): Message[number] {
  const parsed = expressionIn(source)
  if (!parsed) {
    complain(ctx, 'LTM2109', node.span, { wanted: 'an expression between the braces', got: `\`${source}\`` })
    return ''
  }
  const value = expression({ ...ctx, expected: undefined }, parsed)
  const number = hostNumber(value)
  if (number) return { expr: number.expr }
  if (value.kind === 'tensor') return { value: value.name }
  if (value.kind === 'string') return value.text
  if (value.kind === 'bool') return { expr: value.expr }
  if (value.kind !== 'error')
    complain(ctx, 'LTM2109', node.span, {
      wanted: 'a number, a tensor or a string between the braces',
      got: describe(value),
    })
  return ''
}

/** The expression inside braces, parsed as the value of a constant of its own. */
function expressionIn(text: string): Expr | undefined {
  const source: Source = { name: 'string', text: `const value = ${text}` }
  let failed = false
  const file = parse(
    source,
    () => {
      failed = true
    },
    new NodeIds(),
  )
  const [declaration] = file.declarations
  return failed || declaration?.kind !== 'Const' ? undefined : declaration.value
}
