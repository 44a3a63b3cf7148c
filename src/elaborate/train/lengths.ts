import { nearest } from '../../base/names.ts'
import type { Cadence, TrainerSettings, UpdateCount } from '../../ir/ir.ts'
import type { Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { type ClockLiteral, knownNumber, type Value } from '../values.ts'
import type { Training } from './training.ts'

/** What a setting says; nothing where it is wrong, which has been reported. */
export type Said = Partial<TrainerSettings>

/** Reports that a value is of no use for its setting, unless it has an error of its own. */
export function wanted(ctx: Context, node: Expr, key: string, what: string, value: Value): Said {
  if (value.kind !== 'error') complain(ctx, 'LTM4202', node.span, { key, wanted: what })
  return {}
}

export function epochsOf({ ctx }: Training, node: Expr, key: 'epochs' | 'min_epochs'): number | undefined {
  const value = expression(ctx, node)
  const count = inUnit(value, 'epochs')
  if (isCount(count)) return count
  wanted(ctx, node, key, 'a whole number of epochs, 1 or more', value)
  return undefined
}

/** A count of updates with or without its unit: `500 updates of g`, `500 of g`, `500`. */
export function updatesOf(
  training: Training,
  node: Expr,
  key: 'updates' | 'min_updates',
): UpdateCount | undefined {
  const value: Value =
    node.kind === 'NumberLiteral' && node.of && !node.unit
      ? { kind: 'duration', count: node.value, unit: 'updates', of: node.of.text }
      : expression(training.ctx, node)
  const count = inUnit(value, 'updates')
  if (isCount(count)) return { count, ...counted(training, value, node) }
  wanted(training.ctx, node, key, 'a whole number of updates, 1 or more', value)
  return undefined
}

/** Seconds, whatever they are written in. */
export function timeOf({ ctx }: Training, node: Expr): number | undefined {
  const value = expression(ctx, node)
  const seconds = inUnit(value, 'seconds')
  if (seconds !== undefined && seconds > 0) return seconds
  wanted(ctx, node, 'time', 'a duration, as in `90 minutes` or `8 hours`', value)
  return undefined
}

/** `run: 20 epochs`, by any clock that can end a run. */
export function lengthOf(training: Training, node: Expr): Said {
  const value = expression(training.ctx, node)
  if (value.kind === 'duration' && isCount(value.count)) {
    if (value.unit === 'epochs') return { epochs: value.count }
    if (value.unit === 'updates')
      return { updates: { count: value.count, ...counted(training, value, node) } }
  }
  if (value.kind === 'duration' && value.unit === 'seconds' && value.count > 0) return { time: value.count }
  const what = 'a duration, as in `20 epochs`, `50000 updates of g` or `8 hours`'
  return wanted(training.ctx, node, 'run', what, value)
}

/** How often something happens: `2 epochs`, `0.25 epochs`, `500 updates of g`, `10 minutes`; a bare number counts epochs. */
export function cadenceOf(training: Training, node: Expr, key: string): Cadence | undefined {
  const value = expression(training.ctx, node)
  const bare = knownNumber(value)
  const { count, unit } = value.kind === 'duration' ? value : ({ count: bare ?? 0, unit: 'epochs' } as const)
  if (isCount(count) || (count > 0 && (unit === 'seconds' || (unit === 'epochs' && count < 1))))
    return { count, unit, ...counted(training, value, node) }
  const what = 'a cadence, as in `2 epochs`, `0.25 epochs`, `100 batches`, `500 updates` or `10 minutes`'
  wanted(training.ctx, node, key, what, value)
  return undefined
}

/** Whose updates count: those of an optimizer of the `train`. */
function counted(
  { ctx, optimizers, failedOptimizers }: Training,
  value: Value,
  node: Expr,
): { readonly of?: string } {
  const of = value.kind === 'duration' ? value.of : undefined
  if (of === undefined) return {}
  const names = optimizers.map(({ name }) => name)
  if (!names.includes(of) && !failedOptimizers.has(of)) {
    const span = node.kind === 'NumberLiteral' && node.of ? node.of.span : node.span
    complain(ctx, 'LTM3001', span, { name: of, near: nearest(of, names) })
  }
  return { of }
}

/** A number in the unit that is asked for, or one without a unit. */
function inUnit(value: Value, unit: ClockLiteral['unit']): number | undefined {
  return value.kind === 'duration' && value.unit === unit ? value.count : knownNumber(value)
}

const isCount = (count: number | undefined): count is number =>
  count !== undefined && Number.isInteger(count) && count >= 1
