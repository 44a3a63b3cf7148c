import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LoweredGraph } from '../src/base/graphs.ts'
import { compile, formGraphs, graphsOf } from '../src/compiler.ts'
import { cacheFolder } from '../src/runtime/cacheFolder.ts'
import { GraphCache, surveyGraphCache } from '../src/runtime/engine/graphCache.ts'
import { decodeGraph, encodeGraph } from '../src/runtime/engine/graphFile.ts'
import { train } from '../src/runtime/program.ts'
import { modelOf } from '../src/runtime/training.ts'
import { trainingOf } from './kit/examples.ts'
import { memoryFiles } from './kit/files.ts'
import { ltm } from './kit/process.ts'
import { quietly } from './kit/trainings.ts'

interface Context {
  folder: string
  before: string | undefined
}

const test = suite<Context>('graph cache', { folder: '', before: undefined })

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-test-'))
  context.before = process.env.LTM_CACHE
  process.env.LTM_CACHE = join(context.folder, 'cache')
})

test.after.each(({ folder, before }) => {
  if (before === undefined) delete process.env.LTM_CACHE
  else process.env.LTM_CACHE = before
  rmSync(folder, { recursive: true, force: true })
})

const graphsIn = ({ folder }: Context): readonly string[] => {
  const graphs = join(folder, 'cache', 'graphs')
  return existsSync(graphs) ? readdirSync(graphs).map(name => join(graphs, name)) : []
}

// ── Whole runs ──────────────────────────────────────────────────────────────────────────────────────────────────────

const rows = Array.from({ length: 12 }, (_, i) => i)

/** It draws, in a graph, and has a short last batch. */
const source = `
dataset Points from inline(a: [${rows.map(i => i / 4)}], b: [${rows.map(i => (i * i) / 9)}]) {
  field x: f32[1] = columns(0..1)
  field y: f32[1] = columns(1..2)
}
module Net(width: int) {
  layer first = Linear(1, width)
  layer drop = Dropout(0.25)
  layer last = Linear(width, 1)
  forward(x: f32[n, 1]) -> f32[n, 1] = last(drop(relu(first(x))))
}
train Fit {
  data points = Points(batch: 8)
  model net = Net(16)
  optimizer adam = Adam(net, lr: 0.01)
  step train(batch) { minimize (net(batch.x) - batch.y) ^ 2 }
  trainer { epochs: 3, seed: 1 }
}
`

interface Run {
  /** Graphs that had to be lowered. */
  readonly lowered: number
  readonly weights: readonly (readonly number[])[]
}

async function run(text: string): Promise<Run> {
  const compiled = compile('fit.ltm', memoryFiles({ 'fit.ltm': text }))
  const [program] = compiled.programs
  assert.ok(program, JSON.stringify(compiled.diagnostics.map(({ message }) => message)))
  const formed = formGraphs(program)
  const graphs = graphsOf(formed, 'cpu')
  let lowered = 0
  const lower: typeof graphs.lower = (...args) => {
    lowered += 1
    return graphs.lower(...args)
  }
  const training = await trainingOf(formed, '.')
  await train(training, quietly({ backend: 'cpu', graphs: { ...graphs, lower } }))
  const states = training.models.flatMap(model => model[modelOf].parameters)
  return { lowered, weights: states.map(({ variable }) => Array.from(variable?.dataSync() ?? [])) }
}

test('a warm run lowers nothing, and comes to the same bits', async context => {
  const cold = await run(source)
  assert.is(cold.lowered, 2, 'a graph of whole batches, and one of the short last one')
  assert.is(graphsIn(context).length, 2)
  const warm = await run(source)
  assert.is(warm.lowered, 0)
  assert.equal(warm.weights, cold.weights)
  process.env.LTM_CACHE = 'off'
  const without = await run(source)
  assert.is(without.lowered, 2)
  assert.equal(without.weights, cold.weights)
})

test('what decides a graph decides its key: numbers, sizes of batches, and the lines that errors show', async () => {
  await run(source)
  for (const [from, to] of [
    ['Dropout(0.25)', 'Dropout(0.3)'],
    ['batch: 8', 'batch: 7'],
    ['module Net', '\nmodule Net'],
    ['minimize (', 'minimize  ('],
  ] as const) {
    const changed = source.replace(from, to)
    assert.is.not(changed, source)
    assert.is((await run(changed)).lowered, 2, to)
  }
  assert.is((await run(source.replace('epochs: 3', 'epochs: 2'))).lowered, 0, 'the trainer is in no graph')
})

