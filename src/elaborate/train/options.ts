import { nearest } from '../../base/names.ts'
import type { Call, Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { knownNumber } from '../values.ts'

/** A call of one of these names, which are no functions. */
export function callOf(
  node: Expr,
  names: readonly string[],
): { readonly name: string; readonly args: Call['args'] } | undefined {
  if (node.kind !== 'Call' || node.callee.kind !== 'Name' || !names.includes(node.callee.text))
    return undefined
  return { name: node.callee.text, args: node.args }
}

/** The options of a setting that is a call; others are reported. Gives whether there are none. */
export function checkOptions(
  ctx: Context,
  call: Call['args'],
  callee: string,
  names: readonly string[],
): boolean {
  const unknown = call.flatMap(arg =>
    arg.kind === 'Named' && !names.includes(arg.name.text) ? [arg.name] : [],
  )
  for (const { text, span } of unknown)
    complain(ctx, 'LTM3004', span, { callee, name: text, near: nearest(text, names) })
  return unknown.length === 0
}

/** `min: val.loss` or `max: val.accuracy`: exactly one of them. */
export function direction(
  args: Call['args'],
): { readonly direction: 'min' | 'max'; readonly value: Expr } | undefined {
  const given = args.flatMap(arg =>
    arg.kind === 'Named' && (arg.name.text === 'min' || arg.name.text === 'max')
      ? [{ direction: arg.name.text, value: arg.value } as const]
      : [],
  )
  return given.length === 1 ? given[0] : undefined
}

/** An option that is a number, 0 or more. */
export function option(ctx: Context, args: Call['args'], name: string, otherwise: number): number {
  return numberOption(ctx, args, name, 'a number, 0 or more', known => known >= 0) ?? otherwise
}

/** An option that is a number; undefined where it is left out, or wrong, which is reported. */
export function numberOption(
  ctx: Context,
  args: Call['args'],
  name: string,
  wanted = 'a number',
  fits: (value: number) => boolean = () => true,
): number | undefined {
  const node = given(args, name)
  if (!node) return undefined
  const value = expression(ctx, node)
  const known = knownNumber(value)
  if (known !== undefined && fits(known)) return known
  if (value.kind !== 'error') complain(ctx, 'LTM4202', node.span, { key: name, wanted })
  return undefined
}

/** An option that is `true` or `false` when the program is compiled. */
export function truthOption(ctx: Context, args: Call['args'], name: string, otherwise: boolean): boolean {
  const node = given(args, name)
  if (!node) return otherwise
  const value = expression(ctx, node)
  if (value.kind === 'bool' && value.expr.kind === 'bool') return value.expr.value
  if (value.kind !== 'error') complain(ctx, 'LTM4202', node.span, { key: name, wanted: '`true` or `false`' })
  return otherwise
}

function given(args: Call['args'], name: string): Expr | undefined {
  const arg = args.find(item => item.kind === 'Named' && item.name.text === name)
  return arg?.kind === 'Named' ? arg.value : undefined
}
