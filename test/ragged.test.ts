import '@tensorflow/tfjs-backend-cpu'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadDataset } from '../src/runtime/data.ts'
import { RunError } from '../src/runtime/errors.ts'
import { checkFits, fitsOf } from '../src/runtime/fits.ts'
import type { DatasetSpec, RaggedSpec } from '../src/runtime/training.ts'
import { piecesOf } from '../src/runtime/vocabulary.ts'

const folder = mkdtempSync(join(tmpdir(), 'ltm-ragged-'))
await tf.setBackend('cpu')

/** Lists of numbers as they are, and the number of each. */
function series(
  lists: readonly (readonly number[])[],
  ragged: Partial<RaggedSpec> = {},
  changes: Partial<DatasetSpec> = {},
): DatasetSpec {
  const field = { whole: false, trace: 'x.ltm:2', dtype: 'float32', shape: [] } as const
  return {
    name: 'series',
    source: { kind: 'inline', columns: [lists, lists.map((_, i) => i)], trace: 'x.ltm:1' },
    columns: [{ column: 0, shape: ['ragged'] }, 1],
    fields: ([x, id]) => [tf.mul(x!, 2), id!],
    schema: [
      { ...field, name: 'x', columns: [0], ragged: { size: 't', like: 0, pad: 0, ...ragged } },
      { ...field, name: 'id', columns: [1] },
    ],
    split: [],
    batch: 3,
    shuffle: true,
    dropLast: false,
    trace: 'x.ltm:1',
    ...changes,
  }
}

function texts(
  values: readonly string[],
  tokens: { unit: 'words' | 'characters' | 'whole'; size?: number },
  changes: Partial<DatasetSpec> = {},
): DatasetSpec {
  const isWhole = tokens.unit === 'whole'
  return {
    name: 'texts',
    source: { kind: 'inline', columns: [values], trace: 'x.ltm:1' },
    columns: [isWhole ? { column: 0, tokens } : { column: 0, shape: ['ragged'], tokens }],
    fields: ([words]) => [words!],
    schema: [
      {
        name: 'words',
        dtype: 'int32',
        shape: [],
        whole: false,
        columns: [0],
        trace: 'x.ltm:2',
        ...(isWhole ? {} : { ragged: { size: 't', like: 0, pad: 0 } }),
      },
    ],
    split: [],
    batch: 10,
    shuffle: false,
    dropLast: false,
    trace: 'x.ltm:1',
    ...changes,
  }
}

async function failure(run: () => Promise<unknown>): Promise<RunError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof RunError) return error
    throw error
  }
  throw new Error('expected a RunError')
}

interface Seen {
  readonly places: number
  readonly rows: readonly { id: number; x: number[]; mask: number[]; length: number }[]
}

/** The batches of an epoch; nothing of them stays on the device. */
async function batchesOf(spec: DatasetSpec, epoch = 0, shuffled = true, seed = 1): Promise<readonly Seen[]> {
  const data = await loadDataset(spec, folder, seed)
  return Array.from({ length: data.batches('train', epoch, shuffled) }, (_, index) => {
    const { fields, size } = data.batch('train', epoch, index, shuffled)
    const places = fields.x?.shape[1] ?? 0
    const part = (name: string): number[] => [...(fields[name]?.dataSync() ?? [])]
    const rows = Array.from({ length: size }, (_, i) => ({
      id: part('id')[i] ?? -1,
      x: part('x').slice(i * places, (i + 1) * places),
      mask: part('x.mask').slice(i * places, (i + 1) * places),
      length: part('x.length')[i] ?? -1,
    }))
    tf.dispose(Object.values(fields))
    return { places, rows }
  })
}

const listsArb = fc.array(fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 7 }), {
  minLength: 1,
  maxLength: 17,
})

const ragged = suite('ragged: batches')

