import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type Kernel } from './define.ts'
import { dilate, padOrCut } from './shapes.ts'

/**
 * Convolution in PyTorch's layout: images [n, channels, height, width], weights [out, in, height, width].
 *
 * The kernels underneath want channels last. Measured on wasm (batch 64, 16 to 32 channels, 8×8, 3×3, one core):
 * tf.conv2d 2.5 ms and 0.3 ms for the two transpositions, against 10.8 + 2.6 ms for im2col and a product. The input's
 * gradient is a convolution with the flipped kernel (3.0 ms; tf.conv2dTranspose takes 23.9), the weight's one that
 * swaps batch and channels (5.0 ms; im2col and a product 16, a product per tap 12.7).
 *
 * All three are linear in both arguments, and each one's gradients are the other two; so gradients of any order exist.
 */
export type Window = {
  stride: number[]
  /** Top, bottom, left, right. */
  pad: number[]
  dilation: number[]
}
const defaults: Window = { stride: [1, 1], pad: [0, 0, 0, 0], dilation: [1, 1] }

/** Two numbers pad both sides of an axis alike. */
function fourPads(pad: number[]): number[] {
  return pad.length === 2 ? [pad[0]!, pad[0]!, pad[1]!, pad[1]!] : pad
}

/** A window with everything said. */
export function windowOf(given: Partial<Window>): Window {
  const window = { ...defaults, ...given }
  return { ...window, pad: fourPads(window.pad) }
}

type Pair = [number, number]

/** The plain kernel: channels last, filter [height, width, in, out]. tfjs takes either a stride or a dilation, not both. */
function convolve(x: tf.Tensor, filter: tf.Tensor, { stride, pad, dilation }: Window): tf.Tensor {
  const both = stride.some(s => s > 1) && dilation.some(d => d > 1)
  const spread = both ? spreadKernel(filter, 0, 1, dilation) : filter
  const [top, bottom, left, right] = pad as [number, number, number, number]
  return tf.conv2d(
    x as tf.Tensor4D,
    spread as tf.Tensor4D,
    stride as Pair,
    [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    'NHWC',
    both ? 1 : (dilation as Pair),
  )
}

/** A kernel with zeros between its taps. */
function spreadKernel(
  filter: tf.Tensor,
  rows: number,
  columns: number,
  dilation: readonly number[],
): tf.Tensor {
  const tall = padOrCut(dilate(filter, rows, dilation[0]!), rows, 0, 1 - dilation[0]!)
  return padOrCut(dilate(tall, columns, dilation[1]!), columns, 0, 1 - dilation[1]!)
}

export const conv2dKernel: Kernel<Window> = defineKernel({
  name: 'Conv2d',
  run: ([x, weight], window) => {
    const y = convolve(tf.transpose(x!, [0, 2, 3, 1]), tf.transpose(weight!, [2, 3, 1, 0]), window)
    return tf.transpose(y, [0, 3, 1, 2])
  },
  gradients: (dy, [x, weight], window) => [
    () => conv2dInputKernel([dy, weight!], { ...window, size: x!.shape.slice(2) }),
    () => conv2dWeightKernel([x!, dy], { ...window, size: weight!.shape.slice(2) }),
  ],
})

/**
 * Spreads a gradient of an output over an axis of the input: with zeros in the gaps that the stride left and as many
 * around as let a window of stride 1 meet each position of the input.
 */
function spread(
  dy: tf.Tensor,
  axis: number,
  taps: number,
  { stride, pad, dilation }: Window,
  size: number,
): tf.Tensor {
  const i = axis - 1
  const reach = dilation[i]! * (taps - 1)
  const apart = dilate(dy, axis, stride[i]!)
  return padOrCut(apart, axis, reach - pad[2 * i]!, size + pad[2 * i]! - apart.shape[axis]!)
}

export const conv2dInputKernel: Kernel<Window & { size: number[] }> = defineKernel({
  name: 'Conv2dInput',
  run: ([dy, weight], { size, ...window }) => {
    const [height, width] = weight!.shape.slice(2) as Pair
    const last = tf.transpose(dy!, [0, 2, 3, 1])
    const apart = spread(spread(last, 1, height, window, size[0]!), 2, width, window, size[1]!)
    const flipped = tf.transpose(tf.reverse(weight!, [2, 3]), [2, 3, 0, 1])
    const dx = convolve(apart, flipped, { ...defaults, dilation: window.dilation })
    return tf.transpose(dx, [0, 3, 1, 2])
  },
  gradients: (dx, [dy, weight], { size, ...window }) => [
    () => conv2dKernel([dx, weight!], window),
    () => conv2dWeightKernel([dx, dy!], { ...window, size: weight!.shape.slice(2) }),
  ],
})

export const conv2dWeightKernel: Kernel<Window & { size: number[] }> = defineKernel({
  name: 'Conv2dWeight',
  run: ([x, dy], { size, stride, pad, dilation }) => {
    const channels = tf.transpose(x!, [1, 2, 3, 0])
    const filter = tf.transpose(dy!, [2, 3, 0, 1])
    const dw = convolve(channels, filter, { pad, stride: dilation, dilation: stride })
    // Rows that the stride never reached give taps too many.
    const taps = tf.slice(dw, [0, 0, 0, 0], [dw.shape[0]!, size[0]!, size[1]!, dw.shape[3]!])
    return tf.transpose(taps, [3, 0, 1, 2])
  },
  gradients: (dw, [x, dy], { size, ...window }) => [
    () => conv2dInputKernel([dy!, dw], { ...window, size: x!.shape.slice(2) }),
    () => conv2dKernel([x!, dw], window),
  ],
})

/** Cross-correlation of images with a kernel. */
export function conv2d(x: tf.Tensor, weight: tf.Tensor, window: Partial<Window> = {}): tf.Tensor {
  return conv2dKernel([x, weight], windowOf(window))
}

/** The gradient of {@link conv2d} for images of the given height and width. */
export function conv2dInput(
  dy: tf.Tensor,
  weight: tf.Tensor,
  size: number[],
  window: Partial<Window> = {},
): tf.Tensor {
  return conv2dInputKernel([dy, weight], { ...windowOf(window), size })
}

/** The gradient of {@link conv2d} for a kernel of the given height and width. */
export function conv2dWeight(
  x: tf.Tensor,
  dy: tf.Tensor,
  size: number[],
  window: Partial<Window> = {},
): tf.Tensor {
  return conv2dWeightKernel([x, dy], { ...windowOf(window), size })
}
