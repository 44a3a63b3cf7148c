import '@tensorflow/tfjs-backend-cpu'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseCsv } from '../src/runtime/csv.ts'
import { loadDataset } from '../src/runtime/data.ts'
import { RunError } from '../src/runtime/errors.ts'
import { epochOrder } from '../src/runtime/order.ts'
import type { DatasetSpec, FieldSpec } from '../src/runtime/training.ts'

const folder = mkdtempSync(join(tmpdir(), 'ltm-data-'))
await tf.setBackend('cpu')

// ── Kit ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content)
  return name
}

const measure: FieldSpec = {
  name: 'size',
  dtype: 'float32',
  shape: [2],
  whole: false,
  columns: [0, 1],
  trace: 'x.ltm:4',
}
const label: FieldSpec = {
  name: 'label',
  dtype: 'int32',
  shape: [],
  whole: true,
  columns: [2],
  trace: 'x.ltm:5',
}

/** Two measurements and a label, as most tests need. */
function flowers(source: DatasetSpec['source'], changes: Partial<DatasetSpec> = {}): DatasetSpec {
  return {
    name: 'flowers',
    source,
    columns: [[0, 2], 2],
    fields: ([size, kind]) => [size!, tf.cast(kind!, 'int32')],
    schema: [measure, label],
    split: [],
    batch: 4,
    shuffle: true,
    dropLast: false,
    trace: 'x.ltm:9',
    ...changes,
  }
}

function csv(path: string, skip = 0): DatasetSpec['source'] {
  return { kind: 'csv', path, skip, trace: 'x.ltm:3' }
}

/** `count` rows with their number as first measurement, and labels 0, 1, 2 in turn. */
function inline(count: number): DatasetSpec['source'] {
  const numbers = Array.from({ length: count }, (_, row) => row)
  return { kind: 'inline', columns: [numbers, numbers, numbers.map(row => row % 3)], trace: 'x.ltm:3' }
}

async function failure(run: () => unknown): Promise<RunError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof RunError) return error
    throw error
  }
  throw new Error('expected a RunError')
}

async function complaint(name: string, content: string | Uint8Array, skip = 0): Promise<string> {
  const path = put(name, content)
  const error = await failure(() => loadDataset(flowers(csv(path, skip)), folder, 1))
  return `${error.code} ${error.trace} ${error.message}${error.help === undefined ? '' : ` | ${error.help}`}`
}

/** The first measurement of each example of a split, batch by batch, and nothing left behind. */
async function walk(spec: DatasetSpec, split: string, epoch = 0, shuffled = false, seed = 1) {
  const data = await loadDataset(spec, folder, seed)
  const before = tf.memory().numTensors
  const batches: number[][] = []
  for (let index = 0; index < data.batches(split, epoch, shuffled); index++) {
    const batch = data.batch(split, epoch, index, shuffled)
    const rows = batch.fields.size!.arraySync() as number[][] // A rank-2 tensor gives a list of lists.
    assert.is(rows.length, batch.size)
    batches.push(rows.map(row => row[0]!))
    tf.dispose(batch.fields)
  }
  assert.is(tf.memory().numTensors, before)
  return batches
}

const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

// ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const reading = suite('data: csv')

function numbers(text: string | Uint8Array, columns: readonly number[], skip = 0): number[] {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const used = columns.map(index => ({ index, reader: 'field `x`', whole: false, trace: 'x.ltm:4' }))
  return [...parseCsv({ bytes, file: 'a.csv', skip, trace: 'x.ltm:3' }, used).values]
}

reading('takes the usual dialects', () => {
  assert.equal(numbers('1,2\n3,4\n', [0, 1]), [1, 2, 3, 4])
  assert.equal(numbers('1,2\r\n3,4', [0, 1]), [1, 2, 3, 4])
  assert.equal(numbers('1,2\r3,4\r', [0, 1]), [1, 2, 3, 4])
  assert.equal(numbers('\uFEFF1,2\n\n', [0, 1]), [1, 2])
  assert.equal(numbers('"1", 2 \n"3" ,\t"4"\n \n', [0, 1]), [1, 2, 3, 4])
  assert.equal(numbers('a,b\n1,2\n', [1], 1), [2])
  assert.equal(numbers('1', [0]), [1])
})

