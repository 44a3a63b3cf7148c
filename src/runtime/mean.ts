import * as tf from '@tensorflow/tfjs-core'

/** A sum and what it stands for: their quotient is a mean, and means of parts add up to the mean of the whole. */
export interface WeightedSum {
  readonly sum: tf.Tensor
  readonly weight: tf.Tensor
}

/** Σ(value·weight) and Σweight; a weight of fewer axes than the value holds for the trailing ones alike. */
export function weightedSum(value: tf.Tensor, weight: tf.Tensor): WeightedSum {
  const aligned = tf.reshape(detached(floats(weight)), alignedShape(weight.shape, value.rank))
  const repeats = value.size / Math.max(weight.size, 1)
  return { sum: tf.sum(tf.mul(floats(value), aligned)), weight: tf.mul(tf.sum(aligned), repeats) }
}

function alignedShape(shape: readonly number[], rank: number): number[] {
  return [...shape, ...Array.from({ length: Math.max(rank - shape.length, 0) }, () => 1)]
}

export function floats(tensor: tf.Tensor): tf.Tensor {
  return tensor.dtype === 'float32' ? tensor : tf.cast(tensor, 'float32')
}

/** The same values off the tape: no gradient flows through them. Weights say what counts, they aren't learned. */
export function detached(tensor: tf.Tensor): tf.Tensor {
  const engine = tf.engine()
  engine.backend.incRef(tensor.dataId)
  return engine.makeTensorFromTensorInfo(tensor)
}
