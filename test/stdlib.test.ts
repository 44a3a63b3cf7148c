/**
 * The library's functions, losses, layers, metrics and start values against values from elsewhere: PyTorch
 * (scripts/oracles), or f64 arithmetic written here in another way.
 */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { libraryEntries } from '../scripts/reference/stdlib.ts'
import { startBackend } from '../src/runtime/backends.ts'
import { MetricState } from '../src/runtime/metric.ts'
import { type Key, rootKey } from '../src/runtime/random.ts'
import { modelOf, type Run, type Tensors } from '../src/runtime/training.ts'
import { type Case, compileText, evaluate, type Given, importProgram, inDouble } from './kit/evaluate.ts'
import { near } from './kit/near.ts'

const library = suite('library')

/** A case of an oracle, as scripts/oracles/oracle.py writes it. */
interface Expected {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly inputs: Given
  readonly shape: readonly number[]
  readonly value: readonly number[]
  readonly by: readonly number[]
  readonly gradients: Readonly<Record<string, readonly number[]>>
}

function oracle(name: string): Readonly<Record<string, Expected>> {
  return JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8'))
}

/** What each case of the oracles is in the language; a list names the parameters of layers in the order of the oracle's inputs. */
interface Meaning {
  readonly value: string
  readonly layers?: Readonly<Record<string, string>>
  readonly names?: readonly string[]
}

const functions: Readonly<Record<string, Meaning>> = {
  softplus: { value: 'softplus(x)' },
  softplus_inverse: { value: 'softplus_inverse(x)' },
  logit: { value: 'logit(x)' },
  sigmoid: { value: 'sigmoid(x)' },
  gelu: { value: 'gelu(x)' },
  leaky_relu: { value: 'leaky_relu(x)' },
  'leaky_relu 0.2': { value: 'x |> leaky_relu(slope: 0.2)' },
  silu: { value: 'silu(x)' },
  clamp: { value: 'clamp(x, -1, 2.5)' },
  flatten: { value: 'flatten(x)' },
  variance: { value: 'variance(x, axis: 1)' },
  'variance 0': { value: 'variance(x, axis: 0)' },
  std: { value: 'std(x, axis: -1)' },
  dot: { value: 'dot(x, y)' },
  norm: { value: 'norm(x, axis: -1)' },
  'norm 0': { value: 'norm(x, axis: 0)' },
  entropy: { value: 'entropy(p)' },
  normal_log_prob: { value: 'normal_log_prob(x, m, d)' },
}

const losses: Readonly<Record<string, Meaning>> = {
  mse: { value: 'mse(p, t)' },
  cross_entropy: { value: 'cross_entropy(logits, i32(label))' },
  'cross_entropy smoothed': { value: 'cross_entropy(logits, i32(label), smoothing: 0.1)' },
  'cross_entropy uniform': { value: 'cross_entropy(logits, i32(label), smoothing: 1.0)' },
  'cross_entropy one class': { value: 'cross_entropy(logits, i32(label), smoothing: 0.1)' },
  'cross_entropy batched': { value: 'cross_entropy(logits, i32(label), smoothing: 0.2)' },
  bce: { value: 'bce(l, t)' },
}

const linear = ['x', 'm.weight', 'm.offset']
const fixed: Readonly<Record<string, Meaning>> = {
  linear: { value: 'm(x)', layers: { m: 'Linear(3, 4)' }, names: linear },
  'linear bare': { value: 'm(x)', layers: { m: 'Linear(3, 2, bias: false)' }, names: linear },
  'linear batched': { value: 'm(x)', layers: { m: 'Linear(3, 1)' }, names: linear },
  mlp: {
    value: 'm(x)',
    layers: { m: 'Mlp([3, 4, 2], dropout: 0.5)' },
    names: ['x', 'm.hidden[0].weight', 'm.hidden[0].offset', 'm.head.weight', 'm.head.offset'],
  },
  'mlp without hidden layers': {
    value: 'm(x)',
    layers: { m: 'Mlp([4, 2])' },
    names: ['x', 'm.head.weight', 'm.head.offset'],
  },
  embedding: { value: 'm(i32(ids))', layers: { m: 'Embedding(3, 2)' }, names: ['ids', 'm.table'] },
  layer_norm: { value: 'm(x)', layers: { m: 'LayerNorm(4)' }, names: linear },
  'layer_norm batched': { value: 'm(x)', layers: { m: 'LayerNorm(4)' }, names: linear },
  'layer_norm of equals': { value: 'm(x)', layers: { m: 'LayerNorm(4)' }, names: linear },
  'max_pool ties': { value: 'm(x)', layers: { m: 'MaxPool2d(2, stride: 1)' } },
}

