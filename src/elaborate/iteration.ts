import type { Expr, Name } from '../syntax/ast.ts'
import { compareDims, type Dim, subtract } from '../types/dim.ts'
import { type Context, complain, spend } from './context.ts'
import { checkShadowing } from './declaring.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { expression } from './evaluate.ts'
import { errorValue, int, type Value } from './values.ts'

/** The rounds of an unrolled loop: each binds its names. `length` is set where it is a symbol; then one round stands for all. */
export interface Rounds {
  readonly bindings: readonly ((env: Env) => void)[]
  readonly length: Dim | undefined
}

/** What a loop goes over: one value for each of its names. */
export function columnsOf(ctx: Context, iterable: Expr): readonly Value[] {
  return iterable.kind === 'Call' && iterable.callee.kind === 'Name' && iterable.callee.text === 'zip'
    ? iterable.args.map(arg => (arg.kind === 'Except' ? errorValue : expression(ctx, arg.value)))
    : [expression(ctx, iterable)]
}

/** The rounds over a list, a literal range or a `zip` of them. */
export function iterate(
  ctx: Context,
  names: readonly Name[],
  iterable: Expr,
  columns: readonly Value[] = columnsOf(ctx, iterable),
): Rounds | 'error' {
  if (columns.some(column => column.kind === 'error')) return 'error'
  const bad = columns.find(column => !['list', 'uniform_list', 'range'].includes(column.kind))
  if (bad) return wrong(ctx, iterable, `${describe(bad)}`)
  if (columns.length !== names.length) return miscounted(ctx, iterable, columns.length, names.length)
  const lengths = columns.map(lengthOf)
  const length = lengths.find(size => typeof size === 'number') ?? lengths[0] ?? 0
  const longer = lengths.findIndex(other => compareDims(length, other) === 'different')
  if (longer >= 0) {
    const [first = '', second = ''] = [names[lengths.indexOf(length)]?.text, names[longer]?.text]
    complain(ctx, 'LTM2141', iterable.span, {
      first,
      firstLength: String(length),
      second,
      secondLength: String(lengths[longer]),
    })
    return 'error'
  }
  const round =
    (position: number | string) =>
    (env: Env): void => {
      names.forEach((name, i) => {
        env.define(name.text, itemOf(columns[i]!, position), name.span)
      })
    }
  for (const name of names) checkShadowing(ctx, name)
  if (typeof length === 'number') {
    if (!affordable(ctx, length, iterable)) return 'error'
    return { bindings: Array.from({ length: Math.max(0, length) }, (_, i) => round(i)), length: undefined }
  }
  if (!ctx.generic) {
    complain(ctx, 'LTM2109', iterable.span, {
      wanted: 'a list or a range whose length is known when the program is compiled',
      got: `of length ${length}`,
    })
    return 'error'
  }
  return { bindings: [round(names[0]?.text ?? '')], length }
}

/** A loop is unrolled, and a program of millions of lines helps nobody. */
const mostRounds = 10_000

function affordable(ctx: Context, length: number, iterable: Expr): boolean {
  if (length <= mostRounds) return spend(ctx, iterable.span, 'this loop', length)
  complain(ctx, 'LTM2130', iterable.span, { rounds: length, most: mostRounds })
  return false
}

function wrong(ctx: Context, node: Expr, got: string): 'error' {
  complain(ctx, 'LTM2109', node.span, { wanted: 'a list or a range', got })
  return 'error'
}

/** A loop has a name for each thing that it goes over. */
export function miscounted(ctx: Context, { span }: Expr, count: number, names: number): 'error' {
  complain(ctx, 'LTM2160', span, { count, names })
  return 'error'
}

export function lengthOf(value: Value): Dim {
  if (value.kind === 'list') return value.items.length
  if (value.kind === 'uniform_list') return value.length
  if (value.kind === 'range') return subtract(value.to, value.from)
  return 0
}

/** An item by position; a symbol stands for any position of a list of unknown length. */
function itemOf(value: Value, position: number | string): Value {
  if (value.kind === 'list')
    return (typeof position === 'number' ? value.items[position] : value.items[0]) ?? errorValue
  if (value.kind === 'range')
    return typeof position === 'number' && typeof value.from === 'number'
      ? int(value.from + position)
      : int(String(position))
  if (value.kind === 'uniform_list') return uniformItem(value, String(position))
  return errorValue
}

/** The item of a list of unknown length: of a list of ints, the size `sizes[i]`. */
export function uniformItem(list: Extract<Value, { kind: 'uniform_list' }>, position: string): Value {
  return list.item.kind === 'int' ? int(`${list.name}[${position}]`) : list.item
}
