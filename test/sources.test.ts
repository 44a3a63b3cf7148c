import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as tf from '@tensorflow/tfjs-core'
import { encode as encodeJpeg } from 'jpeg-js'
import { PNG } from 'pngjs'
import '@tensorflow/tfjs-backend-cpu'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadDataset } from '../src/runtime/data.ts'
import { describeRunError, RunError } from '../src/runtime/errors.ts'
import { encodeSafetensors } from '../src/runtime/safetensors.ts'
import { type Column, type SourceTable, showColumn } from '../src/runtime/sources/column.ts'
import { readSource } from '../src/runtime/sources/read.ts'
import type { FileSourceSpec } from '../src/runtime/sources/spec.ts'
import type { DatasetSpec } from '../src/runtime/training.ts'
import { bytesOf, idx, npy, zip } from './kit/bytes.ts'

const test = suite('sources')

const trace = 'train.ltm:3:16'
const folder = mkdtempSync(join(tmpdir(), 'ltm-sources-'))
test.after(() => rmSync(folder, { recursive: true }))

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
  return name
}

const read = (source: FileSourceSpec, names: readonly string[]): Promise<SourceTable> =>
  readSource(source, names, folder)

/** A column as one reads it: its type for an example, and its values. */
function shown(column: Column | undefined): readonly [string, readonly (number | string)[]] {
  return column === undefined
    ? ['nothing', []]
    : [showColumn(column), Array.from<number | string>(column.values)]
}

async function problem(source: FileSourceSpec, names: readonly string[] = ['x']): Promise<string> {
  try {
    await read(source, names)
  } catch (error) {
    if (error instanceof RunError) return describeRunError(error).replaceAll(folder, 'FOLDER')
    throw error
  }
  return 'nothing is wrong'
}

// ── Bytes of small files ────────────────────────────────────────────────────────────────────────────────────────────────

const parquet = (codec: string): Buffer =>
  readFileSync(new URL(`data/parquet/${codec}.parquet`, import.meta.url))

function png(width: number, height: number, pixel: (x: number, y: number) => readonly number[]): Buffer {
  const picture = new PNG({ width, height })
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) picture.data.set([...pixel(x, y), 255], (y * width + x) * 4)
  return PNG.sync.write(picture)
}

// ── idx ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('idx: images of bytes and their labels', async () => {
  const images = write(
    'images.gz',
    gzipSync(
      idx(
        8,
        [3, 2, 2],
        Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
      ),
    ),
  )
  const labels = write('labels', idx(8, [3], Uint8Array.of(7, 0, 9)))
  const table = await read({ kind: 'idx', files: { images, labels }, trace }, ['images', 'labels'])
  assert.is(table.rows, 3)
  assert.equal(shown(table.columns[0]), ['u8[2, 2]', [0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220]])
  assert.equal(shown(table.columns[1]), ['u8', [7, 0, 9]])
})

test('idx: numbers of several bytes are big-endian', async () => {
  const x = write('floats', idx(0x0d, [2], Uint8Array.of(0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0)))
  const y = write('shorts', idx(0x0b, [2], Uint8Array.of(1, 0, 0xff, 0xfe)))
  const table = await read({ kind: 'idx', files: { x, y }, trace }, ['x', 'y'])
  assert.equal(table.columns.map(shown), [
    ['f32', [1.5, -2]],
    ['i16', [256, -2]],
  ])
})

