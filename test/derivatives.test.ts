/** `gradient(y, x)` as a value, once and twice, and `einsum`: against differences and sums written out, in 64-bit floats. */
import { suite } from 'uvu'
import { startBackend } from '../src/runtime/backends.ts'
import { type Case, evaluate, inDouble } from './kit/evaluate.ts'
import { near } from './kit/near.ts'

const test = suite('derivatives')

/** What is differentiated: a number from `x: f32[4]`, as text of the language. */
const numbers: Readonly<Record<string, string>> = {
  polynomial: 'sum(x ^ 3 + 2 * x)',
  shared: 'sum(exp(x) * tanh(x) + exp(x))',
  function: 'sum(silu(x) * softplus(x))',
  reductions: 'logsumexp(x, axis: -1) + mean(x) ^ 2 + norm_of(x)',
  layout: 'sum((rearrange(x : (a b) -> b a, a: 2) @ stack([x[..2], x[2..]])) ^ 2)',
  network: 'sum(m(x[_, ..]) ^ 2)',
  loss: 'sum(cross_entropy(rearrange(x : (a b) -> a b, a: 2), i32(fill_one())))',
  record: 'both(x).first * sum(both(x).second)',
  stopped: 'sum(x ^ 2 * stop_gradient(x))',
  loop: 'sum(running(x, x[0]) ^ 2)',
  'loop backwards': 'sum(backwards(x).all * x) + backwards(x).last',
  'loop over rows': 'sum(recurrence(rearrange(x : (a b) -> a b, a: 2), x))',
}

const source = `
fn norm_of(x: f32[n]) -> f32 = sqrt(sum(x ^ 2))
fn fill_one() -> f32[2] = f32(arange(2))
fn running(x: f32[n], gain: f32) -> f32[n] {
  var h = 0.5
  let all = for v in along(x, axis: 0) {
    set h = tanh(h * gain + v * sum(x))
    yield h * v
  }
  return all
}
fn backwards(x: f32[n]) -> { all: f32[n], last: f32 } {
  var state = { h: x[1], c: 0.0 }
  let all = for v in along(x, axis: -1, reverse: true) {
    let old = state.h
    set state = { h: sin(state.c + v), c: state.c * old + v ^ 2 }
    yield state.c
  }
  return { all, last: state.h }
}
fn recurrence(x: f32[n, t], w: f32[k]) -> f32[n] {
  var h: f32[n] = zeros()
  for a, b in zip(along(x, axis: 1), along(x ^ 2, axis: 1)) { set h = exp(-0.5 * h) * a + b * mean(w) }
  return h
}
fn both(x: f32[n]) -> { first: f32, second: f32[n] } = { first: sum(sin(x)), second: x ^ 2 }
`

const layers = { m: 'Mlp([4, 3, 2], activation: tanh)' }

const cases: Record<string, Case> = {}
for (const [name, number] of Object.entries(numbers)) {
  const inputs = { x: 'f32[4]', w: 'f32[4]' }
  cases[name] = { inputs, layers, value: `${number} + 0 * sum(w)` }
  cases[`${name} once`] = { inputs, layers, value: `gradient(${number}, x) + 0 * w` }
  cases[`${name} twice`] = { inputs, layers, value: `gradient(sum(gradient(${number}, x) * w), x)` }
}
const evaluations = await evaluate(cases, source)

const at = {
  x: [0.3, -0.7, 1.1, 0.2],
  w: [0.5, -1, 2, 0.25],
  'm.hidden[0].weight': [0.3, -0.2, 0.5, 0.1, 0.7, -0.6, 0.2, 0.4, -0.1, 0.8, -0.3, 0.2],
  'm.hidden[0].offset': [0.1, -0.2, 0.3],
  'm.head.weight': [0.4, -0.5, 0.6, 0.2, 0.9, -0.7],
  'm.head.offset': [0.05, -0.1],
}

