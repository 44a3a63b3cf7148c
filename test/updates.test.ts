/** Updates compiled to WebAssembly against the same updates on TensorFlow.js, bit for bit. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NameSupply } from '../src/base/fresh.ts'
import { type CompiledUpdate, compileUpdate } from '../src/emit/wasm/update.ts'
import type { Func, HostExpr, Step } from '../src/ir/ir.ts'
import { type Make, makeBuilder } from '../src/ops/builder.ts'
import type { Operand } from '../src/ops/op.ts'
import { startBackend } from '../src/runtime/backends.ts'
import { Arena } from '../src/runtime/engine/arena.ts'
import { Updates } from '../src/runtime/engine/updates.ts'
import { rootKey, uniformArray } from '../src/runtime/random.ts'
import type { Clocks, OptimizerGroupSpec } from '../src/runtime/training.ts'
import type { TensorType } from '../src/types/tensor.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { randomOf } from './kit/mutants.ts'
import { compile } from './kit/operator.ts'
import { benchOf, hostNumbers } from './kit/updates.ts'

const updates = suite('updates')
/** TensorFlow.js makes one element of none where it broadcasts, so none has a test of its own. */
const sizes = [1, 3, 4, 5, 333, 1000]

updates.before(async () => {
  await startBackend('cpu')
})

// ── Optimizers ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Every optimizer that is declared in a file, by its name. */
function declaredIn(path: string): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
  return new Map([...text.matchAll(/^optimizer (\w+)[\s\S]*?^\}$/gm)].map(([whole, name]) => [name!, whole]))
}

const library = new URL('../stdlib/', import.meta.url)
/** Those that look at their loss again have no update that a module could hold. */
const ofLibrary = readdirSync(fileURLToPath(library))
  .filter(file => file !== 'closures.ltm')
  .flatMap(file => [...declaredIn(`stdlib/${file}`).keys()])

/** Optimizers that users might write, for what those of the library don't do. */
const own = `
/// Steps that grow where the sign stays and shrink where it changes (Riedmiller and Braun 1993).
optimizer Rprop(lr: float, up: float = 1.2, down: float = 0.5) {
  slot before: like param = 0
  slot step: like param = 0.1
  update(param, grad, t) {
    let agreement = before * grad
    let grown = where(agreement > 0, step * up, where(agreement < 0 and before != 0, step * down, step))
    set step = max(min(grown, 50.0), 1e-6)
    let kept = where(not (agreement >= 0), 0.0, grad)
    set before = kept
    return param - lr * sign(kept) * step
  }
}

/// Sums of squares (Duchi et al. 2011), of gradients within limits.
optimizer Limited(lr: float, limit: float = 3.0) {
  slot total: like param = 0
  update(param, grad, t) {
    let g = relu(grad + limit) - limit
    set total = total + abs(g) * g ^ 2
    return param - lr / sqrt(t) * g * rsqrt(total + 1e-10)
  }
}

/// The gradient less its mean, divided by its own deviation: a sum that waits for another.
optimizer Centred(lr: float) {
  update(param, grad, t) {
    let centred = grad - mean(grad)
    return param - lr * centred / (sqrt(mean(centred ^ 2)) + 1e-6)
  }
}

/// Slots that change places, one that stays, and one that is set to a number.
optimizer Odd(lr: float) {
  slot a: like param = 1
  slot b: like param = 2
  slot still: like param = 3
  slot same: like param = 4
  update(param, grad, t) {
    let old = a
    set a = b
    set b = old
    set same = where(grad == grad, 2.0, 2.0)
    return floor(param) + ceil(lr * grad)
  }
}
`

const users = [
  'examples/screening/screening.ltm',
  'test/cases/programs/wines/wines.ltm',
  'test/cases/design/16-custom-everything.ltm',
].map(path => ({ path, text: [...declaredIn(path).values()].join('\n') }))