test('a file that was changed or cut off is not used, and is replaced', async context => {
  const { weights } = await run(source)
  const [first, second] = graphsIn(context)
  assert.ok(first && second)
  const [whole, other] = [readFileSync(first), readFileSync(second)]
  const broken = Buffer.from(whole)
  broken[broken.length - 9]! ^= 1
  for (const [bytes, what] of [
    [broken, 'a changed bit'],
    [whole.subarray(0, whole.length / 2), 'half a file'],
    [Buffer.alloc(0), 'an empty file'],
    [other, 'another graph'],
  ] as const) {
    writeFileSync(first, bytes)
    const again = await run(source)
    assert.is(again.lowered, 1, what)
    assert.equal(again.weights, weights, what)
    assert.is((await run(source)).lowered, 0, `replaced: ${what}`)
  }
  assert.is(graphsIn(context).length, 2, 'nothing is left over')
})

test('a whole file whose model no session takes is replaced as well', async context => {
  await run(source)
  for (const path of graphsIn(context)) {
    const key = keyOf(path)
    const graph = decodeGraph(key, readFileSync(path))
    assert.ok(graph)
    writeFileSync(path, fileOf(key, { ...graph, bytes: Uint8Array.of(1, 2, 3) }))
  }
  assert.is((await run(source)).lowered, 2)
  assert.is((await run(source)).lowered, 0)
})

test('`off` writes nothing, and a place that can be no folder is no error', async context => {
  process.env.LTM_CACHE = 'off'
  await run(source)
  assert.equal(readdirSync(context.folder), [])
  assert.is(surveyGraphCache(), undefined)
  const file = join(context.folder, 'file')
  writeFileSync(file, 'mine')
  process.env.LTM_CACHE = file
  assert.is((await run(source)).lowered, 2)
  assert.is(readFileSync(file, 'utf8'), 'mine')
})

test('processes that start at once share a folder', async context => {
  const { folder } = context
  writeFileSync(join(folder, 'fit.ltm'), source)
  const start = (runs: string) => ltm(['run', 'fit.ltm', '--json', '--runs', runs], folder)
  const ended = await Promise.all(['a', 'b', 'c'].map(start))
  for (const { code, err } of ended) assert.is(code, 0, err)
  const lossOf = ({ events }: (typeof ended)[number]) =>
    events.flatMap(event => (event.kind === 'epoch_end' ? [event.values] : []))
  for (const each of ended) assert.equal(lossOf(each), lossOf(ended[0]!))
  assert.is(lossOf(ended[0]!).length, 3)
  assert.is(graphsIn(context).length, 2)
  for (const path of graphsIn(context)) assert.ok(decodeGraph(keyOf(path), readFileSync(path)))
})

// ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const small: LoweredGraph = {
  bytes: Uint8Array.of(8, 9, 10),
  multiplyAdds: 12,
  inputs: [
    { name: 'x', dtype: 'f32', shape: [2, 3], source: { kind: 'tensor', index: 1 } },
    { name: 'rate', dtype: 'f32', shape: [], source: { kind: 'number', index: 0 } },
    {
      name: 'noise',
      dtype: 'f32',
      shape: [2],
      source: {
        kind: 'draw',
        key: 0,
        places: ['drop', 3, { number: 1 }],
        draw: { kind: 'normal', mean: 0, std: 1 },
      },
    },
  ],
  outputs: [{ name: 'y', dtype: 'i32', shape: [2] }],
  sums: [{ gradients: [0], squares: 0 }],
}

function keyOf(path: string): string {
  return /([0-9a-f]+)\.graph$/.exec(path)?.[1] ?? ''
}

function fileOf(key: string, graph: LoweredGraph): Buffer {
  const pieces = encodeGraph(key, graph)
  assert.ok(pieces)
  return Buffer.concat(pieces)
}

test('a file reads back as the graph that it is', () => {
  const { sums: _, ...bare } = small
  for (const graph of [small, bare]) {
    const read = decodeGraph('k', fileOf('k', graph))
    assert.equal(read && { ...read, bytes: Uint8Array.from(read.bytes) }, graph)
  }
  assert.is(decodeGraph('other', fileOf('k', small)), undefined)
})

test('every changed byte and every missing end is noticed', () => {
  const file = fileOf('k', small)
  for (let i = 0; i < file.length; i++) {
    const changed = Buffer.from(file)
    changed[i]! ^= 0x55
    assert.is(decodeGraph('k', changed), undefined, `byte ${i}`)
    assert.is(decodeGraph('k', file.subarray(0, i)), undefined, `${i} bytes`)
  }
  assert.is(decodeGraph('k', Buffer.concat([file, Buffer.of(0)])), undefined, 'a byte more')
})

test('a head that says something else holds no graph, whoever has signed it', () => {
  const { bytes: _, ...head } = small
  const forged = (change: object) => {
    const text = Buffer.from(JSON.stringify({ key: 'k', ...head, ...change }))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    const rest = Buffer.concat([length, text])
    return decodeGraph('k', Buffer.concat([createHash('sha256').update(rest).digest(), rest]))
  }
  const [tensor, , draw] = small.inputs
  assert.ok(forged({}))
  for (const change of [
    { inputs: 3 },
    { inputs: [null] },
    { inputs: [{ ...tensor, shape: [-1] }] },
    { inputs: [{ ...tensor, dtype: 'f64' }] },
    { inputs: [{ ...tensor, source: { kind: 'file', index: 0 } }] },
    { inputs: [{ ...draw, source: { ...draw?.source, draw: { kind: 'normal', mean: 0 } } }] },
    { inputs: [{ ...draw, source: { ...draw?.source, places: [[]] } }] },
    { outputs: [{ name: 1, dtype: 'f32', shape: [] }] },
    { multiplyAdds: 'many' },
    { sums: [{ gradients: [0], squares: 7 }] },
    { sums: {} },
  ])
    assert.is(forged(change), undefined, JSON.stringify(change))
})

