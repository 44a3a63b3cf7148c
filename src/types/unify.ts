import {
  compareDims,
  type Dim,
  divisibility,
  exactDivide,
  floorDivide,
  isAtLeast,
  linearIn,
  multiply,
  substitute,
  subtract,
  variablesOf,
} from './dim.ts'
import { isRest, type Obligation, restIndex, type Shape } from './tensor.ts'

/** What the variables of a signature turned out to be, collected over all arguments of one call. */
export interface Bindings {
  readonly dims: Map<string, Dim>
  /** By the whole entry, `...s`. */
  readonly rests: Map<string, Shape>
  /** Which argument bound a variable or a rest. */
  readonly boundBy: Map<string, string>
  /** What waits for other variables to be known. */
  pending: readonly Equation[]
}

/** One axis: the size in the pattern must be the actual one. */
export interface Equation {
  readonly pattern: Dim
  readonly actual: Dim
  /** The place in the actual shape. */
  readonly axis: number
  readonly by: string
}

export type UnifyClash =
  | {
      readonly kind: 'axis'
      readonly axis: number
      /** What the pattern asks for, as far as its variables are known. */
      readonly expected: Dim
      readonly got: Dim
      /** The argument at fault, where one was named. */
      readonly by: string
      /** The pattern's entry, where it is a variable or a rest that another argument has bound. */
      readonly variable?: string
      readonly boundBy?: string
    }
  | { readonly kind: 'rank'; readonly expected: Shape; readonly got: Shape; readonly by: string }

export type Unified =
  | { readonly ok: true; readonly obligations: readonly Obligation[] }
  | { readonly ok: false; readonly clash: UnifyClash }

/** Bindings to begin with: what is known of the variables already. */
export function newBindings(dims: ReadonlyMap<string, Dim> = new Map()): Bindings {
  return { dims: new Map(dims), rests: new Map(), boundBy: new Map(), pending: [] }
}

/**
 * Matches the shape of a formal parameter with that of an argument and binds the variables named in `flexible` (rests as
 * `...s`). All other names belong to the caller, as the names in `actual` do; a flexible variable may be called the same.
 *
 * Equations are solved where exactly one variable is open and occurs linearly, `c * v + rest = actual`; others wait in the
 * bindings for the next argument, or for {@link finish}. After a clash the bindings are of no use.
 */
export function unifyShape(
  pattern: Shape,
  flexible: ReadonlySet<string>,
  actual: Shape,
  bindings: Bindings,
  by = '',
): Unified {
  const matching: Matching = { flexible, bindings, by, obligations: [] }
  const clash = matchShapes(pattern, actual, matching) ?? settle(matching)
  return clash === undefined ? { ok: true, obligations: matching.obligations } : { ok: false, clash }
}

/** The variables among `flexible` that no argument has decided, in their order. They occur only in what can't be solved. */
export function undecided(flexible: Iterable<string>, bindings: Bindings): readonly string[] {
  return [...flexible].filter(name => !bindings.dims.has(name) && !bindings.rests.has(name))
}

/** A shape with the bindings put in; open variables stay. */
export function substituteShape(shape: Shape, bindings: Pick<Bindings, 'dims' | 'rests'>): Shape {
  return shape.flatMap(d => (isRest(d) ? (bindings.rests.get(d) ?? [d]) : [substitute(d, bindings.dims)]))
}

interface Matching {
  readonly flexible: ReadonlySet<string>
  readonly bindings: Bindings
  readonly by: string
  readonly obligations: Obligation[]
}

/** The axes of two shapes that lie over each other, and what is left in the middle where one has a rest. */
interface Alignment {
  readonly pairs: readonly (readonly [Dim, Dim, axis: number])[]
  readonly left: Shape
  readonly right: Shape
}

/** Pairs axes from both ends up to a rest, or the end, of either. */
function align(left: Shape, right: Shape): Alignment {
  const room = Math.min(left.length, right.length)
  let front = 0
  while (front < room && !isRest(left[front]!) && !isRest(right[front]!)) front++
  let back = 0
  while (back < room - front && !isRest(left.at(-1 - back)!) && !isRest(right.at(-1 - back)!)) back++
  const fromFront = left.slice(0, front).map((d, i) => [d, right[i]!, i] as const)
  const fromBack = left.slice(left.length - back).map((d, i) => {
    const axis = right.length - back + i
    return [d, right[axis]!, axis] as const
  })
  return {
    pairs: [...fromFront, ...fromBack],
    left: left.slice(front, left.length - back),
    right: right.slice(front, right.length - back),
  }
}

function matchShapes(pattern: Shape, actual: Shape, matching: Matching): UnifyClash | undefined {
  const { pairs, left, right } = align(pattern, actual)
  const { by } = matching
  const equations = pairs.map(([size, got, axis]) => ({ pattern: size, actual: got, axis, by }))
  matching.bindings.pending = [...matching.bindings.pending, ...equations]
  const [rest] = left
  if (rest !== undefined && isRest(rest) && left.length === 1) return matchRest(rest, right, matching)
  return matchLeftovers(left, right, matching) ? undefined : rankClash(pattern, actual, matching)
}

/**
 * What is left where the rests of the two shapes, if any, don't cover it. False where the numbers of axes rule it out;
 * otherwise only an instance can tell, and a rest of the pattern is taken to be what it met.
 */