/** `conv2d 3 2 1 5`: kernel, stride, padding, size. */
function windowed(name: string): Meaning {
  const [kind, kernel, stride, pad] = name.split(' ')
  const rest = `${kernel}, stride: ${stride}, pad: ${pad})`
  if (kind === 'conv2d') return { value: 'm(x)', layers: { m: `Conv2d(2, 3, ${rest}` }, names: linear }
  return { value: 'm(x)', layers: { m: `${kind === 'max_pool' ? 'Max' : 'Avg'}Pool2d(${rest}` } }
}

/** Attention, transformers, positions and recurrent layers; their parameters have PyTorch's names, see `parameterOf`. */
const sequences: Readonly<Record<string, Pick<Meaning, 'value'> & { readonly layer?: string }>> = {
  attention: { value: 'attention(q, k, v)' },
  'attention causal': { value: 'attention(q, k, v, causal_mask(4))' },
  'multi-head': { value: 'm(x)', layer: 'MultiHeadAttention(4, 2)' },
  'multi-head bare': { value: 'm(x)', layer: 'MultiHeadAttention(4, 2, bias: false)' },
  'multi-head causal': { value: 'm(x, bool(mask))', layer: 'MultiHeadAttention(4, 2, causal: true)' },
  'multi-head across': { value: 'm.across(x, memory, bool(mask))', layer: 'MultiHeadAttention(4, 2)' },
  'encoder layer': { value: 'm(x, bool(mask))', layer: 'TransformerEncoderLayer(4, 2, hidden: 3)' },
  encoder: {
    value: 'm(x)',
    layer: 'TransformerEncoder(2, 4, 2, hidden: 3, activation: gelu, norm_first: true, causal: true)',
  },
  'decoder layer': {
    value: 'm(x, memory, memory_mask: bool(mask))',
    layer: 'TransformerDecoderLayer(4, 2, hidden: 3)',
  },
  'decoder layer norm first': {
    value: 'm(x, memory)',
    layer: 'TransformerDecoderLayer(4, 2, hidden: 3, norm_first: true, causal: false)',
  },
  sinusoidal: { value: 'x + sinusoidal_positions(5, 6)' },
  rotary: { value: 'rotary(x)' },
  'lstm cell': { value: 'concat([m(x, h, c).h, m(x, h, c).c], axis: -1)', layer: 'LstmCell(3, 2)' },
  'gru cell': { value: 'm(x, h)', layer: 'GruCell(3, 2)' },
  'gru cell bare': { value: 'm(x, h)', layer: 'GruCell(3, 2, bias: false)' },
  lstm: { value: 'm(x).all', layer: 'Lstm(3, 2)' },
  'lstm bare': { value: 'm(x).all', layer: 'Lstm(3, 2, bias: false)' },
  'lstm masked': { value: 'm(x, bool(mask)).all', layer: 'Lstm(3, 2, depth: 2, bidirectional: true)' },
  'lstm states': {
    value: 'concat([m(x, bool(mask)).h, m(x, bool(mask)).c], axis: -1)',
    layer: 'Lstm(3, 2, depth: 2, bidirectional: true)',
  },
  gru: { value: 'm(x).all', layer: 'Gru(3, 2)' },
  'gru masked': { value: 'm(x, bool(mask)).all', layer: 'Gru(3, 2, depth: 2, bidirectional: true)' },
  'gru states': { value: 'm(x, bool(mask)).h', layer: 'Gru(3, 2, depth: 2, bidirectional: true)' },
}

