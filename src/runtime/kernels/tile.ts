import * as tf from '@tensorflow/tfjs-core'
import { replaceKernel } from './replace.ts'

type Values = Float32Array | Int32Array | Uint8Array

/** Room for so many values like these. */
function likewise(values: Values, length: number): Values {
  if (values instanceof Float32Array) return new Float32Array(length)
  return values instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length)
}

/** Every block of `width` values `times` in a row. What is written already is copied in ever larger pieces. */
function repeated(values: Values, width: number, times: number): Values {
  const result = likewise(values, values.length * times)
  const whole = width * times
  for (let from = 0, at = 0; from < values.length; from += width, at += whole) {
    if (width === 1) {
      result.fill(values[from]!, at, at + times)
      continue
    }
    result.set(values.subarray(from, from + width), at)
    for (let done = width; done < whole; done *= 2)
      result.copyWithin(at + done, at, at + Math.min(done, whole - done))
  }
  return result
}

/** The values of a tensor of this shape, repeated along each axis. */
export function tiled(values: Values, shape: readonly number[], reps: readonly number[]): Values {
  let result = values
  let width = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    width *= shape[axis]!
    if (reps[axis]! !== 1) result = repeated(result, width, reps[axis]!)
    width *= reps[axis]!
  }
  return result
}

const kernelFunc: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  // The type that tfjs gives attributes forgets what each kernel has.
  const reps = attrs!.reps as number[]
  const values = (backend as tf.KernelBackend).readSync(x.dataId) as Values
  const shape = x.shape.map((length, axis) => length * reps[axis]!)
  return tf.tensor(tiled(values, x.shape, reps), shape, x.dtype)
}

/**
 * Puts this in the place of the wasm backend's own kernel (4.22.0), which finds the source of each single element: for
 * 64×512 numbers out of one it takes twelve times as long. Every broadcast of `tf.where` and of a gradient is a tile.
 */
export function replaceTile(): void {
  replaceKernel('Tile', 'wasm', () => kernelFunc)
}