reading('only needs numbers where they are used', () => {
  assert.equal(numbers('x,1,\n"a, ""b""\nc",2,é\n', [1]), [1, 2])
})

reading('reads numbers as JavaScript does', () => {
  const texts = [
    '0',
    '-0.5',
    '+3',
    '.5',
    '5.',
    '1e3',
    '1.5E-3',
    '123456789012345678',
    '0.1',
    '1234.5678',
    '00012',
  ]
  texts.push('0.000000000000000000000001', '3.4e38', '-7', '99999999999999.9')
  assert.equal(
    numbers(texts.map(text => `${text}\n`).join(''), [0]),
    texts.map(text => Math.fround(Number(text))),
  )
})

reading('finds the same numbers however they are written', () => {
  const cell = fc.oneof(fc.double({ noNaN: true, min: -1e30, max: 1e30 }), fc.integer(), fc.constant(-0.0625))
  const style = fc.record({
    quoted: fc.boolean(),
    spaced: fc.boolean(),
    end: fc.constantFrom('\n', '\r\n', '\r'),
  })
  const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(rows, style, (table, { quoted, spaced, end }) => {
      const written = (value: number) =>
        `${spaced ? ' ' : ''}${quoted ? `"${value}"` : value}${spaced ? '\t' : ''}`
      const text = table.map(row => row.map(written).join(',') + end).join('')
      assert.equal(
        numbers(text, [2, 0]),
        table.flatMap(row => [row[2], row[0]].map(value => Math.fround(Number(String(value))))),
      )
    }),
    { seed: 1, numRuns: 300 },
  )
})

reading('takes any bytes, for numbers or an error of the data', () => {
  const piece = fc.constantFrom('1', '.5', ',', ',', '\n', '\r', '"', ' ', 'e', '-', 'é', '\uFEFF', '1e400')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(2), (pieces, skip) => {
      try {
        assert.ok(numbers(pieces.join(''), [0, 1], skip).every(Number.isFinite))
      } catch (error) {
        assert.instance(error, RunError)
      }
    }),
    { seed: 1, numRuns: 2000 },
  )
})

reading('names line and character of what is not a number', async () => {
  assert.is(
    await complaint('a.csv', '1,2,0\n1,ä,0\n'),
    'LTM5106 x.ltm:4 a.csv:2:3: “ä” is not a number, but field `size` reads column(1) as one | columns that no field reads may hold any text',
  )
  assert.is(
    await complaint('a.csv', 'height,width,label\n1,2,0\n'),
    'LTM5106 x.ltm:4 a.csv:1:1: “height” is not a number, but field `size` reads column(0) as one | if line 1 is a header, say so: csv("a.csv", skip: 1)',
  )
  assert.is(
    await complaint('a.csv', '1,2,0\n1,NaN,0\n'),
    'LTM5106 x.ltm:4 a.csv:2:3: “NaN” is not a number, but field `size` reads column(1) as one | leave rows with missing values out of the file, or fill them in',
  )
  assert.match(await complaint('a.csv', '1,2,0\n,1,0\n'), 'a.csv:2:1: an empty cell is not a number')
  for (const text of ['inf', '-Infinity', '0x10', '1_000', '1 000', '--1', '1e', 'e5', '.', '-', '1,5".']) {
    assert.match(
      await complaint('a.csv', `1,2,0\n1,"${text.replaceAll('"', '""')}",0\n`),
      /^LTM5106 .* a\.csv:2:3: “/,
    )
  }
  assert.match(await complaint('a.csv', '1,2,0\n1,1e39,0\n'), 'a.csv:2:3: “1e39” is too large')
})