/** Fourth-order central differences of a vector function along each axis. */
function differences(f: (x: readonly number[]) => readonly number[]): number[][] {
  const h = 1e-3
  return at.x.map((_, i) => {
    const moved = (by: number) => f(at.x.map((x, j) => (j === i ? x + by * h : x)))
    const [a, b, c, d] = [moved(-2), moved(-1), moved(1), moved(2)]
    return a!.map((_, k) => (a![k]! - 8 * b![k]! + 8 * c![k]! - d![k]!) / (12 * h))
  })
}

for (const name of Object.keys(numbers)) {
  test(`gradient of ${name}`, async () => {
    await startBackend('cpu')
    inDouble(() => {
      const value = (x: readonly number[]) => evaluations[name]!.value({ ...at, x })
      const expected = differences(value).map(row => row[0]!)
      const stopped = name === 'stopped' ? at.x.map(x => 2 * x * x) : expected
      near(evaluations[`${name} once`]!.value(at), stopped, 1e-8, name)
    })
  })

  test(`gradient of the gradient of ${name}`, async () => {
    await startBackend('cpu')
    inDouble(() => {
      const once = (x: readonly number[]) => evaluations[`${name} once`]!.value({ ...at, x })
      const jacobian = differences(once)
      // d/dx_i sum_k g_k(x) w_k; what is stopped counts as a constant.
      const expected = jacobian.map(row => row.reduce((sum, g, k) => sum + g * at.w[k]!, 0))
      const stopped = name === 'stopped' ? at.x.map((x, i) => 2 * x * at.w[i]!) : expected
      near(evaluations[`${name} twice`]!.value(at), stopped, 1e-7, name)
    })
  })

  test(`the tape differentiates the gradient of ${name}`, async () => {
    await startBackend('cpu')
    inDouble(() => {
      const tape = evaluations[`${name} once`]!.gradient(at, at.w).x!
      near(tape, evaluations[`${name} twice`]!.value(at), 1e-9, name)
    })
  })
}

const sums: Readonly<
  Record<string, { readonly value: string; readonly expected: (a: number[][], b: number[][]) => number[] }>
> = {
  'matrix product': {
    value: 'einsum(a, b : i k, k j -> i j)',
    expected: (a, b) =>
      a.flatMap(row =>
        b[0]!.map((_, j) =>
          dot(
            row,
            b.map(r => r[j]!),
          ),
        ),
      ),
  },
  'product turned': {
    value: 'einsum(a, b : i k, k j -> j i)',
    expected: (a, b) =>
      b[0]!.flatMap((_, j) =>
        a.map(row =>
          dot(
            row,
            b.map(r => r[j]!),
          ),
        ),
      ),
  },
  'sum of one': {
    value: 'einsum(a : i k -> k)',
    expected: a => a[0]!.map((_, k) => a.reduce((sum, row) => sum + row[k]!, 0)),
  },
  'rows of both': { value: 'einsum(a, a : i k, i k -> i)', expected: a => a.map(row => dot(row, row)) },
  outer: {
    value: 'einsum(a, b : i k, l j -> i j)',
    expected: (a, b) => a.flatMap(row => b[0]!.map((_, j) => total(row) * total(b.map(r => r[j]!)))),
  },
  three: {
    value: 'einsum(a, b, a : i k, k j, i k -> i j)',
    expected: (a, b) =>
      a.flatMap(row => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * x * b[k]![j]!, 0))),
  },
}
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const total = (a: readonly number[]): number => a.reduce((sum, x) => sum + x, 0)

const products = await evaluate(
  Object.fromEntries(
    Object.entries(sums).map(([name, { value }]) => [
      name,
      { inputs: { a: 'f32[2, 3]', b: 'f32[3, 4]' }, value: `${value} + 0 * (sum(a) + sum(b))` },
    ]),
  ),
)
const a = [
  [1, -2, 3],
  [0.5, 4, -1],
]
const b = [
  [2, 1, 0, -1],
  [0.5, -3, 2, 1],
  [1, 1, -2, 4],
]

for (const [name, { expected }] of Object.entries(sums)) {
  test(`einsum: ${name}`, async () => {
    await startBackend('cpu')
    inDouble(() => near(products[name]!.value({ a: a.flat(), b: b.flat() }), expected(a, b), 1e-12, name))
  })
}

test.run()
