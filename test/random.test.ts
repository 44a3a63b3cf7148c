import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as random from '../src/runtime/random.ts'
import { threefry, threefryWords } from '../src/runtime/threefry.ts'

const { rootKey, uniformArray, normalArray, bernoulliArray, permutation } = random

const count = 100_000

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
}

function variance(values: ArrayLike<number>): number {
  const center = mean(values)
  return mean(Array.from(values, value => (value - center) ** 2))
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ma, mb] = [mean(a), mean(b)]
  const products = Array.from(a, (value, i) => (value - ma) * (b[i]! - mb))
  return mean(products) / Math.sqrt(variance(a) * variance(b))
}

/** Within so many standard errors; with fixed seeds the outcome never changes. */
function near(actual: number, expected: number, error: number, what: string): void {
  assert.ok(Math.abs(actual - expected) < 4 * error, `${what}: ${actual}, not about ${expected}`)
}

function hex(words: Iterable<number>): string {
  return Array.from(words, word => word.toString(16).padStart(8, '0')).join(' ')
}

const generator = suite('generator')

generator('gives the published vectors of Threefry-2x32', () => {
  const ones = 0xffffffff
  // Known answers of the Random123 library: key, counter, rounds.
  assert.is(hex(threefry(0, 0, 0, 0, 20)), '6b200159 99ba4efe')
  assert.is(hex(threefry(ones, ones, ones, ones, 20)), '1cb996fc bb002be7')
  assert.is(hex(threefry(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 20)), 'c4923a9c 483df7a0')
  assert.is(hex(threefry(0, 0, 0, 0, 13)), '9d1c5ec6 8bd50731')
  assert.is(hex(threefry(ones, ones, ones, ones, 13)), 'fd36d048 2d17272c')
  assert.is(hex(threefry(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 13)), 'ba3e4725 f27d669e')
})

generator('the loop that is written out is the same function', () => {
  const words = threefryWords(0x9e3779b9, 0x7f4a7c15, 2001)
  for (let block = 0; block < 1000; block++)
    assert.equal([...words.subarray(2 * block, 2 * block + 2)], threefry(0x9e3779b9, 0x7f4a7c15, block, 0))
  assert.is(words[2000], threefry(0x9e3779b9, 0x7f4a7c15, 1000, 0)[0])
})

generator('every bit is set half of the time, and neighbouring words share half of their bits', () => {
  const { high, low } = rootKey(11)
  const words = threefryWords(high, low, count)
  const error = 0.5 / Math.sqrt(count)
  for (let bit = 0; bit < 32; bit++) {
    near(mean(words.map(word => (word >>> bit) & 1)), 0.5, error, `bit ${bit}`)
    near(
      mean(words.map((word, i) => ((word ^ words[i + 1]!) >>> bit) & 1).slice(1)),
      0.5,
      error,
      `change of bit ${bit}`,
    )
  }
})

generator.run()

const keys = suite('keys')

keys('golden: derived keys never change silently', () => {
  const key = rootKey(1, 'net', 'hidden', 3)
  assert.is(hex([key.high, key.low]), 'c4af0d59 fe04e372')
  assert.equal(rootKey(2 ** 32 + 5).high, 1)
})

keys('places are told apart: order, kind, boundaries, case', () => {
  const places = [
    ['a', 'b'],
    ['b', 'a'],
    ['ab'],
    ['a'],
    [],
    ['1'],
    [1],
    [-1],
    ['ab', ''],
    ['', 'ab'],
    ['A'],
    ['ß'],
    [0],
    [1.5],
    ['a\0'],
  ]
  const names = places.map(path => rootKey(1, ...path)).map(({ high, low }) => `${high} ${low}`)
  assert.is(new Set(names).size, places.length)
})

keys('a key is a pure function of its path', () => {
  const a = rootKey(9).at('x').at(2)
  const b = rootKey(9, 'x', 2)
  assert.equal([a.high, a.low], [b.high, b.low])
})

keys('draws below neighbouring places and seeds are uncorrelated', () => {
  const base = normalArray(rootKey(1).at(0), count)
  const others = [rootKey(1).at(1), rootKey(2).at(0), rootKey(1).at('0'), rootKey(1), rootKey(1).at(0).at(0)]
  for (const [i, key] of others.entries())
    near(correlation(base, normalArray(key, count)), 0, 1 / Math.sqrt(count), `other ${i}`)
})

keys.run()

const draws = suite('draws')
const key = rootKey(42, 'draws')

