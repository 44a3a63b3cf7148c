import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type Kernel } from './define.ts'
import { gatherOrNaN, oneHot, pickOrNaN, scatterByProduct } from './oneHot.ts'
import { readsLater } from './reads.ts'
import { frontAxis } from './shapes.ts'

/** An index that names no position; says which, since a kernel would read past the end or take another row's value. */
function outside(index: number, length: number): RangeError {
  return new RangeError(`index ${index} is outside 0..${length}`)
}

function checkedIndex(index: tf.Tensor, length: number): Int32Array {
  const values = index.dataSync<'int32'>()
  for (const value of values) if (value < 0 || value >= length) throw outside(value, length)
  return values
}

/** tf.gather with the axis' positions checked. Its gradient adds what positions that occur several times receive. */
export const gatherKernel: Kernel<{ axis: number }> = defineKernel({
  name: 'Gather',
  run: ([x, index], { axis }) => {
    if (readsLater()) return gatherOrNaN(x!, index!, axis)
    checkedIndex(index!, x!.shape[axis]!)
    return tf.gather(x!, index!, axis)
  },
  gradients: (dy, [x, index], { axis }) => [
    () => scatterAdd(dy, index!, axis, x!.shape[axis]!),
    () => tf.zeros(index!.shape),
  ],
})

/** The positions of one axis that `index` names. */
export function gather(x: tf.Tensor, index: tf.Tensor, axis: number): tf.Tensor {
  return gatherKernel([x, index], { axis: frontAxis(axis, x) })
}

/**
 * Adds row by row in JavaScript: wasm has no segment sum, and a product with a one-hot matrix is five times slower
 * already for 1024 rows of 128 into a table of 256, and the more so the longer the table.
 */
export const scatterAddKernel: Kernel<{ axis: number; size: number }> = defineKernel({
  name: 'ScatterAdd',
  run: ([x, index], { axis, size }) => {
    if (readsLater()) return scatterByProduct(x!, index!, axis, size)
    const positions = checkedIndex(index!, size)
    const before = x!.shape.slice(0, axis)
    const after = x!.shape.slice(axis + index!.rank)
    const rows = tf.util.sizeFromShape(before)
    const width = tf.util.sizeFromShape(after)
    const source = x!.dataSync<'float32'>()
    const sums = new Float32Array(rows * size * width)
    let at = 0
    for (let row = 0; row < rows; row++)
      for (const position of positions) {
        const start = (row * size + position) * width
        for (let i = 0; i < width; i++) sums[start + i]! += source[at++]!
      }
    // Not tf.tensor: it would look at every element again to see that these are numbers.
    return tf.engine().makeTensor(sums, [...before, size, ...after], 'float32')
  },
  gradients: (dy, [, index], { axis }) => [() => gather(dy, index!, axis), () => tf.zeros(index!.shape)],
})

/**
 * Sums of the parts of `x` that `index` sends to the same position of a new axis of length `size`. The axis is counted
 * in the result; in `x` the axes of the index stand in its place.
 */
export function scatterAdd(x: tf.Tensor, index: tf.Tensor, axis: number, size: number): tf.Tensor {
  const rank = x.rank - index.rank + 1
  return scatterAddKernel([x, index], { axis: axis < 0 ? axis + rank : axis, size })
}

export const pickKernel: Kernel<Record<never, never>> = defineKernel({
  name: 'Pick',
  run: ([x, index]) => {
    if (readsLater()) return pickOrNaN(x!, index!)
    const width = x!.shape.at(-1)!
    const flat = Int32Array.from(checkedIndex(index!, width), (column, row) => row * width + column)
    return tf.gather(tf.reshape(x!, [x!.size]), tf.tensor(flat, index!.shape, 'int32'))
  },
  gradients: (dy, [x, index]) => [
    () => tf.mul(oneHot(index!, x!.shape.at(-1)!), tf.expandDims(dy, -1)),
    () => tf.zeros(index!.shape),
  ],
})

/** One element of each row: `x[..., index[...]]`. */
export function pick(x: tf.Tensor, index: tf.Tensor): tf.Tensor {
  return pickKernel([x, index], {})
}