ragged(
  'every example comes once, with its values, its mask, its length and padding behind them',
  async () => {
    const property = fc.asyncProperty(
      listsArb,
      fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      fc.option(fc.constant([2, 4, 7]), { nil: undefined }),
      fc.boolean(),
      async (lists, bound, buckets, shuffled) => {
        const limit = bound === undefined ? {} : { bound }
        const spec = series(lists, { ...limit, pad: -5 }, buckets ? { buckets } : {})
        const batches = await batchesOf(spec, 2, shuffled)
        const ids = batches.flatMap(({ rows }) => rows.map(({ id }) => id))
        assert.equal(
          ids.toSorted((a, b) => a - b),
          lists.map((_, i) => i),
        )
        for (const { places, rows } of batches) {
          const lengths = rows.map(({ length }) => length)
          const most = Math.max(1, ...lengths)
          assert.is(places, buckets?.find(bucket => bucket >= most) ?? most)
          for (const { id, x, mask, length } of rows) {
            const whole = lists[id] ?? []
            const own = whole.slice(0, bound ?? whole.length)
            assert.is(length, own.length)
            const padding = places - own.length
            assert.equal(x, [...own.map(value => value * 2), ...Array.from({ length: padding }, () => -5)])
            assert.equal(mask, [...own.map(() => 1), ...Array.from({ length: padding }, () => 0)])
          }
        }
      },
    )
    await fc.assert(property, { numRuns: 60 })
    assert.is(tf.memory().numTensors, 0)
  },
)

ragged(
  'the batches of an epoch are a function of seed and epoch; buckets keep like lengths together',
  async () => {
    const lists = Array.from({ length: 40 }, (_, i) => Array.from({ length: (i * 7) % 9 }, () => i + 1))
    const spec = series(lists, {}, { buckets: [3, 8], batch: 4 })
    const first = await batchesOf(spec, 5)
    assert.equal(first, await batchesOf(spec, 5))
    assert.not.equal(first, await batchesOf(spec, 6))
    assert.not.equal(first, await batchesOf(spec, 5, true, 2))
    for (const { places, rows } of first)
      for (const { length } of rows) assert.is(length <= 3 ? 3 : 8, places)
    const inOrder = (await batchesOf(spec, 5, false)).flatMap(({ rows }) => rows.map(({ id }) => id))
    assert.equal(
      inOrder,
      lists.map((_, i) => i),
    )
  },
)

ragged('an example that no bucket holds is told by its place', async () => {
  const error = await failure(() => loadDataset(series([[1], [1, 2, 3]], {}, { buckets: [2] }), folder, 1))
  assert.is(error.code, 'LTM5112')
  assert.match(error.message, 'example 1 (counted from 0): `x` has 3 places, more than the largest bucket, 2')
  assert.match(error.help ?? '', '`where t <= 2`')
})

ragged('fields of one size are as long as one another', async () => {
  const spec = series([[1], [1, 2]])
  const [x, id] = spec.schema
  const two: DatasetSpec = {
    ...spec,
    source: {
      kind: 'inline',
      columns: [
        [[1], [1, 2]],
        [[1], [1]],
      ],
      trace: 'x.ltm:1',
    },
    columns: [
      { column: 0, shape: ['ragged'] },
      { column: 1, shape: ['ragged'] },
    ],
    schema: [x!, { ...id!, ragged: { size: 't', like: 1, pad: 0 } }],
  }
  const error = await failure(() => loadDataset(two, folder, 1))
  assert.is(error.code, 'LTM5111')
  assert.match(error.message, '`x` has 2 places and `id` 1, but both are as long as `t` says')
})

ragged.run()

const vocabularies = suite('ragged: texts')

vocabularies('words lose their case, keep their apostrophes, and signs stand alone', () => {
  assert.equal(piecesOf("Don't  STOP — Ünder 3 trees!", 'words'), [
    "don't",
    'stop',
    '—',
    'ünder',
    '3',
    'trees',
    '!',
  ])
  assert.equal(piecesOf('a👍', 'characters'), ['a', '👍'])
  assert.equal(piecesOf(' iris setosa ', 'whole'), ['iris setosa'])
})

vocabularies('words are numbered by how often they occur, and what has no number is 0', async () => {
  const data = await loadDataset(texts(['b a b c', 'b a', 'd'], { unit: 'words', size: 3 }), folder, 1)
  const { fields } = data.batch('train', 0, 0, false)
  assert.equal([...(fields.words?.dataSync() ?? [])], [1, 2, 1, 0, 1, 2, 0, 0, 0, 0, 0, 0])
  assert.equal([...(fields['words.length']?.dataSync() ?? [])], [4, 2, 1])
  tf.dispose(Object.values(fields))
})

vocabularies('the vocabulary is that of the training split', async () => {
  const values = Array.from({ length: 20 }, (_, i) => `w${i}`)
  const spec = texts(
    values,
    { unit: 'words' },
    {
      split: [
        ['train', 0.5],
        ['val', 0.5],
      ],
      batch: 20,
    },
  )
  const data = await loadDataset(spec, folder, 1)
  const [train, val] = ['train', 'val'].map(split => {
    const { fields } = data.batch(split, 0, 0, false)
    const numbers = [...(fields.words?.dataSync() ?? [])]
    tf.dispose(Object.values(fields))
    return numbers
  })
  assert.equal(
    train?.toSorted((a, b) => a - b),
    Array.from({ length: 10 }, (_, i) => i + 1),
  )
  assert.equal(
    val,
    Array.from({ length: 10 }, () => 0),
  )
})