draws('golden: the first values never change silently', () => {
  const show = (values: Iterable<number>) => Array.from(values, value => value.toPrecision(8)).join(' ')
  assert.is(show(uniformArray(key, 4)), '0.28577483 0.62785125 0.50935024 0.035745263')
  assert.is(show(normalArray(key, 4)), '-1.0989455 -1.1390439 1.1323940 0.25869375')
  assert.is([...bernoulliArray(key, 16, 0.5)].join(''), '1001011110100110')
  assert.is([...permutation(key, 10)].join(' '), '4 6 1 9 7 0 8 3 2 5')
})

draws('a longer draw begins with a shorter one', () => {
  for (const draw of [uniformArray, normalArray]) assert.equal(draw(key, 7), draw(key, 100).slice(0, 7))
})

draws('uniform: mean, variance, range, no correlation between neighbours', () => {
  const values = uniformArray(key, count)
  near(mean(values), 0.5, Math.sqrt(1 / 12 / count), 'mean')
  near(variance(values), 1 / 12, Math.sqrt(1 / 180 / count), 'variance')
  assert.ok(values.every(value => value >= 0 && value < 1))
  near(correlation(values.subarray(1), values.subarray(0, -1)), 0, 1 / Math.sqrt(count), 'neighbours')
  const wide = uniformArray(key, count, -3, 5)
  assert.ok(wide.every(value => value >= -3 && value < 5))
  near(mean(wide), 1, 8 * Math.sqrt(1 / 12 / count), 'mean of [-3, 5)')
})

draws('uniform: cells are filled evenly, in one dimension and in pairs', () => {
  const values = uniformArray(key, count)
  const cells = new Array<number>(256).fill(0)
  for (let i = 0; i < count; i += 2)
    cells[Math.floor(values[i]! * 16) * 16 + Math.floor(values[i + 1]! * 16)]!++
  const expected = count / 2 / 256
  const chi2 = cells.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0)
  near(chi2, 255, Math.sqrt(2 * 255), 'χ²')
})

draws('uniform never rounds up to its end', () => {
  const high = Math.fround(1 + 2 ** -22)
  assert.ok(uniformArray(key, count, 1, high).every(value => value < high))
})

draws('normal: moments and tails', () => {
  const values = normalArray(key, count)
  near(mean(values), 0, 1 / Math.sqrt(count), 'mean')
  near(variance(values), 1, Math.sqrt(2 / count), 'variance')
  near(mean(values.map(value => value ** 3)), 0, Math.sqrt(15 / count), 'third moment')
  near(mean(values.map(value => value ** 4)), 3, Math.sqrt(96 / count), 'fourth moment')
  const beyond = mean(values.map(value => (Math.abs(value) > 1.96 ? 1 : 0)))
  near(beyond, 0.05, Math.sqrt((0.05 * 0.95) / count), 'share beyond 1.96')
  const even = values.filter((_, i) => i % 2 === 0)
  const odd = values.filter((_, i) => i % 2 === 1)
  near(correlation(even, odd), 0, 1 / Math.sqrt(count / 2), 'the two of a block')
  const shifted = normalArray(key, count, 5, 0.1)
  near(mean(shifted), 5, 0.1 / Math.sqrt(count), 'mean 5')
})

draws('bernoulli: the share is p, and 0 and 1 are certain', () => {
  for (const p of [0.1, 0.5, 0.9])
    near(mean(bernoulliArray(key, count, p)), p, Math.sqrt((p * (1 - p)) / count), `p = ${p}`)
  assert.is(mean(bernoulliArray(key, count, 0)), 0)
  assert.is(mean(bernoulliArray(key, count, 1)), 1)
})

draws('permutation: each number once, each place equally likely', () => {
  assert.equal(
    [...permutation(key, 100)].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  )
  assert.equal([...permutation(key, 0)], [])
  const places = Array.from({ length: 20_000 }, (_, i) => permutation(key.at(i), 6).indexOf(2))
  for (let place = 0; place < 6; place++)
    near(
      places.filter(at => at === place).length / 20_000,
      1 / 6,
      Math.sqrt(5 / 36 / 20_000),
      `place ${place}`,
    )
})

draws('tensors hold the same numbers in the right shape and dtype, and are all that is made', async () => {
  await tf.setBackend('cpu')
  const before = tf.memory().numTensors
  const made = [
    random.uniform(key, [2, 3], -1, 1),
    random.normal(key, [3]),
    random.bernoulli(key, [2, 2], 0.5),
    random.normal(key, []),
  ]
  assert.is(tf.memory().numTensors - before, made.length)
  assert.equal(
    made.map(tensor => tensor.shape),
    [[2, 3], [3], [2, 2], []],
  )
  assert.equal(
    made.map(tensor => tensor.dtype),
    ['float32', 'float32', 'bool', 'float32'],
  )
  assert.equal([...made[0]!.dataSync()], [...uniformArray(key, 6, -1, 1)])
  for (const tensor of made) tensor.dispose()
  assert.is(tf.memory().numTensors, before)
})

draws.run()