function sequenceMeaning(name: string, { shapes }: Expected): Meaning | undefined {
  const { value, layer } = sequences[name] ?? {}
  if (value === undefined) return undefined
  if (layer === undefined) return { value }
  return { value, layers: { m: layer }, names: Object.keys(shapes).map(parameterOf) }
}

/** `layers.0.norm1.bias` is ours as `m.layers[0].norm1.offset`, `weight_ih_l1_reverse` as `m.backwards[1].cell.weight_ih`. */
function parameterOf(theirs: string): string {
  if (!/weight|bias/.test(theirs)) return theirs
  const ours = theirs.replace(/\.(\d+)/g, '[$1]').replace('bias', 'offset')
  const recurrent = /^(.*)_l(\d+)(_reverse)?$/.exec(ours)
  if (recurrent === null) return `m.${ours}`
  const [, parameter, depth, reverse] = recurrent
  return `m.${reverse ? 'backwards' : 'layers'}[${depth}].cell.${parameter}`
}

// ── Against PyTorch ─────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * No more precise in 64 bits: tfjs's erf is a polynomial that is right to 1.5e-7 (Abramowitz and Stegun 7.1.26), and the
 * compiler computes constants in 32 bits.
 */
const coarse = /^(gelu|normal_log_prob|multi-head|encoder|decoder|sinusoidal|rotary)/

/** The kernels of these gradients hand over arrays of 32-bit floats by name. */
const single = /^(max_pool|embedding)/

interface Told {
  readonly meaning: Meaning
  readonly expected: Expected
}

function told(
  file: string,
  meaningOf: (name: string, expected: Expected) => Meaning | undefined,
): Record<string, Told> {
  const all = Object.entries(oracle(file)).map(([name, expected]): [string, Told] => {
    const meaning = meaningOf(name, expected)
    if (meaning === undefined) throw new Error(`nothing says what ${name} of ${file}.json is in the language`)
    return [name, { meaning, expected }]
  })
  return Object.fromEntries(all)
}

const all: Readonly<Record<string, Told>> = {
  ...told('functions', name => functions[name]),
  ...told('losses', name => losses[name]),
  ...told('layers', name => fixed[name] ?? windowed(name)),
  ...told('sequences', sequenceMeaning),
}

/** The name in the language of each input of the oracle. */
function names({ meaning, expected }: Told): readonly (readonly [theirs: string, ours: string])[] {
  return Object.keys(expected.shapes).map((name, i) => [name, meaning.names?.[i] ?? name])
}

function caseOf(case_: Told): Case {
  const { value, layers = {} } = case_.meaning
  const own = names(case_).filter(([, ours]) => !ours.includes('.'))
  const inputs = own.map(([theirs, ours]) => [ours, typeOf(case_.expected.shapes[theirs]!)])
  return { inputs: Object.fromEntries(inputs), layers, value }
}

function typeOf(shape: readonly number[]): string {
  return shape.length === 0 ? 'f32' : `f32[${shape.join(', ')}]`
}

const evaluations = await evaluate(
  Object.fromEntries(Object.entries(all).map(([name, each]) => [name, caseOf(each)])),
)

function checkOracle(name: string, tolerance: number): void {
  const evaluation = evaluations[name]!
  const { expected } = all[name]!
  const ours = names(all[name]!)
  const given = Object.fromEntries(ours.map(([theirs, own]) => [own, expected.inputs[theirs]!]))
  const tensor = evaluation.tensor(given)
  assert.equal(tensor.shape, expected.shape, name)
  near([...tensor.dataSync()], expected.value, tolerance, name)
  const gradients = evaluation.gradient(given, expected.by)
  for (const [theirs, own] of ours)
    near(gradients[own]!, expected.gradients[theirs]!, tolerance, `gradient of ${name} by ${theirs}`)
}

for (const name of Object.keys(all)) {
  library(`${name} is PyTorch's, with its gradient`, async () => {
    await startBackend('cpu')
    checkOracle(name, 3e-6)
    if (!single.test(name)) inDouble(() => checkOracle(name, coarse.test(name) ? 1e-6 : 1e-10))
    await startBackend('wasm')
    checkOracle(name, 3e-6)
  })
}

