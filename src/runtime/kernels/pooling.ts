import * as tf from '@tensorflow/tfjs-core'
import { type Window, windowOf } from './convolution.ts'
import { defineKernel, type Kernel } from './define.ts'
import { scatterAdd } from './indexing.ts'
import { readsLater } from './reads.ts'
import { dilate, pad, padOrCut } from './shapes.ts'
import { handToHits, placesOfHits } from './taps.ts'

type Pooling = Window & { kernel: number[] }
type Pair = [number, number]

/** How many windows fit along an axis: ⌊(size + pads - dilation·(kernel - 1) - 1) / stride⌋ + 1. */
function windows(size: number, i: number, { kernel, stride, pad, dilation }: Pooling): number {
  const reach = dilation[i]! * (kernel[i]! - 1) + 1
  return Math.floor((size + pad[2 * i]! + pad[2 * i + 1]! - reach) / stride[i]!) + 1
}

/** Where windows meet an axis of the image: their first position, which may lie in the padding, and the image's end. */
interface Span {
  readonly first: number
  readonly end: number
  readonly count: number
  readonly step: number
}

/**
 * The place of the largest element of one window, the first of equals; a NaN counts as larger than any number, so that
 * it is not hidden. `start` is the image's place among all elements.
 */
function winner(values: Float32Array, start: number, rows: Span, columns: Span): number {
  let best = -1
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0, row = rows.first; i < rows.count && row < rows.end; i++, row += rows.step) {
    if (row < 0) continue
    for (
      let j = 0, column = columns.first;
      j < columns.count && column < columns.end;
      j++, column += columns.step
    ) {
      if (column < 0) continue
      const at = start + row * columns.end + column
      const value = values[at]!
      if (value <= largest && best >= 0) continue
      if (Number.isNaN(largest)) return best
      best = at
      largest = value
    }
  }
  return best
}

/** The windows along one axis. */
function spans(size: number, i: number, pooling: Pooling): readonly Span[] {
  return Array.from({ length: windows(size, i, pooling) }, (_, at) => ({
    first: at * pooling.stride[i]! - pooling.pad[2 * i]!,
    end: size,
    count: pooling.kernel[i]!,
    step: pooling.dilation[i]!,
  }))
}

/** Where the largest element of each window is, as its place among all elements of `x`. */
function winners(x: tf.Tensor, pooling: Pooling): tf.Tensor {
  const [n, channels, height, width] = x.shape as [number, number, number, number]
  const rows = spans(height, 0, pooling)
  const columns = spans(width, 1, pooling)
  const values = x.dataSync<'float32'>()
  const result = new Int32Array(n * channels * rows.length * columns.length)
  let at = 0
  for (let start = 0; start < values.length; start += height * width)
    for (const row of rows) for (const column of columns) result[at++] = winner(values, start, row, column)
  return tf.tensor(result, [n, channels, rows.length, columns.length], 'int32')
}

export const maxPoolIndexKernel: Kernel<Pooling> = defineKernel({
  name: 'MaxPoolIndex',
  run: ([x], pooling) => (readsLater() ? placesOfHits(x!, pooling) : winners(x!, pooling)),
  gradients: (_, [x]) => [() => tf.zeros(x!.shape)],
})

/** Where the largest element of each window is, the first of equals, as its place among all elements of `x`. */
export function maxPool2dIndex(x: tf.Tensor, kernel: number[], window: Partial<Window> = {}): tf.Tensor {
  return maxPoolIndexKernel([x], { ...windowOf({ stride: kernel, ...window }), kernel })
}

/**
 * The largest elements by tfjs's kernel, which knows no dilation. Padding is added first: TensorFlow's own library
 * (tfjs-node 4.22.0) takes none but that of named kinds.
 */
