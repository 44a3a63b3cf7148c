import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { Arg, Call, Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { knownNumber, type Value } from '../values.ts'

/** How a `data` member takes its batches. */
export interface Loading {
  readonly batch: number
  readonly shuffle: boolean
  readonly dropLast: boolean
  readonly buckets?: readonly number[]
}

export const ordinaryLoading: Loading = { batch: 32, shuffle: true, dropLast: false }

const wanted: Readonly<Record<string, string>> = {
  batch: 'an int of 1 or more',
  shuffle: '`true` or `false`',
  drop_last: '`true` or `false`',
  bucket: 'a list of lengths in ascending order, as in `[50, 100, 200]`',
}

/** `batch: 32, shuffle: false, drop_last: true, bucket: [50, 100, 200]`. */
export function loadingOf(
  ctx: Context,
  call: Call,
  args: readonly Arg[],
  own: readonly string[],
): Loading | undefined {
  let loading: Loading | undefined = ordinaryLoading
  for (const arg of args) {
    if (arg.kind !== 'Named') continue
    const value = expression(ctx, arg.value)
    const setting = settingOf(arg.name.text, value)
    if (setting && loading) loading = { ...loading, ...setting }
    if (setting) continue
    loading = undefined
    if (value.kind !== 'error') complainOf(ctx, call, arg.name.text, arg, own)
  }
  return loading
}

function settingOf(name: string, value: Value): Partial<Loading> | undefined {
  const known = knownNumber(value)
  const flag = value.kind === 'bool' && value.expr.kind === 'bool' ? value.expr.value : undefined
  if (name === 'batch' && value.kind === 'int' && known !== undefined && known >= 1) return { batch: known }
  if (name === 'shuffle' && flag !== undefined) return { shuffle: flag }
  if (name === 'drop_last' && flag !== undefined) return { dropLast: flag }
  const buckets = name === 'bucket' ? bucketsOf(value) : undefined
  return buckets && { buckets }
}

function bucketsOf(value: Value): readonly number[] | undefined {
  const lengths = value.kind === 'list' ? value.items.map(knownNumber) : []
  const known = lengths.filter(length => length !== undefined)
  const ascend = known.every((length, i) => Number.isInteger(length) && length > (known[i - 1] ?? 0))
  return known.length > 0 && known.length === lengths.length && ascend ? known : undefined
}

function complainOf(
  ctx: Context,
  call: Call,
  name: string,
  arg: { readonly name: { readonly span: Call['span'] }; readonly value: Expr },
  own: readonly string[],
): void {
  const expected = Object.hasOwn(wanted, name) ? wanted[name] : undefined
  if (expected)
    complain(ctx, 'LTM2102', arg.value.span, {
      what: `\`${name}\``,
      expected,
      got: describe(expression(ctx, arg.value)),
    })
  else
    complain(ctx, 'LTM3004', arg.name.span, {
      callee: textOf(call.callee.span),
      name,
      near: nearest(name, [...Object.keys(wanted), ...own]),
    })
}