test('idx: what can be wrong', async () => {
  const whole = idx(8, [3, 2, 2], new Uint8Array(12))
  const of = (bytes: Uint8Array) => problem({ kind: 'idx', files: { x: write('bad.idx', bytes) }, trace })
  assert.is(
    await of(whole.subarray(0, 20)),
    `error[LTM5130]: bad.idx is cut off: u8[3, 2, 2] takes 28 bytes, and there are 20
  --> train.ltm:3:16
  = help: fetch the file anew, or write it again`,
  )
  assert.match(
    await of(whole.subarray(0, 7)),
    'is cut off: the header of 3 axes takes 16 bytes, and there are 7',
  )
  assert.match(await of(Buffer.concat([whole, Buffer.alloc(3)])), 'bad.idx has 3 bytes after its last number')
  assert.match(await of(idx(8, [4294967295, 4294967295, 4294967295], new Uint8Array(1))), 'is cut off')
  assert.match(await of(Buffer.from('a,b\n1,2\n')), 'bad.idx is not an IDX file')
  assert.match(await of(Buffer.alloc(0)), 'is not an IDX file')
  assert.match(await of(idx(8, [0, 2], new Uint8Array(0))), 'has no examples')
  assert.match(await of(idx(8, [], new Uint8Array(1))), 'holds a single number')
  const files = { x: write('x.idx', whole), y: write('y.idx', idx(8, [4], new Uint8Array(4))) }
  assert.match(
    await problem({ kind: 'idx', files, trace }, ['x', 'y']),
    'x.idx has 4 examples of `y` and 3 examples of `x`',
  )
  assert.match(
    await problem({ kind: 'idx', files: { x: 'x.idxx' }, trace }),
    'data file x.idxx does not exist: FOLDER/x.idxx\n  --> train.ltm:3:16\n  = help: did you mean x.idx?',
  )
})

// ── npy and npz ─────────────────────────────────────────────────────────────────────────────────────────────────────

test('npy: dtypes, byte orders, column-major arrays', async () => {
  const of = async (bytes: Buffer) => {
    const table = await read({ kind: 'npy', files: { x: write('x.npy', bytes) }, trace }, ['x'])
    return [table.rows, ...shown(table.columns[0])]
  }
  assert.equal(await of(npy('<f8', '2, 2', bytesOf(Float64Array.of(1, 2, 3, 1e-300)))), [
    2,
    'f64[2]',
    [1, 2, 3, 1e-300],
  ])
  assert.equal(await of(npy('<i8', '2,', bytesOf(BigInt64Array.of(-5n, 2n ** 40n)))), [
    2,
    'f64',
    [-5, 2 ** 40],
  ])
  assert.equal(await of(npy('>i4', '1,', Uint8Array.of(0, 0, 1, 0))), [1, 'i32', [256]])
  assert.equal(await of(npy('|b1', '3,', Uint8Array.of(0, 1, 1))), [3, 'u8', [0, 1, 1]])
  assert.equal(await of(npy('<f2', '3,', bytesOf(Uint16Array.of(0x3c00, 0xc100, 1)))), [
    3,
    'f32',
    [1, -2.5, 2 ** -24],
  ])
  const fortran = npy('<i4', '2, 3, 2', bytesOf(Int32Array.of(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11)), 'True')
  assert.equal(await of(fortran), [2, 'i32[3, 2]', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]])
})

test('npy: what can be wrong', async () => {
  const of = (bytes: Uint8Array) => problem({ kind: 'npy', files: { x: write('bad.npy', bytes) }, trace })
  const whole = npy('<f4', '2,', bytesOf(Float32Array.of(1, 2)))
  assert.match(await of(whole.subarray(0, 130)), 'is cut off: f32[2] takes 136 bytes, and there are 130')
  assert.match(await of(whole.subarray(0, 50)), 'is cut off: the header takes 128 bytes')
  assert.match(await of(whole.subarray(0, 8)), 'is cut off: the header takes 10 bytes')
  assert.match(await of(Buffer.from('PK\x03\x04')), 'is not a NumPy array')
  assert.match(
    await of(npy('|O', '2,', new Uint8Array(9))),
    'holds Python objects, which only Python can read',
  )
  assert.match(await of(npy('<U7', '2,', new Uint8Array(9))), 'holds strings')
  assert.match(await of(npy('<c16', '2,', new Uint8Array(9))), 'holds numbers of the type `<c16`')
  assert.match(await of(npy('<f4', '', new Uint8Array(4))), 'holds a single number')
  assert.match(await of(npy('<f4', '99999999999999999999,', new Uint8Array(4))), 'bad.npy')
  assert.match(await of(npy('<f4', '-2,', new Uint8Array(4))), 'has a header that does not say its shape')
})

