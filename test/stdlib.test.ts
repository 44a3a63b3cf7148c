/** The library's functions, losses, layers, metrics and start values against values from elsewhere: PyTorch (scripts/oracles), or f64 arithmetic written here in another way. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startBackend } from '../src/runtime/backends.ts'
import { type Case, evaluate, type Given, inDouble } from './kit/evaluate.ts'
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
  'max_pool ties': { value: 'm(x)', layers: { m: 'MaxPool2d(2, stride: 1)' } },
}

/** `conv2d 3 2 1 5`: kernel, stride, padding, size. */
function windowed(name: string): Meaning {
  const [kind, kernel, stride, pad] = name.split(' ')
  const rest = `${kernel}, stride: ${stride}, pad: ${pad})`
  if (kind === 'conv2d') return { value: 'm(x)', layers: { m: `Conv2d(2, 3, ${rest}` }, names: linear }
  return { value: 'm(x)', layers: { m: `${kind === 'max_pool' ? 'Max' : 'Avg'}Pool2d(${rest}` } }
}

// ── Against PyTorch ─────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * No more precise in 64 bits: tfjs's erf is a polynomial that is right to 1.5e-7 (Abramowitz and Stegun 7.1.26), and the
 * compiler computes constants in 32 bits.
 */
const coarse: ReadonlySet<string> = new Set(['gelu', 'normal_log_prob'])

/** The kernel of the gradient hands over an array of 32-bit floats by name. */
const single = /^max_pool/

interface Told {
  readonly meaning: Meaning
  readonly expected: Expected
}

function told(file: string, meaningOf: (name: string) => Meaning | undefined): Record<string, Told> {
  const all = Object.entries(oracle(file)).map(([name, expected]): [string, Told] => {
    const meaning = meaningOf(name)
    if (meaning === undefined) throw new Error(`nothing says what ${name} of ${file}.json is in the language`)
    return [name, { meaning, expected }]
  })
  return Object.fromEntries(all)
}

const all: Readonly<Record<string, Told>> = {
  ...told('functions', name => functions[name]),
  ...told('losses', name => losses[name]),
  ...told('layers', name => fixed[name] ?? windowed(name)),
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
    if (!single.test(name)) inDouble(() => checkOracle(name, coarse.has(name) ? 1e-6 : 1e-10))
    await startBackend('wasm')
    checkOracle(name, 3e-6)
  })
}

library.run()
