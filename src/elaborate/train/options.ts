import { nearest } from '../../base/names.ts'
import type { Call, Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { knownNumber } from '../values.ts'

/** The options of a setting that is a call; others are reported. */
export function checkOptions(
  ctx: Context,
  call: Call['args'],
  callee: string,
  names: readonly string[],
): void {
  for (const arg of call)
    if (arg.kind === 'Named' && !names.includes(arg.name.text))
      complain(ctx, 'LTM3004', arg.name.span, {
        callee,
        name: arg.name.text,
        near: nearest(arg.name.text, names),
      })
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
  const arg = args.find(item => item.kind === 'Named' && item.name.text === name)
  if (arg?.kind !== 'Named') return otherwise
  const value = expression(ctx, arg.value)
  const known = knownNumber(value)
  if (known !== undefined && known >= 0) return known
  if (value.kind !== 'error')
    complain(ctx, 'LTM4202', arg.value.span, { key: name, wanted: 'a number, 0 or more' })
  return otherwise
}
