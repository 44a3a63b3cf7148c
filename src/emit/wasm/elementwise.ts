import type { Expr, Type } from '../../base/wasm/code.ts'
import { f32, i32 } from '../../base/wasm/instructions.ts'
import type { Binary, Comparison, Connective, Lanes, Unary } from '../../base/wasm/lanes.ts'
import type { Step } from '../../ir/ir.ts'

/** A value of an update at one element, or at several side by side. */
export type Operand<F extends Type, B extends Type> =
  | { readonly kind: 'number'; readonly expr: Expr<F> }
  | { readonly kind: 'truth'; readonly expr: Expr<B> }

/**
 * What an elementwise operator makes of its operands; undefined for every other operator, and for those whose last bit the
 * engines may disagree about (`pow`, `exp`, `log`, `round`).
 */
export function applied<F extends Type, B extends Type>(
  lanes: Lanes<F, B>,
  step: Step,
  [a, b, c]: readonly Operand<F, B>[],
): Operand<F, B> | undefined {
  const { op } = step
  if (a === undefined) return undefined
  if (op === 'stop_gradient' || op === 'broadcast_to') return a
  if (op === 'cast') return converted(lanes, step, a)
  if (a.kind === 'number') return b ? ofNumbers(lanes, op, a.expr, b) : ofNumber(lanes, op, a.expr)
  if (b === undefined) return op === 'not' ? truth(lanes.not(a.expr)) : undefined
  if (op === 'where') return c && chosen(lanes, a.expr, b, c)
  return isConnective(op, lanes) && b.kind === 'truth'
    ? truth(lanes.connective[op](a.expr, b.expr))
    : undefined
}

function ofNumber<F extends Type, B extends Type>(
  lanes: Lanes<F, B>,
  op: string,
  x: Expr<F>,
): Operand<F, B> | undefined {
  const zero = lanes.splat(f32.const(0))
  if (isUnary(op, lanes)) return number(lanes.unary[op](x))
  if (op === 'relu') return number(lanes.binary.maximum(zero, x))
  if (op !== 'sign') return undefined
  const { gt, lt } = lanes.comparison
  return number(lanes.binary.sub(lanes.asNumber(gt(x, zero)), lanes.asNumber(lt(x, zero))))
}

function ofNumbers<F extends Type, B extends Type>(
  lanes: Lanes<F, B>,
  op: string,
  a: Expr<F>,
  b: Operand<F, B>,
): Operand<F, B> | undefined {
  if (b.kind !== 'number') return undefined
  if (isBinary(op, lanes)) return number(lanes.binary[op](a, b.expr))
  return isComparison(op, lanes) ? truth(lanes.comparison[op](a, b.expr)) : undefined
}

function chosen<F extends Type, B extends Type>(
  lanes: Lanes<F, B>,
  condition: Expr<B>,
  a: Operand<F, B>,
  b: Operand<F, B>,
): Operand<F, B> | undefined {
  if (a.kind === 'number' && b.kind === 'number') return number(lanes.where(condition, a.expr, b.expr))
  if (a.kind !== 'truth' || b.kind !== 'truth') return undefined
  const { and, or } = lanes.connective
  return truth(or(and(condition, a.expr), and(lanes.not(condition), b.expr)))
}

/** To a float or to a truth; an update has no whole numbers. */
function converted<F extends Type, B extends Type>(
  lanes: Lanes<F, B>,
  { attrs: { dtype } }: Step,
  x: Operand<F, B>,
): Operand<F, B> | undefined {
  if (dtype === 'f32') return x.kind === 'number' ? x : number(lanes.asNumber(x.expr))
  if (dtype !== 'bool') return undefined
  return x.kind === 'truth' ? x : truth(lanes.comparison.ne(x.expr, lanes.splat(f32.const(0))))
}

/** The number or truth that a `const` or `full` has everywhere; undefined for other steps. */
export function constantOperand({ op, attrs }: Step): Operand<'f32', 'i32'> | undefined {
  const { value, dtype } = attrs
  if ((op !== 'const' && op !== 'full') || (typeof value !== 'number' && typeof value !== 'boolean'))
    return undefined
  if (dtype === 'f32') return number(f32.const(Number(value)))
  return dtype === 'bool' ? truth(i32.const(Number(Boolean(value)))) : undefined
}

function number<F extends Type>(expr: Expr<F>): { readonly kind: 'number'; readonly expr: Expr<F> } {
  return { kind: 'number', expr }
}

function truth<B extends Type>(expr: Expr<B>): { readonly kind: 'truth'; readonly expr: Expr<B> } {
  return { kind: 'truth', expr }
}

interface AnyLanes {
  readonly unary: object
  readonly binary: object
  readonly comparison: object
  readonly connective: object
}

const isUnary = (op: string, { unary }: AnyLanes): op is Unary => Object.hasOwn(unary, op)
const isBinary = (op: string, { binary }: AnyLanes): op is Binary => Object.hasOwn(binary, op)
const isComparison = (op: string, lanes: AnyLanes): op is Comparison => Object.hasOwn(lanes.comparison, op)
const isConnective = (op: string, lanes: AnyLanes): op is Connective => Object.hasOwn(lanes.connective, op)