reading('wants whole numbers for integers, with the trace of their field', async () => {
  assert.is(
    await complaint('a.csv', '1,2,0\n1,2,1.5\n'),
    'LTM5106 x.ltm:5 a.csv:2:5: “1.5” is not a whole number, but field `label` reads column(2) as one',
  )
  assert.match(
    await complaint('a.csv', '1,2,16777217\n'),
    'is out of range: whole numbers are exact up to 16,777,216',
  )
  assert.match(await complaint('a.csv', '1,2,-1e9\n'), 'is out of range')
  const good = await loadDataset(flowers(csv(put('a.csv', '1,2,3.0\n1,2,-16777216\n1,2,2e1\n'))), folder, 1)
  const { fields } = good.batch('train', 0, 0, false)
  assert.equal([...fields.label!.dataSync()], [3, -16777216, 20])
  assert.is(fields.label!.dtype, 'int32')
})

reading('says which line has another number of columns, and whence the expectation', async () => {
  const every = 'every row must have as many columns as the first one'
  assert.is(
    await complaint('a.csv', '1,2,0\n1,2,0\n1,2\n'),
    `LTM5104 x.ltm:3 a.csv:3:1: this row has 2 columns, but line 1 has 3 | ${every}`,
  )
  assert.is(
    await complaint('a.csv', '1,2,0\n1,2,0\n1,2,0,7,8\n'),
    `LTM5104 x.ltm:3 a.csv:3:1: this row has 5 columns, but line 1 has 3 | ${every}`,
  )
  assert.is(
    await complaint('a.csv', '1,2,0\n1,2,0\n\n1,2,0\n'),
    `LTM5104 x.ltm:3 a.csv:3:1: this line is empty, but line 1 has 3 | ${every}`,
  )
  assert.is(
    await complaint('a.csv', '150,4,0,1,2\n1,2,0\n'),
    'LTM5104 x.ltm:3 a.csv:2:1: this row has 3 columns, but line 1 has 5 | if line 1 is a header, say so: csv("a.csv", skip: 1)',
  )
})

reading('says when a column is not there', async () => {
  assert.is(
    await complaint('a.csv', '1,2\n'),
    'LTM5105 x.ltm:5 a.csv:1: there is no column(2), which field `label` reads: the file has 2 columns | columns are counted from 0: the last one is column(1)',
  )
  assert.match(
    await complaint('a.csv', '1;2;0\n'),
    'columns are separated by commas, and line 1 of a.csv has none',
  )
})

reading('says when there are no rows', async () => {
  assert.is(await complaint('a.csv', ''), 'LTM5102 x.ltm:3 a.csv is empty')
  assert.is(await complaint('a.csv', ' \n\n'), 'LTM5102 x.ltm:3 a.csv has no rows')
  assert.is(
    await complaint('a.csv', 'a,b\n', 1),
    'LTM5102 x.ltm:3 a.csv has no rows after the first line, which is skipped',
  )
  assert.is(
    await complaint('a.csv', 'a,b\n', 5),
    'LTM5102 x.ltm:3 a.csv has no rows after the first 5 lines, which are skipped',
  )
})

reading('says where text is not text', async () => {
  const latin = Buffer.concat([Buffer.from('1,2,0\n1,2,0\n'), Buffer.from([0xe9]), Buffer.from(',1,0\n')])
  assert.is(
    await complaint('a.csv', latin),
    'LTM5103 x.ltm:3 a.csv:3: the text is not UTF-8 | save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”)',
  )
  assert.match(
    await complaint('a.csv', '1,2,0\n1,"2,0\n'),
    'LTM5103 x.ltm:3 a.csv:2:3: a quote is opened here and never closed',
  )
  assert.match(await complaint('a.csv', '1,"2"x,0\n'), 'a.csv:1:6: expected a comma after the closing quote')
})

