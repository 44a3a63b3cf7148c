import * as tf from '@tensorflow/tfjs-core'

/** Arrays of one kind and length that wait to be used again. */
const mostWaiting = 4

export const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const
type DType = keyof typeof arrayTypes

type Numbers = Float32Array | Int32Array | Uint8Array
const waiting = new Map<string, Numbers[]>()

/** An array for the numbers of a batch, with whatever a former batch has left in it. */
export function takeArray(dtype: DType, length: number): Numbers {
  return waiting.get(`${dtype} ${length}`)?.pop() ?? new arrayTypes[dtype](length)
}

/**
 * Frees a tensor of a batch. Where its numbers are an array of JavaScript that nobody else looks at, the next batch may have it:
 * large arrays are what keeps the collector of garbage busy in a small step.
 */
export function disposeBatchTensor(tensor: tf.Tensor): void {
  if (tensor.isDisposed) return
  const { dtype } = tensor
  const alone = tf.getBackend() === 'cpu' && tf.backend().refCount(tensor.dataId) === 1
  const numbers =
    alone && (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') ? tensor.dataSync() : undefined
  tensor.dispose()
  if (numbers === undefined) return
  const key = `${dtype} ${numbers.length}`
  const list = waiting.get(key) ?? []
  if (list.length === 0) waiting.set(key, list)
  if (list.length < mostWaiting) list.push(numbers)
}
