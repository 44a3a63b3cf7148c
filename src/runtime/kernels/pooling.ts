import * as tf from '@tensorflow/tfjs-core'
import { type Window, windowOf } from './convolution.ts'
import { defineKernel, type Kernel } from './define.ts'
import { gather } from './indexing.ts'
import { dilate, padOrCut } from './shapes.ts'

type Pooling = Window & { kernel: number[] }

/** How many windows fit along an axis: ⌊(size + pads - dilation·(kernel - 1) - 1) / stride⌋ + 1. */
function windows(size: number, i: number, { kernel, stride, pad, dilation }: Pooling): number {
  const reach = dilation[i]! * (kernel[i]! - 1) + 1
  return Math.floor((size + pad[2 * i]! + pad[2 * i + 1]! - reach) / stride[i]!) + 1
}

/** Whether a value takes the place of the best so far: a larger one does, and a NaN, so that it is not hidden. */
function beats(value: number, best: number): boolean {
  return value > best || (Number.isNaN(value) && !Number.isNaN(best))
}

/** The place of the window's largest element in one image, the first of equals. */
function winner(
  values: Float32Array,
  start: number,
  [height, width]: readonly [number, number],
  top: number,
  left: number,
  { kernel, dilation }: Pooling,
): number {
  let best = -1
  for (let i = 0; i < kernel[0]!; i++) {
    const row = top + i * dilation[0]!
    if (row < 0 || row >= height) continue
    for (let j = 0; j < kernel[1]!; j++) {
      const column = left + j * dilation[1]!
      if (column < 0 || column >= width) continue
      const at = start + row * width + column
      if (best < 0 || beats(values[at]!, values[best]!)) best = at
    }
  }
  return best
}

/** Where the largest element of each window is, as its place among all elements of `x`. */
function winners(x: tf.Tensor, pooling: Pooling): tf.Tensor {
  const [n, channels, height, width] = x.shape as [number, number, number, number]
  const rows = windows(height, 0, pooling)
  const columns = windows(width, 1, pooling)
  const values = x.dataSync<'float32'>()
  const result = new Int32Array(n * channels * rows * columns)
  let at = 0
  for (let start = 0; start < values.length; start += height * width)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const top = i * pooling.stride[0]! - pooling.pad[0]!
        const left = j * pooling.stride[1]! - pooling.pad[2]!
        result[at++] = winner(values, start, [height, width], top, left, pooling)
      }
  return tf.tensor(result, [n, channels, rows, columns], 'int32')
}

export const maxPoolIndexKernel: Kernel<Pooling> = defineKernel({
  name: 'MaxPoolIndex',
  run: ([x], pooling) => winners(x!, pooling),
  gradients: (_, [x]) => [() => tf.zeros(x!.shape)],
})

/** Where the largest element of each window is, the first of equals, as its place among all elements of `x`. */
export function maxPool2dIndex(x: tf.Tensor, kernel: number[], window: Partial<Window> = {}): tf.Tensor {
  return maxPoolIndexKernel([x], { ...windowOf({ stride: kernel, ...window }), kernel })
}

/**
 * The largest element of each window, as one gathers it: tfjs's own gradient is wrong on wasm where that isn't positive
 * (4.22.0) and gives ties to the last. The search in JavaScript takes 0.3 ms for 64×16×8×8.
 */
export function maxPool2d(x: tf.Tensor, kernel: number[], window: Partial<Window> = {}): tf.Tensor {
  return gather(tf.reshape(x, [x.size]), maxPool2dIndex(x, kernel, window), 0)
}

/** Means of windows of stride 1 or more over channels-last images that are padded already. */
function boxes(x: tf.Tensor, kernel: readonly number[], stride: readonly number[]): tf.Tensor {
  return tf.avgPool(x as tf.Tensor4D, kernel as [number, number], stride as [number, number], 'valid')
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
