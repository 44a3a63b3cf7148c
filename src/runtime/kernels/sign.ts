import * as tf from '@tensorflow/tfjs-core'
import { replaceKernel } from './replace.ts'

/** Has the wasm backend (4.22.0) tell the sign of numbers near 0: its own kernel takes all below about 1e-7 for 0. */
export function replaceSign(): void {
  replaceKernel('Sign', 'wasm', known => call => {
    const { x } = call.inputs
    if (!(x instanceof tf.Tensor) || x.dtype !== 'float32') return known(call)
    return tf.tidy(() => tf.sub(tf.cast(tf.greater(x, 0), x.dtype), tf.cast(tf.less(x, 0), x.dtype)))
  })
}
