import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFolder } from '../src/runtime/atomic.ts'
import {
  loadCheckpoint,
  newestCheckpoint,
  removeCheckpoint,
  saveCheckpoint,
} from '../src/runtime/checkpoint.ts'
import type { JsonValue, Snapshot, StoredTensor } from '../src/runtime/contracts.ts'
import { RunError } from '../src/runtime/errors.ts'
import { parseJson } from '../src/runtime/json.ts'
import { decodeSafetensors, encodeSafetensors } from '../src/runtime/safetensors.ts'

// ── Kit ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const root = mkdtempSync(join(tmpdir(), 'ltm-checkpoint-'))

function freshFolder(): string {
  return mkdtempSync(join(root, 'run-'))
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

const float32 = (shape: readonly number[], values: readonly number[]): StoredTensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
})
const int32 = (...values: number[]): StoredTensor => ({
  dtype: 'int32',
  shape: [values.length],
  data: Int32Array.from(values),
})
const bool = (...values: number[]): StoredTensor => ({
  dtype: 'bool',
  shape: [values.length],
  data: Uint8Array.from(values),
})

function snapshot(count: number): Snapshot {
  return {
    tensors: new Map([
      ['weights/net.weight', float32([2, 2], [count, -0, 1e-45, 3.4e38])],
      ['weights/net.mask', bool(1, 0, 1)],
      ['slots/adam/m/net.weight', float32([2, 2], [count, 2, 3, 4])],
      ['metrics/seen', int32(count, -1)],
    ]),
    state: { count, name: 'é', list: [1, null, { deep: true }] },
  }
}

/** Bit for bit: a NaN does not equal itself. */
function inBytes(tensors: ReadonlyMap<string, StoredTensor>): unknown {
  return [...tensors]
    .map(([name, { dtype, shape, data }]) => [name, dtype, shape, Buffer.from(data.buffer).toString('hex')])
    .sort()
}

/** As plain data, for comparison: objects from a file have no prototype. */
function plain({ tensors, state }: Snapshot): unknown {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))
  return { state: JSON.parse(JSON.stringify(state)), tensors: sorted }
}

// ── Safetensors ─────────────────────────────────────────────────────────────────────────────────────────────────────

const tensors = suite('safetensors')

/** A file with this header and this many bytes of data. */
function fileOf(header: string | JsonValue, dataBytes = 0, claimedLength?: number): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(claimedLength ?? text.length))
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)])
}

function entry(dtype: string, shape: JsonValue, begin: JsonValue, end: JsonValue): JsonValue {
  return { dtype, shape, data_offsets: [begin, end] }
}

tensors('are written byte for byte as the format says', () => {
  const bytes = Buffer.concat(
    encodeSafetensors(
      new Map([
        ['on', bool(1)],
        ['a.b', int32(1, -2)],
      ]),
      { made: 'here' },
    ),
  )
  const header =
    '{"__metadata__":{"made":"here"},"a.b":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"on":{"dtype":"BOOL","shape":[1],"data_offsets":[8,9]}}'
  assert.is(bytes.readBigUInt64LE(0), BigInt(Math.ceil(header.length / 8) * 8))
  const end = 8 + Number(bytes.readBigUInt64LE(0))
  assert.is(bytes.toString('utf8', 8, end), header.padEnd(end - 8))
  assert.equal([...bytes.subarray(end)], [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 1])
})

tensors('come back as they were', () => {
  const original = new Map([
    ['x', float32([1, 3], [1.5, Number.NaN, Number.NEGATIVE_INFINITY])],
    ['0', int32(2 ** 31 - 1, -(2 ** 31))],
    ['net.hidden[0].weight "é"', float32([], [7])],
    ['none', float32([0, 4], [])],
    ['flags', bool(0, 1)],
  ])
  const pieces = Buffer.concat(encodeSafetensors(original, { a: '1' }))
  const unaligned = Buffer.concat([Buffer.alloc(1), pieces]).subarray(1)
  const file = decodeSafetensors(unaligned, 'x.safetensors')
  assert.equal(inBytes(file.tensors), inBytes(original))
  assert.equal([...file.metadata], [['a', '1']])
  assert.is(decodeSafetensors(Buffer.concat(encodeSafetensors(new Map())), 'x').tensors.size, 0)
})

