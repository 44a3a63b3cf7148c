/** The laws of constrained parameters, for each constraint of the library and one of a user's. */
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { placeOf, subjectsOf } from '../src/cli/lawSubjects.ts'
import { compile, emitProgram } from '../src/compiler.ts'
import type { Func, HostStatement, Program, Step } from '../src/ir/ir.ts'
import { constraintsOf } from '../src/laws/declared.ts'
import { laws } from '../src/laws/laws.ts'
import { lawProgram } from '../src/laws/program.ts'
import { count, type Subject } from '../src/laws/subject.ts'
import { startBackend } from '../src/runtime/backends.ts'
import { train } from '../src/runtime/program.ts'
import { compileText, type Evaluation, evaluate, filesOf, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly } from './kit/trainings.ts'

const constraints = suite('constraints')

/** A user's constraint, declared as the library's are. */
const users = `
/// Above \`low\`, on a logarithmic scale.
constraint scaled(low: float, unit: float = 1.0) bijective version 3 {
  raw: f32[...s]
  forward(u) = low + unit * exp(clamp(u, -12, 80))
  inverse(x) = log((x - low) / unit)
  log_det(u) = u + log(unit)
  check(x) = x >= low
}
`

/** A constraint with arguments, on a parameter of a shape. */
interface Instance {
  readonly text: string
  readonly shape: readonly number[]
  /** What the raw tensor's shape must be; that of the value where it isn't said. */
  readonly raw?: readonly number[]
  /** Beyond this raw size the value has lost the digits that its inverse would need; 8 where it isn't said. */
  readonly largest?: number
  /** A value that satisfies it. */
  readonly example: readonly number[]
}

const one = (text: string, example: readonly number[]): Instance => ({ text, shape: [3], example })

