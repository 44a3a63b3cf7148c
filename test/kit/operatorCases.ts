import * as tf from '@tensorflow/tfjs-core'
import * as assert from 'uvu/assert'
import type { Step, ValueType } from '../../src/ir/ir.ts'
import { makeBuilder, showValueType } from '../../src/ops/builder.ts'
import { findOp, opNames } from '../../src/ops/index.ts'
import type { Op, Operand, Sample } from '../../src/ops/op.ts'
import { inferType, withDefaults } from '../../src/ops/signature.ts'
import { rootKey, uniformArray } from '../../src/runtime/random.ts'
import type { TensorType } from '../../src/types/tensor.ts'
import {
  asValue,
  compile,
  type Input,
  inputsOf,
  paramsOf,
  type Sizes,
  stepOf,
  type Value,
} from './operator.ts'

/** One sample of one operator, with everything that the checks share. */
export interface Case {
  readonly title: string
  readonly op: Op
  readonly sample: Sample
  readonly inputs: readonly Input[]
  /** The types that the entry is told: those of the inputs, or such with named sizes. */
  readonly types: readonly ValueType[]
  readonly sizes: Sizes
  readonly type: ValueType
  readonly step: Step
  readonly run: (...values: Value[]) => Value
}

/** Other types for a sample, with names for sizes. */
export interface Named {
  readonly types: readonly ValueType[]
  readonly sizes: Sizes
  /** Axes of length 1 that the inputs get in front, where a name stands for more than one axis. */
  readonly lead: readonly number[]
}

export function caseOf(name: string, op: Op, sample: Sample, index: number, named?: Named): Case {
  const title = `${name} ${index}`
  const inputs = inputsOf(title, op, sample, named?.lead)
  const types = named?.types ?? inputs.map(input => input.type)
  const sizes = named?.sizes ?? { n: 0, r: [] }
  const inferred = inferType(op, types, sample.attrs)
  if ('clash' in inferred)
    throw new Error(`${title} (${types.map(showValueType).join(', ')}): ${inferred.clash}`)
  const step = stepOf(name, inputs, withDefaults(op, sample.attrs), inferred.type)
  const compiled = compile([step], paramsOf(types), ['y'], sizes)
  const run = (...values: Value[]) => compiled(...values)[0]!
  return { title, op, sample, inputs, types, sizes, type: inferred.type, step, run }
}

/** Every sample of every operator. */
export const cases: readonly Case[] = opNames.flatMap(name => {
  const op = findOp(name)!
  return op.samples.map((sample, index) => caseOf(name, op, sample, index))
})

function isFloat(input: Input): input is Input & { readonly type: TensorType } {
  return input.type !== 'key' && input.type.dtype === 'f32'
}

/** The places of the inputs that have a gradient. */
export function floatsOf({ inputs }: Case): number[] {
  return inputs.flatMap((input, i) => (isFloat(input) ? [i] : []))
}

export const differentiable: readonly Case[] = cases.filter(c => floatsOf(c).length > 0)

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The numbers of a result; a graphics card can only be asked asynchronously. */
export async function numbers(result: Value): Promise<number[]> {
  return result instanceof tf.Tensor ? Array.from(await result.data()) : [result.high, result.low]
}

export function allNumbers(results: readonly Value[]): Promise<number[][]> {
  return Promise.all(results.map(numbers))
}

/** Fails with the first pair that differs by more than `tolerance`, relative to numbers beyond 1. */
export function close(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  assert.is(actual.length, expected.length, `${what}: ${actual.length} numbers, not ${expected.length}`)
  actual.forEach((value, i) => {
    const difference = Math.abs(value - expected[i]!)
    const fine =
      Object.is(value, expected[i]) ||
      value === expected[i] ||
      difference <= tolerance * Math.max(1, Math.abs(expected[i]!))
    assert.ok(
      fine,
      `${what}: [${actual.map(v => v.toPrecision(6))}], not [${expected.map(v => v.toPrecision(6))}] (place ${i})`,
    )
  })
}

/** The result of a case for the inputs that it has. */
export function resultOf({ run, inputs }: Case): Value {
  return run(...inputs.map(input => asValue(input)))
}

export function floatValues(input: Input): Float32Array {
  if (input.type === 'key') throw new Error('a key has no numbers')
  return input.values
}

/** An input as a tensor, perhaps with other numbers. */
export function tensorOf(input: Input, values?: Float32Array): tf.Tensor {
  const value = asValue(input, values)
  if (value instanceof tf.Tensor) return value
  throw new Error('a key is no tensor')
}

/** Weights that make a scalar of a result; all 1 where the sample says what the gradient is. */
function weightsOf(c: Case, count: number): Float32Array {
  return c.sample.gradient ? new Float32Array(count).fill(1) : uniformArray(rootKey(3, c.title), count, -1, 1)
}

/** The weighted sum of a result as a tensor. */
export function scalarOf(c: Case, y: Value): tf.Scalar {
  if (!(y instanceof tf.Tensor)) throw new Error('a key is no number')
  const weights = tf.tensor(weightsOf(c, y.size), y.shape)
  const floats = y.dtype === 'float32' ? y : tf.cast(y, 'float32')
  return tf.sum<tf.Scalar>(tf.mul(floats, weights))
}

/** All inputs as tensors, some of them replaced. */
export function valuesWith(c: Case, places: readonly number[], tensors: readonly tf.Tensor[]): Value[] {
  return c.inputs.map((input, i) => (places.includes(i) ? tensors[places.indexOf(i)]! : asValue(input)))
}