// ── Edges ───────────────────────────────────────────────────────────────────────────────────────────────────────────

library('the entropy of a certain outcome is 0, with a finite gradient', async () => {
  await startBackend('cpu')
  const { sure } = await evaluate({ sure: { inputs: { p: 'f32[2, 3]' }, value: 'entropy(p)' } })
  const p = [1, 0, 0, 0, 0.5, 0.5]
  near(sure.value({ p }), [0, Math.log(2)], 1e-6, 'the entropy')
  near(sure.gradient({ p }).p!, [-1, 0, 0, 0, Math.log(2) - 1, Math.log(2) - 1], 1e-6, 'its gradient')
})

/** Convolution by its definition, in f64, over images of one channel. */
function convolved(x: readonly number[], width: number, w: readonly number[], stride: number, pad: number) {
  const kernel = Math.sqrt(w.length)
  const height = x.length / width
  const rows = Math.floor((height + 2 * pad - kernel) / stride) + 1
  const columns = Math.floor((width + 2 * pad - kernel) / stride) + 1
  const at = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= height || column >= width ? 0 : x[row * width + column]!
  return Array.from({ length: rows * columns }, (_, i) => {
    const [top, left] = [Math.floor(i / columns) * stride - pad, (i % columns) * stride - pad]
    return w.reduce(
      (sum, weight, j) => sum + weight * at(top + Math.floor(j / kernel), left + (j % kernel)),
      0,
    )
  })
}

library('convolution is its definition for every stride and padding', async () => {
  const x = Array.from({ length: 30 }, (_, i) => Math.sin(i * i))
  const settings = [1, 2, 3].flatMap(kernel =>
    [1, 2, 3].flatMap(stride => [0, 1, 2].map(pad => ({ kernel, stride, pad }))),
  )
  const cases = settings.map(({ kernel, stride, pad }) => {
    const layers = { m: `Conv2d(1, 1, ${kernel}, stride: ${stride}, pad: ${pad}, bias: false)` }
    return [
      `${kernel} ${stride} ${pad}`,
      { inputs: { x: 'f32[1, 1, 5, 6]' }, layers, value: 'm(x)' },
    ] as const
  })
  const all = await evaluate(Object.fromEntries(cases))
  for (const backend of ['cpu', 'wasm']) {
    await startBackend(backend)
    for (const { kernel, stride, pad } of settings) {
      const weight = Array.from({ length: kernel * kernel }, (_, i) => Math.cos(i + 1))
      const name = `${kernel} ${stride} ${pad}`
      near(all[name]!.value({ x, 'm.weight': weight }), convolved(x, 6, weight, stride, pad), 1e-5, name)
    }
  }
})

library('RmsNorm divides by the root of the mean square', async () => {
  const { norm } = await evaluate({
    norm: { inputs: { x: 'f32[1, 2]' }, layers: { m: 'RmsNorm(2, eps: 1.5)' }, value: 'm(x)' },
  })
  near(norm.value({ x: [3, 4], 'm.weight': [1, 10] }), [3 / Math.sqrt(14), 40 / Math.sqrt(14)], 1e-6, 'norm')
})

library('layers without dropout in evaluation are the identity', async () => {
  await startBackend('cpu')
  const { drop } = await evaluate({
    drop: { inputs: { x: 'f32[4]' }, layers: { m: 'Dropout(0.9)' }, value: 'm(x)' },
  })
  assert.equal(drop.value({ x: [1, -2, 0, 4] }), [1, -2, 0, 4])
})

// ── Chance ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The largest distance between the distribution of a sample and a given one, times the root of the sample's size (Kolmogorov). */
function distance(sample: readonly number[], distribution: (x: number) => number): number {
  const sorted = [...sample].sort((a, b) => a - b)
  const gaps = sorted.map((x, i) =>
    Math.max(
      Math.abs(distribution(x) - i / sorted.length),
      Math.abs(distribution(x) - (i + 1) / sorted.length),
    ),
  )
  return Math.sqrt(sorted.length) * Math.max(...gaps)
}

/** Kolmogorov's distribution leaves 1 in 1000 above this. The draws are the same in every run. */
const unlikely = 1.95