const instances: readonly Instance[] = [
  one('positive', [1e-3, 1, 60]),
  one('lower(0)', [1e-3, 1, 60]),
  one('lower(1)', [1.001, 2, 60]),
  one('lower(-2.5)', [-2.4, 0, 60]),
  one('lower(1000)', [1000.5, 1002, 1060]),
  one('upper(0)', [-1e-3, -1, -60]),
  one('upper(-1)', [-1.001, -2, -60]),
  one('upper(3)', [2.9, 0, -60]),
  one('interval(0, 1)', [1e-3, 0.5, 0.999]),
  one('interval(-1, 1)', [-0.999, 0, 0.5]),
  one('interval(10, 11)', [10.001, 10.5, 10.9]),
  one('interval(-1000, 0.001)', [-999, -500, 0]),
  { text: 'simplex', shape: [4], raw: [3], example: [0.1, 0.2, 0.3, 0.4] },
  {
    text: 'simplex',
    shape: [2, 3],
    raw: [2, 2],
    example: [0.1, 0.2, 0.7, 0.5, 0.25, 0.25],
  },
  { text: 'simplex', shape: [1], raw: [0], example: [1] },
  one('offset_scale(-3, 0.25)', [-3, 5, 100]),
  { text: 'ordered', shape: [4], example: [-2, -1.5, 0, 60] },
  { text: 'ordered', shape: [2, 1], example: [-2, 7] },
  { text: 'positive_ordered', shape: [3], example: [0.1, 0.3, 60] },
  { text: 'positive_ordered', shape: [2, 2], example: [0.1, 0.3, 5, 6] },
  { text: 'sum_to_zero', shape: [4], raw: [3], example: [1, -2, 0.5, 0.5] },
  { text: 'sum_to_zero', shape: [1], raw: [0], example: [0] },
  { text: 'unit_vector', shape: [3], example: [0.6, 0, -0.8] },
  { text: 'unit_vector', shape: [2, 2], example: [0.6, 0.8, 1, 0] },
  { text: 'l2_ball', shape: [3], example: [0.3, 0.2, -0.6] },
  { text: 'l2_ball(2.5)', shape: [2, 2], example: [0.3, 0.2, -0.6, 2.4] },
  {
    text: 'row_stochastic',
    shape: [2, 3],
    raw: [2, 2],
    example: [0.1, 0.2, 0.7, 0.5, 0.25, 0.25],
  },
  {
    text: 'column_stochastic',
    shape: [3, 2],
    raw: [2, 2],
    example: [0.1, 0.5, 0.2, 0.25, 0.7, 0.25],
  },
  {
    text: 'simplex.ilr',
    shape: [4],
    raw: [3],
    example: [0.1, 0.2, 0.3, 0.4],
  },
  { text: 'l1_ball', shape: [3], largest: 4, example: [0.3, 0.2, -0.4] },
  { text: 'l1_ball(2.5)', shape: [2, 2], largest: 4, example: [0.3, 0.2, -0.6, 1.8] },
  {
    text: 'cholesky_corr',
    shape: [3, 3],
    raw: [3],
    largest: 4,
    example: [1, 0, 0, 0.6, 0.8, 0, 0.36, 0.48, 0.8],
  },
  { text: 'cholesky_corr', shape: [1, 1], raw: [0], example: [1] },
  {
    text: 'corr_matrix',
    shape: [3, 3],
    raw: [3],
    largest: 4,
    example: [1, 0.5, 0.2, 0.5, 1, -0.1, 0.2, -0.1, 1],
  },
  {
    text: 'corr_matrix',
    shape: [2, 2, 2],
    raw: [2, 1],
    largest: 4,
    example: [1, 0.5, 0.5, 1, 1, -0.9, -0.9, 1],
  },
  {
    text: 'cholesky_cov',
    shape: [3, 3],
    raw: [6],
    example: [1, 0, 0, -3, 0.1, 0, 2, 0.5, 20],
  },
  {
    text: 'cov_matrix',
    shape: [3, 3],
    raw: [6],
    largest: 4,
    example: [2, 0.5, 0.2, 0.5, 1, -0.1, 0.2, -0.1, 3],
  },
  {
    text: 'symmetric',
    shape: [3, 3],
    raw: [6],
    example: [1, 2, 3, 2, 4, 5, 3, 5, 6],
  },
  { text: 'skew_symmetric', shape: [3, 3], raw: [3], example: [0, 1, 2, -1, 0, 3, -2, -3, 0] },
  {
    text: 'lower_triangular',
    shape: [2, 2, 2],
    raw: [2, 3],
    example: [1, 0, 2, 3, 4, 0, 5, 6],
  },
  { text: 'orthogonal', shape: [3, 2], raw: [3], example: [0.6, 0, 0, 1, -0.8, 0] },
  { text: 'orthogonal', shape: [3, 3], raw: [3], example: [0, -1, 0, 0.6, 0, -0.8, 0.8, 0, 0.6] },
  { text: 'orthogonal', shape: [2, 2, 1], raw: [2, 1], example: [0.6, 0.8, 1, 0] },
  { text: 'weight_norm', shape: [2, 3], raw: [2, 4], example: [1, 2, 3, -4, 5, 6] },
  { text: 'scaled(2, unit: 0.5)', shape: [3], example: [2.1, 3, 60] },
]

/** What has no inverse is a projection. */
const files = [{ name: 'test.ltm', text: users }, ...filesOf('').library()].map(constraintsOf)
const declared = new Map(
  files
    .flatMap(file => file.constraints)
    .filter(({ places }) => places.has('inverse'))
    .map(each => [each.name, each]),
)