/** Calls, and where what they call is declared beside the library. */
const calls: readonly { readonly call: string; readonly source?: string }[] = [
  { call: 'Sgd(net, lr: 0.1)' },
  { call: 'Sgd(net, lr: 0.1, momentum: 0.9, weight_decay: 0.01)' },
  { call: 'Adam(net, lr: 0.001)' },
  { call: 'AdamW(net, lr: 0.003, weight_decay: 0.1)' },
  { call: 'AdamW(net, lr: warmup_cosine(0.003, warmup: 2, total: 10))' },
  { call: 'Sgd(net, lr: 0.1, momentum: 0.9, nesterov: true)' },
  ...['Amsgrad', 'Adamax', 'Nadam', 'Radam', 'Rmsprop', 'Adagrad', 'Adadelta', 'Lion', 'Lars', 'Lamb'].map(
    name => ({ call: `${name}(net, lr: 0.01)` }),
  ),
  { call: 'Rmsprop(net, lr: 0.01, momentum: 0.9, centered: true, weight_decay: 0.1)' },
  { call: 'Lars(net, lr: 0.01, weight_decay: 0.1)' },
  ...['Rprop', 'Limited', 'Centred', 'Odd'].map(name => ({
    call: `${name}(net, lr: 0.01)`,
    source: own,
  })),
  ...users.map(({ text }) => ({ call: 'Lion(net, lr: 0.01, weight_decay: 0.1)', source: text })),
]
const averages = ['Ema(net, decay: 0.99)', 'Average(net)'].map(call => ({ call }))

function programText(member: string, source = ''): string {
  return `${source}
dataset Points from inline(a: [1, 2], b: [3, 4]) { field x: f32[2] = columns(0..2) }
train T {
  data points = Points(batch: 2)
  model net = Linear(2, 1)
  ${member}
  step train(batch) { minimize net(batch.x) ^ 2 with o }
  trainer { epochs: 1 }
}`
}

interface Subject {
  readonly func: Func
  /** Settings by name, and the group as the eager engine runs it. */
  readonly group: OptimizerGroupSpec
  readonly slots: readonly { readonly name: string; readonly value: number }[]
}

/** The update that a member of `train` declares: in the IR, and as the eager engine runs it. */
async function subjectOf(member: string, name: string, source?: string): Promise<Subject> {
  const program = compileText(programText(member, source)).programs[0]!
  const optimizer = program.optimizers.find(each => each.name === name)!
  const func = program.functions.find(each => each.name === optimizer.groups[0]!.update)!
  const training = await importProgram(program)
  const holders = [...training.optimizers, ...(training.averages ?? [])]
  const group = holders.find(({ spec }) => spec.name === name)!.spec.groups[0]!
  return { func, group, slots: optimizer.slots }
}

function clockAt(update: number): Clocks {
  return {
    epoch: 0,
    batchIndex: 0,
    batches: 1,
    examples: 0,
    seconds: 0,
    totalUpdates: 10,
    updatesPerEpoch: 1,
    updates: () => update,
  }
}

/** Numbers of many sizes, and what is special among floats: zeros of both signs, a denormal one, infinities, no number. */
function numbers(count: number, ...place: readonly (string | number)[]): Float32Array {
  const special = [0, -0, 1e-40, -1e-42, 1e30, -1e30, Number.POSITIVE_INFINITY, Number.NaN]
  const exponents = uniformArray(rootKey(1, ...place, 'exponent'), count, -8, 4)
  return uniformArray(rootKey(1, ...place), count, -1, 1).map((value, i) => {
    const isSpecial = count > 900 && i % 50 === 7
    return isSpecial ? special[((i / 50) % special.length) | 0]! : value * 10 ** exponents[i]!
  })
}

function sameBits(actual: Float32Array, expected: ArrayLike<number>, what: string): void {
  assert.is(actual.length, expected.length, what)
  const wrong = actual.findIndex((value, i) => !Object.is(value, expected[i]))
  assert.is(wrong, -1, `${what}, number ${wrong}: ${actual[wrong]} is not ${expected[wrong]}`)
}

/** Several updates of both engines side by side. */
function compare(subject: Subject, count: number, scale: number, seed: string): void {
  const { func, group, slots } = subject
  const compiled = compileUpdate(func)
  assert.ok(compiled, `${func.name} is elementwise`)
  const { tensors, run } = benchOf(compiled, count)
  const [param, gradient] = [tensors.at(-2)!, tensors.at(-1)!]
  param.set(numbers(count, seed, 'param'))
  for (const [i, { value }] of slots.entries()) tensors[i]!.fill(value)
  let state: readonly Float32Array[] = [...tensors.slice(0, -1).map(values => values.slice())]
  for (const t of [1, 2, 3, 7]) {
    gradient.set(numbers(count, seed, 'gradient', t))
    const settings = group.settings(clockAt(t - 1))
    state = eager(subject, state, gradient, scale, t, settings)
    run(scale, hostNumbers(compiled.scalars, { t, ...settings }))
    for (const [i, expected] of state.entries())
      sameBits(tensors[i]!, expected, `${func.name} of ${count}, update ${t}, tensor ${i}`)
  }
}