reading('unpacks gzip and says what is wrong with it', async () => {
  const packed = gzipSync('1,2,0\n3,4,1\n'.repeat(100))
  const data = await loadDataset(flowers(csv(put('a.csv.gz', packed))), folder, 1)
  assert.equal([...data.splits], [['train', 200]])
  assert.match(await complaint('b.csv.gz', packed.subarray(0, 20)), 'LTM5103 x.ltm:3 b.csv.gz is cut off')
  const damaged = Uint8Array.from(packed)
  damaged[packed.length - 6]! ^= 0xff
  assert.match(await complaint('b.csv.gz', damaged), 'LTM5103 x.ltm:3 b.csv.gz has damaged gzip data')
  assert.match(await complaint('b.csv.gz', '1,2,0\n'), 'b.csv.gz is not in gzip format, as its name says')
})

reading('helps to find a file', async () => {
  put('iris.csv', '1,2,0\n')
  mkdirSync(join(folder, 'sub'), { recursive: true })
  const miss = async (path: string) => {
    const error = await failure(() => loadDataset(flowers(csv(path)), folder, 1))
    return `${error.code} ${error.trace} ${error.message} | ${error.help}`
  }
  assert.is(
    await miss('irsi.csv'),
    `LTM5101 x.ltm:3 data file irsi.csv does not exist: ${join(folder, 'irsi.csv')} | did you mean iris.csv?`,
  )
  assert.match(await miss('./iris.csv.gz'), 'did you mean ./iris.csv?')
  assert.match(await miss('iriss'), 'did you mean iris.csv?')
  assert.match(await miss('sub/iris.csv'), `${join(folder, 'sub')} has no data files`)
  assert.match(await miss('none/iris.csv'), `the folder ${join(folder, 'none')} does not exist either`)
  assert.match(await miss('iris.csv/a.csv'), 'does not exist')
  assert.match(await miss('sub'), `data file sub is a folder: ${join(folder, 'sub')}`)
})

reading.run()

// ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const fields = suite('data: fields and fits')

fields('fits learn from the training split alone, and no tensor stays', async () => {
  const before = tf.memory().numTensors
  const spec = flowers(inline(10), {
    fits: [
      { name: 'mean', compute: ([size]) => tf.mean(size!, 0) },
      { name: 'twice', compute: (_, [mean]) => tf.mul(mean!, 2) },
    ],
    fields: ([size, kind], [mean, twice]) => [tf.sub(tf.add(size!, mean!), twice!), tf.cast(kind!, 'int32')],
    split: [
      ['train', 0.5],
      ['val', 0.5],
    ],
  })
  const centred = (await walk(spec, 'train')).flat()
  assert.ok(Math.abs(centred.reduce((sum, value) => sum + value, 0)) < 1e-5)
  const others = (await walk(spec, 'val')).flat()
  assert.ok(Math.abs(others.reduce((sum, value) => sum + value, 0)) > 1e-3)
  assert.is(tf.memory().numTensors, before)
})

fields('large tables are computed in pieces', async () => {
  const rows: number[] = []
  const spec = flowers(
    { kind: 'synthetic', count: 10_000, trace: 'x.ltm:3' },
    {
      columns: [0],
      fields: ([index]) => {
        rows.push(index!.shape[0]!)
        return [tf.stack([index!, tf.neg(index!)], 1), tf.greater(index!, 4999)]
      },
      schema: [
        { ...measure, columns: [0] },
        { ...label, name: 'late', dtype: 'bool', columns: [0] },
      ],
      batch: 10_000,
    },
  )
  const data = await loadDataset(spec, folder, 1)
  assert.equal(rows, [4096, 4096, 1808])
  const batch = data.batch('train', 0, 0, false)
  assert.equal(
    batch.fields.size!.arraySync(),
    upTo(10_000).map(index => [index, -index]),
  )
  assert.is(batch.fields.late!.dtype, 'bool')
  assert.is(tf.sum(tf.cast(batch.fields.late!, 'int32')).dataSync()[0], 5000)
  tf.dispose(batch.fields)
})