function largest(x: tf.Tensor, { kernel, stride, pad: [top = 0, bottom = 0, left = 0, right = 0] }: Pooling) {
  const tall = top + bottom === 0 ? x : pad(x, 2, top, bottom, Number.NEGATIVE_INFINITY)
  const whole = left + right === 0 ? tall : pad(tall, 3, left, right, Number.NEGATIVE_INFINITY)
  const last = tf.transpose(whole, [0, 2, 3, 1]) as tf.Tensor4D
  return tf.transpose(tf.maxPool(last, kernel as Pair, stride as Pair, 'valid'), [0, 3, 1, 2])
}

/**
 * The gradient goes where {@link winners} says: tfjs's own is wrong on wasm where a maximum isn't positive (4.22.0). Only
 * a gradient pays for the search.
 */
export const maxPoolKernel: Kernel<Pooling> = defineKernel({
  name: 'MaxPool2d',
  run: ([x], pooling) => {
    if (pooling.dilation.every(d => d === 1)) return largest(x!, pooling)
    return tf.gather(tf.reshape(x!, [x!.size]), maxPoolIndexKernel([x!], pooling))
  },
  gradients: (dy, [x], pooling) => [
    () =>
      readsLater()
        ? handToHits(dy, x!, pooling)
        : tf.reshape(scatterAdd(dy, maxPoolIndexKernel([x!], pooling), 0, x!.size), x!.shape),
  ],
})

/** The largest element of each window; of equal ones the first gets the gradient. */
export function maxPool2d(x: tf.Tensor, kernel: number[], window: Partial<Window> = {}): tf.Tensor {
  return maxPoolKernel([x], { ...windowOf({ stride: kernel, ...window }), kernel })
}

/** Means of windows of stride 1 or more over channels-last images that are padded already. */
function boxes(x: tf.Tensor, kernel: number[], stride: number[]): tf.Tensor {
  return tf.avgPool(x as tf.Tensor4D, kernel as Pair, stride as Pair, 'valid')
}

function padded(x: tf.Tensor, pad: readonly number[]): tf.Tensor {
  return padOrCut(padOrCut(x, 1, pad[0]!, pad[1]!), 2, pad[2]!, pad[3]!)
}

export const avgPoolKernel: Kernel<Pooling> = defineKernel({
  name: 'AvgPool2d',
  run: ([x], { kernel, stride, pad }) => {
    const y = boxes(padded(tf.transpose(x!, [0, 2, 3, 1]), pad), kernel, stride)
    return tf.transpose(y, [0, 3, 1, 2])
  },
  gradients: (dy, [x], pooling) => [() => avgPoolInputKernel([dy], { ...pooling, size: x!.shape.slice(2) })],
})

/** Each position of the input receives the mean over a window of what lies apart by the stride: a box filter again. */
export const avgPoolInputKernel: Kernel<Pooling & { size: number[] }> = defineKernel({
  name: 'AvgPool2dInput',
  run: ([dy], { kernel, stride, pad, size }) => {
    const last = tf.transpose(dy!, [0, 2, 3, 1])
    const apart = dilate(dilate(last, 1, stride[0]!), 2, stride[1]!)
    const around = [0, 1].flatMap(i => [
      kernel[i]! - 1 - pad[2 * i]!,
      size[i]! + pad[2 * i]! - apart.shape[i + 1]!,
    ])
    return tf.transpose(boxes(padded(apart, around), kernel, [1, 1]), [0, 3, 1, 2])
  },
  gradients: (dx, _, { size: _size, ...pooling }) => [() => avgPoolKernel([dx], pooling)],
})

/** The mean of each window; padding counts as zeros, as in PyTorch's `count_include_pad`. */
export function avgPool2d(x: tf.Tensor, kernel: number[], window: Partial<Window> = {}): tf.Tensor {
  return avgPoolKernel([x], { ...windowOf({ stride: kernel, ...window }), kernel })
}

/** The gradient of {@link avgPool2d} for images of the given height and width. */
export function avgPool2dInput(
  dy: tf.Tensor,
  size: number[],
  kernel: number[],
  window: Partial<Window> = {},
): tf.Tensor {
  return avgPoolInputKernel([dy], { ...windowOf({ stride: kernel, ...window }), kernel, size })
}