/** What the eager engine makes of slots and parameter. */
function eager(
  { group, slots }: Subject,
  state: readonly Float32Array[],
  gradient: Float32Array,
  scale: number,
  t: number,
  settings: Readonly<Record<string, number>>,
): Float32Array[] {
  return tf.tidy(() => {
    const before = Object.fromEntries(slots.map(({ name }, i) => [name, tf.tensor1d(state[i]!)]))
    const given = tf.tensor1d(gradient)
    const scaled = scale === 1 ? given : tf.mul(given, scale)
    const { param, ...after } = group.update(before, tf.tensor1d(state.at(-1)!), scaled, t, settings)
    const all = [...slots.map(({ name }) => after[name] ?? before[name]!), param!]
    return all.map(tensor => Float32Array.from(tensor.dataSync()))
  })
}

for (const { call, source } of calls)
  updates(`${call} gives the bits of the eager engine`, async () => {
    const subject = await subjectOf(`optimizer o = ${call}`, 'o', source)
    for (const count of sizes)
      for (const scale of [1, 0.3]) compare(subject, count, scale, `${call} ${count}`)
  })

for (const { call } of averages)
  updates(`${call} gives the bits of the eager engine`, async () => {
    const member = `optimizer o = Sgd(net, lr: 0.1)\n  average a = ${call}`
    const subject = await subjectOf(member, 'a')
    for (const count of sizes) compare(subject, count, 1, `${call} ${count}`)
  })

updates('every optimizer of the library is among them', () => {
  const tried = [...calls, ...averages].map(({ call }) => call.split('(')[0])
  assert.equal(
    ofLibrary.filter(name => !tried.includes(name)),
    [],
  )
})

updates('of no elements nothing is read or written', async () => {
  const { func } = await subjectOf('optimizer o = Adam(net, lr: 0.1)', 'o')
  const compiled = compileUpdate(func)!
  const { bytes, slots } = compiled
  const names = ['m', 'v', 'param', 'grad', 'other']
  const arena = Arena.of(names.map(name => ({ name, count: name === 'other' ? 8 : 0 })))!
  arena.view('other').fill(5)
  const run = new Updates(arena).bind(bytes, { slots: ['m', 'v'], parameter: 'param', gradient: 'grad' })
  run(
    1,
    compiled.scalars.map(() => 2),
  )
  assert.is(slots, 2)
  assert.equal([...arena.view('other')], Array(8).fill(5))
})

// ── Any steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

const origin = { file: 'test.ltm', line: 1, column: 1 }
const whole: TensorType = { dtype: 'f32', shape: ['...r'] }

/** A function of slots, parameter and gradient whose steps `write` makes; its results are the last numbers that it gives. */
function updateOf(
  slots: number,
  write: (make: Make, inputs: readonly Operand[], steps: Step[]) => void,
): Func {
  const names = [...Array.from({ length: slots }, (_, i) => `slot${i}`), 'param', 'grad']
  const inputs = names.map(name => ({ name, type: whole }))
  const steps: Step[] = []
  const supply = new NameSupply()
  for (const name of names) supply.fresh(name)
  write(makeBuilder({ steps, fresh: name => supply.fresh(name), origin: () => origin }), inputs, steps)
  const given = steps.flatMap(step => step.outputs).filter(({ type }) => type !== 'key' && isWhole(type))
  const results = [...names.slice(0, -1), ...given.map(({ name }) => name)].slice(-slots - 1)
  return { ...shell, params: inputs, steps, results }
}

const shell = {
  name: 'Test.update',
  declaration: 'Test',
  role: 'update',
  hostParams: ['t'],
  origin,
} as const

function isWhole({ dtype, shape }: TensorType): boolean {
  return dtype === 'f32' && shape.length === 1
}

const unary = ['neg', 'abs', 'sqrt', 'rsqrt', 'relu', 'sign', 'floor', 'ceil', 'stop_gradient'] as const
const binary = ['add', 'sub', 'mul', 'div', 'minimum', 'maximum'] as const
const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const
const connectives = ['and', 'or'] as const
const reductions = ['sum', 'mean'] as const
const moves = [
  'unary',
  'binary',
  'binary',
  'compare',
  'connect',
  'not',
  'where',
  'cast',
  'host',
  'number',
  'reduce',
]

