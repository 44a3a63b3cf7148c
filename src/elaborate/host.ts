import type { Clock, HostExpr, HostOperator } from '../ir/ir.ts'
import type { Dim } from '../types/dim.ts'

/** Host expressions, folded as they are made: what is known when the program is compiled is a number at once. */

export const number = (value: number): HostExpr => ({ kind: 'number', value })

/** A size as a host number. */
export function sizeExpr(dim: Dim): HostExpr {
  return typeof dim === 'number' ? number(dim) : { kind: 'size', dim }
}

type Scalar = number | boolean

const evaluate: Record<HostOperator, (...args: Scalar[]) => Scalar> = {
  add: (a, b) => Number(a) + Number(b),
  sub: (a, b) => Number(a) - Number(b),
  mul: (a, b) => Number(a) * Number(b),
  div: (a, b) => Number(a) / Number(b),
  pow: (a, b) => Number(a) ** Number(b),
  mod: (a, b) => Number(a) - Number(b) * Math.floor(Number(a) / Number(b)),
  floordiv: (a, b) => Math.floor(Number(a) / Number(b)),
  neg: a => -Number(a),
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b!,
  le: (a, b) => a <= b!,
  gt: (a, b) => a > b!,
  ge: (a, b) => a >= b!,
  and: (a, b) => Boolean(a) && Boolean(b),
  or: (a, b) => Boolean(a) || Boolean(b),
  not: a => !a,
  min: (...args) => Math.min(...args.map(Number)),
  max: (...args) => Math.max(...args.map(Number)),
  abs: a => Math.abs(Number(a)),
  exp: a => Math.exp(Number(a)),
  log: a => Math.log(Number(a)),
  sqrt: a => Math.sqrt(Number(a)),
  sin: a => Math.sin(Number(a)),
  cos: a => Math.cos(Number(a)),
  tanh: a => Math.tanh(Number(a)),
  floor: a => Math.floor(Number(a)),
  ceil: a => Math.ceil(Number(a)),
  round: a => Math.round(Number(a)),
}

export const isHostOperator = (name: string): name is HostOperator => Object.hasOwn(evaluate, name)

/** An operator on host expressions. `and` and `or` are decided by one known side, and adding or taking away 0 changes nothing. */
export function apply(operator: HostOperator, args: readonly HostExpr[]): HostExpr {
  const known = args.map(constantOf)
  if (operator === 'and' && known.includes(false)) return literal(false)
  if (operator === 'or' && known.includes(true)) return literal(true)
  const [first, second] = args
  if (operator === 'add' && known[0] === 0 && second !== undefined) return second
  if ((operator === 'add' || operator === 'sub') && known[1] === 0 && first !== undefined) return first
  if (known.every(value => value !== undefined)) return literal(evaluate[operator](...known))
  return { kind: 'apply', operator, args }
}

export function choose(condition: HostExpr, then: HostExpr, otherwise: HostExpr): HostExpr {
  const known = constantOf(condition)
  if (known !== undefined) return known ? then : otherwise
  return { kind: 'choose', condition, then, otherwise }
}

/** Whether an expression looks at a clock. */
export function readsClock(expr: HostExpr, clock: Clock): boolean {
  const within = (part: HostExpr) => readsClock(part, clock)
  if (expr.kind === 'apply') return expr.args.some(within)
  if (expr.kind === 'choose') return [expr.condition, expr.then, expr.otherwise].some(within)
  return expr.kind === 'clock' && expr.clock === clock
}

export function constantOf(expr: HostExpr): Scalar | undefined {
  return expr.kind === 'number' || expr.kind === 'bool' ? expr.value : undefined
}

export function literal(value: Scalar): HostExpr {
  return typeof value === 'number' ? number(value) : { kind: 'bool', value }
}
