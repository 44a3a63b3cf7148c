import { bug } from '../../base/bug.ts'
import type { Attrs, Func, Step, ValueType } from '../../ir/ir.ts'
import type { FixedType } from '../../ops/onnx.ts'

/** What is known of the values of a function. */
export interface Facts {
  /** The step that gives a value; undefined for a parameter. */
  step(value: string): Step | undefined
  type(value: string): ValueType
  /** The steps that read a value. */
  readers(value: string): readonly Step[]
  /** How often steps and results read a value. */
  uses(value: string): number
  /** Whether a value is there before a step runs. */
  isBefore(value: string, step: Step): boolean
}

/** What is known while nodes are chosen, from the results backwards. */
export interface ChoosingFacts extends Facts {
  /** Whether a value is a result, or read by what has been chosen so far. */
  isNeeded(value: string): boolean
}

/** Looks at a function once. */
export function factsOf(func: Func): Facts {
  const steps = new Map(func.steps.flatMap(step => step.outputs.map(({ name }) => [name, step])))
  const places = new Map(func.steps.map((step, i) => [step, i]))
  const values = [...func.params, ...func.steps.flatMap(step => step.outputs)]
  const types = new Map(values.map(({ name, type }) => [name, type]))
  const readers = new Map<string, Step[]>()
  for (const step of func.steps)
    for (const input of step.inputs) readers.set(input, [...(readers.get(input) ?? []), step])
  const results = new Map<string, number>()
  for (const name of func.results) results.set(name, (results.get(name) ?? 0) + 1)
  const placeOf = (step: Step | undefined) => (step === undefined ? -1 : (places.get(step) ?? -1))
  return {
    step: value => steps.get(value),
    type: value => types.get(value) ?? bug(`${func.name} has no value ${value}`),
    readers: value => readers.get(value) ?? [],
    uses: value => (readers.get(value)?.length ?? 0) + (results.get(value) ?? 0),
    isBefore: (value, step) => placeOf(steps.get(value)) < placeOf(step),
  }
}

/** The step that gives a value, where it is of this operator. */
export function made(facts: Facts, value: string | undefined, op: string): Step | undefined {
  const step = value === undefined ? undefined : facts.step(value)
  return step?.op === op ? step : undefined
}

/** The number that all elements of a value are, where it is a constant. */
export function numberOf(facts: Facts, value: string | undefined): number | undefined {
  const size = made(facts, value, 'size')
  if (size !== undefined) return numbersIn(size.attrs, 'shape').reduce((product, each) => product * each, 1)
  const step = made(facts, value, 'const') ?? made(facts, value, 'full')
  const number = step?.attrs.value
  return typeof number === 'number' ? number : undefined
}

/** The sizes of a value, all of which are numbers. */
export function shapeOf(facts: Facts, value: string): readonly number[] {
  return typeOf(facts, value).shape
}

/** The type of a value that is no key. */
export function typeOf(facts: Facts, value: string): FixedType {
  const type = facts.type(value)
  if (type === 'key') return bug(`${value} is a key`)
  return {
    dtype: type.dtype,
    shape: type.shape.map(size => (typeof size === 'number' ? size : bug(`size ${size}`))),
  }
}

/** An attribute that is a list of numbers. */
export function numbersIn(attrs: Attrs, name: string): readonly number[] {
  const value = attrs[name]
  return Array.isArray(value) ? value.map(Number) : bug(`${name} is no list`)
}

/** The value that a step gives. */
export function resultOf(step: Step): string {
  return step.outputs[0]?.name ?? bug(`${step.op} gives nothing`)
}

/** An input of a step. */
export function inputOf(step: Step, place: number): string {
  return step.inputs[place] ?? bug(`${step.op} has no input ${place}`)
}

/** Both orders of the inputs of an operator that doesn't mind. */
export function bothOrders({ inputs: [a, b] }: Step): readonly (readonly [string, string])[] {
  return a === undefined || b === undefined
    ? []
    : [
        [a, b],
        [b, a],
      ]
}

/** Whether two shapes are alike. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}
