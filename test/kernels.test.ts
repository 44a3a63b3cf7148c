import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startBackend } from '../src/runtime/backends.ts'
import { registerGradients } from '../src/runtime/gradients.ts'
import { tiled } from '../src/runtime/kernels/tile.ts'
import { gather, maxPool2d, maxPool2dIndex, pick, scatterAdd } from '../src/runtime/kernels.ts'
import { near } from './kit/near.ts'

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

const products = suite('kernels: products')

products(
  'of large batches on wasm are those of the cpu backend, with their gradients, and nothing is left over',
  async () => {
    const values = (count: number) =>
      Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 101) / 50 - 1)
    const run = () => {
      const a = tf.tensor(values(3 * 70 * 60), [3, 70, 60])
      const b = tf.tensor(values(3 * 60 * 80), [3, 60, 80])
      const flipped = tf.transpose(b, [0, 2, 1])
      const product = tf.matMul(a, b)
      const [da, db] = tf.grads((a, b) => tf.sum(tf.square(tf.matMul(a, b, false, true))))([a, flipped])
      const heads = tf.matMul(tf.reshape(a, [1, 3, 70, 60]), tf.reshape(b, [1, 3, 60, 80]))
      return [product, tf.matMul(tf.transpose(a, [0, 2, 1]), b, true), heads, da!, db!]
    }
    await startBackend('cpu')
    registerGradients()
    const expected = run().map(tensor => tensor.dataSync<'float32'>())
    await startBackend('wasm')
    registerGradients()
    const before = tf.memory().numTensors
    const actual: Float32Array[] = []
    tf.tidy(() => void actual.push(...run().map(tensor => tensor.dataSync<'float32'>())))
    assert.is(tf.memory().numTensors, before)
    for (const [i, numbers] of actual.entries()) {
      const scale = expected[i]!.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const worst = numbers.reduce((most, value, j) => Math.max(most, Math.abs(value - expected[i]![j]!)), 0)
      assert.ok(worst < 1e-5 * scale, `${i}: ${worst} of ${scale}`)
    }
  },
)

products('take the place of the kernel of wasm, once', async () => {
  await startBackend('wasm')
  registerGradients()
  const { kernelFunc } = tf.getKernel('BatchMatMul', 'wasm')
  registerGradients()
  assert.is(tf.getKernel('BatchMatMul', 'wasm').kernelFunc, kernelFunc)
})

products.run()

const reductions = suite('kernels: reductions')

reductions('on webgpu keep the axes that they should, and no other', async () => {
  await startAwaited()
  const known = tf.getKernel('Prod', 'webgpu')
  const careless: tf.KernelFunc = call => {
    const made = known.kernelFunc(call)
    return Array.isArray(made) ? made : { ...made, shape: [made.shape.reduce((a, b) => a * b, 1)] }
  }
  tf.unregisterKernel('Prod', 'webgpu')
  tf.registerKernel({ ...known, kernelFunc: careless })
  const x = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3])
  assert.equal(tf.prod(x, -1, true).shape, [2])
  registerGradients()
  assert.equal(tf.prod(x, -1, true).arraySync(), [[6], [120]])
  assert.equal(tf.prod(x, 0).arraySync(), [4, 10, 18])
  assert.is(tf.prod(x).arraySync(), 720)
})

reductions.run()

// ── Where values can only be awaited ────────────────────────────────────────────────────────────────────────────────

const awaited = suite('kernels: without reading')

/** Numbers with ties among them. */
const some = (shape: number[]) =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => ((i * 7919) % 11) - 5),
    shape,
    'float32',
  )

