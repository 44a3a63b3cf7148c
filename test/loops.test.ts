/** Loops over an axis: their values, draws and empty axes. Their gradients are tested with those of everything else. */
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startBackend } from '../src/runtime/backends.ts'
import { slices, stacked } from '../src/runtime/slices.ts'
import { evaluate, inDouble } from './kit/evaluate.ts'
import { near } from './kit/near.ts'

const test = suite('loops over an axis')

const source = `
fn sums(x: f32[n, t]) -> f32[n, t] {
  var total: f32[n] = zeros()
  let all = for v in along(x, axis: 1) { set total = total + v  yield total }
  return all
}
fn tails(x: f32[n, t]) -> f32[n, t] {
  var total: f32[n] = zeros()
  let all = for v in along(x, axis: -1, reverse: true) { set total = total + v  yield total }
  return all
}
fn fibonacci(x: f32[t]) -> f32[t] {
  var a = 0.0
  var b = 1.0
  let all = for v in along(x, axis: 0) {
    let old = a
    set a = b
    set b = old + b
    yield a + 0 * v
  }
  return all
}
fn swapped(x: f32[t]) -> f32[2] {
  var pair = { a: 1.0, b: 2.0 }
  for v in along(x, axis: 0) { set pair = { a: pair.b, b: pair.a } }
  return stack([pair.a, pair.b])
}
fn weighted(x: f32[n, t], w: f32[t, n]) -> f32[n] {
  var total: f32[n] = zeros()
  for v, u in zip(along(x, axis: 1), along(w, axis: 0)) { set total = total + v * u }
  return total
}
fn spread(x: f32[n, t]) -> f32[n, t] {
  var low: f32[n] = fill(100.0)
  let all = for v in along(x, axis: 1) {
    set low = where(v < low, v, low)
    yield { low, both: stack([v, low], axis: 1) }
  }
  return all.both[.., .., 0] - all.low
}
fn reset(x: f32[n, t], start: f32[n]) -> f32[n] {
  var h = start
  for v in along(x, axis: 1) { set h = 0.5 }
  return h
}
fn noise(x: f32[t]) -> f32[t] {
  let all = for v in along(x, axis: 0) { yield v + normal(like: v) }
  return all
}
`

const x = { x: 'f32[2, 3]' }
const cases = await evaluate(
  {
    sums: { inputs: x, value: 'sums(x)' },
    tails: { inputs: x, value: 'tails(x)' },
    fibonacci: { inputs: { x: 'f32[6]' }, value: 'fibonacci(x)' },
    swapped: { inputs: { x: 'f32[3]' }, value: 'swapped(x)' },
    weighted: { inputs: { ...x, w: 'f32[3, 2]' }, value: 'weighted(x, w)' },
    spread: { inputs: x, value: 'spread(x)' },
    reset: { inputs: x, value: 'reset(x, x[.., 0])' },
    noise: { inputs: { x: 'f32[4]' }, value: 'noise(x)' },
  },
  source,
)
const at = { x: [1, 2, 3, -4, 5, 6] }

const expected: Readonly<Record<string, readonly [Record<string, number[] | number>, number[]]>> = {
  sums: [at, [1, 3, 6, -4, 1, 7]],
  tails: [at, [6, 5, 3, 7, 11, 6]],
  fibonacci: [{ x: 0 }, [1, 1, 2, 3, 5, 8]],
  swapped: [{ x: 0 }, [2, 1]],
  spread: [at, [0, 1, 2, 0, 9, 10]],
  reset: [at, [0.5, 0.5]],
  weighted: [{ ...at, w: [1, 10, 2, 20, 3, 30] }, [14, 240]],
}

for (const [name, [given, values]] of Object.entries(expected)) {
  test(`${name}`, async () => {
    await startBackend('cpu')
    inDouble(() => near(cases[name as keyof typeof cases].value(given), values, 1e-12, name))
  })
}

test('every round draws its own numbers, the same ones again', async () => {
  await startBackend('cpu')
  const first = cases.noise.value({ x: 0 })
  assert.is(new Set(first).size, 4)
  assert.equal(cases.noise.value({ x: 0 }), first)
})

test('an axis of size 0 has no rounds', async () => {
  await startBackend('cpu')
  const empty = tf.zeros([2, 0])
  assert.equal(slices([empty, 1]), [])
  assert.equal(stacked([], 1, [2, 0]).shape, [2, 0])
})

test.run()