tensors('of other libraries are read as the nearest type', () => {
  const data = Buffer.alloc(28)
  data.writeDoubleLE(0.1, 0)
  data.writeBigInt64LE(-5n, 8)
  for (const [index, bits] of [0x3c00, 0xc000, 0x0001, 0x7c00].entries())
    data.writeUInt16LE(bits, 16 + 2 * index)
  data.writeUInt16LE(0x3fc0, 24)
  data.writeInt8(-3, 26)
  data[27] = 200
  const header = {
    wide: entry('F64', [1], 0, 8),
    long: entry('I64', [], 8, 16),
    half: entry('F16', [4], 16, 24),
    brain: entry('BF16', [1], 24, 26),
    small: entry('I8', [1], 26, 27),
    byte: entry('U8', [1], 27, 28),
  }
  const file = decodeSafetensors(Buffer.concat([fileOf(header), data]), 'x')
  const values = Object.fromEntries([...file.tensors].map(([name, tensor]) => [name, [...tensor.data]]))
  assert.equal(values, {
    wide: [Math.fround(0.1)],
    long: [-5],
    half: [1, -2, 2 ** -24, Number.POSITIVE_INFINITY],
    brain: [1.5],
    small: [-3],
    byte: [200],
  })
})

tensors('in a hostile file are refused, with the reason', async () => {
  const one = entry('F32', [1], 0, 4)
  const cases: [Buffer, string][] = [
    [Buffer.alloc(3), "is cut off: 5 bytes of the header's length are missing"],
    [fileOf('{}', 0, 100), 'is cut off: 98 bytes of its header are missing'],
    [fileOf('{}', 0, 100_000_001), 'its header would be over 100 MB'],
    [Buffer.alloc(64, 0xff), 'its header would be over 100 MB'],
    [fileOf('[]'), 'its header is not a JSON object'],
    [fileOf('{"a":'), 'its header is not a JSON object'],
    [fileOf(`${'['.repeat(50_000)}`), 'its header is not a JSON object'],
    [fileOf({ a: one }, 1), 'is cut off: 3 bytes of its data are missing'],
    [fileOf({ a: one }, 6), 'has 2 bytes after its last tensor'],
    [fileOf({ a: entry('F32', [1], 4, 8) }, 8), 'has a gap of 4 bytes before `a`'],
    [fileOf({ a: one, b: entry('F32', [2], 0, 8) }, 8), 'lets `b` overlap the tensor before it'],
    [fileOf({ a: entry('F32', [2], 0, 4) }, 4), 'gives `a` 4 bytes, but F32 [2] takes 8'],
    [fileOf({ a: entry('F32', [1], 4, 0) }, 4), 'gives `a` -4 bytes, but F32 [1] takes 4'],
    [
      fileOf({ a: entry('F32', [2 ** 30, 2 ** 30], 0, 4) }, 4),
      'an impossible size: [1073741824, 1073741824]',
    ],
    [fileOf({ a: entry('F32', [-1], 0, 4) }, 4), 'a shape that is not a list of sizes'],
    [fileOf({ a: entry('F32', [0.25], 0, 1) }, 1), 'a shape that is not a list of sizes'],
    [fileOf({ a: entry('F32', 4, 0, 4) }, 4), 'a shape that is not a list of sizes'],
    [fileOf({ a: entry('F32', [1], '0', 4) }, 4), 'no valid pair of data offsets'],
    [fileOf({ a: entry('F99', [1], 0, 4) }, 4), 'stores `a` as "F99", a type that ltm does not know'],
    [fileOf({ a: entry('constructor', [1], 0, 4) }, 4), 'a type that ltm does not know'],
    [fileOf({ a: 1 }), 'does not describe `a` by an object'],
    [
      fileOf(`{"a":${JSON.stringify(one)},"\\u0061":${JSON.stringify(one)}}`, 4),
      'names `a` twice in its header',
    ],
    [fileOf({ __metadata__: { a: 1 } }), 'has metadata that is not a table of strings'],
    [Buffer.concat([fileOf({ a: entry('BOOL', [1], 0, 1) }), Buffer.of(2)]), 'neither 0 nor 1 (element 0)'],
    [Buffer.concat([fileOf({ a: entry('I64', [1], 0, 8) }), Buffer.alloc(8, 0x7f)]), 'too large for an i32'],
  ]
  for (const [bytes, reason] of cases) {
    const error = await failure(() => decodeSafetensors(bytes, 'x.safetensors'))
    assert.is(error.code, 'LTM6503')
    assert.ok(error.message.startsWith('x.safetensors ') && error.message.includes(reason), error.message)
  }
})

