import * as tf from '@tensorflow/tfjs-core'

/**
 * Whether values can only be awaited, as from a graphics card: a kernel can't wait. There the kernels that would look at
 * indices are written with other operations; an index outside of its axis then gives NaN where it would be an error.
 */
export function readsLater(): boolean {
  return tf.getBackend() === 'webgpu'
}