/** Random steps: numbers of the host, constants, and operators over whatever there is. */
function writeSteps(make: Make, inputs: readonly Operand[], steps: Step[], random: () => number): void {
  const values: Operand[] = [...inputs]
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const number = () => pick(values.filter(({ type }) => type.dtype === 'f32'))
  const truth = () =>
    pick([...values.filter(({ type }) => type.dtype === 'bool'), make.gt([number(), number()])])
  const constant = () => make.constant(pick([0, -0, 1, 0.5, -3, 1e-30]))
  const size = () => make.size([], { shape: whole.shape })
  const filled = () => make.full([], { shape: whole.shape, value: -1.5, dtype: 'f32' })
  const host = (): Operand => {
    const value = pick<HostExpr>([
      { kind: 'argument', name: 't' },
      { kind: 'number', value: 0.1 },
    ])
    const output = { name: `host.${steps.length}`, type: { dtype: 'f32', shape: [] } as const }
    steps.push({ op: 'host', inputs: [], attrs: { value }, outputs: [output], origin })
    return output
  }
  const made: Readonly<Record<(typeof moves)[number], () => Operand>> = {
    unary: () => make[pick(unary)]([number()]),
    binary: () => make[pick(binary)]([number(), number()]),
    compare: () => make[pick(comparisons)]([number(), number()]),
    connect: () => make[pick(connectives)]([truth(), truth()]),
    not: () => make.not([truth()]),
    where: () => make.where([truth(), number(), number()]),
    cast: () =>
      random() < 0.5 ? make.cast([truth()], { dtype: 'f32' }) : make.cast([number()], { dtype: 'bool' }),
    host,
    // Of something that differs from element to element.
    reduce: () => make[pick(reductions)]([make.add([pick(inputs), number()])]),
    number: () => pick([constant, size, filled])(),
  }
  const length = 1 + Math.floor(random() * 24)
  for (let i = 0; i < length; i++) values.push(made[pick(moves)]!())
}

const seed = Number(process.env.LTM_FUZZ_SEED ?? 1)
const programs = Number(process.env.LTM_FUZZ_COUNT ?? 200)

updates(`${programs} random updates give the bits of the operators`, () => {
  for (let i = 0; i < programs; i++) {
    const random = randomOf(seed * 1000 + i)
    const slots = Math.floor(random() * 3)
    const func = updateOf(slots, (make, inputs, steps) => writeSteps(make, inputs, steps, random))
    const compiled = compileUpdate(func)
    assert.ok(compiled, `program ${i} is elementwise`)
    compareSteps(func, compiled, 2 + Math.floor(random() * 12), `program ${i} of seed ${seed}`)
  }
})

function compareSteps(func: Func, compiled: CompiledUpdate, count: number, what: string): void {
  const given = { t: 3 }
  const { tensors, run } = benchOf(compiled, count)
  for (const [i, values] of tensors.entries()) values.set(numbers(1000, what, i).subarray(0, count))
  const hosts = func.steps.filter(({ op }) => op === 'host')
  const values = hosts.map(({ attrs }) => hostNumbers([attrs.value as HostExpr], given)[0]!)
  const scalars = hosts.flatMap(({ outputs }) => outputs)
  const others = func.steps.filter(({ op }) => op !== 'host')
  const expected = tf.tidy(() => {
    const evaluate = compile(others, [...func.params, ...scalars], func.results, { n: 0, r: [count] })
    const results = evaluate(
      ...tensors.map(each => tf.tensor1d(each)),
      ...values.map(each => tf.scalar(each)),
    )
    return results.map(result => ('dataSync' in result ? Float32Array.from(result.dataSync()) : undefined)!)
  })
  run(1, hostNumbers(compiled.scalars, given))
  for (const [i, result] of expected.entries()) sameBits(tensors[i]!, result, `${what}, result ${i}`)
}

