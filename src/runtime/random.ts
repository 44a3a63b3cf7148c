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

/** Uniform in [low, high): 24 bits, as many as a float's mantissa has. Rounding up to `high` gives `low` instead. */
export function uniformArray(key: Key, count: number, low = 0, high = 1): Float32Array {
  const bulk = bulkUniform(key, count, low, high)
  if (bulk !== undefined) return bulk
  const words = threefryWords(key.high, key.low, count)
  const result = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const value = Math.fround(low + (high - low) * ((words[i]! >>> 8) * 2 ** -24))
    result[i] = value < high ? value : low
  }
  return result
}

/** Normal by Box and Muller (1958): a block of two words gives two values. No logarithm is taken of 0. */
export function normalArray(key: Key, count: number, mean = 0, std = 1): Float32Array {
  const words = wordsOf(key, count + (count & 1))
  const result = new Float32Array(count)
  for (let i = 0; i < count; i += 2) {
    const radius = std * Math.sqrt(-2 * Math.log((words[i]! + 1) * 2 ** -32))
    const angle = 2 * Math.PI * 2 ** -32 * words[i + 1]!
    result[i] = mean + radius * Math.cos(angle)
    if (i + 1 < count) result[i + 1] = mean + radius * Math.sin(angle)
  }
  return result
}

/** 1 with probability p, else 0. */
export function bernoulliArray(key: Key, count: number, p: number): Uint8Array {
  const bulk = bulkBernoulli(key, count, p)
  if (bulk !== undefined) return bulk
  const words = threefryWords(key.high, key.low, count)
  const limit = p * 2 ** 32
  const result = new Uint8Array(count)
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

/** The numbers of a tensor of {@link uniformArray}, row-major. */
export function uniformTensor(key: Key, shape: readonly number[], low: number, high: number): Float32Array {
  const values = new Float32Array(countOf(shape))
  return filled(values, key, shape, (own, count) => uniformArray(own, count, low, high))
}

/** The numbers of a tensor of {@link normalArray}, row-major. */
export function normalTensor(key: Key, shape: readonly number[], mean: number, std: number): Float32Array {
  const values = new Float32Array(countOf(shape))
  return filled(values, key, shape, (own, count) => normalArray(own, count, mean, std))
}

/** The numbers of a tensor of {@link bernoulliArray}, row-major. */
export function bernoulliTensor(key: Key, shape: readonly number[], p: number): Uint8Array {
  const values = new Uint8Array(countOf(shape))
  return filled(values, key, shape, (own, count) => bernoulliArray(own, count, p))
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

/** Draws of one key, or row by row of those that the examples of a key of rows have. */
function filled<T extends Float32Array | Uint8Array>(
  values: T,
  key: Key,
  shape: readonly number[],
  draw: (key: Key, count: number) => T,
): T {
  const { rows } = key
  if (rows === undefined) return draw(key, values.length)
  if (shape[0] !== rows.length) return bug('a draw for examples without an axis of examples')
  const size = countOf(shape.slice(1))
  for (let i = 0; i < rows.length; i++) values.set(draw(key.at(rows[i] ?? 0), size), i * size)
  return values
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
