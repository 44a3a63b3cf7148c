import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../base/bug.ts'
import { bulkBernoulli, bulkUniform, bulkWords } from './bulk.ts'
import { threefry, threefryWords } from './threefry.ts'

/**
 * The key of a counter-based generator: two 32-bit words. Draws are pure functions of a key and an index, so the same
 * program gives the same numbers on every engine, in any order, and after a resume.
 */
export interface Key {
  readonly high: number
  readonly low: number
  /** The key of a named or numbered place below this one (a module's path, a call, a loop index). */
  at(place: string | number): Key
  /** The examples that tensors are drawn for, where each has draws of its own, whatever others are drawn beside it. */
  readonly rows?: ArrayLike<number>
}

/** The key of a seed, or of places below it. */
export function rootKey(seed: number, ...places: readonly (string | number)[]): Key {
  const root = keyOf(Math.floor(seed / 2 ** 32) >>> 0, seed >>> 0)
  return places.reduce<Key>((key, place) => key.at(place), root)
}

/** The key with these two words. */
export function keyOf(high: number, low: number): Key {
  return { high, low, at: place => placeBelow(high, low, place) }
}

/** A key whose tensors have an example's draws in each of their rows. */
export function keyOfRows(key: Key, rows: ArrayLike<number>): Key {
  return { ...key, rows, at: place => keyOfRows(key.at(place), rows) }
}

/** Second words of the counters that derive keys; draws have 0 there, so no key is ever a draw. */
const numbered = 1
const textEnd = 2
const textPart = 3

function placeBelow(high: number, low: number, place: string | number): Key {
  if (typeof place === 'number' && Number.isInteger(place) && Math.abs(place) < 2 ** 31)
    return derive(high, low, place | 0, numbered)
  const text = String(place)
  let key = keyOf(high, low)
  for (let i = 0; i < text.length; i += 2) {
    const units = text.charCodeAt(i) | ((text.charCodeAt(i + 1) || 0) << 16)
    key = derive(key.high, key.low, units, textPart + i)
  }
  return derive(key.high, key.low, text.length, textEnd)
}

function derive(high: number, low: number, word: number, tag: number): Key {
  const [newHigh, newLow] = threefry(high, low, word, tag)
  return keyOf(newHigh, newLow)
}

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function wordsOf(key: Key, count: number): Uint32Array {
  return bulkWords(key, count) ?? threefryWords(key.high, key.low, count)
}

/**
 * Uniform in [low, high): 24 bits, as many as a float's mantissa has. Rounding up to `high` gives `low` instead. Like the others
 * it fills and gives back `result`, where there is one to use again.
 */
export function uniformArray(
  key: Key,
  count: number,
  low = 0,
  high = 1,
  result: Float32Array = new Float32Array(count),
): Float32Array {
  if (bulkUniform(key, result, low, high)) return result
  const words = threefryWords(key.high, key.low, count)
  for (let i = 0; i < count; i++) {
    const value = Math.fround(low + (high - low) * ((words[i]! >>> 8) * 2 ** -24))
    result[i] = value < high ? value : low
  }
  return result
}

/** Normal by Box and Muller (1958): a block of two words gives two values. No logarithm is taken of 0. */
export function normalArray(
  key: Key,
  count: number,
  mean = 0,
  std = 1,
  result: Float32Array = new Float32Array(count),
): Float32Array {
  const words = wordsOf(key, count + (count & 1))
  for (let i = 0; i < count; i += 2) {
    const radius = std * Math.sqrt(-2 * Math.log((words[i]! + 1) * 2 ** -32))
    const angle = 2 * Math.PI * 2 ** -32 * words[i + 1]!
    result[i] = mean + radius * Math.cos(angle)
    if (i + 1 < count) result[i + 1] = mean + radius * Math.sin(angle)
  }
  return result
}

/** 1 with probability p, else 0. */
export function bernoulliArray(
  key: Key,
  count: number,
  p: number,
  result: Uint8Array = new Uint8Array(count),
): Uint8Array {
  if (bulkBernoulli(key, result, p)) return result
  const words = threefryWords(key.high, key.low, count)
  const limit = p * 2 ** 32
  for (let i = 0; i < count; i++) result[i] = words[i]! < limit ? 1 : 0
  return result
}

/**
 * The numbers from 0 to n - 1 in random order (Fisher and Yates). Scaling a word to a range favours some places by at
 * most n / 2³², which no run can notice.
 */
export function permutation(key: Key, n: number): Int32Array {
  const words = wordsOf(key, n)
  const order = new Int32Array(n).map((_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(words[i]! * 2 ** -32 * (i + 1))
    const moved = order[i]!
    order[i] = order[j]!
    order[j] = moved
  }
  return order
}

// ── Tensors ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The numbers of a tensor of {@link uniformArray}, row-major; they fill `values`, which a step may use again. */
export function uniformTensor(
  key: Key,
  shape: readonly number[],
  low: number,
  high: number,
  values: Float32Array = new Float32Array(countOf(shape)),
): Float32Array {
  drawParts(key, shape, (own, from, to) => {
    uniformArray(own, to - from, low, high, values.subarray(from, to))
  })
  return values
}

/** The numbers of a tensor of {@link normalArray} in the same way. */
export function normalTensor(
  key: Key,
  shape: readonly number[],
  mean: number,
  std: number,
  values: Float32Array = new Float32Array(countOf(shape)),
): Float32Array {
  drawParts(key, shape, (own, from, to) => {
    normalArray(own, to - from, mean, std, values.subarray(from, to))
  })
  return values
}

/** The numbers of a tensor of {@link bernoulliArray} in the same way. */
export function bernoulliTensor(
  key: Key,
  shape: readonly number[],
  p: number,
  values: Uint8Array = new Uint8Array(countOf(shape)),
): Uint8Array {
  drawParts(key, shape, (own, from, to) => {
    bernoulliArray(own, to - from, p, values.subarray(from, to))
  })
  return values
}

/** Draws from [low, high). */
export function uniform(key: Key, shape: readonly number[], low = 0, high = 1): tf.Tensor {
  return tf.tensor(uniformTensor(key, shape, low, high), [...shape])
}

/** Draws from a normal distribution. */
export function normal(key: Key, shape: readonly number[], mean = 0, std = 1): tf.Tensor {
  return tf.tensor(normalTensor(key, shape, mean, std), [...shape])
}

/** A boolean tensor, true with probability p. */
export function bernoulli(key: Key, shape: readonly number[], p: number): tf.Tensor {
  return tf.tensor(bernoulliTensor(key, shape, p), [...shape], 'bool')
}

/** Draws of one key, or row by row of those that the examples of a key of rows have; `draw` fills a part of the tensor. */
function drawParts(
  key: Key,
  shape: readonly number[],
  draw: (key: Key, from: number, to: number) => void,
): void {
  const { rows } = key
  if (rows === undefined) return draw(key, 0, countOf(shape))
  if (shape[0] !== rows.length) return bug('a draw for examples without an axis of examples')
  const size = countOf(shape.slice(1))
  for (let i = 0; i < rows.length; i++) draw(key.at(rows[i] ?? 0), i * size, (i + 1) * size)
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
