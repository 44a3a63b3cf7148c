import * as tf from '@tensorflow/tfjs-core'
import { linkedOutput } from '../kernels/define.ts'
import { sumTo } from '../kernels/shapes.ts'

type Thunk = () => tf.Tensor

/** A kernel of one argument whose gradient needs the argument, or only its shape. */
export function unary(
  kernelName: string,
  gradient: (dy: tf.Tensor, x: tf.Tensor, attrs: tf.NamedAttrMap) => tf.Tensor,
  input = 'x',
): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: [input],
    gradFunc: (dy, [x], attrs) => ({ [input]: () => gradient(one(dy), x!, attrs) }),
  }
}

/** A kernel of one argument whose gradient is simplest in its result. */
export function byResult(
  kernelName: string,
  gradient: (dy: tf.Tensor, y: tf.Tensor, x: tf.Tensor, attrs: tf.NamedAttrMap) => tf.Tensor,
  input = 'x',
): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: [input],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attrs) => ({
      [input]: () => gradient(one(dy), linkedOutput(kernelName, { [input]: x! }, y!, attrs), x!, attrs),
    }),
  }
}

/** A kernel of two arguments that broadcast: gradients of the result's shape, summed back to the arguments' here. */
export function binary(
  kernelName: string,
  gradient: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => readonly [Thunk, Thunk],
): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => {
      const [da, db] = gradient(one(dy), a!, b!)
      return { a: () => sumTo(da(), a!.shape), b: () => sumTo(db(), b!.shape) }
    },
  }
}

/** A kernel through which no gradient flows: zeros of each argument's shape. */
export function flat(kernelName: string, ...inputs: readonly string[]): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: [...inputs],
    gradFunc: (_, saved) =>
      Object.fromEntries(inputs.map((input, i) => [input, () => tf.zeros(saved[i]!.shape)])),
  }
}

/** The gradient of a kernel's only result. */
export function one(dy: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(dy) ? dy[0]! : dy
}