tensors('from any damaged file are tensors or a RunError, nothing else', () => {
  const whole = Buffer.concat(
    encodeSafetensors(
      new Map([
        ['a', int32(1, 2)],
        ['b', bool(1)],
      ]),
      { made: 'here' },
    ),
  )
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), cut: fc.nat(whole.length) })
  fc.assert(
    fc.property(change, ({ at, byte, cut }) => {
      const bytes = Uint8Array.from(whole)
      bytes[at] = byte
      try {
        decodeSafetensors(bytes.subarray(0, cut), 'x')
      } catch (error) {
        assert.instance(error, RunError)
      }
    }),
    { seed: 1, numRuns: 1000 },
  )
})

tensors('named like members of every object are tensors like others', () => {
  const bytes = fileOf(`{"__proto__":${JSON.stringify(entry('F32', [1], 0, 4))}}`, 4)
  assert.equal([...decodeSafetensors(bytes, 'x').tensors.keys()], ['__proto__'])
})

tensors.run()

// ── Saving and loading ──────────────────────────────────────────────────────────────────────────────────────────────

const checkpoints = suite('checkpoints')

checkpoints('come back as they were saved, and hold what they should', async () => {
  const folder = freshFolder()
  const path = await saveCheckpoint(join(folder, 'checkpoints'), 'latest', snapshot(3))
  assert.is(path, join(folder, 'checkpoints', 'latest'))
  assert.equal(plain(await loadCheckpoint(path)), plain(snapshot(3)))
  const names = ['manifest.json', 'optimizer.safetensors', 'state.json', 'weights.safetensors']
  assert.equal(readdirSync(path).sort(), names)
  const weights = decodeSafetensors(readFileSync(join(path, 'weights.safetensors')), 'w')
  assert.equal([...weights.tensors.keys()], ['net.weight', 'net.mask'])
  assert.ok(Object.is(weights.tensors.get('net.weight')?.data[1], -0))
})

checkpoints('without slots have no optimizer file', async () => {
  const path = await saveCheckpoint(freshFolder(), 'best', {
    tensors: new Map([['weights/w', int32(1)]]),
    state: null,
  })
  assert.equal(readdirSync(path).sort(), ['manifest.json', 'state.json', 'weights.safetensors'])
  assert.equal(plain(await loadCheckpoint(path)), { state: null, tensors: [['weights/w', int32(1)]] })
})

checkpoints('replace one of the same name and leave nothing else', async () => {
  const folder = freshFolder()
  for (const count of [1, 2, 3]) await saveCheckpoint(folder, 'latest', snapshot(count))
  assert.equal(readdirSync(folder), ['latest'])
  assert.equal(plain(await loadCheckpoint(join(folder, 'latest'))), plain(snapshot(3)))
})

checkpoints('are removed at once, and no others', async () => {
  const folder = freshFolder()
  const [first] = [
    await saveCheckpoint(folder, 'a', snapshot(1)),
    await saveCheckpoint(folder, 'b', snapshot(2)),
  ]
  await removeCheckpoint(first)
  await removeCheckpoint(first)
  assert.equal(readdirSync(folder), ['b'])
})

checkpoints('show a changed byte wherever it is', async () => {
  const path = await saveCheckpoint(freshFolder(), 'latest', snapshot(1))
  for (const file of readdirSync(path)) {
    const bytes = readFileSync(join(path, file))
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Uint8Array.from(bytes)
      changed[at]! ^= 1 << (at % 8)
      writeFileSync(join(path, file), changed)
      const { code, message } = await failure(() => loadCheckpoint(path))
      assert.ok(['LTM6502', 'LTM6505'].includes(code), code)
      assert.ok(message.includes(path) && (message.includes(file) || code === 'LTM6505'), message)
    }
    writeFileSync(join(path, file), bytes)
  }
  assert.equal(plain(await loadCheckpoint(path)), plain(snapshot(1)))
})

