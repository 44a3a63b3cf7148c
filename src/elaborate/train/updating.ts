import type { Accumulation, Clip, HostExpr } from '../../ir/ir.ts'
import type { Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { apply, choose, constantOf, number } from '../host.ts'
import { knownNumber, type Value } from '../values.ts'
import { callOf } from './options.ts'

/** Epochs of which a schedule is tried when the program is compiled; most trainings have fewer. */
const triedEpochs = 1000

/** `norm(1.0)` or `value(0.5)`: of the trainer, or of one optimizer. */
export function clipOf(ctx: Context, node: Expr): Clip | undefined {
  const call = callOf(node, ['norm', 'value'])
  const [first, second] = call?.args ?? []
  const limit =
    first?.kind === 'Positional' && !second ? knownNumber(expression(ctx, first.value)) : undefined
  if (call && limit !== undefined && limit > 0)
    return { kind: call.name === 'norm' ? 'norm' : 'value', limit }
  complain(ctx, 'LTM4202', node.span, { key: 'clip', wanted: '`norm(1.0)` or `value(0.5)`' })
  return undefined
}

/**
 * Batches to an update: a number, or what is computed from the `epoch`. Nothing else may decide it, since a window
 * would be of two minds while it is open; windows do not span epochs.
 */
export function accumulationOf(ctx: Context, node: Expr): Accumulation | undefined {
  const value = expression(ctx, node)
  const expr = batchesExpr(value)
  if (!expr) {
    if (value.kind !== 'error') complain(ctx, 'LTM4202', node.span, { key: 'accumulate', wanted: whole })
    return undefined
  }
  if (looksBeyondEpoch(expr)) return void complain(ctx, 'LTM4209', node.span, {})
  const wrong = Array.from({ length: triedEpochs }, (_, epoch) => ({
    epoch,
    batches: inEpoch(expr, epoch),
  })).find(({ batches }) => batches !== undefined && !(Number.isInteger(batches) && batches >= 1))
  if (!wrong) return constantOf(expr) === undefined ? expr : Number(constantOf(expr))
  const where = constantOf(expr) === undefined ? `, and in epoch ${wrong.epoch} it is ${wrong.batches}` : ''
  complain(ctx, 'LTM4202', node.span, { key: 'accumulate', wanted: `${whole}${where}` })
  return undefined
}

const whole = 'a whole number of batches, 1 or more'

function batchesExpr(value: Value): HostExpr | undefined {
  if (value.kind === 'duration') return value.unit === 'batches' ? number(value.count) : undefined
  const known = knownNumber(value)
  if (known !== undefined) return number(known)
  return value.kind === 'float' ? value.expr : undefined
}

function looksBeyondEpoch(expr: HostExpr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'bool':
    case 'hyper':
      return false
    case 'clock':
      return expr.clock !== 'epoch'
    case 'apply':
      return expr.args.some(looksBeyondEpoch)
    case 'choose':
      return [expr.condition, expr.then, expr.otherwise].some(looksBeyondEpoch)
    default:
      return true
  }
}

/** The number that a schedule gives in an epoch, where that is known when the program is compiled. */
export function inEpoch(expr: HostExpr, epoch: number): number | undefined {
  const known = constantOf(folded(expr, epoch))
  return typeof known === 'number' ? known : undefined
}

function folded(expr: HostExpr, epoch: number): HostExpr {
  const within = (part: HostExpr) => folded(part, epoch)
  if (expr.kind === 'clock') return number(epoch)
  if (expr.kind === 'apply') return apply(expr.operator, expr.args.map(within))
  if (expr.kind === 'choose') return choose(within(expr.condition), within(expr.then), within(expr.otherwise))
  return expr
}