fields('a result of another shape, type or a NaN is an error at the field', async () => {
  const load = (results: DatasetSpec['fields']) =>
    failure(() => loadDataset(flowers(inline(3), { fields: results }), folder, 1))
  const before = tf.memory().numTensors
  const flat = await load(([, kind]) => [kind!, tf.cast(kind!, 'int32')])
  assert.is(flat.message, 'field `size` should be f32[3, 2] for 3 examples, but computes f32[3]')
  assert.is(flat.trace, 'x.ltm:4')
  const float = await load(([size, kind]) => [size!, kind!])
  assert.is(float.message, 'field `label` should be i32[3] for 3 examples, but computes f32[3]')
  const nan = await load(([size, kind]) => [tf.log(tf.sub(size!, 1)), tf.cast(kind!, 'int32')])
  assert.is(nan.message, 'field `size` is NaN in example 0 (counted from 0)')
  const thrown = await load(([size]) => [tf.reshape(size!, [-1, 4])])
  assert.match(thrown.message, /^the fields of dataset `flowers` can't be computed: /)
  assert.is(tf.memory().numTensors, before)
})

fields('inline and synthetic sources are checked like files', async () => {
  const inlined = (columns: number[][]) =>
    failure(() => loadDataset(flowers({ kind: 'inline', columns, trace: 'x.ltm:3' }), folder, 1))
  assert.match((await inlined([[1], [2], [0.5]])).message, '0.5 in row 0 of column(2) is not a whole number')
  assert.match((await inlined([[1], [2, 3], [0]])).message, 'column 1 has 2 values and column 0 has 1')
  assert.match((await inlined([[1], [2]])).message, 'there is no column(2), which field `label` reads')
  assert.match(
    (await inlined([[Number.NaN], [2], [0]])).message,
    'NaN in row 0 of column(0) is not a finite 32-bit number',
  )
  assert.match((await inlined([[], [], []])).message, 'the table has no rows')
  const none = await failure(() =>
    loadDataset(flowers({ kind: 'synthetic', count: 0, trace: 'x.ltm:3' }), folder, 1),
  )
  assert.match(none.message, "a synthetic dataset can't have 0 examples")
})

fields(
  'cells without a number stand for the one that `missing` says, and are an error without it',
  async () => {
    writeFileSync(join(folder, 'gaps.csv'), 'a,b,kind\n1.5,2,0\n,3,1\nNA,"?",2\n4, nan,null\n')
    const source = (missing: { missing?: number }) => ({
      kind: 'csv' as const,
      path: 'gaps.csv',
      skip: 1,
      ...missing,
      trace: 'x.ltm:3',
    })
    const spec = (missing: { missing?: number }) => flowers(source(missing), { shuffle: false })
    const error = await failure(() => loadDataset(spec({}), folder, 1))
    assert.is(error.code, 'LTM5106')
    const data = await loadDataset(spec({ missing: -7 }), folder, 1)
    const read: number[][] = []
    for (let i = 0; i < data.batches('train', 0, false); i++) {
      const batch = data.batch('train', 0, i, false).fields
      read.push(...Object.values(batch).map(tensor => [...tensor.dataSync()]))
      tf.dispose(Object.values(batch))
    }
    assert.equal(
      read.flat().toSorted((a, b) => a - b),
      [-7, -7, -7, -7, -7, 0, 1, 1.5, 2, 2, 3, 4],
    )
  },
)

fields.run()

// ── Splits and order ────────────────────────────────────────────────────────────────────────────────────────────────

const splitting = suite('data: splits')

const thirds: DatasetSpec['split'] = [
  ['train', 0.7],
  ['val', 0.15],
  ['test', 0.15],
]

splitting('every example is in exactly one split, whatever the shares', async () => {
  for (const [count, split] of [
    [150, thirds],
    [
      1797,
      [
        ['train', 0.8],
        ['val', 0.1],
        ['test', 0.1],
      ],
    ],
    [
      7,
      [
        ['a', 1 / 3],
        ['b', 1 / 3],
        ['c', 1 / 3],
      ],
    ],
    [5, [['train', 1]]],
    [9, []],
  ] satisfies [number, DatasetSpec['split']][]) {
    const spec = flowers(inline(count), { split })
    const names = split.length === 0 ? ['train'] : split.map(([name]) => name)
    const all = await Promise.all(names.map(async name => (await walk(spec, name)).flat()))
    assert.equal(ascending(all.flat()), upTo(count))
    for (const [index, [, share]] of split.entries())
      assert.ok(Math.abs(all[index]!.length - share * count) < 1)
  }
})

splitting('shares of less than one leave the rest unused', async () => {
  const data = await loadDataset(
    flowers(inline(20), {
      split: [
        ['train', 0.5],
        ['val', 0.25],
      ],
    }),
    folder,
    1,
  )
  assert.equal(
    [...data.splits],
    [
      ['train', 10],
      ['val', 5],
    ],
  )
})

splitting('is another for another seed, the same for the same, and not merely a prefix', async () => {
  const spec = flowers(inline(30), { split: thirds })
  const first = (await walk(spec, 'train', 0, false, 1)).flat()
  assert.equal((await walk(spec, 'train', 0, false, 1)).flat(), first)
  assert.not.equal((await walk(spec, 'train', 0, false, 2)).flat(), first)
  assert.not.equal(first, upTo(first.length))
  assert.equal(first, ascending(first))
})

splitting('by a label: the same proportions in each split', async () => {
  const spec = flowers(inline(150), { split: thirds, stratify: 'label' })
  const sizes: number[] = []
  for (const [name, share] of thirds) {
    const rows = (await walk(spec, name)).flat()
    sizes.push(rows.length)
    for (const kind of [0, 1, 2]) {
      const count = rows.filter(row => row % 3 === kind).length
      assert.ok(Math.abs(count - 50 * share) < 1, `${count} of label ${kind} in ${name}`)
    }
  }
  assert.equal(sizes, [105, 23, 22])
})

splitting('by labels of one example each: the totals are still right', async () => {
  const spec = flowers(
    { kind: 'inline', columns: [upTo(100), upTo(100), upTo(100)], trace: 'x.ltm:3' },
    { split: thirds, stratify: 'label' },
  )
  const data = await loadDataset(spec, folder, 1)
  assert.equal([...data.splits.values()], [70, 15, 15])
})

splitting('by groups: no group is in two splits, and the shares are those of the rows', async () => {
  const patient = Array.from({ length: 200 }, (_, row) => Math.floor(Math.sqrt(row)))
  const spec = flowers(
    { kind: 'inline', columns: [upTo(200), patient, patient], trace: 'x.ltm:3' },
    { split: thirds, group: 'label' },
  )
  const seen = new Map<number, string>()
  const sizes: number[] = []
  for (const [name] of thirds) {
    const rows = (await walk(spec, name)).flat()
    sizes.push(rows.length)
    for (const row of rows) {
      assert.is(seen.get(patient[row]!) ?? name, name)
      seen.set(patient[row]!, name)
    }
  }
  assert.is(sizes[0]! + sizes[1]! + sizes[2]!, 200)
  for (const [i, [, share]] of thirds.entries()) assert.ok(Math.abs(sizes[i]! - 200 * share) <= 27)
})

splitting('by a label that a fit of the split changes is refused', async () => {
  const fit = (scale: (label: tf.Tensor) => tf.Tensor) =>
    flowers(inline(30), {
      fits: [{ name: 'offset', compute: ([, kind]) => scale(kind!) }],
      fields: ([size, kind], [offset]) => [size!, tf.cast(tf.add(kind!, offset!), 'int32')],
      split: thirds,
      stratify: 'label',
    })
  const error = await failure(() =>
    loadDataset(
      fit(kind => tf.scalar(kind.size)),
      folder,
      1,
    ),
  )
  assert.is(error.code, 'LTM5109')
  assert.is(
    (
      await loadDataset(
        fit(() => tf.scalar(1)),
        folder,
        1,
      )
    ).splits.get('train'),
    21,
  )
  const typo = await failure(() =>
    loadDataset(flowers(inline(9), { split: thirds, stratify: 'lable' }), folder, 1),
  )
  assert.is(typo.help, 'did you mean `label`?')
})

splitting('shares that make no sense are refused', async () => {
  const refused = async (count: number, split: DatasetSpec['split']) =>
    (await failure(() => loadDataset(flowers(inline(count), { split }), folder, 1))).message
  assert.is(
    await refused(9, [
      ['train', 0.8],
      ['val', 0.3],
    ]),
    'dataset `flowers`: its splits take 1.1 of the rows together',
  )
  assert.is(
    await refused(9, [
      ['train', 1.2],
      ['val', -0.2],
    ]),
    "dataset `flowers`: split `train` can't take a share of 1.2",
  )
  assert.is(
    await refused(9, [['train', Number.NaN]]),
    "dataset `flowers`: split `train` can't take a share of NaN",
  )
  assert.is(
    await refused(3, [
      ['train', 0.9],
      ['val', 0.1],
    ]),
    'dataset `flowers`: split `val` (0.1 of 3 rows) would have no examples',
  )
})

splitting.run()

const order = suite('data: order and batches')

order('a shuffled epoch holds every example once, in an order of its own', async () => {
  const spec = flowers(inline(30))
  const first = await walk(spec, 'train', 0, true)
  const second = await walk(spec, 'train', 1, true)
  assert.equal(
    first.map(batch => batch.length),
    [4, 4, 4, 4, 4, 4, 4, 2],
  )
  assert.equal(ascending(first.flat()), upTo(30))
  assert.equal(ascending(second.flat()), upTo(30))
  assert.not.equal(first, second)
  assert.not.equal(first.flat(), upTo(30))
  assert.equal(await walk(spec, 'train', 0, true), first)
})

order('a batch does not depend on which were asked for before', async () => {
  const data = await loadDataset(flowers(inline(30)), folder, 1)
  const read = (epoch: number, index: number) => [
    ...data.batch('train', epoch, index, true).fields.size!.dataSync(),
  ]
  const [late, other] = [read(3, 5), read(2, 0)]
  assert.equal(read(3, 5), late)
  assert.equal(read(2, 0), other)
})

order('only what is to be shuffled is', async () => {
  assert.equal((await walk(flowers(inline(10)), 'train', 1, false)).flat(), upTo(10))
  assert.equal((await walk(flowers(inline(10), { shuffle: false }), 'train', 1, true)).flat(), upTo(10))
})

order('a short last batch is dropped in training only', async () => {
  const spec = flowers(inline(10), { dropLast: true })
  assert.equal(
    (await walk(spec, 'train', 0, true)).map(batch => batch.length),
    [4, 4],
  )
  assert.equal(
    (await walk(spec, 'train', 0, false)).map(batch => batch.length),
    [4, 4, 2],
  )
})

order('every permutation is as likely as another', () => {
  const counts = new Map<string, number>()
  for (let epoch = 0; epoch < 6000; epoch++) {
    const found = epochOrder(1, 'data', 'train', epoch, 3).join()
    counts.set(found, (counts.get(found) ?? 0) + 1)
  }
  assert.is(counts.size, 6)
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 150, String(count))
})

order('an unknown split is an error with a suggestion', async () => {
  const data = await loadDataset(flowers(inline(9)), folder, 1)
  const error = await failure(() => data.batch('trian', 0, 0, false))
  assert.is(error.help, 'did you mean `train`?')
})

order.after(() => rmSync(folder, { recursive: true, force: true }))
order.run()
