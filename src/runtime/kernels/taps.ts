import * as tf from '@tensorflow/tfjs-core'
import type { Window } from './convolution.ts'
import { defineKernel, type Kernel } from './define.ts'
import { dilate, pad, padOrCut } from './shapes.ts'

type Pooling = Window & { kernel: number[] }

/** Row and column of each element of a window. */
function tapsOf({ kernel }: Pooling): readonly (readonly [row: number, column: number])[] {
  const [rows = 1, columns = 1] = kernel
  return Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const)
}

/** One element of every window: from padded images [n, channels, height, width] the windows' [n, channels, rows, columns]. */
function tapped(padded: tf.Tensor, tap: readonly [number, number], pooling: Pooling): tf.Tensor {
  const { stride, dilation } = pooling
  const [n = 0, channels = 0, ...lengths] = padded.shape
  const begin = tap.map((at, i) => at * dilation[i]!)
  const end = lengths.map((length, i) => {
    const reach = dilation[i]! * (pooling.kernel[i]! - 1) + 1
    return begin[i]! + Math.floor((length - reach) / stride[i]!) * stride[i]! + 1
  })
  return tf.stridedSlice(padded, [0, 0, ...begin], [n, channels, ...end], [1, 1, ...stride])
}

function around(x: tf.Tensor, { pad: pads }: Pooling, value: number): tf.Tensor {
  return pad(pad(x, 2, pads[0]!, pads[1]!, value), 3, pads[2]!, pads[3]!, value)
}

/**
 * For each element of a window, in a new first axis, 1 where it is the window's largest, the first of equals; NaN counts
 * as larger than any number.
 */
export const maxPoolHitsKernel: Kernel<Pooling> = defineKernel({
  name: 'MaxPoolHits',
  run: ([x], pooling) => {
    const taps = tapsOf(pooling)
    const images = around(x!, pooling, Number.NEGATIVE_INFINITY)
    const inside = around(tf.onesLike(x!), pooling, 0)
    const values = taps.map(tap => tapped(images, tap, pooling))
    const largest = values.reduce((a, b) => tf.maximum(a, b))
    let open: tf.Tensor = tf.onesLike(largest)
    const hits = taps.map((tap, i) => {
      const same = tf.logicalOr(tf.equal(values[i]!, largest), tf.isNaN(values[i]!))
      const hit = tf.mul(tf.mul(tf.cast(same, 'float32'), tapped(inside, tap, pooling)), open)
      open = tf.sub(open, hit)
      return hit
    })
    return tf.stack(hits)
  },
  gradients: (_, [x]) => [() => tf.zeros(x!.shape)],
})

/** Where the largest element of each window is, as its place among all elements of `x`. */
export function placesOfHits(x: tf.Tensor, pooling: Pooling): tf.Tensor {
  const [n = 0, channels = 0, height = 0, width = 0] = x.shape
  const hits = tf.unstack(maxPoolHitsKernel([x], pooling))
  const images = tf.reshape(tf.range(0, n * channels, 1, 'int32'), [n, channels, 1, 1])
  const start = tf.mul(images, tf.scalar(height * width, 'int32'))
  const places = tapsOf(pooling).map((tap, i) => {
    const [rows, columns] = tap.map((at, axis) => {
      const first = at * pooling.dilation[axis]! - pooling.pad[2 * axis]!
      const count = hits[i]!.shape[axis + 2]!
      const along = tf.add(
        tf.mul(tf.range(0, count, 1, 'int32'), tf.scalar(pooling.stride[axis]!, 'int32')),
        tf.scalar(first, 'int32'),
      )
      return axis === 0 ? tf.reshape(tf.mul(along, tf.scalar(width, 'int32')), [count, 1]) : along
    })
    const place = tf.add(start, tf.add(rows!, columns!))
    return tf.mul(tf.cast(hits[i]!, 'int32'), place)
  })
  return places.reduce((a, b) => tf.add(a, b))
}

/** Hands the gradient of each window to its largest element. */
export function handToHits(dy: tf.Tensor, x: tf.Tensor, pooling: Pooling): tf.Tensor {
  const { stride, dilation, pad: pads } = pooling
  const hits = tf.unstack(maxPoolHitsKernel([x], pooling))
  const parts = tapsOf(pooling).map((tap, i) =>
    [0, 1].reduce(
      (part, axis) => {
        const apart = dilate(part, axis + 2, stride[axis]!)
        const before = tap[axis]! * dilation[axis]! - pads[2 * axis]!
        return padOrCut(apart, axis + 2, before, x.shape[axis + 2]! - before - apart.shape[axis + 2]!)
      },
      tf.mul(dy, hits[i]!),
    ),
  )
  return parts.reduce((a, b) => tf.add(a, b))
}
