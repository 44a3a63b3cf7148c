import { type Span, textOf } from '../base/source.ts'
import type { HostExpr, HostOperator } from '../ir/ir.ts'
import type { Binary, BinaryOperator, Unary, Unit } from '../syntax/ast.ts'
import * as dims from '../types/dim.ts'
import { isRest, rank } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expression } from './evaluate.ts'
import { apply, number, sizeExpr } from './host.ts'
import { applyOperator, type OpName, toTensor } from './tensors.ts'
import {
  bool,
  errorValue,
  type FloatValue,
  type IntValue,
  int,
  type TensorValue,
  type Value,
} from './values.ts'

/** Infix operators on what is known at compile time, on host numbers, and on tensors. */

const primitive: Record<Exclude<BinaryOperator, '@'>, OpName & HostOperator> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  div: 'floordiv',
  '%': 'mod',
  '^': 'pow',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  and: 'and',
  or: 'or',
}

const comparisons: readonly BinaryOperator[] = ['==', '!=', '<', '<=', '>', '>=']

export function binary(ctx: Context, node: Binary): Value {
  const left = expression(ctx, node.left)
  if (left.kind === 'bool' && decides(node.operator, left.expr)) return left
  const right = expression(ctx, node.right)
  return combine(ctx, node.operator, left, right, node.span)
}

/** `false and …`, `true or …`: the other side is not looked at, it may only make sense where this one doesn't decide. */
function decides(
  operator: BinaryOperator,
  expr: { readonly kind: string; readonly value?: unknown },
): boolean {
  return (
    expr.kind === 'bool' &&
    ((operator === 'and' && expr.value === false) || (operator === 'or' && expr.value === true))
  )
}

export function combine(
  ctx: Context,
  operator: BinaryOperator,
  left: Value,
  right: Value,
  span: Span,
): Value {
  if (left.kind === 'error' || right.kind === 'error') return errorValue
  if (left.kind === 'tensor' || right.kind === 'tensor') return onTensors(ctx, operator, left, right, span)
  if (operator === '@') return wrong(ctx, operator, left, right, span)
  if (left.kind === 'int' && right.kind === 'int')
    return withinRange(ctx, onInts(ctx, operator, left, right, span), span)
  const a = hostNumber(left)
  const b = hostNumber(right)
  // Of a clock it may stand in a branch that is never taken: `if update < warmup then update / warmup …`.
  const divides = ['/', 'div', '%'].includes(operator) && a?.expr.kind === 'number'
  if (divides && b?.expr.kind === 'number' && b.expr.value === 0) return divisionByZero(ctx, operator, span)
  if (a && b) return onNumbers(ctx, operator, a, b, span)
  if (left.kind === 'bool' && right.kind === 'bool' && ['and', 'or', '==', '!='].includes(operator)) {
    return { kind: 'bool', expr: apply(primitive[operator], [left.expr, right.expr]) }
  }
  if (left.kind === 'string' && right.kind === 'string' && (operator === '==' || operator === '!=')) {
    return bool((left.text === right.text) === (operator === '=='))
  }
  const texts = [left, right].flatMap(textExpr)
  if (texts.length === 2 && (operator === '==' || operator === '!='))
    return { kind: 'bool', expr: apply(primitive[operator], texts) }
  return wrong(ctx, operator, left, right, span)
}

/** A text, known now or only to the run. */
function textExpr(value: Value): readonly HostExpr[] {
  if (value.kind === 'run_string') return [value.expr]
  return value.kind === 'string' ? [{ kind: 'string', value: value.text }] : []
}

function wrong(ctx: Context, operator: string, left: Value, right: Value, span: Span): Value {
  const uncalled = [left, right].find(side => side.kind === 'function' || side.kind === 'operator')
  if (uncalled?.kind === 'function' || uncalled?.kind === 'operator')
    return complain(ctx, 'LTM3012', span, { name: uncalled.name })
  return complain(ctx, 'LTM2103', span, {
    operator,
    problem: `the left side is ${describe(left)}, the right side ${describe(right)}`,
  })
}

/** A host number from an int, a float or a duration. */
export function hostNumber(value: Value): FloatValue | undefined {
  if (value.kind === 'float') return value
  if (value.kind === 'int') return { kind: 'float', expr: sizeExpr(value.dim), whole: true }
  if (value.kind === 'duration') return { kind: 'float', expr: number(value.count), unit: value.unit }
  return undefined
}

