import * as tf from '@tensorflow/tfjs-core'

/** 1 at the index along a new last axis and 0 elsewhere; tf.oneHot (4.22.0) refuses a depth of 1. */
export function oneHot(index: tf.Tensor, depth: number, from = 0): tf.Tensor {
  return tf.cast(isAt(index, depth, from), 'float32')
}

/** Where along a new last axis, which counts from `from`, the index is. */
export function isAt(index: tf.Tensor, depth: number, from = 0): tf.Tensor {
  return tf.equal(tf.expandDims(index, -1), tf.range(from, from + depth, 1, 'int32'))
}

/** Elements of a one-hot matrix that are made at once. */
const largestMatrix = 2 ** 24

/** {@link scatterAdd} without looking at the index: products with one-hot matrices, of so many columns as there is room for. */
export function scatterByProduct(x: tf.Tensor, index: tf.Tensor, axis: number, size: number): tf.Tensor {
  const before = x.shape.slice(0, axis)
  const after = x.shape.slice(axis + index.rank)
  const rows = tf.util.sizeFromShape(before)
  const width = tf.util.sizeFromShape(after)
  const parts = tf.reshape(tf.transpose(tf.reshape(x, [rows, index.size, width]), [1, 0, 2]), [
    index.size,
    -1,
  ])
  const flat = tf.reshape(index, [index.size])
  const step = Math.max(1, Math.floor(largestMatrix / Math.max(index.size, 1)))
  const pieces: tf.Tensor[] = []
  for (let from = 0; from < size; from += step) {
    const columns = oneHot(flat, Math.min(step, size - from), from)
    pieces.push(tf.matMul(tf.transpose(columns), parts))
  }
  const sums = tf.reshape(pieces.length === 1 ? pieces[0]! : tf.concat(pieces, 0), [size, rows, width])
  return tf.reshape(tf.transpose(sums, [1, 0, 2]), [...before, size, ...after])
}

/** tf.gather that gives NaN for positions outside of the axis, where there is a NaN. */
export function gatherOrNaN(x: tf.Tensor, index: tf.Tensor, axis: number): tf.Tensor {
  const length = x.shape[axis]!
  const nearest = tf.cast(tf.clipByValue(index, 0, Math.max(length - 1, 0)), 'int32')
  const found = tf.gather(x, nearest, axis)
  if (x.dtype !== 'float32') return found
  const ones = (count: number) => Array.from({ length: count }, () => 1)
  const inside = tf.equal(nearest, index)
  const shape = [...ones(axis), ...index.shape, ...ones(x.rank - axis - 1)]
  return tf.where(tf.reshape(inside, shape), found, Number.NaN)
}

/** One element of each row, or NaN; outside of the row whole numbers and bools are 0. */
export function pickOrNaN(x: tf.Tensor, index: tf.Tensor): tf.Tensor {
  if (x.dtype === 'bool') return tf.cast(pickOrNaN(tf.cast(x, 'int32'), index), 'bool')
  const places = isAt(index, x.shape.at(-1)!)
  const found = tf.sum(tf.where(places, x, tf.zerosLike(x)), -1)
  return x.dtype === 'float32' ? tf.where(tf.any(places, -1), found, Number.NaN) : found
}