const typeOf = (shape: readonly number[]): string => (shape.length === 0 ? 'f32' : `f32[${shape.join(', ')}]`)
const shown = ({ text, shape }: Instance): string => `${typeOf(shape)} in ${text}`
const rawOf = ({ raw, shape }: Instance): readonly number[] => raw ?? shape
const nameOf = ({ text }: Instance): string => text.replace(/\(.*/, '')

async function subjects(): Promise<readonly Subject[]> {
  const file = { constraints: [...declared.values()], uses: [], hypers: [], text: users }
  const cases = instances.map(instance => ({
    declared: declared.get(nameOf(instance))!,
    args: instance.text.slice(nameOf(instance).length),
    shape: instance.shape,
  }))
  const [program] = compileText(lawProgram(file, cases)).programs
  const runtime = new URL('../src/runtime/index.ts', import.meta.url).href
  const made = await subjectsOf(program!, cases, { emitProgram }, runtime)
  return made.map((subject, i) => ({ ...subject, largest: instances[i]!.largest ?? 8 }))
}

/** Each instance with a start value. */
async function starts(): Promise<readonly Evaluation[]> {
  const cases = instances.map((instance, i) => {
    const start = `${shown(instance)} = ${startText(instance)}`
    return [`start ${i}`, { inputs: { p: start }, value: 'p' }] as const
  })
  const all = await evaluate(Object.fromEntries(cases), users)
  return instances.map((_, i) => all[`start ${i}`]!)
}

/** A constant tensor of the language: lists of lists. */
function startText({ example, shape }: Instance): string {
  const nested = (values: readonly number[], [size, ...inner]: readonly number[]): string => {
    if (size === undefined) return String(values[0])
    const part = values.length / size
    const items = Array.from({ length: size }, (_, i) =>
      nested(values.slice(i * part, (i + 1) * part), inner),
    )
    return `[${items.join(', ')}]`
  }
  return nested(example, shape)
}

constraints('each one of the library is among the instances', () => {
  const tested = new Set(instances.map(nameOf))
  // Those with buffers have no value without a training: test/constraintBuffers.test.ts has them.
  for (const [name, { stateful }] of declared)
    assert.ok(stateful || tested.has(name), `${name} has no instance`)
})

const tested = await subjects()
const started = await starts()

for (const [i, instance] of instances.entries()) {
  const subject = tested[i]!
  const { bijective, places } = declared.get(nameOf(instance))!
  const name = shown(instance)

  for (const law of laws)
    constraints(`${name}: the law ${law.name}`, async () => {
      const outcome = await law.test(subject, placeOf('wasm'), 0)
      const open =
        (law.name === 'log_det' && !places.has('log_det')) || (law.name === 'raw size' && !bijective)
      assert.is(outcome.kind, open ? 'open' : 'holds', JSON.stringify(outcome))
    })

  constraints(`${name}: the raw tensor has the size that is declared`, () => {
    assert.equal(subject.raw, rawOf(instance))
  })

  constraints(`${name}: a start value is carried back by the inverse`, async () => {
    await startBackend('cpu')
    const key = { high: 0, low: 0, at: () => key }
    const raw = tf.tidy(() => [...started[i]!.parameter('p').init(key).dataSync()])
    near(subject.forward(raw), instance.example, 3e-6, 'the start value')
  })
}

// ── Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Raw shapes by formula, for k of 1 to 6. */
const sizeLaws: Readonly<
  Record<string, (k: number) => { value: readonly number[]; raw: readonly number[] }>
> = {
  positive: k => ({ value: [k], raw: [k] }),
  'lower(0)': k => ({ value: [2, k], raw: [2, k] }),
  'interval(0, 1)': k => ({ value: [k, 2], raw: [k, 2] }),
  simplex: k => ({ value: [k], raw: [k - 1] }),
  sum_to_zero: k => ({ value: [k], raw: [k - 1] }),
  ordered: k => ({ value: [k], raw: [k] }),
  positive_ordered: k => ({ value: [k], raw: [k] }),
  unit_vector: k => ({ value: [k], raw: [k] }),
  l2_ball: k => ({ value: [k], raw: [k] }),
  row_stochastic: k => ({ value: [3, k], raw: [3, k - 1] }),
  column_stochastic: k => ({ value: [k, 3], raw: [k - 1, 3] }),
  l1_ball: k => ({ value: [k], raw: [k] }),
  cholesky_corr: k => ({ value: [k, k], raw: [(k * (k - 1)) / 2] }),
  corr_matrix: k => ({ value: [2, k, k], raw: [2, (k * (k - 1)) / 2] }),
  cholesky_cov: k => ({ value: [k, k], raw: [(k * (k + 1)) / 2] }),
  cov_matrix: k => ({ value: [k, k], raw: [(k * (k + 1)) / 2] }),
  symmetric: k => ({ value: [k, k], raw: [(k * (k + 1)) / 2] }),
  skew_symmetric: k => ({ value: [k, k], raw: [(k * (k - 1)) / 2] }),
  lower_triangular: k => ({ value: [k, k], raw: [(k * (k + 1)) / 2] }),
  orthogonal: k => ({ value: [6, k], raw: [6 * k - (k * (k + 1)) / 2] }),
  weight_norm: k => ({ value: [3, k], raw: [3, k + 1] }),
}

constraints('raw sizes follow their formulas, and one class has probability 1', async () => {
  await startBackend('cpu')
  const made = Object.entries(sizeLaws).flatMap(([text, law]) =>
    [1, 2, 3, 4, 5, 6].map(k => ({ name: `${text} ${k}`, text, ...law(k) })),
  )
  const inputs = ({ value, text }: (typeof made)[number]) => ({ p: `${typeOf(value)} in ${text}` })
  const all = await evaluate(
    Object.fromEntries(made.map(each => [each.name, { inputs: inputs(each), value: 'p' }])),
  )
  for (const { name, value, raw } of made) {
    assert.equal(all[name]!.parameter('p').shape, raw, name)
    assert.equal(all[name]!.tensor({ p: 0 }).shape, value, name)
  }
  near(all['simplex 1']!.value({ p: [] }), [1], 0, 'the only class')
  near(all['simplex 5']!.value({ p: 0 }), Array(5).fill(0.2), 1e-7, 'the raw start')
})

// ── Parts, and what is refused ──────────────────────────────────────────────────────────────────────────────────────

constraints('a value that rounding would put on its bound still has the slope of the map', async () => {
  const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
  const slopes: Readonly<Record<string, (u: number) => number>> = {
    'interval(0, 1)': u => logistic(u) * logistic(-u),
    'interval(10, 11)': u => logistic(u) * logistic(-u),
    'lower(1)': logistic,
    'upper(-1)': u => -logistic(u),
  }
  const entries = Object.keys(slopes).map(text => {
    return [text, { inputs: { p: `f32[4] in ${text}` }, value: 'p' }] as const
  })
  const all = await evaluate(Object.fromEntries(entries))
  for (const backend of ['cpu', 'wasm']) {
    await startBackend(backend)
    for (const [text, slope] of Object.entries(slopes)) {
      const raw = [-40, -20, 20, 40]
      const ratios = all[text]!.gradient({ p: raw }).p!.map((found, i) => found / slope(raw[i]!))
      near(ratios, [1, 1, 1, 1], 1e-5, `${backend}: slopes of ${text} as parts of the true ones`)
    }
  }
})

constraints('the logarithm of probabilities is finite and exact where they round to 0', async () => {
  const shapes = { simplex: [4], row_stochastic: [2, 4], column_stochastic: [4, 2] } as const
  const entries = Object.entries(shapes).flatMap(([text, shape]) => {
    const inputs = { p: `${typeOf(shape)} in ${text}` }
    return [
      [text, { inputs, value: 'p' }] as const,
      [`${text}.log`, { inputs, value: 'p.log' }] as const,
      [`${text}.raw`, { inputs, value: 'p.raw' }] as const,
    ]
  })
  const all = await evaluate(Object.fromEntries(entries))
  for (const backend of ['cpu', 'wasm']) {
    await startBackend(backend)
    for (const [text, shape] of Object.entries(shapes)) {
      const raw = Array.from({ length: (count(shape) / 4) * 3 }, (_, i) => 200 * Math.sin(i + 1))
      const values = all[text]!.value({ p: raw })
      const logs = all[`${text}.log`]!.value({ p: raw })
      near(all[`${text}.raw`]!.value({ p: raw }), raw, 1e-6, 'the raw tensor')
      near(logs.map(Math.exp), values, 1e-5, `${backend}: exp of ${text}.log`)
      assert.ok(values.includes(0), 'some probability rounds to 0')
      const slopes = all[`${text}.log`]!.gradient(
        { p: raw },
        logs.map((_, i) => i + 1),
      ).p!
      for (const number of [...logs, ...slopes]) assert.ok(Number.isFinite(number), `${number} in ${text}`)
    }
  }
})

constraints('a constraint is a function from the raw tensor, in every way of writing it', async () => {
  await startBackend('cpu')
  const forms = {
    p: 'p',
    named: 'interval(-2, 3)(p.raw)',
    piped: 'p.raw |> interval(-2, 3)',
    given: 'through(p.raw, interval(-2, 3))',
    chosen: 'if 1 < 2 then interval(-2, 3)(p.raw) else p',
    lambda: 'through(p.raw, fn(u) = interval(low: -2, high: 3)(u))',
  }
  const inputs = { p: 'f32[2, 3] in interval(-2, 3)' }
  const functions = 'fn through(x: f32[...s], by: fn) -> f32[...s] = by(x)'
  const entries = Object.entries(forms).map(([name, value]) => [name, { inputs, value }] as const)
  const all = await evaluate(Object.fromEntries(entries), functions)
  const raw = [-3, -1, 0, 0.5, 2, 20]
  for (const name of Object.keys(forms)) near(all[name]!.value({ p: raw }), all.p!.value({ p: raw }), 0, name)

  const sizes = await evaluate({
    bare: { inputs: { x: 'f32[2, 3]' }, value: 'simplex(x)' },
    defaults: { inputs: { x: 'f32[2, 3]' }, value: 'l2_ball(x)' },
    radius: { inputs: { x: 'f32[2, 3]' }, value: 'l2_ball(2.0)(x) - 2 * l2_ball(x)' },
  })
  assert.equal(sizes.bare!.tensor({ x: 0 }).shape, [2, 4])
  near(sizes.bare!.value({ x: 0 }), Array(8).fill(0.25), 1e-7, 'a simplex for each row')
  near(sizes.defaults!.value({ x: 1 }), Array(6).fill(0.5), 1e-7, 'the ball of radius 1')
  near(sizes.radius!.value({ x: 1 }), Array(6).fill(0), 1e-6, 'a radius scales')
})

constraints('log_det_jacobian adds up what log_det gives for all elements', async () => {
  await startBackend('cpu')
  const parameters = {
    'f32[2, 3] in positive': (u: number) => -6 * Math.log1p(Math.exp(-u)),
    'f32[2, 3] in offset_scale(1, 4)': () => 6 * Math.log(4),
    // At raw 0 each row is uniform: 3 log(1/3) + log(3) / 2.
    'f32[2, 3] in simplex': () => 2 * (-3 * Math.log(3) + 0.5 * Math.log(3)),
    'f32[2, 3]': () => 0,
  }
  for (const [text, expected] of Object.entries(parameters)) {
    const found = await evaluate({
      all: { inputs: { p: text }, value: '0 * sum(p) + log_det_jacobian(p)' },
      piped: { inputs: { p: text }, value: '0 * sum(p) + (p |> log_det_jacobian)' },
    })
    near(found.all!.value({ p: 0 }), [expected(0)], 1e-6, text)
    near(found.piped!.value({ p: 0 }), [expected(0)], 1e-6, text)
  }
})

constraints('bounds without room between them, and start values on a bound, are refused', () => {
  const refused: Readonly<Record<string, string>> = {
    'interval(0, 1) = 1.0': 'LTM4002',
    'interval(0, 1) = 0.0': 'LTM4002',
    'positive = 0.0': 'LTM4002',
    'lower(2) = 2.0': 'LTM4002',
    'upper(2) = 2.5': 'LTM4002',
    'interval(1, 1)': 'LTM2118',
    'interval(2, 1)': 'LTM2118',
    'interval(1, 1.0000001)': 'LTM2118',
    'interval(0, inf)': 'LTM2118',
    'lower(-inf)': 'LTM2118',
    'offset_scale(0, 0)': 'LTM2118',
    'l2_ball(-1)': 'LTM2118',
  }
  for (const [text, code] of Object.entries(refused)) {
    const program = `train T {
      param p: f32[2] in ${text}
      optimizer o = Sgd(p, lr: 0.1)
      step train() { minimize sum(p) }
      trainer { updates: 1 }
    }`
    const { diagnostics } = compile('test.ltm', filesOf(program))
    assert.equal(
      diagnostics.map(each => each.code),
      [code],
      text,
    )
  }
})

constraints(
  'constant start values of whole tensors are held to the constraint, and the place is named',
  () => {
    const cases: Readonly<Record<string, string | undefined>> = {
      'f32[2] in simplex = [0.2, 0.9]': '',
      'f32[2] in simplex = [0.2, 0.8]': undefined,
      'f32[2, 2] in simplex = [[0.5, 0.5], [0.4, 0.5]]': 'in row [1]',
      'f32[2] in ordered = [3, 1]': '',
      'f32[2] in ordered = [1, 3]': undefined,
      'f32[3] in lower(bound) = [3, 1, 4]': 'element [1] is 1',
      'f32[3] in lower(bound) = [3, 2.5, 4]': undefined,
      'f32 in interval(0, bound) = bound': '',
      'f32[2] in positive_ordered = [2.0, 1.0]': 'element [1] is 1',
      'f32[3] in l1_ball = 1.0': '',
      'f32[2] in unit_vector = [0.6, 0.8]': undefined,
      'f32[2, 2] in sum_to_zero = [[1, -1], [1, 1]]': 'in row [1]',
      'f32[2, 2] in symmetric = [[1, 2], [3, 1]]': 'element [0, 1] is 2',
      'f32[2, 2] in lower_triangular = [[1, 2], [3, 1]]': 'element [0, 1] is 2',
      'f32[2, 2] in cholesky_cov = [[1, 0], [3, -1]]': 'in row [1]',
      'f32[2, 2] in cholesky_cov = [[1, 0], [3, 1]]': undefined,
      'f32[2, 2] in column_stochastic = [[1, 0], [0, 1]]': undefined,
      'f32[2] in simplex = raw [0.2]': undefined,
    }
    for (const [text, note] of Object.entries(cases)) {
      const program = `train T {
      hyper bound: float = 2
      param p: ${text}
      optimizer o = Sgd(p, lr: bound)
      step train() { minimize sum(p) }
      trainer { updates: 1 }
    }`
      const { diagnostics } = compile('test.ltm', filesOf(program))
      const found = diagnostics.map(each => `${each.code} ${each.note ?? ''}`.trim())
      assert.equal(found, note === undefined ? [] : [`LTM4002 ${note}`.trim()], text)
    }
  },
)

// ── In a program ────────────────────────────────────────────────────────────────────────────────────────────────────

constraints('an update of the raw tensor is seen by the next step', async () => {
  const text = `train T {
    param p: f32 in interval(0, 1) = 0.1
    optimizer o = Sgd(p, lr: 2.0)
    step train() { minimize (p - 0.9) ^ 2  log p bar }
    trainer { updates: 4 }
  }`
  // By hand, in f64: u moves against 2 (p - 0.9) p (1 - p), and what follows the update sees it.
  const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
  let u = Math.log(0.1 / 0.9)
  const expected = [0, 1, 2, 3].map(() => {
    const p = logistic(u)
    u -= 2 * 2 * (p - 0.9) * p * (1 - p)
    return logistic(u)
  })
  const run = quietly()
  await train(await importProgram(compileText(text).programs[0]!), run)
  const seen = run.events.flatMap(event => (event.kind === 'step' ? [event.values.p!] : []))
  near(seen, expected, 1e-5, 'p after each step')
})

constraints('after a branch that moved a parameter and read it anew, it is read anew as well', async () => {
  const text = `train T {
    param p: f32 in offset_scale(0, 2) = 1.0
    optimizer o = Sgd(p, lr: 0.25)
    step train() {
      log before = p bar
      if batch_index == 0 { minimize p with o  log inside = p bar }
      log after = p bar
      minimize last = p with o
    }
    trainer { updates: 2 }
  }`
  const run = quietly()
  await train(await importProgram(compileText(text).programs[0]!), run)
  const [seen] = run.events.flatMap(event => (event.kind === 'step' ? [event.values] : []))
  // The raw number moves by 0.25 · 2, the value by twice that.
  near([seen?.before, seen?.inside, seen?.after].map(Number), [1, 0, 0], 1e-6, 'the parameter')
})

constraints('a parameter is computed once a step, however often it is used', () => {
  const text = `
    constraint wave() version 1 { raw: f32[...s]  forward(u) = 2 + sin(u) }
    module Shared() {
      param p: f32[3] in wave
      forward(x: f32[3]) -> f32[3] = x * p + p
      fn other(x: f32[3]) -> f32[3] = x / p
    }
    train T {
      model net = Shared()
      optimizer o = Sgd(net, lr: 0.1)
      step train() {
        let once = net(net(net.p))
        minimize sum(once + net.other(once) + gelu(net.p))
        log size = sum(once)
      }
      step predict() { return { all: net(net.other(net.p)), p: net.p } }
      trainer { updates: 1 }
    }`
  const stages: Program[] = []
  compileText(text, (_, program) => void stages.push(program))
  const last = stages.at(-1)!
  for (const step of last.steps) assert.is(sines(last, stepsIn(step.body)), 1, step.phase)
})

/** How many sines a run of these steps computes, in the functions that they call as well. */
function sines(program: Program, steps: readonly Step[]): number {
  const called = (name: unknown): Func => program.functions.find(func => func.name === name)!
  return steps.reduce((total, step) => {
    if (step.op === 'call') return total + sines(program, called(step.attrs.func).steps)
    return total + (step.op === 'sin' ? 1 : 0)
  }, 0)
}

function stepsIn(body: readonly HostStatement[]): readonly Step[] {
  return body.flatMap(host => {
    if (host.kind === 'compute') return [host.step]
    return host.kind === 'minimize' ? host.body : []
  })
}

// ── Projections ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Keras' formulas for a row of three numbers. */
const projections: Readonly<Record<string, (row: readonly number[]) => readonly number[]>> = {
  non_negative: row => row.map(x => Math.max(x, 0)),
  'max_norm(2)': row => row.map(x => (x * Math.min(Math.hypot(...row), 2)) / (1e-7 + Math.hypot(...row))),
  unit_norm: row => row.map(x => x / (1e-7 + Math.hypot(...row))),
  'min_max_norm(1, 2)': row =>
    row.map(x => (x * Math.min(Math.max(Math.hypot(...row), 1), 2)) / (1e-7 + Math.hypot(...row))),
  'min_max_norm(1, 2, rate: 0.25)': row => {
    const length = Math.hypot(...row)
    return row.map(x => (x * (0.25 * Math.min(Math.max(length, 1), 2) + 0.75 * length)) / (1e-7 + length))
  },
}

constraints(
  'projections are those of Keras, satisfy their check, and leave a projected value where it is',
  async () => {
    const rows = [
      [3, -4, 12],
      [0.1, 0.2, -0.2],
      [0, 0, 0],
    ]
    const entries = Object.keys(projections).map(text => {
      const call = text.includes('(') ? `x |> ${text}` : `${text}(x)`
      return [text, { inputs: { x: 'f32[3, 3]' }, value: call }] as const
    })
    const all = await evaluate(Object.fromEntries(entries))
    for (const backend of ['cpu', 'wasm']) {
      await startBackend(backend)
      for (const [text, formula] of Object.entries(projections)) {
        const once = [...all[text]!.value({ x: rows.flat() })]
        near(once, rows.flatMap(formula), 1e-5, `${backend}: ${text}`)
        if (!text.includes('rate'))
          near(all[text]!.value({ x: once }), once, 1e-6, `${backend}: ${text} again`)
      }
    }
  },
)

constraints('a projection is applied to the start value and after each update', async () => {
  const text = `train T {
    param w: f32[2] = [3, 4] project max_norm(1)
    optimizer o = Sgd(w, lr: 0.5)
    step train() { log before = w[0] bar  minimize -2 * w[0]  log after = w[0] bar  log size = sum(w ^ 2) bar }
    trainer { updates: 2 }
  }`
  const run = quietly()
  await train(await importProgram(compileText(text).programs[0]!), run)
  const seen = run.events.flatMap(event => (event.kind === 'step' ? [event.values] : []))
  // By hand: (0.6, 0.8) moves by (1, 0) and is scaled back to length 1, twice.
  const first = 1.6 / Math.hypot(1.6, 0.8)
  const second = (first + 1) / Math.hypot(first + 1, 0.8 / Math.hypot(1.6, 0.8))
  near(
    seen.map(values => values.before ?? Number.NaN),
    [0.6, first],
    1e-6,
    'before each update',
  )
  near(
    seen.map(values => values.after ?? Number.NaN),
    [first, second],
    1e-6,
    'after each update',
  )
  near(
    seen.map(values => values.size ?? Number.NaN),
    [1, 1],
    1e-6,
    'the length',
  )
})

constraints.run()