const uniformWithin = (bound: number) => (x: number) => Math.min(Math.max((x + bound) / (2 * bound), 0), 1)

/** The normal distribution function by integrating its density with Simpson's rule. */
function normalDistribution(x: number): number {
  const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI)
  const parts = 200
  const h = x / parts
  let sum = density(0) + density(x)
  for (let i = 1; i < parts; i++) sum += (i % 2 === 1 ? 4 : 2) * density(i * h)
  return 0.5 + (sum * h) / 3
}

library('start values are spread as their documentation says', async () => {
  await startBackend('cpu')
  const { all } = await evaluate({
    all: {
      inputs: { x: 'f32[40, 60] = xavier_uniform(inputs: 60, outputs: 40)', one: 'f32[3] = ones()' },
      layers: { m: 'Linear(64, 100)', c: 'Conv2d(4, 50, 3)', e: 'Embedding(200, 100)', n: 'LayerNorm(3)' },
      value: 'x',
    },
  })
  const start = (name: string): readonly number[] => {
    const key = rootKey(7, name)
    return tf.tidy(() => [...all.parameter(name).init(key).dataSync()])
  }
  const spreads: readonly (readonly [string, (x: number) => number])[] = [
    ['m.weight', uniformWithin(1 / 8)],
    ['c.weight', uniformWithin(1 / 6)],
    ['x', uniformWithin(Math.sqrt(6 / 100))],
    ['e.table', normalDistribution],
  ]
  for (const [name, distribution] of spreads) {
    const found = distance(start(name), distribution)
    assert.ok(found < unlikely, `${name} is ${found} away`)
    const wider = distance(start(name), x => distribution(x / 1.1))
    assert.ok(wider > unlikely, `${name} is as near to a distribution that is a tenth wider: ${wider}`)
  }
  assert.equal(start('m.offset'), Array(100).fill(0))
  assert.equal(start('c.offset'), Array(50).fill(0))
  assert.equal(start('one'), [1, 1, 1])
  assert.equal(start('n.weight'), [1, 1, 1])
  assert.equal(start('n.offset'), [0, 0, 0])
})

/** A run that keeps what is minimised and the updates of metrics, and does nothing. */
function watchingRun(key: Key, seen: (loss: tf.Tensor) => void, metrics: Map<string, MetricState>): Run {
  const run: Partial<Run> = {
    key,
    minimize: async (_optimizer, _name, body) => {
      const result = body()
      if ('loss' in result) seen(result.loss)
      return result
    },
    update: (name, holder, change) => {
      const state = metrics.get(name) ?? new MetricState(holder)
      metrics.set(name, state)
      // A metric's update is only ever given its own state.
      state.update(change as unknown as (state: Tensors) => Tensors)
      state.commit()
    },
  }
  // The steps of these tests ask for no more.
  return run as Run
}

library('dropout zeroes its share in training and scales the rest, by the key', async () => {
  await startBackend('cpu')
  const text = `train T {
    param x: f32[20000] = ones()
    model drop = Dropout(0.3)
    optimizer o = Sgd(x, lr: 1.0)
    step train() { minimize drop(x) }
    trainer { epochs: 1 }
  }`
  const training = await importProgram(compileText(text).programs[0]!)
  const [state] = training.models.flatMap(model => model[modelOf].parameters)
  state!.variable = tf.variable(tf.ones([20000]))
  const dropped = async (seed: number): Promise<number[]> => {
    const values: number[] = []
    const keep = (loss: tf.Tensor): void => void values.push(...loss.dataSync())
    await training.steps[0]!.run(watchingRun(rootKey(seed), keep, new Map()))
    return values
  }
  const first = await dropped(1)
  const kept = first.filter(value => value !== 0)
  near(kept, Array(kept.length).fill(1 / 0.7), 1e-6, 'what is kept')
  // Four standard deviations of a binomial count.
  assert.ok(Math.abs(kept.length - 14000) < 4 * Math.sqrt(20000 * 0.3 * 0.7), `${kept.length} are kept`)
  assert.equal(await dropped(1), first)
  assert.not.equal(await dropped(2), first)
})