vocabularies('a whole text that only other splits have is an error at its place', async () => {
  const spec = texts(
    ['a', 'b', 'c', 'd'],
    { unit: 'whole' },
    {
      split: [
        ['train', 0.5],
        ['val', 0.5],
      ],
    },
  )
  const error = await failure(() => loadDataset(spec, folder, 1))
  assert.is(error.code, 'LTM5114')
  assert.match(error.message, /^example \d \(counted from 0\): “[abcd]” in column\(0\) does not occur/)
})

vocabularies('more texts than `size` allows is an error', async () => {
  const error = await failure(() =>
    loadDataset(texts(['x', 'y', 'z'], { unit: 'whole', size: 2 }), folder, 1),
  )
  assert.is(error.code, 'LTM5113')
  assert.match(error.message, 'column(0) has 3 different texts, more than the 2')
})

vocabularies('csv: columns by the names of the header, texts and numbers side by side', async () => {
  writeFileSync(join(folder, 'pets.csv'), 'age,kind,"full name"\n3,cat,"Tom, the first"\n5,dog,Rex\n')
  const field = { whole: false, trace: 'x.ltm:2', shape: [] } as const
  const spec: DatasetSpec = {
    ...texts([], { unit: 'whole' }),
    source: { kind: 'csv', path: 'pets.csv', skip: 0, trace: 'x.ltm:1' },
    columns: [{ column: 'kind', tokens: { unit: 'whole' } }, { column: 'age' }],
    fields: ([kind, age]) => [kind!, age!],
    schema: [
      { ...field, name: 'kind', dtype: 'int32', columns: ['kind'] },
      { ...field, name: 'age', dtype: 'float32', columns: ['age'] },
    ],
  }
  const data = await loadDataset(spec, folder, 1)
  const { fields } = data.batch('train', 0, 0, false)
  assert.equal([...(fields.kind?.dataSync() ?? [])], [0, 1])
  assert.equal([...(fields.age?.dataSync() ?? [])], [3, 5])
  tf.dispose(Object.values(fields))
  const wrong = { ...spec, columns: [spec.columns[0]!, { column: 'agee' }] }
  const error = await failure(() => loadDataset(wrong, folder, 1))
  assert.is(error.code, 'LTM5105')
  assert.match(error.message, 'no column is called “agee”; the header names age, kind, full name')
  assert.is(error.help, 'did you mean `age`?')
})

vocabularies('what was fitted has to be what the checkpoint was saved with', async () => {
  const load = async (values: readonly string[], seed = 1) => {
    const data = await loadDataset(texts(values, { unit: 'words' }), folder, seed)
    return { data: new Map([['texts', data]]), seed }
  }
  const saved = await load(['b b a', 'c'])
  assert.equal(fitsOf(saved), { texts: { 'column(0)': ['', 'b', 'a', 'c'] } })
  const state = { seed: 1, fits: fitsOf(saved) }
  checkFits(await load(['a b b', 'c']), { state }, 'latest')
  checkFits(await load(['z']), { state: { seed: 1 } }, 'latest')
  const changed = await load(['a b b', 'd'])
  const error = await failure(async () => checkFits(changed, { state }, 'latest'))
  assert.is(error.code, 'LTM5115')
  assert.match(
    error.message,
    '`column(0)` of dataset `texts` is not what it was when latest was saved: at 3 it had "c" and has "d"',
  )
  assert.match(error.help ?? '', 'the data has changed')
  const reseeded = await failure(async () => checkFits({ ...changed, seed: 2 }, { state }, 'latest'))
  assert.match(reseeded.help ?? '', 'made with --seed 1')
  const numbers = (value: number) => ({
    data: new Map([['texts', { ...saved.data.get('texts')!, fits: { centre: [value] } }]]),
    seed: 1,
  })
  checkFits(numbers(3.00001), { state: { fits: fitsOf(numbers(3)) } }, 'latest')
  const moved = await failure(async () =>
    checkFits(numbers(3.1), { state: { fits: fitsOf(numbers(3)) } }, 'latest'),
  )
  assert.match(moved.message, 'at 0 it had 3 and has 3.1')
})

vocabularies.after(() => rmSync(folder, { recursive: true }))
vocabularies.run()