checkpoints('say what is missing of a file', async () => {
  const path = await saveCheckpoint(freshFolder(), 'latest', snapshot(1))
  const weights = join(path, 'weights.safetensors')
  const bytes = readFileSync(weights)
  const message = async () => (await failure(() => loadCheckpoint(path))).message
  writeFileSync(weights, bytes.subarray(0, -10))
  const cut = `weights.safetensors is cut off: 10 of its ${bytes.length} bytes are missing`
  assert.is(await message(), `checkpoint ${path} is damaged: ${cut}`)
  writeFileSync(weights, Buffer.concat([bytes, Buffer.alloc(2)]))
  assert.match(await message(), 'weights.safetensors has 2 bytes more than were saved')
  rmSync(weights)
  assert.match(await message(), 'weights.safetensors is missing')
  rmSync(join(path, 'manifest.json'))
  assert.match(await message(), 'manifest.json is missing')
})

checkpoints('of a newer format are told from damaged ones', async () => {
  const path = await saveCheckpoint(freshFolder(), 'latest', snapshot(1))
  const manifest = join(path, 'manifest.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"version": 1', '"version": 2'))
  const error = await failure(() => loadCheckpoint(path))
  assert.is(error.code, 'LTM6505')
  assert.is(error.message, `checkpoint ${path} has format 2; this ltm reads up to 1`)
})

checkpoints('that are not there: what is there instead', async () => {
  const folder = freshFolder()
  await saveCheckpoint(folder, 'latest', snapshot(1))
  await saveCheckpoint(folder, 'best', snapshot(1))
  const error = await failure(() => loadCheckpoint(join(folder, 'lates')))
  assert.is(error.code, 'LTM6501')
  assert.ok(error.help?.startsWith('there are: '), error.help)
  const whole = await failure(() => loadCheckpoint(folder))
  assert.ok(whole.help?.startsWith('in it are: ') && whole.help.includes('best'), whole.help)
  const run = freshFolder()
  await saveCheckpoint(join(run, 'checkpoints'), 'latest', snapshot(1))
  const above = await failure(() => loadCheckpoint(run))
  assert.is(above.help, `in it are: ${join('checkpoints', 'latest')}`)
})

checkpoints('are refused names that are no folder names, and states that are no JSON', async () => {
  const folder = freshFolder()
  for (const name of ['', '.', '..', '.hidden', 'a/b', 'a\\b', 'a\0', ' a', 'x'.repeat(200)]) {
    assert.is((await failure(() => saveCheckpoint(folder, name, snapshot(1)))).code, 'LTM6506')
  }
  await saveCheckpoint(folder, 'decade-10 é', snapshot(1))
  const lossy = { tensors: new Map(), state: { list: [0, Number.NaN] } }
  try {
    await saveCheckpoint(folder, 'x', lossy)
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), 'state.list[1]: NaN')
  }
})

checkpoints('that cannot be saved: why, and what to do', async () => {
  const file = join(freshFolder(), 'file')
  writeFileSync(file, '')
  const error = await failure(() => saveCheckpoint(join(file, 'checkpoints'), 'latest', snapshot(1)))
  assert.is(error.code, 'LTM6504')
  assert.ok(error.message.endsWith('part of the path is a file, not a folder'), error.message)
  assert.is(error.help, 'check the folder, or save elsewhere; checkpoints saved before are untouched')
})

checkpoints('with state that plays tricks are only data', () => {
  const state = parseJson(Buffer.from('{"__proto__": {"polluted": true}, "constructor": 1}'))
  assert.is(JSON.stringify(state), '{"__proto__":{"polluted":true},"constructor":1}')
  assert.is(Object.getPrototypeOf(state), null)
  assert.not('polluted' in {})
})

checkpoints.run()

// ── Crashes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const crashes = suite('checkpoints after a crash')

/** A folder with `latest` at count 1, and a complete copy at count 2 beside it, not yet in place. */
async function halfway(): Promise<{ folder: string; latest: string; saving: string; previous: string }> {
  const folder = freshFolder()
  const latest = await saveCheckpoint(folder, 'latest', snapshot(1))
  const other = await saveCheckpoint(freshFolder(), 'latest', snapshot(2))
  const saving = join(folder, '.latest.saving')
  cpSync(other, saving, { recursive: true })
  return { folder, latest, saving, previous: join(folder, '.latest.previous') }
}

