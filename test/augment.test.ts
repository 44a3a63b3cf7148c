import '@tensorflow/tfjs-backend-cpu'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LoadedDataset } from '../src/runtime/contracts.ts'
import { loadDataset } from '../src/runtime/data.ts'
import { RunError } from '../src/runtime/errors.ts'
import type { DatasetSpec } from '../src/runtime/training.ts'
import { compileIn, inFolder, trainingOf } from './kit/examples.ts'

const test = suite('filters, augmentation, draws')
await tf.setBackend('cpu')

/** The dataset with these members, of `index` 0 to 19. */
function specOf(members: string): Promise<DatasetSpec> {
  return inFolder(async folder => {
    const program = `dataset D from synthetic(count: 20) {\n${members}\n}
fn jitter(x: f32[n]) -> f32[n] = x + 0.1 * uniform(0, 1, like: x)
train T {
  data d = D(batch: 4)
  param w: f32 = 1.0
  optimizer sgd = Sgd(w, lr: 0.1)
  step train(_batch) { minimize w ^ 2 }
  trainer { epochs: 1, seed: 1 }
}\n`
    writeFileSync(join(folder, 'p.ltm'), program)
    const training = await trainingOf(compileIn(folder, 'p'), folder)
    const [spec] = training.data
    assert.ok(spec)
    return spec
  })
}

/** A field of all examples of a split, by the value of `id` in each. */
async function byExample(
  data: LoadedDataset,
  field: string,
  how: { epoch?: number; shuffled?: boolean; augmented?: boolean } = {},
): Promise<ReadonlyMap<number, unknown>> {
  const { epoch = 0, shuffled = false, augmented = false } = how
  const found = new Map<number, unknown>()
  for (let i = 0; i < data.batches('train', epoch, shuffled); i++) {
    const { fields } = data.batch('train', epoch, i, shuffled, augmented)
    const ids = await fields.id!.data()
    const values = await fields[field]!.array()
    assert.ok(Array.isArray(values))
    for (const [row, id] of ids.entries()) found.set(id, values[row])
    tf.dispose(fields)
  }
  return new Map([...found].sort(([a], [b]) => a - b))
}

const members = `
  field id: i32 = index
  field x: f32[3] = normal()
  field y: f32 = index
  augment y = jitter(y)`

test('draws of examples are the same in any batches and any order, and others in other epochs', async () => {
  const spec = await specOf(members)
  const one = await loadDataset(spec, '.', 1)
  const other = await loadDataset({ ...spec, batch: 7 }, '.', 1)
  const x = await byExample(one, 'x')
  assert.equal(x, await byExample(other, 'x', { shuffled: true }))
  assert.is(new Set([...x.values()].map(String)).size, 20)
  const y = await byExample(one, 'y', { augmented: true })
  assert.equal(y, await byExample(other, 'y', { shuffled: true, augmented: true }))
  assert.not.equal(y, await byExample(one, 'y', { augmented: true, epoch: 1 }))
  assert.not.equal(x, await byExample(await loadDataset(spec, '.', 2), 'x'))
  for (const [id, value] of y) assert.ok(Number(value) >= id && Number(value) < id + 0.1)
})

test('only training is augmented, and nothing is left behind', async () => {
  const data = await loadDataset(await specOf(members), '.', 1)
  const before = tf.memory().numTensors
  for (const [id, value] of await byExample(data, 'y')) assert.is(value, id)
  await byExample(data, 'y', { augmented: true })
  assert.is(tf.memory().numTensors, before)
})

test('a draw of one field leaves those of others as they are', async () => {
  const draws = async (more: string) => {
    const spec = await specOf(`field id: i32 = index\n${more}\nfield x: f32 = normal()`)
    return byExample(await loadDataset(spec, '.', 1), 'x')
  }
  assert.equal(await draws('field y: f32 = normal()'), await draws(''))
})

test('a ragged field keeps its padding', async () => {
  const spec = await specOf('field id: i32 = index\nfield x: f32 = index')
  const ragged: DatasetSpec = {
    ...spec,
    source: {
      kind: 'inline',
      columns: [
        [[1, 2, 3], [4]],
        [0, 1],
      ],
      trace: 'x.ltm:1',
    },
    columns: [{ column: 0, shape: ['ragged'] }, 1],
    fields: ([x, id]) => [x!, tf.cast(id!, 'int32')],
    augment: { fields: ['x'], compute: ([x]) => [tf.add(x!, 10)] },
    schema: [
      {
        name: 'x',
        dtype: 'float32',
        shape: [],
        whole: false,
        columns: [0],
        trace: 'x.ltm:2',
        ragged: { size: 't', like: 0, pad: -1 },
      },
      { name: 'id', dtype: 'int32', shape: [], whole: false, columns: [1], trace: 'x.ltm:2' },
    ],
  }
  const x = await byExample(await loadDataset(ragged, '.', 1), 'x', { augmented: true })
  assert.equal(
    [...x.values()],
    [
      [11, 12, 13],
      [14, -1, -1],
    ],
  )
})

test('filters leave rows out before the split, and say so', async () => {
  const spec = await specOf(`field id: i32 = index
  filter id != 3
  filter index < 10
  split train: 0.5, val: 0.5`)
  const data = await loadDataset(spec, '.', 1)
  assert.equal(data.notes, ['d: filters left out 11 of 20 rows'])
  assert.is(
    [...data.splits.values()].reduce((sum, count) => sum + count, 0),
    9,
  )
  assert.not.ok((await byExample(data, 'id')).has(3))
})

test('what a bound cuts off is told', async () => {
  const spec = await specOf('field id: i32 = index')
  const field = { dtype: 'float32', shape: [], whole: false, columns: [0], trace: 'x.ltm:2' } as const
  const lists = [[1, 2, 3], [4], [5, 6, 7]]
  const data = await loadDataset(
    {
      ...spec,
      source: { kind: 'inline', columns: [lists], trace: 'x.ltm:1' },
      columns: [{ column: 0, shape: ['ragged'] }],
      fields: ([x]) => [tf.neg(x!)],
      schema: [{ ...field, name: 'x', ragged: { size: 't', like: 0, pad: 0, bound: 2 } }],
    },
    '.',
    1,
  )
  assert.equal(data.notes, ['d: 2 of 3 examples of `x` were cut to 2 places'])
})

test('filters that leave nothing are an error', async () => {
  const spec = await specOf('field id: i32 = index\nfilter index < 0')
  try {
    await loadDataset(spec, '.', 1)
    assert.unreachable()
  } catch (error) {
    assert.ok(error instanceof RunError && error.code === 'LTM5116')
    assert.match(error.message, /none of its 20 rows/)
  }
})

test('standardize learns from the training split; a column that never changes becomes 0', async () => {
  const spec = await specOf(`field id: i32 = index
  field x: f32[2] = standardize(stack([index, fill(3, like: index)], axis: 1))
  split train: 0.5, val: 0.5`)
  const data = await loadDataset(spec, '.', 1)
  const values = await byExample(data, 'x')
  const ids = [...values.keys()]
  const mean = ids.reduce((sum, id) => sum + id, 0) / ids.length
  const spread = Math.sqrt(ids.reduce((sum, id) => sum + (id - mean) ** 2, 0) / ids.length)
  for (const [id, value] of values) {
    assert.ok(Array.isArray(value))
    for (const [i, wanted] of [(id - mean) / spread, 0].entries())
      assert.ok(Math.abs(value[i] - wanted) < 1e-5, `${value[i]} is not ${wanted}`)
  }
  assert.equal(Object.keys(data.fits), ['x_mean', 'x_spread'])
})

test.run()