test('npz: stored and deflated archives', async () => {
  const arrays = {
    'x.npy': npy('<f4', '2, 3', bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6))),
    'y.npy': npy('<i4', '2,', bytesOf(Int32Array.of(1, 0))),
  }
  for (const deflate of [false, true]) {
    const path = write('a.npz', zip(arrays, deflate))
    const table = await read({ kind: 'npz', path, trace }, ['y', 'x'])
    assert.equal(table.columns.map(shown), [
      ['i32', [1, 0]],
      ['f32[3]', [1, 2, 3, 4, 5, 6]],
    ])
  }
})

test('npz: what can be wrong', async () => {
  const x = npy('<f4', '2,', bytesOf(Float32Array.of(1, 2)))
  const whole = zip({ 'x.npy': x }, false)
  const of = (bytes: Uint8Array, name = 'x') =>
    problem({ kind: 'npz', path: write('bad.npz', bytes), trace }, [name])
  assert.match(await of(whole, 'images'), 'bad.npz has no array `images`; it has `x`')
  assert.match(await of(whole.subarray(0, 60)), 'is cut off: the directory at its end is missing')
  assert.match(await of(Buffer.from('hello')), 'is not a zip archive')
  const flipped = Buffer.from(whole)
  flipped[40] = 0xff
  assert.match(await of(flipped), 'is damaged: the checksum of `x.npy` is wrong')
  const moved = Buffer.from(whole)
  moved.writeUInt32LE(4e9, moved.length - 6)
  assert.match(await of(moved), 'has a damaged zip directory')
  const bomb = zip({ 'x.npy': Buffer.alloc(100_000) }, true)
  const claim = bomb.indexOf('PK\x01\x02')
  bomb.writeUInt32LE(10, claim + 24)
  assert.match(await of(bomb), "`x.npy` can't be unpacked")
  assert.match(await of(zip({ 'x.npy': x.subarray(0, 130) }, true)), 'bad.npz: `x` is cut off')
})

test('npz: whatever byte is broken, a message says so', async () => {
  const whole = zip({ 'x.npy': npy('<f4', '2,', bytesOf(Float32Array.of(1, 2))) }, true)
  let refused = 0
  for (let at = 0; at < whole.length; at++) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 0xff
    if ((await problem({ kind: 'npz', path: write('fuzz.npz', bytes), trace })) !== 'nothing is wrong')
      refused++
  }
  assert.ok(refused > whole.length / 2, `${refused} of ${whole.length}`)
})

test('safetensors: arrays by name', async () => {
  const data = Float32Array.of(1, 2, 3, 4)
  const bytes = Buffer.concat([
    ...encodeSafetensors(new Map([['x', { dtype: 'float32', shape: [2, 2], data }]])),
  ])
  const path = write('x.safetensors', bytes)
  const table = await read({ kind: 'safetensors', path, trace }, ['x'])
  assert.equal(shown(table.columns[0]), ['f32[2]', [1, 2, 3, 4]])
  const cut = write('cut.safetensors', bytes.subarray(0, -3))
  assert.match(
    await problem({ kind: 'safetensors', path: cut, trace }),
    `is cut off: 3 bytes of its data are missing\n  --> ${trace}`,
  )
})

// ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('jsonl: numbers, lists, strings and lists of different lengths', async () => {
  const lines = [
    '{"x": [1, 2], "stars": 4, "text": "good", "ids": [1], "other": null}',
    '',
    '{"ids": [2, 3, 4], "x": [3, 4.5], "stars": 1, "text": "bad", "good": true}',
  ]
  const path = write('r.jsonl.gz', gzipSync(lines.join('\r\n')))
  const table = await read({ kind: 'jsonl', path, trace }, ['x', 'stars', 'text', 'ids'])
  assert.equal(table.columns.map(shown), [
    ['f64[2]', [1, 2, 3, 4.5]],
    ['f64', [4, 1]],
    ['a string', ['good', 'bad']],
    ['lists of different lengths', [1, 2, 3, 4]],
  ])
  assert.is(table.place(1), 'r.jsonl.gz:3')
})

