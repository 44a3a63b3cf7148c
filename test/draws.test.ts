/** Random draws on WebAssembly against those of JavaScript, bit for bit. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Draws, drawsAtOnce, drawsOn } from '../src/runtime/draws.ts'
import * as random from '../src/runtime/random.ts'
import { threefry, threefryWords } from '../src/runtime/threefry.ts'
import { type Memory, newMemory } from '../src/runtime/webassembly.ts'

const { rootKey, uniformArray, normalArray, bernoulliArray, permutation } = random

const draws = suite('draws')

const keys = [rootKey(3), random.keyOf(0, 0), random.keyOf(0xffffffff, 0xffffffff), rootKey(-5, 'a')]
const counts = [0, 1, 2, 15, 16, 17, 1000, 4096]
const chances = [0, 1e-12, 0.1, 0.5, 1 - 2 ** -40, 1, 1.5, -1, Number.NaN]
const ranges = [
  [0, 1],
  [-0.3, 0.7],
  [5, 5],
  [1e30, -1e30],
  [0, 1e-45],
  [16777215, 16777217],
] as const

/** What the draws in JavaScript are, number by number. */
const uniformOf = (word: number, low: number, high: number): number => {
  const value = Math.fround(low + (high - low) * ((word >>> 8) * 2 ** -24))
  return Math.fround(value < high ? value : low)
}
const bernoulliOf = (word: number, p: number): number => (word < p * 2 ** 32 ? 1 : 0)

/** Room for so many draws, rounded up, and then for some that nothing may change. */
function withDraws(use: (kernels: Draws, memory: Memory) => void): void {
  const memory = newMemory(4 * 4096 + 64)!
  use(drawsOn(memory), memory)
}

draws('draws of a kernel are those of JavaScript, from any place on', () => {
  withDraws((kernels, { buffer }) => {
    for (const key of keys)
      for (const count of counts)
        for (const first of [0, 2, 1000, 2 ** 31, 2 ** 32 - 8]) {
          const behind = Math.ceil(count / drawsAtOnce) * drawsAtOnce
          const bytes = new Uint8Array(buffer).fill(9)
          kernels.words(key, 0, first, count)
          const counters = Array.from({ length: Math.ceil(count / 2) }, (_, i) => first / 2 + i)
          const expected = counters.flatMap(counter => threefry(key.high, key.low, counter, 0))
          assert.equal([...new Uint32Array(buffer, 0, count)], expected.slice(0, count))
          assert.ok(bytes.subarray(4 * behind).every(byte => byte === 9))
        }
  })
})

draws('uniform and yes or no draws of a kernel have the same bits', () => {
  withDraws((kernels, { buffer }) => {
    for (const key of keys)
      for (const count of counts) {
        const words = [...threefryWords(key.high, key.low, count)]
        for (const [low, high] of ranges) {
          kernels.uniform(key, 0, 0, count, low, high)
          const expected = words.map(word => uniformOf(word, low, high))
          assert.equal([...new Float32Array(buffer, 0, count)], expected, `from ${low} to ${high}`)
        }
        for (const p of chances) {
          const bytes = new Uint8Array(buffer).fill(9)
          kernels.bernoulli(key, 0, 0, count, p)
          const expected = words.map(word => bernoulliOf(word, p))
          assert.equal([...bytes.subarray(0, count)], expected, `${p}`)
          assert.is(bytes[Math.ceil(count / drawsAtOnce) * drawsAtOnce], 9)
        }
      }
  })
})

draws('the way that numbers are drawn does not show', () => {
  const key = rootKey(8, 'bulk')
  const large = 2 ** 20 + 5
  const draw = (n: number) => [
    uniformArray(key, n, -1, 2),
    bernoulliArray(key, n, 0.25),
    normalArray(key, n),
    threefryWords(key.high, key.low, n),
  ]
  const order = permutation(key, 3000)
  const small = draw(1000)
  const before = draw(5000)
  const numbers = draw(large)
  const after = draw(5000)
  for (const [i, many] of numbers.entries()) {
    assert.is(many.length, large)
    assert.equal(many.slice(0, 1000), small[i])
    assert.equal(many.slice(0, 5000), before[i])
    assert.equal(after[i], before[i])
  }
  const words = threefryWords(key.high, key.low, large)
  const [uniform, bernoulli] = numbers
  const wrong = words.findIndex(
    (word, i) => uniform![i] !== uniformOf(word, -1, 2) || bernoulli![i] !== bernoulliOf(word, 0.25),
  )
  assert.is(wrong, -1)
  assert.equal(permutation(key, 3000), order)
})

draws('what is drawn into an array that was used before is what a new one holds', () => {
  const key = rootKey(4, 'again')
  for (const count of [0, 1, 3, 1001, 5000]) {
    const floats = new Float32Array(count).fill(7)
    const bytes = new Uint8Array(count).fill(7)
    assert.is(uniformArray(key, count, -1, 1, floats), floats)
    assert.equal(floats, uniformArray(key, count, -1, 1))
    assert.is(normalArray(key, count, 2, 3, floats), floats)
    assert.equal(floats, normalArray(key, count, 2, 3))
    assert.is(bernoulliArray(key, count, 0.3, bytes), bytes)
    assert.equal(bytes, bernoulliArray(key, count, 0.3))
  }
})

draws('each row of a tensor for examples holds the draws of its own example, whatever stood there', () => {
  const key = rootKey(4, 'rows')
  const rows = [5, 0, 17]
  const own = random.keyOfRows(key, rows)
  for (const size of [3, 2000]) {
    const expected = rows.flatMap(row => [...uniformArray(key.at(row), size, -1, 1)])
    const used = new Float32Array(3 * size).fill(7)
    assert.equal([...random.uniformTensor(own, [3, size], -1, 1, used)], expected)
    const masks = rows.flatMap(row => [...bernoulliArray(key.at(row), size, 0.5)])
    assert.equal([...random.bernoulliTensor(own, [3, size], 0.5, new Uint8Array(3 * size).fill(7))], masks)
    const normals = rows.flatMap(row => [...normalArray(key.at(row), size)])
    assert.equal([...random.normalTensor(own, [3, size], 0, 1, used)], normals)
  }
})

draws.run()