function matchLeftovers(left: Shape, right: Shape, { flexible, bindings, obligations }: Matching): boolean {
  if (left.length === 0 && right.length === 0) return true
  const [leftRest, rightRest] = [restIndex(left), restIndex(right)]
  if (rightRest === undefined || (leftRest === undefined && right.length - 1 > left.length)) return false
  const rest = leftRest === undefined ? undefined : String(left[leftRest])
  if (rest !== undefined && flexible.has(rest) && !bindings.rests.has(rest)) bindings.rests.set(rest, right)
  obligations.push([left.find(d => !isRest(d)) ?? 0, right[rightRest]!])
  return true
}

function matchRest(rest: string, actual: Shape, matching: Matching): UnifyClash | undefined {
  const { flexible, bindings, by } = matching
  const bound = flexible.has(rest) ? bindings.rests.get(rest) : [rest]
  if (bound !== undefined) return sameRest(rest, bound, actual, matching)
  bindings.rests.set(rest, actual)
  bindings.boundBy.set(rest, by)
  return undefined
}

/** A rest that is bound already: both shapes are the caller's. */
function sameRest(rest: string, bound: Shape, actual: Shape, matching: Matching): UnifyClash | undefined {
  const { pairs, left, right } = align(bound, actual)
  for (const [expected, got, axis] of pairs) {
    const comparison = compareDims(expected, got)
    const boundBy = matching.bindings.boundBy.get(rest)
    const origin = boundBy === undefined ? {} : { variable: rest, boundBy }
    if (comparison === 'different') return { kind: 'axis', axis, expected, got, by: matching.by, ...origin }
    if (comparison === 'unknown') matching.obligations.push([expected, got])
  }
  if (left.length === 1 && right.length === 1 && left[0] === right[0]) return undefined
  if (left.length === 0 && right.length === 0) return undefined
  if (restIndex(left) === undefined && restIndex(right) === undefined)
    return rankClash(bound, actual, matching)
  matching.obligations.push([left[0] ?? 0, right[0] ?? 0])
  return undefined
}

function rankClash(pattern: Shape, got: Shape, { bindings, by }: Matching): UnifyClash {
  return { kind: 'rank', expected: substituteShape(pattern, bindings), got, by }
}

/** Goes through the equations until none of them decides anything new. */
function settle(matching: Matching): UnifyClash | undefined {
  const { bindings } = matching
  for (let before = Infinity; bindings.pending.length < before; ) {
    before = bindings.pending.length
    const waiting: Equation[] = []
    for (const equation of bindings.pending) {
      const outcome = solve(equation, matching)
      if (outcome === 'wait') waiting.push(equation)
      else if (outcome !== undefined) return outcome
    }
    bindings.pending = waiting
  }
  return undefined
}

/** An open variable gets a name that no caller has, since its own may be one of the caller's. */
const openMark = '?'

function solve(equation: Equation, matching: Matching): UnifyClash | 'wait' | undefined {
  const { pattern, actual } = equation
  if (bindsBare(equation, matching)) return undefined
  const names = [...variablesOf(pattern)].filter(name => matching.flexible.has(name))
  const open = names.filter(name => !matching.bindings.dims.has(name))
  const values = names.map(name => [name, matching.bindings.dims.get(name) ?? openMark + name] as const)
  const expected = substitute(pattern, new Map(values))
  const [variable, ...others] = open
  if (variable === undefined) return check(equation, expected, matching)
  if (others.length > 0) return 'wait'
  const linear = linearIn(expected, openMark + variable)
  if (linear === undefined) return 'wait'
  const left = subtract(actual, linear.rest)
  const value = exactDivide(left, linear.coefficient) ?? floorDivide(left, linear.coefficient)
  const whole = divisibility(left, linear.coefficient)
  if (whole === 'inexact' || isAtLeast(value, 0) === false) return axisClash(equation, matching)
  if (whole === 'unknown') matching.obligations.push([multiply(linear.coefficient, value), left])
  matching.bindings.dims.set(variable, value)
  matching.bindings.boundBy.set(variable, equation.by)
  return undefined
}

/** The common case, a variable by itself: it is what it meets, where that is surely a size. */
function bindsBare({ pattern, actual, by }: Equation, { flexible, bindings }: Matching): boolean {
  if (typeof pattern !== 'string' || !flexible.has(pattern) || bindings.dims.has(pattern)) return false
  if (typeof actual === 'string' ? !/^\w+$/.test(actual) : actual < 0) return false
  bindings.dims.set(pattern, actual)
  bindings.boundBy.set(pattern, by)
  return true
}

function check(equation: Equation, expected: Dim, matching: Matching): UnifyClash | undefined {
  const comparison = compareDims(expected, equation.actual)
  if (comparison === 'different') return axisClash(equation, matching)
  if (comparison === 'unknown') matching.obligations.push([expected, equation.actual])
  return undefined
}

function axisClash({ pattern, actual, axis, by }: Equation, { flexible, bindings }: Matching): UnifyClash {
  const expected = substitute(pattern, bindings.dims)
  const variable = typeof pattern === 'string' && flexible.has(pattern) ? { variable: pattern } : {}
  const boundBy = bindings.boundBy.get(String(pattern))
  return {
    kind: 'axis',
    axis,
    expected,
    got: actual,
    by,
    ...variable,
    ...(boundBy === undefined ? {} : { boundBy }),
  }
}