test('jsonl: a bad row is told by its line', async () => {
  const of = (text: string) => problem({ kind: 'jsonl', path: write('bad.jsonl', text), trace })
  const good = '{"x": 1}\n'
  assert.is(
    await of(`${good}\n{"y": 1}\n`),
    `error[LTM5134]: bad.jsonl:3: has no \`x\`; it has \`y\`
  --> train.ltm:3:16
  = help: every row has the same members, of the same kind`,
  )
  assert.match(await of(`${good}{"x": 1`), 'bad.jsonl:2: this line is not JSON')
  assert.match(await of('[\n{"x": 1}]'), 'write one object a line')
  assert.match(await of('[1]'), 'this line is not an object')
  assert.match(await of(`${good}{"x": null}`), '`x` is null: leave rows with missing values out')
  assert.match(await of(`${good}{"x": "a"}`), '`x` is a string, and a number in the rows before')
  assert.match(await of(`{"x": "a"}\n${good}`), '`x` is a number, and a string in the rows before')
  assert.match(await of(`${good}{"x": [1]}`), '`x` is a list [1], and a number in the first row')
  assert.match(await of('{"x": [1, [2]]}'), '`x` is a list of other things than numbers')
  assert.match(await of(`{"x": 1e999}`), '`x` is Infinity, which is no finite number')
  assert.match(await of('\n \n'), 'bad.jsonl has no rows')
  assert.match(await of('{"__proto__": {"x": 1}}'), 'has no `x`')
})

test("typescript: rows of the user's own", async () => {
  const body = 'for (let i = 0; i < 3; i++) yield { x: [i, i * i], label: i % 2, name: "n" + i }'
  const path = write('rows.mjs', `export default async function* () { ${body} }`)
  const table = await read({ kind: 'typescript', path, trace }, ['x', 'label', 'name'])
  assert.equal(table.columns.map(shown), [
    ['f64[2]', [0, 0, 1, 1, 2, 4]],
    ['f64', [0, 1, 0]],
    ['a string', ['n0', 'n1', 'n2']],
  ])
  const of = (name: string, text: string) => problem({ kind: 'typescript', path: write(name, text), trace })
  assert.match(await of('a.mjs', 'export default 3'), 'does not export an iterable of rows')
  assert.match(await of('b.mjs', 'export default [{ x: 1 }, 2]'), 'b.mjs, row 1: this row is not an object')
  assert.match(await of('c.mjs', 'export default [{ x: 1 }, { x: 1n }]'), 'c.mjs, row 1: `x` is a bigint')
  assert.match(
    await of('d.mjs', 'export default function* () { yield { x: 1 }; throw new Error("gone") }'),
    /error\[LTM5138\]: d\.mjs fails at row 1: gone \(.*d\.mjs:1:\d+\)\n {2}--> train\.ltm:3:16/,
  )
  assert.match(await of('e.mjs', 'export default ('), "e.mjs can't be loaded")
})

test('parquet: numbers, booleans, strings and lists', async () => {
  for (const codec of ['snappy', 'gzip']) {
    const path = write(`${codec}.parquet`, parquet(codec))
    const table = await read({ kind: 'parquet', path, trace }, ['name', 'x', 'n', 'ok', 'v'])
    assert.is(table.rows, 3)
    assert.equal(table.columns.map(shown), [
      ['a string', ['a', 'b', 'c']],
      ['f64', [1.5, 2.5, 3.5]],
      ['f64', [1, 2, 2 ** 33]],
      ['f64', [1, 0, 1]],
      ['f64[2]', [1, 2, 3, 4, 5, 6]],
    ])
  }
})

test('parquet: what can be wrong', async () => {
  const of = (bytes: Uint8Array, name = 'x') =>
    problem({ kind: 'parquet', path: write('bad.parquet', bytes), trace }, [name])
  const whole = parquet('snappy')
  assert.match(
    await of(whole, 'naem'),
    'bad.parquet has no column `naem`; it has `x`, `n`, `ok`, `name`, `v`, `gap`\n  --> train.ltm:3:16\n  = help: did you mean `name`?',
  )
  assert.match(
    await of(whole, 'gap'),
    'bad.parquet, row 1: `gap` is null: leave rows with missing values out',
  )
  assert.match(await of(parquet('zstd')), 'is compressed with ZSTD, which ltm does not read')
  assert.match(await of(whole.subarray(0, 500)), 'is cut off: a Parquet file ends with `PAR1`')
  assert.match(await of(Buffer.from('x,y\n1,2\n')), 'is not a Parquet file')
  assert.match(await of(Buffer.from('PAR1PAR1')), "can't be read: its footer is damaged")
})

