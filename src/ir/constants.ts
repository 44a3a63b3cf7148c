import type { Attr, Func, Step, ValueType } from './ir.ts'

/** A tensor that is known when a program is compiled: its elements row by row, booleans as 0 and 1. */
export interface Constant {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/**
 * What a function gives for constants, in 32 bits; undefined where it takes a step that is not computed here. These are the
 * steps of which conditions on start values are made.
 */
export function evaluateConstant(
  { params, steps, results }: Func,
  inputs: readonly Constant[],
  functions: readonly Func[],
): Constant | undefined {
  const known = new Map<string, Constant>()
  for (const [i, { name }] of params.entries()) {
    const input = inputs[i]
    if (input) known.set(name, input)
  }
  for (const step of steps) {
    const given = step.inputs.map(name => known.get(name))
    const made = given.every(each => each !== undefined) ? evaluateStep(step, given, functions) : undefined
    const [output] = step.outputs
    if (made && output) known.set(output.name, made)
  }
  const [result] = results
  return result === undefined ? undefined : known.get(result)
}

/** The tensor of a `const` step. */
export function constantOf({ attrs, outputs }: Step): Constant | undefined {
  const shape = shapeOf(outputs[0]?.type)
  const values = numbersIn(attrs.value)
  if (!shape || !values) return undefined
  const size = shape.reduce((product, each) => product * each, 1)
  const filled = values.length === 1 ? Array<number>(size).fill(values[0] ?? 0) : values
  return filled.length === size ? { shape, values: filled.map(Math.fround) } : undefined
}

function numbersIn(value: Attr | undefined): readonly number[] | undefined {
  if (typeof value === 'number') return [value]
  if (typeof value === 'boolean') return [Number(value)]
  if (!isList(value)) return undefined
  const parts = value.map(numbersIn)
  return parts.every(part => part !== undefined) ? parts.flat() : undefined
}

const isList = (value: Attr | undefined): value is readonly Attr[] => Array.isArray(value)

function shapeOf(type: ValueType | undefined): readonly number[] | undefined {
  if (type === undefined || type === 'key') return undefined
  const sizes = type.shape.filter(size => typeof size === 'number')
  return sizes.length === type.shape.length ? sizes : undefined
}

const elementwise: Readonly<Record<string, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  maximum: Math.max,
  minimum: Math.min,
  gt: (x, y) => Number(x > y),
  ge: (x, y) => Number(x >= y),
  lt: (x, y) => Number(x < y),
  le: (x, y) => Number(x <= y),
  eq: (x, y) => Number(x === y),
  ne: (x, y) => Number(x !== y),
  and: (x, y) => Number(x !== 0 && y !== 0),
  or: (x, y) => Number(x !== 0 || y !== 0),
  not: x => Number(x === 0),
  abs: Math.abs,
  neg: x => -x,
  sqrt: Math.sqrt,
  log: Math.log,
  exp: Math.exp,
}

const reductions: Readonly<Record<string, (x: number, y: number) => number>> = {
  sum: (x, y) => x + y,
  reduce_max: Math.max,
  reduce_min: Math.min,
}

function evaluateStep(
  step: Step,
  inputs: readonly Constant[],
  functions: readonly Func[],
): Constant | undefined {
  const { op, attrs } = step
  if (op === 'const') return constantOf(step)
  if (op === 'call') {
    const called = functions.find(({ name }) => name === attrs.func)
    return called && called.hostParams.length === 0 ? evaluateConstant(called, inputs, functions) : undefined
  }
  const shape = shapeOf(step.outputs[0]?.type)
  const value = shape && elementOf(step, inputs, shape)
  if (!value) return undefined
  const size = shape.reduce((product, each) => product * each, 1)
  return { shape, values: Array.from({ length: size }, (_, i) => Math.fround(value(placeOf(i, shape)))) }
}

type Place = readonly number[]

/** An element of what a step gives, by its place. */
function elementOf(
  { op, attrs }: Step,
  inputs: readonly Constant[],
  shape: readonly number[],
): ((place: Place) => number) | undefined {
  const [x, y] = inputs
  const combine = elementwise[op]
  if (combine && x) return place => combine(broadcast(x, place), y ? broadcast(y, place) : 0)
  const reduce = reductions[op]
  if (reduce && x) return place => reduced(x, place, attrs, reduce)
  if (op === 'arange' && typeof attrs.from === 'number') {
    const { from } = attrs
    return ([i = 0]) => from + i
  }
  if (!x) return undefined
  if (op === 'cast') return place => at(x, place)
  if (op === 'reshape') return place => x.values[offsetOf(place, shape)] ?? Number.NaN
  if (op === 'one_hot') return place => Number(at(x, place.slice(0, -1)) === place.at(-1))
  if (op === 'slice') return place => at(x, moved(place, attrs.axis, Number(attrs.from)))
  if (op === 'pad') return place => padded(x, moved(place, attrs.axis, -Number(attrs.before)), attrs)
  if (op === 'transpose' && isList(attrs.perm) && attrs.perm.length === 0)
    return place => at(x, [...place.slice(0, -2), ...place.slice(-2).toReversed()])
  return undefined
}

function reduced(
  x: Constant,
  place: Place,
  { axis, keep }: Step['attrs'],
  combine: (x: number, y: number) => number,
): number {
  const axes = (numbersIn(axis) ?? []).map(each => (each < 0 ? each + x.shape.length : each))
  const kept = keep === true ? place : x.shape.map((_, i) => (axes.includes(i) ? 0 : -1))
  let next = 0
  const start = keep === true ? kept : kept.map(each => (each === 0 ? 0 : (place[next++] ?? 0)))
  const members = x.values.filter((_, i) =>
    placeOf(i, x.shape).every((each, dim) => axes.includes(dim) || each === start[dim]),
  )
  return members.length === 0 ? 0 : members.reduce((total, each) => Math.fround(combine(total, each)))
}

function padded(x: Constant, place: Place, { value }: Step['attrs']): number {
  const inside = place.every((each, i) => each >= 0 && each < (x.shape[i] ?? 0))
  return inside ? at(x, place) : Number(value)
}

function moved(place: Place, axis: Attr | undefined, by: number): Place {
  const dim = Number(axis) < 0 ? Number(axis) + place.length : Number(axis)
  return place.map((each, i) => (i === dim ? each + by : each))
}

/** The element that meets this place of a larger shape. */
function broadcast(x: Constant, place: Place): number {
  const last = place.slice(place.length - x.shape.length)
  return at(
    x,
    last.map((each, i) => (x.shape[i] === 1 ? 0 : each)),
  )
}

const at = (x: Constant, place: Place): number => x.values[offsetOf(place, x.shape)] ?? Number.NaN

const offsetOf = (place: Place, shape: readonly number[]): number =>
  shape.reduce((offset, size, i) => offset * size + (place[i] ?? 0), 0)

/** Where the element of this number stands. */
export function placeOf(index: number, shape: readonly number[]): Place {
  let left = index
  return shape
    .toReversed()
    .map(size => {
      const here = left % size
      left = Math.floor(left / size)
      return here
    })
    .toReversed()
}
