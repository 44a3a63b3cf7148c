import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type Kernel } from './define.ts'
import { frontAxis } from './shapes.ts'

/**
 * log(1 + x). The wasm kernel (4.22.0) adds in 32 bits and loses small x, so there the sum's rounding is divided out:
 * with u = 1 + x rounded, log(1 + x) ≈ log(u) · x / (u - 1) (W. Kahan; D. Goldberg 1991, "What every computer scientist
 * should know about floating-point arithmetic", theorem 4).
 */
export const log1pKernel: Kernel<Record<never, never>> = defineKernel({
  name: 'Log1p',
  run: ([x]) => {
    if (tf.getBackend() !== 'wasm') return tf.log1p(x!)
    const u = tf.add(x!, 1)
    const excess = tf.sub(u, 1)
    const tiny = tf.equal(excess, 0)
    const infinite = tf.logicalNot(tf.isFinite(u))
    const ratio = tf.div(tf.mul(tf.log(u), x!), tf.where(tiny, 1, excess))
    return tf.where(tiny, x!, tf.where(infinite, u, ratio))
  },
  gradients: (dy, [x]) => [() => tf.div(dy, tf.add(x!, 1))],
})

/** log(1 + x), exact for small x. */
export function log1p(x: tf.Tensor): tf.Tensor {
  return log1pKernel([x], {})
}

/** The largest element is taken out first; where it is infinite nothing is, since ∞ - ∞ is no number. */
export const logSumExpKernel: Kernel<{ axes: number[] }> = defineKernel({
  name: 'LogSumExp',
  run: ([x], { axes }) => {
    const largest = tf.max(x!, axes, true)
    const shift = tf.where(tf.isFinite(largest), largest, 0)
    return tf.add(tf.log(tf.sum(tf.exp(tf.sub(x!, shift)), axes, true)), shift)
  },
  usesOutput: true,
  gradients: (dy, [x], _, y) => [
    () => {
      const shift = tf.where(tf.isFinite(y!), y!, 0)
      return tf.mul(dy, tf.exp(tf.sub(x!, shift)))
    },
  ],
})

/** log(sum(exp(x))) over axes, all where none are given. */
export function logSumExp(x: tf.Tensor, axis?: number | number[], keep = false): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape)
  const kept = logSumExpKernel([x], { axes })
  return keep
    ? kept
    : tf.reshape(
        kept,
        x.shape.filter((_, i) => !axes.includes(i)),
      )
}

export const stopGradientKernel: Kernel<Record<never, never>> = defineKernel({
  name: 'StopGradient',
  run: ([x]) => tf.clone(x!),
  gradients: (_, [x]) => [() => tf.zeros(x!.shape)],
})

/** The same values, through which no gradient flows. */
export function stopGradient(x: tf.Tensor): tf.Tensor {
  return stopGradientKernel([x], {})
}

export const logSoftmaxKernel: Kernel<Record<never, never>> = defineKernel({
  name: 'LogSoftmax',
  run: ([x]) => tf.logSoftmax(x!),
  usesOutput: true,
  gradients: (dy, _, __, y) => [() => tf.sub(dy, tf.mul(tf.exp(y!), tf.sum(dy, -1, true)))],
})

/** Runs a function of the last axis along another one. */
function along(x: tf.Tensor, axis: number, run: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const at = frontAxis(axis, x)
  if (at === x.rank - 1) return run(x)
  const perm = x.shape.map((_, i) => (i === at ? x.rank - 1 : i === x.rank - 1 ? at : i))
  return tf.transpose(run(tf.transpose(x, perm)), perm)
}

/** Softmax along any axis; tfjs knows the last one only. */
export function softmax(x: tf.Tensor, axis = -1): tf.Tensor {
  return along(x, axis, moved => tf.softmax(moved))
}

/** The logarithm of softmax along any axis. */
export function logSoftmax(x: tf.Tensor, axis = -1): tf.Tensor {
  return along(x, axis, moved => logSoftmaxKernel([moved], {}))
}