test('parquet: whatever byte is broken, there is no other kind of error', async () => {
  const whole = parquet('snappy')
  let refused = 0
  for (let at = 0; at < whole.length; at += 3) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 0x55
    const said = await problem({ kind: 'parquet', path: write('fuzz.parquet', bytes), trace }, ['x', 'v'])
    if (said !== 'nothing is wrong') refused++
  }
  assert.ok(refused > 20, `${refused}`)
})

// ── Pictures and text ───────────────────────────────────────────────────────────────────────────────────────────────

test('images: a folder per class, as [channels, height, width]', async () => {
  write(
    'pets/dog/1.png',
    png(2, 1, x => [10 + x, 20, 30]),
  )
  write(
    'pets/cat/b.png',
    png(2, 1, () => [1, 2, 3]),
  )
  const grey = { width: 8, height: 8, data: Buffer.alloc(256, 200) }
  write('pets/cat/c.jpg', encodeJpeg(grey, 95).data)
  write('pets/cat/notes.txt', 'no picture')
  const table = await read({ kind: 'images', path: 'pets', shape: [3, 1, 2], trace }, ['image', 'label'])
  assert.equal(table.columns.map(shown), [
    ['u8[3, 1, 2]', [1, 1, 2, 2, 3, 3, 200, 200, 200, 200, 200, 200, 10, 11, 20, 20, 30, 30]],
    ['i32', [0, 0, 1]],
  ])
  assert.is(table.place(1), 'pets/cat/c.jpg')
})

test('images: resized by averages, and between neighbours', async () => {
  write(
    'sizes/a/1.png',
    png(4, 4, x => (x < 2 ? [0, 0, 0] : [200, 200, 200])),
  )
  const wide = await read({ kind: 'images', path: 'sizes', shape: [1, 1, 2], trace }, ['image'])
  const [dark = 255, light = 0] = shown(wide.columns[0])[1].map(Number)
  assert.ok(dark < 50 && light > 150, `${dark} ${light}`)
  const one = await read({ kind: 'images', path: 'sizes', shape: [1, 1, 1], trace }, ['image'])
  assert.equal(shown(one.columns[0])[1], [100])
  const large = await read({ kind: 'images', path: 'sizes', shape: [1, 1, 8], trace }, ['image'])
  assert.equal(shown(large.columns[0])[1], [0, 0, 0, 50, 150, 200, 200, 200])
})

test('images: what can be wrong', async () => {
  const of = (path: string) => problem({ kind: 'images', path, shape: [3, 2, 2], trace }, ['image'])
  assert.match(await of('nowhere'), "the folder nowhere can't be read")
  mkdirSync(join(folder, 'flat'), { recursive: true })
  assert.match(await of('flat'), 'flat has no folders in it')
  mkdirSync(join(folder, 'empty/cats'), { recursive: true })
  assert.match(await of('empty'), 'empty has no pictures in `cats`')
  write('torn/a/1.png', png(8, 8, () => [1, 2, 3]).subarray(0, 60))
  assert.match(await of('torn'), "torn/a/1.png can't be decoded")
  write('odd/a/1.png', 'GIF89a')
  assert.match(await of('odd'), 'odd/a/1.png is neither PNG nor JPEG')
  const huge = png(1, 1, () => [0, 0, 0])
  huge.writeUInt32BE(1e9, 16)
  write('huge/a/1.png', huge)
  assert.match(await of('huge'), 'huge/a/1.png claims more than 100 megapixels')
})