function onInts(ctx: Context, operator: BinaryOperator, left: IntValue, right: IntValue, span: Span): Value {
  const [a, b] = [left.dim, right.dim]
  switch (operator) {
    case '+':
      return int(dims.add(a, b))
    case '-':
      return int(dims.subtract(a, b))
    case '*':
      return int(dims.multiply(a, b))
    case 'div':
      return b === 0 ? divisionByZero(ctx, operator, span) : int(dims.floorDivide(a, b))
    case '%':
      return b === 0 ? divisionByZero(ctx, operator, span) : int(dims.modulo(a, b))
    case '/':
      return b === 0 ? divisionByZero(ctx, operator, span) : exactQuotient(ctx, a, b, span)
    case '^':
      return typeof b === 'number' && b >= 0 && (typeof a === 'number' || b <= 64)
        ? int(dims.power(a, b))
        : { kind: 'float', expr: apply('pow', [sizeExpr(a), sizeExpr(b)]) }
    default:
      return compareInts(operator, a, b)
  }
}

/** Ints are exact, so they end where numbers of the machine stop being so. */
function withinRange(ctx: Context, value: Value, span: Span): Value {
  if (value.kind !== 'int' || !/^-?\d+$/.test(String(value.dim)) || Number.isSafeInteger(value.dim))
    return value
  return complain(ctx, 'LTM2131', span, { text: textOf(span) })
}

function divisionByZero(ctx: Context, operator: string, span: Span): Value {
  return complain(ctx, 'LTM2103', span, { operator, problem: 'the right side is 0' })
}

function exactQuotient(ctx: Context, a: dims.Dim, b: dims.Dim, span: Span): Value {
  const quotient = dims.exactDivide(a, b)
  if (quotient !== undefined) return int(quotient)
  if (ctx.generic && dims.divisibility(a, b) === 'unknown') return int(dims.floorDivide(a, b))
  return complain(ctx, 'LTM2107', span, { left: String(a), right: String(b) })
}

function compareInts(operator: BinaryOperator, a: dims.Dim, b: dims.Dim): Value {
  const equality = dims.compareDims(a, b)
  if (equality === 'equal' && comparisons.includes(operator))
    return bool(['==', '<=', '>='].includes(operator))
  if (equality === 'different' && operator === '==') return bool(false)
  if (equality === 'different' && operator === '!=') return bool(true)
  return {
    kind: 'bool',
    expr: apply(primitive[operator as keyof typeof primitive], [sizeExpr(a), sizeExpr(b)]),
  }
}

/** Host numbers in 64-bit floats. Clocks carry units: sums and comparisons want equal ones, a ratio of two is a number. */
function onNumbers(ctx: Context, operator: BinaryOperator, a: FloatValue, b: FloatValue, span: Span): Value {
  if (a.unit && b.unit && a.unit !== b.unit)
    return complain(ctx, 'LTM2114', span, { first: a.unit, second: b.unit })
  if (operator === 'and' || operator === 'or') return wrong(ctx, operator, a, b, span)
  const expr = apply(primitive[operator as keyof typeof primitive], [a.expr, b.expr])
  if (comparisons.includes(operator)) return { kind: 'bool', expr }
  const unit = a.unit ?? b.unit
  const keeps =
    unit !== undefined &&
    ['+', '-', '%', 'div'].includes(operator) &&
    !(a.unit && b.unit && operator === 'div')
  if (keeps) return { kind: 'float', expr, unit }
  const whole = a.whole && b.whole && ['+', '-', '*', '%', 'div'].includes(operator)
  const scaled = scaledUnit(operator, a, b)
  return { kind: 'float', expr, ...(whole && { whole }), ...(scaled && { scaled }) }
}

/** The unit of what a plain number multiplies or divides. */
function scaledUnit(operator: BinaryOperator, a: FloatValue, b: FloatValue): Unit | undefined {
  const [left, right] = [a.unit ?? a.scaled, b.unit ?? b.scaled]
  if (operator === '*') return left && right ? undefined : (left ?? right)
  return operator === '/' && !right ? left : undefined
}

function onTensors(ctx: Context, operator: BinaryOperator, left: Value, right: Value, span: Span): Value {
  if (operator === '@') return matrixProduct(ctx, left, right, span)
  const dtype = left.kind === 'tensor' ? left.type.dtype : right.kind === 'tensor' ? right.type.dtype : 'f32'
  if (operator === '/' && dtype === 'i32') {
    return complain(
      ctx,
      'LTM2103',
      span,
      { operator, problem: 'integers have no `/`' },
      { help: 'write `div` for the floor, or convert with `f32(…)`' },
    )
  }
  const a = toTensor(ctx, left, span, dtype)
  const b = toTensor(ctx, right, span, dtype)
  if (a.kind === 'error' || b.kind === 'error') return errorValue
  if (operator === '^' && right.kind === 'int' && right.dim === 2)
    return applyOperator(ctx, 'mul', [a, a], {}, span, '^')
  return applyOperator(ctx, primitive[operator], [a, b], {}, span, operator)
}

/**
 * `@`: both of rank 2 and more, or a matrix and a vector. A matrix on one side serves all leading axes of the other, whose
 * rows are laid out as one matrix for it.
 */
