import { pathFrom } from '../../base/paths.ts'
import { textOf } from '../../base/source.ts'
import type { Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { message } from './messages.ts'

/**
 * The path that an argument of a source says, as the compiled file would say it: paths start from the folder of the file
 * they are written in. `{name}` inserts a value that is known when the program is compiled.
 */
export function dataPath(ctx: Context, node: Expr): string | undefined {
  const text = node.kind === 'StringLiteral' ? insertedText(ctx, node) : stringOf(ctx, node)
  if (text === undefined) return undefined
  if (text.trim() !== '') return pathFrom(ctx.world.file, node.span.source.name, text)
  return void complain(ctx, 'LTM2102', node.span, {
    what: 'a source',
    expected: 'a path',
    got: textOf(node.span),
  })
}

function insertedText(ctx: Context, node: Extract<Expr, { kind: 'StringLiteral' }>): string | undefined {
  const parts = message(ctx, node).map(part => {
    if (typeof part === 'string') return part
    const known = 'expr' in part ? part.expr : undefined
    return known?.kind === 'number' || known?.kind === 'bool' || known?.kind === 'string'
      ? String(known.value)
      : undefined
  })
  if (parts.every(part => part !== undefined)) return parts.join('')
  return void complain(ctx, 'LTM4350', node.span, { path: node.text })
}

function stringOf(ctx: Context, node: Expr): string | undefined {
  const value = expression(ctx, node)
  if (value.kind === 'string') return value.text
  if (value.kind !== 'error')
    complain(ctx, 'LTM2102', node.span, {
      what: 'a source',
      expected: 'a path in quotes',
      got: describe(value),
    })
  return undefined
}