test('text: windows of tokens, and the tokens that follow', async () => {
  const path = write('t.txt', 'abacab')
  const how = { kind: 'text', path, window: 2, stride: 2, trace } as const
  const names = ['tokens', 'next']
  const bytes = await read({ ...how, tokens: 'bytes', size: 256 }, names)
  assert.equal(bytes.columns.map(shown), [
    ['u8[2]', [97, 98, 97, 99]],
    ['u8[2]', [98, 97, 99, 97]],
  ])
  const chars = await read({ ...how, tokens: 'characters', size: 3 }, names)
  assert.equal(shown(chars.columns[0]), ['u8[2]', [0, 1, 0, 2]])
  const words = write('w.txt', 'the cat, the dog, the end')
  const table = await read({ ...how, path: words, tokens: 'words', size: 3, stride: 1 }, names)
  assert.equal(shown(table.columns[0]), ['u8[2]', [0, 2, 2, 1, 1, 0, 0, 2, 2, 1, 1, 0]])
})

test('text: what can be wrong', async () => {
  const path = write('t2.txt', 'abacab')
  const how = { kind: 'text', path, stride: 1, trace } as const
  assert.match(
    await problem({ ...how, tokens: 'characters', window: 2, size: 2 }),
    't2.txt has 3 different characters, and the program has room for 2\n  --> train.ltm:3:16\n  = help: write `size: 3` or more',
  )
  assert.match(
    await problem({ ...how, tokens: 'bytes', window: 6, size: 256 }),
    'has 6 bytes, too few for a window of 6',
  )
  const binary = write('b.txt', Uint8Array.of(0xff, 0xfe, 0x41))
  assert.match(
    await problem({ ...how, path: binary, tokens: 'characters', window: 1, size: 9 }),
    'is not UTF-8 text',
  )
})

// ── As a dataset ────────────────────────────────────────────────────────────────────────────────────────────────────

const digits = (columns: DatasetSpec['columns']): DatasetSpec => ({
  name: 'digits',
  source: {
    kind: 'idx',
    files: {
      images: write(
        'd-images.gz',
        gzipSync(
          idx(
            8,
            [3, 2, 2],
            Uint8Array.from({ length: 12 }, (_, i) => i),
          ),
        ),
      ),
      labels: write(
        'd-labels',
        idx(0x0d, [3], Uint8Array.of(0x3f, 0x80, 0, 0, 0, 0, 0, 0, 0x40, 0x40, 0, 0)),
      ),
    },
    trace,
  },
  columns,
  fields: ([images, labels]) => [tf.div(images!, 2), tf.cast(labels!, 'int32')],
  schema: [
    { name: 'image', dtype: 'float32', shape: [4], whole: false, columns: ['images'], trace },
    { name: 'label', dtype: 'int32', shape: [], whole: true, columns: ['labels'], trace },
  ],
  split: [],
  batch: 2,
  shuffle: false,
  dropLast: false,
  trace,
})

test('a dataset lays the examples of a file out as the program wants', async () => {
  const spec = digits([{ column: 'images', shape: [4] }, { column: 'labels' }])
  const { fields } = (await loadDataset(spec, folder, 1)).batch('train', 0, 1, false)
  assert.equal(await fields.image?.array(), [[4, 4.5, 5, 5.5]])
  assert.equal(await fields.label?.array(), [3])
})

test('a dataset refuses what the program does not expect', async () => {
  const refused = async (spec: DatasetSpec) => {
    try {
      await loadDataset(spec, folder, 1)
    } catch (error) {
      if (error instanceof RunError) return describeRunError(error)
      throw error
    }
    return 'nothing is wrong'
  }
  assert.match(
    await refused(digits([{ column: 'images', shape: [5] }, { column: 'labels' }])),
    'column("images") holds u8[2, 2] in each example, but field `image` needs numbers laid out as [5]',
  )
  const half = digits([{ column: 'images', shape: [4] }, { column: 'labels' }])
  write('d-labels', idx(0x0d, [3], Uint8Array.of(0x3f, 0x80, 0, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0)))
  assert.match(
    await refused(half),
    'd-images.gz, example 1: 0.5 is not a whole number, but field `label` reads `labels` as one',
  )
})

test.run()
