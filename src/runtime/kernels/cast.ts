import * as tf from '@tensorflow/tfjs-core'
import { replaceKernel } from './replace.ts'

/**
 * Has the webgpu backend (4.22.0) make floats of integers and booleans: its own cast hands on the buffer as it is, and a
 * later transposition, such as a sum over an inner axis has, then reads integers as floats and is refused by the device.
 */
export function replaceCast(): void {
  replaceKernel('Cast', 'webgpu', known => call => {
    const made = known(call)
    const { x } = call.inputs
    if (Array.isArray(made) || made.dtype !== 'float32' || x === undefined || x.dtype === 'float32')
      return made
    return tf.tidy(() => tf.mul(tf.engine().makeTensorFromTensorInfo(made), 1))
  })
}
