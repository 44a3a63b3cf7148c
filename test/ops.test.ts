import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Step, ValueType } from '../src/ir/ir.ts'
import { makeBuilder, showValueType } from '../src/ops/builder.ts'
import { families, findOp, opNames } from '../src/ops/index.ts'
import type { Op, Operand, Sample } from '../src/ops/op.ts'
import { inferType, withDefaults } from '../src/ops/signature.ts'
import { registerGradients } from '../src/runtime/gradients.ts'
import { rootKey, uniformArray } from '../src/runtime/random.ts'
import type { TensorType } from '../src/types/tensor.ts'
import {
  asValue,
  compile,
  type Input,
  inputsOf,
  onBackend,
  paramsOf,
  type Sizes,
  stepOf,
  type Value,
} from './kit/operator.ts'

registerGradients()
const backends = ['cpu', 'wasm']

/** One sample of one operator, with everything that the checks share. */
interface Case {
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

function caseOf(name: string, op: Op, sample: Sample, index: number, named?: Named): Case {
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

const cases = opNames.flatMap(name => {
  const op = findOp(name)!
  return op.samples.map((sample, index) => caseOf(name, op, sample, index))
})

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function numbers(tensor: Value): number[] {
  return tensor instanceof tf.Tensor ? Array.from(tensor.dataSync()) : [tensor.high, tensor.low]
}

/** Fails with the first pair that differs by more than `tolerance`, relative to numbers beyond 1. */
function close(
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

function isFloat(input: Input): input is Input & { readonly type: TensorType } {
  return input.type !== 'key' && input.type.dtype === 'f32'
}

/** The places of the inputs that have a gradient. */
function floatsOf({ inputs }: Case): number[] {
  return inputs.flatMap((input, i) => (isFloat(input) ? [i] : []))
}

function floatValues(input: Input): Float32Array {
  if (input.type === 'key') throw new Error('a key has no numbers')
  return input.values
}

/** Weights that make a scalar of a result; all 1 where the sample says what the gradient is. */
function weightsOf(c: Case, count: number): Float32Array {
  return c.sample.gradient ? new Float32Array(count).fill(1) : uniformArray(rootKey(3, c.title), count, -1, 1)
}

/** The weighted sum of a result as a tensor. */
function scalarOf(c: Case, y: Value): tf.Scalar {
  if (!(y instanceof tf.Tensor)) throw new Error('a key is no number')
  const weights = tf.tensor(weightsOf(c, y.size), y.shape)
  const floats = y.dtype === 'float32' ? y : tf.cast(y, 'float32')
  return tf.sum<tf.Scalar>(tf.mul(floats, weights))
}

/** All inputs as tensors, some of them replaced. */
function valuesWith(c: Case, places: readonly number[], tensors: readonly tf.Tensor[]): Value[] {
  return c.inputs.map((input, i) => (places.includes(i) ? tensors[places.indexOf(i)]! : asValue(input)))
}

/** The gradients of the weighted sum on tfjs's tape. */
function tapeGradients(c: Case): number[][] {
  const places = floatsOf(c)
  const gradients = tf.grads((...tensors) => scalarOf(c, c.run(...valuesWith(c, places, tensors))))
  const floats = places.map(i => asValue(c.inputs[i]!) as tf.Tensor)
  return gradients(floats).map(gradient => numbers(gradient))
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

function differences(values: Float32Array, f: (moved: Float32Array) => number): number[] {
  return Array.from(values, (x, i) => {
    const sum = stencil.reduce(
      (total, [steps, factor]) => total + factor * f(values.with(i, x + steps * h)),
      0,
    )
    return sum / (12 * h)
  })
}

function numericGradients(c: Case): number[][] {
  return floatsOf(c).map(place =>
    differences(floatValues(c.inputs[place]!), moved =>
      tf.tidy(() => {
        const y = c.run(...valuesWith(c, [place], [asValue(c.inputs[place]!, moved) as tf.Tensor]))
        const values = numbers(y)
        const weights = weightsOf(c, values.length)
        return values.reduce((sum, value, i) => sum + value * weights[i]!, 0)
      }),
    ),
  )
}

/** The gradients that the entry itself gives, as steps of the IR, evaluated like those of a generated program. */
function entryGradients(c: Case): number[][] {
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
  const value = c.run(...tensors) as tf.Tensor
  const weights = tf.tensor(weightsOf(c, value.size), value.shape)
  return places.map(i => {
    const result = results[i]
    if (result === undefined) return zeros(i)
    assert.equal(result.type, c.types[i], `${c.title}: type of gradient ${i}`)
    const [gradient] = compile(
      steps,
      [...operands, y, dy],
      [result.name],
      c.sizes,
    )(...tensors, value, weights)
    return numbers(gradient!)
  })
}

const differentiable = cases.filter(c => floatsOf(c).length > 0)

// ── The table ───────────────────────────────────────────────────────────────────────────────────────────────────────

const table = suite('operator table')

table('no two families share a name, and the table holds them all', () => {
  const names = Object.values(families).flatMap(family => Object.keys(family))
  assert.equal([...new Set(names)].sort(), names.sort())
  assert.equal([...opNames].sort(), names.sort())
})

table('every entry is documented, reads, and has at least two samples', () => {
  for (const name of opNames) {
    const op = findOp(name)!
    assert.ok(op.doc.endsWith('.'), `${name}: the doc is a sentence`)
    assert.ok(op.samples.length >= 2, `${name} has ${op.samples.length} samples`)
  }
})

table('operators that share a call differ in their number of tensors', () => {
  const calls = opNames.flatMap(name => {
    const op = findOp(name)!
    return op.call === false ? [] : [`${op.call ?? name}/${op.samples[0]!.shapes.length}`]
  })
  assert.equal([...new Set(calls)], calls)
})

table('axes that do not exist are refused', () => {
  for (const name of opNames) {
    const op = findOp(name)!
    const axis = op.attrs?.axis
    if (axis?.kind !== 'axis' && axis?.kind !== 'axes') continue
    const sample = op.samples[0]!
    const types = inputsOf(name, op, sample).map(input => input.type)
    const wrong = inferType(op, types, { ...sample.attrs, axis: axis.kind === 'axis' ? 9 : [9] })
    assert.ok('clash' in wrong, `${name} accepts axis 9`)
  }
})

table.run()

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const values = suite('values')
const tfjsDtypes = { f32: 'float32', i32: 'int32', bool: 'bool' }

for (const backend of backends)
  values(`${backend}: each result has the inferred shape and dtype`, () =>
    onBackend(backend, () => {
      for (const c of cases) {
        const y = c.run(...c.inputs.map(input => asValue(input)))
        if (!(y instanceof tf.Tensor) || c.type === 'key') {
          assert.is(c.type, 'key', c.title)
          continue
        }
        assert.equal(y.shape, [...c.type.shape], `${c.title}: shape`)
        assert.is(y.dtype, tfjsDtypes[c.type.dtype], `${c.title}: dtype`)
      }
    }),
  )

values('the backends agree', async () => {
  const compute = () => cases.map(c => numbers(c.run(...c.inputs.map(input => asValue(input)))))
  const [cpu, wasm] = [await onBackend('cpu', compute), await onBackend('wasm', compute)]
  cases.forEach((c, i) => {
    close(wasm[i]!, cpu[i]!, 1e-5, c.title)
  })
})

// ── Named sizes ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface Named {
  readonly types: readonly ValueType[]
  readonly sizes: Sizes
  /** Axes of length 1 that the inputs get in front, where a name stands for more than one axis. */
  readonly lead: readonly number[]
}

function usesDims({ attrs = {} }: Op): boolean {
  return Object.values(attrs).some(({ kind }) => kind === 'dims')
}

/** The inputs' types with the first size of the first one written as `name` wherever an input begins with it. */
function rename(c: Case, name: string): ValueType[] {
  const first = c.sample.shapes[0]?.[0]
  return c.types.map(type => {
    if (type === 'key' || type.shape[0] !== first) return type
    return { ...type, shape: [name, ...type.shape.slice(1)] }
  })
}

/** A sample whose first size is called `n`, as a batch is; attributes that name sizes would not fit any more. */
function batched(c: Case): Named[] {
  const first = c.sample.shapes[0]?.[0] ?? 1
  return first === 1 || usesDims(c.op)
    ? []
    : [{ types: rename(c, 'n'), sizes: { n: first, r: [] }, lead: [] }]
}

/** A sample whose first axis stands for any number of them, where axes are counted from the end. */
function open(c: Case): Named[] {
  const first = c.sample.shapes[0]?.[0] ?? 1
  const { axis, keep, perm } = c.step.attrs
  const rank = (c.sample.shapes[0] ?? []).length
  const fromEnd = axis === undefined || [axis].flat().every(a => Number(a) < 0 && Number(a) > -rank)
  const fits =
    c.op.signature.includes('...') &&
    c.sample.shapes.every(shape => shape.length === 0 || shape[0] === first) &&
    fromEnd &&
    !(Array.isArray(axis) && axis.length === 0 && keep === true) &&
    (perm === undefined || String(perm) === '') &&
    rank > (perm === undefined ? 1 : 2)
  return first === 1 || !fits || usesDims(c.op)
    ? []
    : [{ types: rename(c, '...r'), sizes: { n: 0, r: [1, first] }, lead: [1] }]
}

for (const [what, variant] of Object.entries({ 'a named size': batched, 'an open number of axes': open }))
  values(`${what}: the same values and gradients as with numbers`, () =>
    onBackend('cpu', () => {
      let seen = 0
      for (const c of cases)
        for (const named of variant(c)) {
          const other = caseOf(c.title.split(' ')[0]!, c.op, c.sample, Number(c.title.split(' ')[1]), named)
          const result = ({ run, inputs }: Case) => numbers(run(...inputs.map(input => asValue(input))))
          close(result(other), result(c), 0, c.title)
          if (floatsOf(c).length > 0)
            entryGradients(other).forEach((gradient, i) => {
              close(gradient, entryGradients(c)[i]!, 1e-6, `${c.title}, gradient ${i}`)
            })
          seen++
        }
      assert.ok(seen > 50, `only ${seen} samples`)
    }),
  )

values.run()

// ── Gradients ───────────────────────────────────────────────────────────────────────────────────────────────────────

const gradients = suite('gradients')

for (const backend of backends) {
  gradients(
    `${backend}: the tape's gradient is that of finite differences, or the one that the sample states`,
    () =>
      onBackend(backend, () => {
        for (const c of differentiable) {
          const expected = c.sample.gradient ?? numericGradients(c)
          tapeGradients(c).forEach((gradient, i) => {
            close(gradient, expected[i]!, 2e-3, `${c.title}, input ${floatsOf(c)[i]}`)
          })
        }
      }),
  )

  gradients(`${backend}: the entry's own gradient is the tape's`, () =>
    onBackend(backend, () => {
      for (const c of differentiable) {
        const expected = tapeGradients(c)
        entryGradients(c).forEach((gradient, i) => {
          close(gradient, expected[i]!, 1e-4, `${c.title}, input ${floatsOf(c)[i]}`)
        })
      }
    }),
  )
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

function isSmooth(c: Case): boolean {
  return c.op.grad !== 'none' && c.sample.gradient === undefined && c.type !== 'key' && c.type.dtype === 'f32'
}

for (const backend of backends)
  gradients(`${backend}: second derivatives on the tape are those of finite differences`, () =>
    onBackend(backend, () => {
      for (const c of differentiable.filter(isSmooth)) {
        for (const place of floatsOf(c)) {
          const f = directional(c, place)
          const x = floatValues(c.inputs[place]!)
          const along = uniformArray(rootKey(5, c.title), x.length, -1, 1)
          const at = (moved: Float32Array) => asValue(c.inputs[place]!, moved) as tf.Tensor
          const line = (t: number) => x.map((value, i) => value + t * along[i]!)
          const expected = differences(Float32Array.of(0), t =>
            tf.tidy(() => f(at(line(t[0]!))).dataSync()[0]!),
          )
          const actual = [numbers(tf.grad(f)(at(x))).reduce((sum, value, i) => sum + value * along[i]!, 0)]
          close(actual, expected, 5e-3, `${c.title}, input ${place}`)
        }
      }
    }),
  )

gradients('nothing is left in memory by a gradient', () =>
  onBackend('wasm', () => {
    for (const c of differentiable) {
      const before = tf.memory().numTensors
      tf.tidy(() => {
        tapeGradients(c)
      })
      assert.is(tf.memory().numTensors, before, c.title)
    }
  }),
)

gradients('a condition computed from a parameter has no gradient, and is no error', () =>
  onBackend('wasm', () => {
    const gradient = tf.grad(x => tf.sum(tf.where(tf.greater(x, tf.scalar(0)), x, tf.scalar(0))))
    close(numbers(gradient(tf.tensor([-1, 2]))), [0, 1], 0, 'where')
  }),
)

gradients.run()