updates('what is not elementwise, or not exact, is left to others', () => {
  const refused: Readonly<Record<string, (make: Make, inputs: readonly Operand[]) => Operand>> = {
    exp: (make, [param]) => make.exp([param!]),
    log: (make, [param]) => make.log([param!]),
    pow: (make, [param]) => make.pow([param!, make.constant(3)]),
    round: (make, [param]) => make.round([param!]),
    tanh: (make, [param]) => make.tanh([param!]),
    mod: (make, [param, grad]) => make.mod([param!, grad!]),
    'a sum of each': (make, [param]) => make.sum_to([param!], { shape: [] }),
    'a largest': (make, [param, grad]) => make.mul([make.reduce_max([param!]), grad!]),
    'a sum of a number': (make, [param]) => make.mul([make.sum([make.constant(2)]), param!]),
    'another size': (make, [param]) => make.mul([param!, make.size([], { shape: [3] })]),
    'a whole number': (make, [param]) => make.cast([make.cast([param!], { dtype: 'i32' })], { dtype: 'f32' }),
    'more elements': (make, [param]) => make.broadcast_to([param!], { shape: [2, '...r'] }),
    'a list': (make, [param]) => make.mul([param!, make.const([], { value: [1], dtype: 'f32' })]),
  }
  for (const [what, write] of Object.entries(refused)) {
    const func = updateOf(0, (make, inputs) => void write(make, inputs))
    assert.is(compileUpdate(func), undefined, what)
  }
  const simple = updateOf(0, (make, [param, grad]) => void make.sub([param!, grad!]))
  assert.ok(compileUpdate(simple))
  const [step] = simple.steps
  const call = { ...step!, op: 'call', attrs: { func: 'f', host: [] } }
  assert.is(compileUpdate({ ...simple, steps: [call] }), undefined, 'a call')
  const size: HostExpr = { kind: 'size', dim: 'n' }
  const host = { ...step!, op: 'host', inputs: [], attrs: { value: size } }
  assert.is(compileUpdate({ ...simple, steps: [host] }), undefined, 'a size')
  assert.is(compileUpdate({ ...simple, results: [] }), undefined, 'no result')
  const params = simple.params.map(param => ({ ...param, type: { dtype: 'i32', shape: ['...r'] } as const }))
  assert.is(compileUpdate({ ...simple, params }), undefined, 'whole numbers')
})

// ── Memory ──────────────────────────────────────────────────────────────────────────────────────────────────────────

updates('tensors lie in one memory, each at the start of a line of the cache', () => {
  const arena = Arena.of([
    { name: 'a', count: 5 },
    { name: 'none', count: 0 },
    { name: 'b', count: 17 },
    { name: 'c', count: 1 },
  ])!
  assert.equal(
    ['a', 'none', 'b', 'c'].map(name => arena.addressOf(name)),
    [0, 64, 64, 192],
  )
  arena.view('a').fill(1)
  arena.view('b').fill(2)
  assert.equal([...arena.view('c'), ...arena.view('a')], [0, 1, 1, 1, 1, 1])
  assert.is(arena.view('b').buffer, arena.memory.buffer)
  assert.throws(() => arena.view('d'), /holds no d/)
})

updates('what 32 bits do not reach is refused', () => {
  assert.is(Arena.of([{ name: 'a', count: 2 ** 30 }]), undefined)
  assert.is(Arena.of(Array.from({ length: 5 }, (_, i) => ({ name: `${i}`, count: 2 ** 28 }))), undefined)
})

updates('parameters whose updates are alike share a kernel, and none is mixed up with another', async () => {
  const { func } = await subjectOf('optimizer o = Sgd(net, lr: 0.5)', 'o')
  const { bytes, scalars } = compileUpdate(func)!
  const names = ['v', 'a', 'da', 'w', 'b', 'db']
  const arena = Arena.of(names.map(name => ({ name, count: 6 })))!
  const updates = new Updates(arena)
  const a = updates.bind(bytes, { slots: ['v'], parameter: 'a', gradient: 'da' })
  const b = updates.bind(bytes.slice(), { slots: ['w'], parameter: 'b', gradient: 'db' })
  arena.view('da').fill(1)
  arena.view('db').fill(2)
  const host = hostNumbers(scalars, { t: 1, lr: 0.5, momentum: 0, weight_decay: 0, decay_constrained: 0 })
  a(1, host)
  b(0.5, host)
  b(0.5, host)
  assert.equal([...arena.view('a')], Array(6).fill(-0.5))
  assert.equal([...arena.view('b')], Array(6).fill(-1))
  const wrong = { slots: [], parameter: 'a', gradient: 'none' }
  assert.throws(() => updates.bind(bytes, wrong))
})

updates.run()