// ── Gradients ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** The gradients of the weighted sum on tfjs's tape. */
export function tapeGradients(c: Case): tf.Tensor[] {
  const places = floatsOf(c)
  const gradients = tf.grads((...tensors) => scalarOf(c, c.run(...valuesWith(c, places, tensors))))
  return gradients(places.map(i => tensorOf(c.inputs[i]!)))
}

/**
 * Central differences of fourth order: (f(x-2h) - 8f(x-h) + 8f(x+h) - f(x+2h)) / 12h. With h = 1/64 rounding in 32 bits
 * and the remainder of the formula both stay below 10⁻³ for the samples' ranges.
 */
const h = 1 / 64
const stencil = [
  [-2, 1],
  [-1, -8],
  [1, 8],
  [2, -1],
] as const

/** The values of `f` are all asked for before the first is awaited: each wait for a graphics card is long. */
export function differences(
  values: Float32Array,
  f: (moved: Float32Array) => Promise<number>,
): Promise<number[]> {
  const difference = async (x: number, i: number): Promise<number> => {
    const terms = stencil.map(async ([steps, factor]) => factor * (await f(values.with(i, x + steps * h))))
    return (await Promise.all(terms)).reduce((sum, term) => sum + term, 0) / (12 * h)
  }
  return Promise.all(Array.from(values, difference))
}

/** The gradients of the weighted sum, which is taken in 64 bits, by finite differences. */
export function numericGradients(c: Case): Promise<number[][]> {
  const sumFor = (place: number) => async (moved: Float32Array) => {
    const y = tf.tidy(() => tensorIn(c.run(...valuesWith(c, [place], [tensorOf(c.inputs[place]!, moved)]))))
    const values = await numbers(y)
    y.dispose()
    const weights = weightsOf(c, values.length)
    return values.reduce((sum, value, i) => sum + value * weights[i]!, 0)
  }
  return Promise.all(floatsOf(c).map(place => differences(floatValues(c.inputs[place]!), sumFor(place))))
}

function tensorIn(value: Value): tf.Tensor {
  if (value instanceof tf.Tensor) return value
  throw new Error('a key has no gradient')
}

/** The gradients that the entry itself gives, as steps of the IR, evaluated like those of a generated program. */
export async function entryGradients(c: Case): Promise<number[][]> {
  const { grad } = c.op
  const places = floatsOf(c)
  const zeros = (i: number) => Array.from(floatValues(c.inputs[i]!), () => 0)
  if (grad === 'none') return places.map(zeros)
  if (c.type === 'key') throw new Error(`${c.title} gives a key, which has no gradient`)
  const steps: Step[] = []
  const make = makeBuilder({ steps, fresh: name => `${name}.${steps.length}`, origin: () => c.step.origin })
  const operands = paramsOf(c.types).filter((param): param is Operand => param.type !== 'key')
  const y: Operand = { name: 'y', type: c.type }
  const dy: Operand = { name: 'dy', type: c.type }
  const results = grad(dy, { inputs: operands, outputs: [y], attrs: c.step.attrs }, make)
  const tensors = c.inputs.map(input => asValue(input))
  const value = tensorIn(c.run(...tensors))
  const weights = tf.tensor(weightsOf(c, value.size), value.shape)
  const gradients = places.map(async i => {
    const result = results[i]
    if (result === undefined) return zeros(i)
    assert.equal(result.type, c.types[i], `${c.title}: type of gradient ${i}`)
    const run = compile(steps, [...operands, y, dy], [result.name], c.sizes)
    return numbers(run(...tensors, value, weights)[0]!)
  })
  return Promise.all(gradients)
}

// ── Second derivatives ──────────────────────────────────────────────────────────────────────────────────────────────

/** Σ v·∇f as a function of one input, on the tape. */
function directional(c: Case, place: number): (x: tf.Tensor) => tf.Scalar {
  const inner = tf.grad(x => scalarOf(c, c.run(...valuesWith(c, [place], [x]))))
  return x => {
    const gradient = inner(x)
    const v = tf.tensor(uniformArray(rootKey(4, c.title), x.size, -1, 1), x.shape)
    // The second term is 0; it ties the result to x where the gradient is constant.
    return tf.add<tf.Scalar>(tf.sum(tf.mul(gradient, v)), tf.mul(0, tf.sum(x)))
  }
}

export function isSmooth(c: Case): boolean {
  return c.op.grad !== 'none' && c.sample.gradient === undefined && c.type !== 'key' && c.type.dtype === 'f32'
}

/** The second derivative of a case in two directions of one input: by the tape, and by differences of its first one. */
export async function secondDerivatives(
  c: Case,
  place: number,
): Promise<{ readonly tape: number[]; readonly numeric: number[] }> {
  const f = directional(c, place)
  const input = c.inputs[place]!
  const x = floatValues(input)
  const along = uniformArray(rootKey(5, c.title), x.length, -1, 1)
  const at = async (t: Float32Array): Promise<number> => {
    const moved = x.map((value, i) => value + t[0]! * along[i]!)
    return (await numbers(tf.tidy(() => f(tensorOf(input, moved)))))[0]!
  }
  const gradient = await numbers(tf.grad(f)(tensorOf(input)))
  const tape = gradient.reduce((sum, value, i) => sum + value * along[i]!, 0)
  return { tape: [tape], numeric: await differences(Float32Array.of(0), at) }
}
