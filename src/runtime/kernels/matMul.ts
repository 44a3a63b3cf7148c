import * as tf from '@tensorflow/tfjs-core'
import { replaceKernel } from './replace.ts'
import { swapLast } from './shapes.ts'

/** Multiplications in one product of a batch, from which on it is worth the two copies to have it computed alone. */
const worthwhile = 2 ** 18

/**
 * Has the wasm backend (4.22.0) multiply batches of large matrices one by one: for a single product it calls XNNPACK, for
 * several it takes a plain loop. Measured for eight products (batched and one by one): 64×64×64 5.3 and 4.0 ms, 256×16×256
 * 29 and 7 ms; for many small ones the loop is the faster one.
 */
export function replaceMatMul(): void {
  replaceKernel('BatchMatMul', 'wasm', known => call => {
    // What kernels get are tensors, though tfjs says less.
    const { a, b } = call.inputs as { a: tf.Tensor; b: tf.Tensor }
    const { transposeA, transposeB } = call.attrs ?? {}
    if (!isWorthwhile(a, b, transposeA === true)) return known(call)
    return tf.tidy(() => oneByOne(transposeA ? swapLast(a) : a, transposeB ? swapLast(b) : b))
  })
}

/** Batches of equal axes, since only those need no stretching, whose single products are large. */
function isWorthwhile(a: tf.Tensor, b: tf.Tensor, transposed: boolean): boolean {
  const batch = a.shape.slice(0, -2)
  if (a.rank !== b.rank || batch.some((length, i) => length !== b.shape[i])) return false
  const count = tf.util.sizeFromShape(batch)
  const inner = a.shape.at(transposed ? -2 : -1)!
  return count > 1 && inner > 0 && (a.size / count) * (b.size / count / inner) >= worthwhile
}

function oneByOne(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const others = matrices(b)
  const products = matrices(a).map((matrix, i) => tf.matMul(matrix, others[i]!))
  return tf.reshape(tf.stack(products), [...a.shape.slice(0, -1), b.shape.at(-1)!])
}

function matrices(x: tf.Tensor): tf.Tensor[] {
  return tf.unstack(tf.reshape(x, [-1, ...x.shape.slice(-2)]))
}
