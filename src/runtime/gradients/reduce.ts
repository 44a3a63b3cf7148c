import * as tf from '@tensorflow/tfjs-core'
import { byResult, unary } from './config.ts'

/** The axes of a reduction kernel, which says them as `axis` or `reductionIndices`, from the front. */
function axesOf(x: tf.Tensor, { axis, reductionIndices }: tf.NamedAttrMap): number[] {
  const said = reductionIndices ?? axis
  const all = x.shape.map((_, i) => i)
  return tf.util.parseAxisParam(typeof said === 'number' || isNumbers(said) ? said : all, x.shape)
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(item => typeof item === 'number')
}

/** A reduction's result with its axes back at length 1, which broadcasts against the argument. */
function kept(y: tf.Tensor, x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return tf.reshape(
    y,
    x.shape.map((length, i) => (axes.includes(i) ? 1 : length)),
  )
}

/** The result stretched over the argument. */
function stretched(y: tf.Tensor, x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return tf.broadcastTo(kept(y, x, axes), x.shape)
}

function countOf(x: tf.Tensor, axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * x.shape[axis]!, 1)
}

/** Equal shares to all elements that equal the extremum. */
function extremum(dy: tf.Tensor, y: tf.Tensor, x: tf.Tensor, attrs: tf.NamedAttrMap): tf.Tensor {
  const axes = axesOf(x, attrs)
  const winners = tf.cast(tf.equal(x, kept(y, x, axes)), 'float32')
  return tf.mul(tf.div(kept(dy, x, axes), tf.sum(winners, axes, true)), winners)
}

/** The product of the other elements: see the entry `prod` of the operator table. */
function product(dy: tf.Tensor, x: tf.Tensor, attrs: tf.NamedAttrMap): tf.Tensor {
  const axes = axesOf(x, attrs)
  const isZero = tf.equal(x, 0)
  const zero = tf.cast(isZero, 'float32')
  const safe = tf.where(isZero, 1, x)
  const others = tf.sub(tf.sum(zero, axes, true), zero)
  const all = tf.mul(kept(dy, x, axes), tf.prod(safe, axes, true))
  return tf.where(tf.greater(others, 0), 0, tf.div(all, safe))
}

function runningSum(dy: tf.Tensor, _: tf.Tensor, { axis, exclusive, reverse }: tf.NamedAttrMap): tf.Tensor {
  return tf.cumsum(dy, Number(axis), exclusive === true, reverse !== true)
}

/** Gradients of kernels that reduce or accumulate along axes. */
export const reduce: readonly tf.GradConfig[] = [
  unary('Sum', (dy, x, attrs) => stretched(dy, x, axesOf(x, attrs))),
  unary('Mean', (dy, x, attrs) => {
    const axes = axesOf(x, attrs)
    return stretched(tf.div(dy, countOf(x, axes)), x, axes)
  }),
  byResult('Max', extremum),
  byResult('Min', extremum),
  unary('Prod', product),
  unary('Cumsum', runningSum),
  // y·(dy - Σ dy·y) over the last axis, the only one that the kernel knows.
  byResult('Softmax', (dy, y) => tf.mul(y, tf.sub(dy, tf.sum(tf.mul(dy, y), -1, true))), 'logits'),
]
