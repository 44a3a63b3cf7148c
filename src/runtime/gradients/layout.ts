import * as tf from '@tensorflow/tfjs-core'
import { scatterAdd } from '../kernels/indexing.ts'
import { pad, sumTo, swapLast } from '../kernels/shapes.ts'
import { one, unary } from './config.ts'

function numbers(value: tf.Attribute | undefined): number[] {
  return Array.isArray(value) ? value.map(Number) : value === undefined ? [] : [Number(value)]
}

/** A tiled tensor seen as copies, whose sum is the gradient. */
function sumOfCopies(dy: tf.Tensor, x: tf.Tensor, reps: readonly number[]): tf.Tensor {
  const apart = x.shape.flatMap((length, i) => [reps[i]!, length])
  const copies = reps.flatMap((count, i) => (count === 1 ? [] : [2 * i]))
  return tf.reshape(copies.length === 0 ? dy : tf.sum(tf.reshape(dy, apart), copies), x.shape)
}

function inverse(perm: readonly number[]): number[] {
  return perm.map((_, i) => perm.indexOf(i))
}

/** A slice leaves out the ends, whose gradient is zero. */
function padBack(dy: tf.Tensor, x: tf.Tensor, begin: readonly number[]): tf.Tensor {
  return x.shape.reduce((padded, length, axis) => {
    const before = begin[axis] ?? 0
    const after = length - before - dy.shape[axis]!
    return before === 0 && after === 0 ? padded : pad(padded, axis, before, after)
  }, dy)
}

/** The first number of each `[before, after]`. */
function befores(paddings: tf.Attribute | undefined): number[] {
  return Array.isArray(paddings) ? paddings.map(pair => numbers(pair as tf.Attribute)[0]!) : []
}

/**
 * Products with explicit transpositions: wasm's product with a transposing flag is over ten times slower than both
 * (55.8 against 4.4 ms for 1024×128×512). Batch axes that were stretched are summed.
 */
const matMul: tf.GradConfig = {
  kernelName: 'BatchMatMul',
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [a, b], { transposeA, transposeB }) => {
    const left = transposeA ? swapLast(a!) : a!
    const right = transposeB ? swapLast(b!) : b!
    const orient = (gradient: tf.Tensor, flag: unknown) => (flag ? swapLast(gradient) : gradient)
    return {
      a: () => sumTo(orient(tf.matMul(one(dy), swapLast(right)), transposeA), a!.shape),
      b: () => sumTo(orient(tf.matMul(swapLast(left), one(dy)), transposeB), b!.shape),
    }
  },
}

const concat: tf.GradConfig = {
  kernelName: 'Concat',
  saveAllInputs: true,
  gradFunc: (dy, saved, { axis }) => {
    const at = tf.util.parseAxisParam(Number(axis), saved[0]!.shape)[0]!
    let from = 0
    const thunks = saved.map((x, i) => {
      const begin = x.shape.map((_, j) => (j === at ? from : 0))
      from += x.shape[at]!
      return [String(i), () => tf.slice(one(dy), begin, x.shape)] as const
    })
    return Object.fromEntries(thunks)
  },
}

const pack: tf.GradConfig = {
  kernelName: 'Pack',
  saveAllInputs: true,
  gradFunc: (dy, saved, { axis }) => {
    const parts = tf.unstack(one(dy), Number(axis))
    return Object.fromEntries(saved.map((_, i) => [String(i), () => parts[i]!]))
  },
}

/** The gradients of several results, in their order. */
function many(dys: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(dys) ? dys : [dys]
}

const unpack: tf.GradConfig = {
  kernelName: 'Unpack',
  gradFunc: (dys, _, { axis }) => ({ value: () => tf.stack(many(dys), Number(axis)) }),
}

const split: tf.GradConfig = {
  kernelName: 'SplitV',
  gradFunc: (dys, _, { axis }) => ({ x: () => tf.concat(many(dys), Number(axis)) }),
}

const gather: tf.GradConfig = {
  kernelName: 'GatherV2',
  inputsToSave: ['x', 'indices'],
  gradFunc: (dy, [x, indices], { axis }) => {
    const at = tf.util.parseAxisParam(Number(axis), x!.shape)[0]!
    return {
      x: () => scatterAdd(one(dy), indices!, at, x!.shape[at]!),
      indices: () => tf.zeros(indices!.shape),
    }
  },
}

/** Gradients of kernels that move elements, and of the matrix product. */
export const layout: readonly tf.GradConfig[] = [
  matMul,
  unary('Reshape', (dy, x) => tf.reshape(dy, x.shape)),
  unary('ExpandDims', (dy, x) => tf.reshape(dy, x.shape), 'input'),
  unary('Transpose', (dy, _, { perm }) => tf.transpose(dy, inverse(numbers(perm)))),
  unary('Tile', (dy, x, { reps }) => sumOfCopies(dy, x, numbers(reps))),
  unary('Slice', (dy, x, { begin }) => padBack(dy, x, numbers(begin))),
  unary('PadV2', (dy, x, { paddings }) => tf.slice(dy, befores(paddings), x.shape)),
  unary('Reverse', (dy, x, { dims }) =>
    tf.reverse(dy, dims === undefined ? x.shape.map((__, i) => i) : numbers(dims)),
  ),
  concat,
  pack,
  unpack,
  split,
  gather,
]
