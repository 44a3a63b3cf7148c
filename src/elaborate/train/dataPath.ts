import { pathFrom } from '../../base/paths.ts'
import { textOf } from '../../base/source.ts'
import type { Arg, Expr, StringLiteral } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import type { StringValue } from '../values.ts'
import { message } from './messages.ts'

/**
 * The path that an argument of a source says, as the compiled file would say it: paths start from the folder of the file
 * they are written in. `{name}` inserts a value that is known when the program is compiled.
 */
export function dataPath(ctx: Context, node: Expr): string | undefined {
  const said = node.kind === 'StringLiteral' ? inserted(ctx, node) : stringOf(ctx, node)
  if (said === undefined) return undefined
  if (said.text.trim() !== '') return pathFrom(ctx.world.file, said.file ?? node.span.source.name, said.text)
  return void complain(ctx, 'LTM2102', node.span, {
    what: 'a source',
    expected: 'a path',
    got: textOf(node.span),
  })
}

/** An argument of a dataset, which may be a path: what a text inserts is put into it where the call is. */
export function withInserted(ctx: Context, arg: Arg): Arg | undefined {
  if (arg.kind === 'Except' || arg.value.kind !== 'StringLiteral') return arg
  const said = inserted(ctx, arg.value)
  return said && { ...arg, value: { ...arg.value, text: said.text } }
}

function inserted(ctx: Context, node: StringLiteral): StringValue | undefined {
  const text = insertedText(ctx, node)
  return text === undefined ? undefined : { kind: 'string', text, file: node.span.source.name }
}

function insertedText(ctx: Context, node: StringLiteral): string | undefined {
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

function stringOf(ctx: Context, node: Expr): StringValue | undefined {
  const value = expression(ctx, node)
  if (value.kind === 'string') return value
  if (value.kind !== 'error')
    complain(ctx, 'LTM2102', node.span, {
      what: 'a source',
      expected: 'a path in quotes',
      got: describe(value),
    })
  return undefined
}
