import type { HostExpr, HostOperator, Step } from '../../ir/ir.ts'
import type { DType } from '../../types/tensor.ts'
import { isHostExpr } from '../values.ts'
import { constantOf, type Known, type Rule, resultType, rule, type Simpler } from './rule.ts'

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
}

/**
 * Rules of constants. Only arithmetic whose every result is the rounded exact one is folded; the target's `exp` need not
 * be ours.
 */
export const constantRules: readonly Rule[] = [
  rule('a host number that is known', ['host'], step => {
    const value = step.attrs.value
    const folded = value !== undefined && isHostExpr(value) ? foldExpr(value) : undefined
    if (folded === undefined || folded === value) return undefined
    return { op: 'host', inputs: [], attrs: { value: folded } }
  }),
  rule('host {2} = 2', ['host'], step => {
    const value = step.attrs.value
    const known =
      value !== undefined && isHostExpr(value) && value.kind === 'number' ? value.value : undefined
    return known === undefined ? undefined : constant(step, known)
  }),
  rule('arithmetic of two constants', ['add', 'sub', 'mul', 'div'], (step, known) => {
    const [a, b] = step.inputs.map(input => constantOf(input, known))
    const result = resultType(step)
    if (typeof a !== 'number' || typeof b !== 'number' || result?.dtype !== 'f32') return undefined
    return constant(step, Math.fround(arithmetic[step.op]!(Math.fround(a), Math.fround(b))))
  }),
  rule('minus a constant', ['neg'], (step, known) => {
    const value = constantOf(step.inputs[0], known)
    return typeof value === 'number' && resultType(step)?.dtype === 'f32' ? constant(step, -value) : undefined
  }),
  rule('a constant of another shape', ['reshape', 'broadcast_to'], (step, known) => ofShape(step, known)),
  rule('a constant of another dtype', ['cast'], (step, known) => {
    const [value, dtype] = [constantOf(step.inputs[0], known), resultType(step)?.dtype]
    return value === undefined || dtype === undefined ? undefined : constant(step, converted(value, dtype))
  }),
]

function ofShape(step: Step, known: Known): Simpler | undefined {
  const value = constantOf(step.inputs[0], known)
  return value === undefined ? undefined : constant(step, value)
}

/** As `cast` has it: to a whole number towards 0, which has no sign when it is 0; to bool whether it differs from 0. */
function converted(value: number | boolean, dtype: DType): number | boolean {
  if (dtype === 'bool') return Number(value) !== 0
  return dtype === 'i32' ? Math.trunc(Number(value)) + 0 : Number(value)
}

/** A constant of the type that a step gives. */
function constant(step: Step, value: number | boolean): Simpler | undefined {
  const type = resultType(step)
  if (type === undefined) return undefined
  const { dtype, shape } = type
  if (shape.length === 0) return { op: 'const', inputs: [], attrs: { dtype, value } }
  return { op: 'full', inputs: [], attrs: { dtype, shape, value } }
}

const hostArithmetic: Partial<Record<HostOperator, (a: number, b: number) => number>> = arithmetic

/** Whether simplification computes an operator of numbers that it knows. */
export function isFolded(operator: HostOperator): boolean {
  return operator === 'neg' || hostArithmetic[operator] !== undefined
}

/** The expression with known sums and products computed; the very same one where there are none. */
function foldExpr(expr: HostExpr): HostExpr {
  if (expr.kind !== 'apply') return expr
  const args = expr.args.map(foldExpr)
  const [a, b] = args.map(arg => (arg.kind === 'number' ? arg.value : undefined))
  if (a !== undefined && expr.operator === 'neg') return { kind: 'number', value: -a }
  const fold = hostArithmetic[expr.operator]
  if (fold && a !== undefined && b !== undefined) return { kind: 'number', value: fold(a, b) }
  return args.every((arg, i) => arg === expr.args[i]) ? expr : { ...expr, args }
}