/** The value, the gradient of its product with some numbers, and the gradient of that. */
const results: Readonly<Record<string, () => readonly tf.Tensor[]>> = {
  gather: () => orders(x => gather(x, tf.tensor2d([2, 0, 2, 1], [2, 2], 'int32'), 1), [2, 3, 2]),
  'gather from the front': () => orders(x => gather(x, tf.tensor1d([1], 'int32'), 0), [2, 3]),
  pick: () => orders(x => pick(x, tf.tensor1d([2, 0], 'int32')), [2, 3]),
  scatterAdd: () =>
    orders(x => scatterAdd(x, tf.tensor2d([3, 0, 3, 1], [2, 2], 'int32'), 1, 4), [2, 2, 2, 3]),
  maxPool: () => orders(x => maxPool2d(x, [2, 2]), [2, 2, 4, 5]),
  'maxPool with all': () =>
    orders(x => maxPool2d(x, [2, 3], { stride: [2, 1], pad: [1, 0, 1, 1], dilation: [1, 2] }), [1, 2, 5, 7]),
  'maxPool of overlapping windows': () =>
    orders(x => maxPool2d(x, [3, 3], { stride: [1, 2], pad: [1, 1] }), [1, 1, 4, 5]),
  index: () => [maxPool2dIndex(some([2, 2, 5, 6]), [2, 2], { stride: [2, 3], pad: [1, 0] })],
}

function orders(f: (x: tf.Tensor) => tf.Tensor, shape: number[]): readonly tf.Tensor[] {
  const x = some(shape)
  const first = tf.grad(x => {
    const y = f(tf.mul(x, x))
    return tf.sum(tf.mul(y, some(y.shape)))
  })
  const second = tf.grad(x => tf.sum(tf.square(first(x))))
  return [f(x), first(x), second(x)]
}

/** The cpu backend under the name of one that can only be awaited; its tensors refuse to be read at once. */
async function startAwaited(): Promise<void> {
  await startBackend('cpu')
  if (tf.findBackendFactory('webgpu') === null) {
    tf.registerBackend('webgpu', tf.findBackendFactory('cpu'))
    tf.copyRegisteredKernels('cpu', 'webgpu')
  }
  await tf.setBackend('webgpu')
  registerGradients()
}

async function without<T>(reading: 'dataSync', run: () => T): Promise<T> {
  const { [reading]: own } = tf.Tensor.prototype
  tf.Tensor.prototype[reading] = () => {
    throw new Error('read at once')
  }
  try {
    return run()
  } finally {
    tf.Tensor.prototype[reading] = own
  }
}

for (const [name, run] of Object.entries(results)) {
  awaited(`${name} is what it is elsewhere, gradients included`, async () => {
    await startBackend('cpu')
    registerGradients()
    const expected = run().map(tensor => tensor.arraySync())
    await startAwaited()
    const actual = await without('dataSync', run)
    assert.equal(await Promise.all(actual.map(tensor => tensor.array())), expected)
  })
}

awaited('an index outside gives NaN, and hides no other', async () => {
  await startAwaited()
  const x = tf.tensor2d([1, 2, Number.POSITIVE_INFINITY, 4], [2, 2])
  const outside = tf.tensor1d([1, 2], 'int32')
  assert.equal(Array.from(await pick(x, outside).data()), [2, Number.NaN])
  assert.equal(Array.from(await gather(x, outside, 1).data()), [2, Number.NaN, 4, Number.NaN])
})

awaited.run()

const signs = suite('kernels: sign')

signs('are those of the smallest numbers as well, on every backend', async () => {
  const given = [1e-9, -2e-10, 1e-38, -3, 4, 0, -0]
  for (const backend of ['cpu', 'wasm']) {
    await startBackend(backend)
    registerGradients()
    const before = tf.memory().numTensors
    const x = tf.tensor1d(given)
    const y = tf.sign(x)
    assert.equal([...y.dataSync()].map(Math.abs), [1, 1, 1, 1, 1, 0, 0], backend)
    near([...y.dataSync()], [1, -1, 1, -1, 1, 0, 0], 0, backend)
    near([...x.dataSync()], given, 1e-7, 'what it was given is still there')
    tf.dispose([x, y])
    assert.is(tf.memory().numTensors, before, 'nothing is left')
  }
})

signs.run()