function matrixProduct(ctx: Context, left: Value, right: Value, span: Span): Value {
  if (left.kind !== 'tensor' || right.kind !== 'tensor') return wrong(ctx, '@', left, right, span)
  const [a, b] = [rank(left.type), rank(right.type)]
  if (b === 1 && a !== 1)
    return throughReshape(ctx, left, right, [...right.type.shape, 1], shape => shape.slice(0, -1), span)
  if (a === 1 && b === 1)
    return complain(
      ctx,
      'LTM2103',
      span,
      { operator: '@', problem: 'both are vectors' },
      { help: 'write `dot(a, b)`' },
    )
  if (b === 2 && a !== 2) return rowsTimesMatrix(ctx, left, right, span)
  return applyOperator(ctx, 'matmul', [left, right], {}, span, '@')
}

function throughReshape(
  ctx: Context,
  left: TensorValue,
  right: TensorValue,
  shape: readonly dims.Dim[],
  after: (shape: readonly dims.Dim[]) => readonly dims.Dim[],
  span: Span,
): Value {
  const column = applyOperator(ctx, 'reshape', [right], { shape }, span, '@')
  const product = column.kind === 'error' ? column : matrixProduct(ctx, left, column, span)
  return product.kind === 'tensor'
    ? applyOperator(ctx, 'reshape', [product], { shape: after(product.type.shape) }, span, '@')
    : product
}

/** `f32[...b, k] @ f32[k, m]`: all leading axes as one, and back. In a definition the rest stays open. */
function rowsTimesMatrix(ctx: Context, left: TensorValue, right: TensorValue, span: Span): Value {
  const leading = left.type.shape.slice(0, -1)
  const last = left.type.shape.at(-1)!
  const [inner, outer] = right.type.shape as readonly [dims.Dim, dims.Dim]
  if (isRest(last)) return errorValue
  if (dims.compareDims(last, inner) === 'different')
    return complain(ctx, 'LTM2103', span, {
      operator: '@',
      problem: `the last axis of the left side has size ${last}, the first of the right side ${inner}`,
    })
  if (leading.some(isRest)) {
    return {
      kind: 'tensor',
      name: ctx.region.fresh('matmul'),
      type: { dtype: left.type.dtype, shape: [...leading, outer] },
      span,
    }
  }
  const rows = applyOperator(ctx, 'reshape', [left], { shape: [dims.product(leading), last] }, span, '@')
  const product = rows.kind === 'error' ? rows : applyOperator(ctx, 'matmul', [rows, right], {}, span, '@')
  return product.kind === 'error'
    ? product
    : applyOperator(ctx, 'reshape', [product], { shape: [...leading, outer] }, span, '@')
}

export function unary(ctx: Context, node: Unary): Value {
  const value = expression(ctx, node.operand)
  if (node.operator === 'not') return negation(ctx, value, node.span)
  return opposite(ctx, value, node.span)
}

function opposite(ctx: Context, value: Value, span: Span): Value {
  if (value.kind === 'int') return int(dims.subtract(0, value.dim))
  if (value.kind === 'float') return { ...value, expr: apply('neg', [value.expr]) }
  if (value.kind === 'tensor') return applyOperator(ctx, 'neg', [value], {}, span, '-')
  if (value.kind === 'error') return value
  return complain(ctx, 'LTM2109', span, { wanted: 'a number or a tensor', got: describe(value) })
}

function negation(ctx: Context, value: Value, span: Span): Value {
  if (value.kind === 'bool') return { kind: 'bool', expr: apply('not', [value.expr]) }
  if (value.kind === 'tensor') return applyOperator(ctx, 'not', [value], {}, span, 'not')
  if (value.kind === 'error') return value
  return complain(ctx, 'LTM2109', span, { wanted: 'a bool', got: describe(value) })
}

/** A condition of the compiler or the host: one bool, never a tensor of rank above 0. */
export function conditionOf(ctx: Context, value: Value, span: Span): boolean | undefined | 'error' {
  if (value.kind === 'bool') return value.expr.kind === 'bool' ? value.expr.value : undefined
  if (value.kind !== 'error') notBool(ctx, value, span)
  return 'error'
}

/** What is no bool: many of them, or a number. */
export function notBool(ctx: Context, value: Value, span: Span): void {
  if (value.kind === 'tensor' && value.type.dtype === 'bool' && value.type.shape.length === 0)
    return void complain(
      ctx,
      'LTM2108',
      span,
      {
        got: 'a bool that only the run knows',
        wanted: 'one that is known when the program is compiled',
      },
      {
        help: 'write `where(condition, a, b)`; in a step, a tensor of one bool may be a condition of the host',
      },
    )
  const isNumber = value.kind === 'int' || value.kind === 'float'
  const help = isNumber ? `compare it, as in \`${textOf(span)} > 0\`` : undefined
  complain(ctx, 'LTM2108', span, { got: describe(value) }, help === undefined ? {} : { help })
}
