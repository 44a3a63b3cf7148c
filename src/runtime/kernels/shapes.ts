import * as tf from '@tensorflow/tfjs-core'

/** The number of elements as a tensor of no axes. */
export function size(shape: readonly number[]): tf.Tensor {
  return tf.scalar(shape.reduce((product, length) => product * length, 1))
}

/** An axis counted from the front. */
export function frontAxis(axis: number, x: tf.Tensor): number {
  return axis < 0 ? axis + x.rank : axis
}

/** Sums over leading axes and those of length 1 until the tensor has the shape: the reverse of broadcasting. */
export function sumTo(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const added = x.rank - shape.length
  const axes = x.shape.flatMap((length, i) =>
    i < added || (shape[i - added] === 1 && length !== 1) ? [i] : [],
  )
  const summed = axes.length === 0 ? x : tf.sum(x, axes)
  return summed.rank === shape.length ? summed : tf.reshape(summed, [...shape])
}

/** The last two axes swapped. */
export function swapLast(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, i) => i)
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2])
}

/** `length` positions of one axis, from `from` on. */
export function slice(x: tf.Tensor, axis: number, from: number, length: number): tf.Tensor {
  const at = frontAxis(axis, x)
  const begin = x.shape.map((_, i) => (i === at ? from : 0))
  return tf.slice(
    x,
    begin,
    x.shape.map((whole, i) => (i === at ? length : whole)),
  )
}

/**
 * One axis made longer at both ends. The axes before it and behind it are taken together: tfjs's kernel for webgpu pads no
 * more than four (4.22.0).
 */
export function pad(x: tf.Tensor, axis: number, before: number, after: number, value = 0): tf.Tensor {
  const at = frontAxis(axis, x)
  const length = x.shape[at]!
  const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)
  const outer = sizeOf(x.shape.slice(0, at))
  const inner = sizeOf(x.shape.slice(at + 1))
  const padded = tf.pad(
    tf.reshape(x, [outer, length, inner]),
    [
      [0, 0],
      [before, after],
      [0, 0],
    ],
    value,
  )
  return tf.reshape(padded, x.shape.with(at, before + length + after))
}

/** Like {@link pad} where a negative number cuts off. */
export function padOrCut(x: tf.Tensor, axis: number, before: number, after: number): tf.Tensor {
  const cutBefore = Math.max(-before, 0)
  const cutAfter = Math.max(-after, 0)
  const kept =
    cutBefore + cutAfter === 0 ? x : slice(x, axis, cutBefore, x.shape[axis]! - cutBefore - cutAfter)
  return before <= 0 && after <= 0 ? kept : pad(kept, axis, Math.max(before, 0), Math.max(after, 0))
}

/** One axis with `factor - 1` zeros after each of its positions. */
export function dilate(x: tf.Tensor, axis: number, factor: number): tf.Tensor {
  if (factor === 1) return x
  const before = x.shape.slice(0, axis + 1)
  const after = x.shape.slice(axis + 1)
  const apart = pad(tf.reshape(x, [...before, 1, ...after]), axis + 1, 0, factor - 1)
  return tf.reshape(apart, [...x.shape.slice(0, axis), x.shape[axis]! * factor, ...after])
}

/** Running sums along an axis that may be counted from the end. */
export function cumsum(x: tf.Tensor, axis: number, exclusive = false, reverse = false): tf.Tensor {
  return tf.cumsum(x, frontAxis(axis, x), exclusive, reverse)
}