test('what JSON would not say exactly is not kept', () => {
  const [, , draw] = small.inputs
  assert.ok(draw?.source.kind === 'draw')
  const endless = {
    ...draw.source,
    draw: { kind: 'uniform', low: 0, high: Number.POSITIVE_INFINITY },
  } as const
  assert.is(encodeGraph('k', { ...small, inputs: [{ ...draw, source: endless }] }), undefined)
})

// ── The folder ──────────────────────────────────────────────────────────────────────────────────────────────────────

function put(cache: GraphCache, name: string, bytes: number): string {
  const key = cache.key({ fingerprint: name, shapes: [], channelBlock: undefined })
  const draft = cache.draft(key)
  assert.ok(draft)
  writeFileSync(draft, Buffer.alloc(bytes, 1))
  cache.keep(key, small, draft)
  return key
}

test('the folder stays within its limits, and what was used last stays', ({ folder }) => {
  const cache = new GraphCache(folder, { files: 3, bytes: 10_000 }, 'makers')
  const age = (key: string, seconds: number) => {
    const then = new Date(Date.now() - seconds * 1000)
    utimesSync(join(folder, `${key}.graph`), then, then)
  }
  const [a, b, c] = [put(cache, 'a', 100), put(cache, 'b', 100), put(cache, 'c', 100)]
  age(a, 300)
  age(b, 200)
  age(c, 100)
  assert.ok(cache.read(a), 'reading it makes it the newest')
  const d = put(cache, 'd', 100)
  assert.equal(
    [a, b, c, d].map(key => cache.read(key) !== undefined),
    [true, false, true, true],
    'too many files',
  )
  const e = put(cache, 'e', 9_000)
  assert.ok(cache.read(e))
  assert.is(readdirSync(folder).length, 1, 'too many bytes')
  const f = put(cache, 'f', 20_000)
  assert.is(cache.read(f), undefined, 'larger than all may be')
  assert.ok(cache.read(e))
})

test('drafts that a crash has left go, and those of others stay', ({ folder }) => {
  const cache = new GraphCache(folder, { files: 3, bytes: 10_000 }, 'makers')
  mkdirSync(folder, { recursive: true })
  for (const name of ['old.part', 'new.part', 'mine.txt']) writeFileSync(join(folder, name), 'x')
  const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000)
  utimesSync(join(folder, 'old.part'), yesterday, yesterday)
  utimesSync(join(folder, 'mine.txt'), yesterday, yesterday)
  const key = put(cache, 'a', 10)
  assert.equal(readdirSync(folder).sort(), [`${key}.graph`, 'mine.txt', 'new.part'].sort())
})

test('another compiler, engine or processor, other shapes and another layout have other keys', ({
  folder,
}) => {
  const limits = { files: 3, bytes: 10_000 }
  const request = { fingerprint: 'f', shapes: [[1, 2], undefined], channelBlock: undefined }
  const cache = new GraphCache(folder, limits, 'one')
  const keys = [
    cache.key(request),
    new GraphCache(folder, limits, 'two').key(request),
    cache.key({ ...request, fingerprint: 'g' }),
    cache.key({ ...request, shapes: [[1], [2]] }),
    cache.key({ ...request, channelBlock: 8 }),
  ]
  assert.is(new Set(keys).size, keys.length)
  assert.is(new GraphCache(folder, limits, 'one').key(request), keys[0])
})

test('each system has its place, which LTM_CACHE overrules', () => {
  const at = (platform: NodeJS.Platform, env: Record<string, string> = {}, home = '/home/me') =>
    cacheFolder({ env, platform, home })
  assert.is(at('linux'), '/home/me/.cache/ltm')
  assert.is(at('linux', { XDG_CACHE_HOME: '/caches' }), '/caches/ltm')
  assert.is(at('linux', { XDG_CACHE_HOME: 'caches' }), '/home/me/.cache/ltm')
  assert.is(at('darwin'), '/home/me/Library/Caches/ltm')
  assert.is(at('linux', { LTM_CACHE: '/mine' }), '/mine')
  assert.is(at('linux', { LTM_CACHE: '' }), '/home/me/.cache/ltm')
  assert.is(at('linux', { LTM_CACHE: 'off' }), undefined)
  assert.is(at('linux', {}, ''), undefined, 'a user without a home')
})

test.run()
