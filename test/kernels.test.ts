import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startBackend } from '../src/runtime/backends.ts'
import { registerGradients } from '../src/runtime/gradients.ts'
import { tiled } from '../src/runtime/kernels/tile.ts'

const tiles = suite('kernels: tile')

const tilings: readonly (readonly [shape: readonly number[], reps: readonly number[]])[] = [
  [[], []],
  [[1], [5]],
  [[3], [2]],
  [
    [1, 3],
    [4, 1],
  ],
  [
    [3, 1],
    [1, 7],
  ],
  [
    [2, 3, 2],
    [3, 2, 2],
  ],
  [
    [2, 1, 3],
    [1, 4, 1],
  ],
  [
    [0, 2],
    [3, 2],
  ],
]

tiles('repeat along each axis as the cpu backend does, whatever the type', async () => {
  await startBackend('cpu')
  for (const [shape, reps] of tilings) {
    const count = tf.util.sizeFromShape([...shape])
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      const x = tf.tensor(
        Array.from({ length: count }, (_, i) => (dtype === 'bool' ? i % 2 : i)),
        [...shape],
        dtype,
      )
      const expected = shape.length === 0 ? x : tf.tile(x, [...reps])
      assert.equal(
        tiled(x.dataSync<'float32'>(), shape, reps),
        expected.dataSync(),
        `${dtype} ${shape} × ${reps}`,
      )
    }
  }
})

tiles('take the place of the kernel of wasm, once', async () => {
  await startBackend('wasm')
  registerGradients()
  const first = tf.getKernel('Tile', 'wasm').kernelFunc
  registerGradients()
  assert.is(tf.getKernel('Tile', 'wasm').kernelFunc, first)
  const before = tf.memory().numTensors
  tf.tidy(() => {
    const column = tf.tensor2d([-0, Number.NaN], [2, 1])
    assert.equal(Array.from(tf.broadcastTo(column, [2, 2]).dataSync()), [-0, -0, Number.NaN, Number.NaN])
    assert.equal(tf.where(tf.tensor1d([1, 0], 'bool'), tf.scalar(3), 4).arraySync(), [3, 4])
    assert.is(tf.broadcastTo(tf.scalar(2, 'int32'), [3]).dtype, 'int32')
  })
  assert.is(tf.memory().numTensors, before)
})

tiles.run()