// ── Metrics ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a metric of `Batch`es of logits and labels says after all of them. */
async function metricOf(
  metric: string,
  classes: number | undefined,
  batches: readonly { readonly logits: readonly number[]; readonly label: readonly number[] }[],
): Promise<number> {
  const whole = classes !== undefined
  const text = `
    dataset D from csv("none.csv") {
      field logits: ${whole ? `f32[${classes}] = columns(0..${classes})` : 'f32 = column(0)'}
      field label: ${whole ? 'i32' : 'f32'} = column(${classes ?? 1})
      split val: 1.0
    }
    train T {
      data d = D(batch: 2)
      metric m = ${metric}
      step val(batch) { log m(batch.logits, batch.label) }
      trainer { epochs: 1 }
    }`
  const training = await importProgram(compileText(text).programs[0]!)
  const metrics = new Map<string, MetricState>()
  const run = watchingRun(rootKey(1), () => {}, metrics)
  for (const { logits, label } of batches) {
    const fields = {
      logits: tf.tensor([...logits], whole ? [label.length, classes] : [label.length]),
      label: tf.tensor1d([...label], whole ? 'int32' : 'float32'),
    }
    await training.steps[0]!.run(run, { size: label.length, fields })
  }
  const state = metrics.get('m') ?? new MetricState(training.metrics[0]!)
  return state.results('m').m!.dataSync()[0]!
}

const rows = [
  { logits: [0.1, 2, 0, 3, 1, 2], label: [1, 0] },
  { logits: [-90, 0, 90, 1, 1, 0, 0, 5, 1], label: [2, 1, 0] },
]

/** What torchmetrics says of the examples of scripts/oracles/metrics.py, each counted once or as often as its weight says. */
interface Judged {
  readonly plain: readonly number[]
  readonly weighted: readonly number[]
}

const { inputs: judgedInputs, ...judged } = JSON.parse(
  readFileSync(new URL('data/metrics.json', import.meta.url), 'utf8'),
) as { readonly inputs: Readonly<Record<string, readonly number[]>> } & Readonly<Record<string, Judged>>

const regressions = /Error|R2/
const binaries = /Binary|Ranking/

/** What a metric of the library is given, by the names of the oracle. */
function argumentsOf(metric: string): readonly [values: string, wanted: string] {
  if (regressions.test(metric)) return ['prediction', 'target']
  return binaries.test(metric) ? ['score', 'positive'] : ['logits', 'label']
}

/** The results of a metric after the oracle's examples in three batches, in the order of its record. */
async function judge(metric: string, weighted: boolean): Promise<readonly number[]> {
  const [values, wanted] = argumentsOf(metric)
  const whole = values === 'logits'
  const text = `
    dataset D from csv("none.csv") {
      field values: ${whole ? 'f32[4] = columns(0..4)' : 'f32 = column(0)'}
      field wanted: ${whole ? 'i32' : 'f32'} = column(4)
      field weight: f32 = column(5)
      split val: 1.0
    }
    train T {
      data d = D(batch: 10)
      metric m = ${metric}
      step val(batch) { log m(batch.values, batch.wanted) ${weighted ? 'over batch.weight' : ''} }
      trainer { epochs: 1 }
    }`
  const training = await importProgram(compileText(text).programs[0]!)
  const metrics = new Map<string, MetricState>()
  const run = watchingRun(rootKey(1), () => {}, metrics)
  for (const [from, to] of [
    [0, 10],
    [10, 20],
    [20, 24],
  ] as const) {
    const width = whole ? 4 : 1
    const rowsOf = (name: string, size = 1) => judgedInputs[name]!.slice(from * size, to * size)
    const size = to - from
    const fields = {
      values: tf.tensor([...rowsOf(values, width)], whole ? [size, 4] : [size]),
      wanted: tf.tensor1d([...rowsOf(wanted)], whole ? 'int32' : 'float32'),
      weight: tf.tensor1d([...rowsOf('weight')], 'float32'),
    }
    await training.steps[0]!.run(run, { size, fields })
  }
  return Object.values(metrics.get('m')!.results('m')).flatMap(result => [...result.dataSync()])
}