async function newestCount(folder: string): Promise<unknown> {
  const { newest, skipped } = await newestCheckpoint(folder)
  assert.equal(skipped, [])
  return newest?.snapshot.tensors.get('weights/net.weight')?.data[0]
}

crashes('while files are written: the old one counts', async () => {
  const { folder, saving } = await halfway()
  rmSync(join(saving, 'manifest.json'))
  assert.is(await newestCount(folder), 1)
  await saveCheckpoint(folder, 'latest', snapshot(3))
  assert.is(await newestCount(folder), 3)
  assert.equal(readdirSync(folder), ['latest'])
})

crashes('a file has its name only when it has all its bytes', async () => {
  const folder = freshFolder()
  const place = join(folder, '.first.saving', 'manifest.json')
  const seen: boolean[] = []
  const watched = [Buffer.from('half'), Buffer.from('whole')]
  const pieces = Object.assign([...watched], {
    *[Symbol.iterator]() {
      for (const piece of watched) {
        seen.push(existsSync(place))
        yield piece
      }
    },
  })
  await writeFolder(folder, 'first', [{ name: 'manifest.json', pieces }])
  assert.equal(seen, [false, false])
  assert.is(readFileSync(join(folder, 'first', 'manifest.json'), 'utf8'), 'halfwhole')
})

crashes('before the moves: the old one counts', async () => {
  const { folder } = await halfway()
  assert.is(await newestCount(folder), 1)
})

crashes('between the moves: the new one counts, also by name', async () => {
  const { folder, latest, previous } = await halfway()
  renameSync(latest, previous)
  assert.is(await newestCount(folder), 2)
  assert.equal(plain(await loadCheckpoint(latest)), plain(snapshot(2)))
})

crashes('between the moves, when the next save fails too: one is still there', async () => {
  const { folder, latest, previous } = await halfway()
  renameSync(latest, previous)
  const files = ['a', 'no/such/folder', 'manifest.json'].map(name => ({ name, pieces: [] }))
  await writeFolder(folder, 'latest', files).then(assert.unreachable, error =>
    assert.is(error.code, 'ENOENT'),
  )
  assert.is(await newestCount(folder), 2)
  assert.equal(readdirSync(folder), ['latest'])
})

crashes('after the moves: the new one counts', async () => {
  const { folder, latest, saving, previous } = await halfway()
  renameSync(latest, previous)
  renameSync(saving, latest)
  assert.is(await newestCount(folder), 2)
  await saveCheckpoint(folder, 'latest', snapshot(3))
  assert.equal(readdirSync(folder), ['latest'])
})

crashes('while one is removed: it is gone, and the next save clears away what is left of any', async () => {
  const { folder, latest, saving } = await halfway()
  renameSync(latest, join(folder, '.latest.removed'))
  rmSync(join(saving, 'manifest.json'))
  assert.is(await newestCount(folder), undefined)
  await saveCheckpoint(folder, 'best', snapshot(3))
  assert.equal(readdirSync(folder), ['best'])
})

crashes('the newest whole one is found, and what was passed over is told', async () => {
  const folder = freshFolder()
  for (const [index, name] of ['first', 'second', 'third', 'fourth'].entries()) {
    await saveCheckpoint(folder, name, snapshot(index))
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  mkdirSync(join(folder, 'unrelated'))
  writeFileSync(join(folder, 'fourth', 'weights.safetensors'), 'cut')
  rmSync(join(folder, 'third', 'manifest.json'))
  const { newest, skipped } = await newestCheckpoint(folder)
  assert.is(newest?.path, join(folder, 'second'))
  assert.is(skipped.length, 2)
  assert.ok(skipped.some(error => /fourth is damaged: weights\.safetensors is cut off/.test(error.message)))
  assert.ok(skipped.some(error => /third is damaged: manifest\.json is missing/.test(error.message)))
})

crashes('a folder without checkpoints has none', async () => {
  assert.equal(await newestCheckpoint(join(root, 'nowhere')), { skipped: [] })
})

crashes.after(() => rmSync(root, { recursive: true, force: true }))
crashes.run()