for (const [metric, { plain, weighted }] of Object.entries(judged)) {
  library(`${metric} is that of torchmetrics, with weights too`, async () => {
    for (const backend of ['cpu', 'wasm']) {
      await startBackend(backend)
      near(await judge(metric, false), plain, 2e-6, metric)
      near(await judge(metric, true), weighted, 2e-6, `${metric} with weights`)
    }
  })
}

library(
  'of equal logits the first counts, and of the largest few one that is not a number is no hit',
  async () => {
    await startBackend('cpu')
    const broken = [{ logits: [Number.NaN, 0, 0, 0, 0, 0, 1, 1, 1], label: [0, 1, 0] }]
    const equal = [{ logits: [0, 0, 0, 1, 1, 1], label: [0, 1] }]
    near([await metricOf('Accuracy(3)', 3, equal)], [1 / 2], 1e-6, 'accuracy')
    near([await metricOf('Accuracy(3, top: 2)', 3, broken)], [2 / 3], 1e-6, 'of two')
  },
)

library('metrics of nothing are 0', async () => {
  await startBackend('cpu')
  for (const metric of ['Accuracy(3)', 'Precision(3)', 'Recall(3)', 'F1(3)', 'Jaccard(3)'])
    assert.is(await metricOf(metric, 3, []), 0, metric)
  for (const metric of ['MeanSquaredError()', 'MeanAbsoluteError()', 'R2()'])
    assert.is(await metricOf(metric, undefined, []), 0, metric)
})

library('accuracy counts the first of equal logits, over batches of any size', async () => {
  for (const backend of ['cpu', 'wasm']) {
    await startBackend(backend)
    // Predicted 1 0 | 2 0 1, wanted 1 0 | 2 1 0.
    near([await metricOf('Accuracy(3)', 3, rows)], [3 / 5], 1e-6, 'accuracy')
    near([await metricOf('Accuracy(1)', 1, [{ logits: [5], label: [0] }])], [1], 0, 'one class')
    assert.is(await metricOf('Accuracy(3)', 3, []), 0)
  }
})

library('F1 is the mean over classes of the whole epoch', async () => {
  for (const backend of ['cpu', 'wasm']) {
    await startBackend(backend)
    // Class 0: 1 hit of 2 predicted and 2 there; class 1 likewise; class 2: 1 of 1 and 1.
    near([await metricOf('F1(3)', 3, rows)], [(2 / 4 + 2 / 4 + 2 / 2) / 3], 1e-6, 'F1')
    near([await metricOf('F1(1)', 1, [{ logits: [5], label: [0] }])], [1], 0, 'one class')
    // One class never occurs.
    const two = [{ logits: [3, 1, 0, 2, 1, 0], label: [0, 0] }]
    near([await metricOf('F1(3)', 3, two)], [1 / 3], 1e-6, 'F1 with absent classes')
  }
})

library('perplexity is exp of the mean negative log likelihood of all labels', async () => {
  for (const backend of ['cpu', 'wasm']) {
    await startBackend(backend)
    const losses = rows.flatMap(({ logits, label }) =>
      label.map((wanted, i) => {
        const row = logits.slice(3 * i, 3 * i + 3)
        const largest = Math.max(...row)
        return largest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0)) - row[wanted]!
      }),
    )
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length
    near([await metricOf('Perplexity()', 3, rows)], [Math.exp(mean)], 1e-5, 'perplexity')
  }
})

library('binary accuracy and squared error are means over examples', async () => {
  await startBackend('cpu')
  const binary = [
    { logits: [-1, 2, 0.1], label: [0, 1, 0] },
    { logits: [0], label: [0] },
  ]
  near([await metricOf('BinaryAccuracy()', undefined, binary)], [3 / 4], 1e-6, 'binary accuracy')
  const squares = (1 + 1 + 0.01 + 0) / 4
  near([await metricOf('MeanSquaredError()', undefined, binary)], [squares], 1e-6, 'mean squared error')
})

library('every declaration says what it is', () => {
  assert.equal(
    libraryEntries().filter(({ doc }) => doc.length < 10),
    [],
  )
})

library.run()
