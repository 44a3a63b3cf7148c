import { type Draws, drawsOn, type KeyWords } from './draws.ts'
import { newMemory } from './webassembly.ts'

/** From so many draws on WebAssembly is faster, although it writes into a memory of its own first. */
const least = 1024
/** Draws that take about as long in JavaScript as it takes to write and compile the module; a run that makes fewer never does. */
const worth = 2 ** 20
/** Draws that the memory has room for. */
const most = 2 ** 14

/** How many draws have been asked for, of `least` or more at once. */
let asked = 0
let bulk: Bulk | undefined

interface Bulk {
  readonly draws: Draws
  readonly floats: Float32Array
  readonly words: Uint32Array
  readonly bytes: Uint8Array
}

/** What computes in 64 bits replaces the global one for a while. */
const Singles = Float32Array

type Numbers = Float32Array | Uint32Array | Uint8Array

/** The draws of `threefryWords`, where there are so many that it pays; else undefined. */
export function bulkWords(key: KeyWords, count: number): Uint32Array<ArrayBuffer> | undefined {
  const { draws, words } = bulkFor(count) ?? {}
  if (draws === undefined || words === undefined) return undefined
  const result = new Uint32Array(count)
  inPieces(result, words, (first, some) => draws.words(key, 0, first, some))
  return result
}

/** Fills an array with the draws of `uniformArray` in the same way; false where it has not. */
export function bulkUniform(key: KeyWords, result: Float32Array, low: number, high: number): boolean {
  const { draws, floats } = bulkFor(result.length) ?? {}
  if (draws === undefined || floats === undefined) return false
  inPieces(result, floats, (first, some) => draws.uniform(key, 0, first, some, low, high))
  return true
}

/** Fills an array with the draws of `bernoulliArray` in the same way. */
export function bulkBernoulli(key: KeyWords, result: Uint8Array, p: number): boolean {
  const { draws, bytes } = bulkFor(result.length) ?? {}
  if (draws === undefined || bytes === undefined) return false
  inPieces(result, bytes, (first, some) => draws.bernoulli(key, 0, first, some, p))
  return true
}

function bulkFor(count: number): Bulk | undefined {
  if (count < least) return undefined
  asked += count
  if (asked >= worth) bulk ??= newBulk()
  return bulk
}

/** Undefined where there is no room. */
function newBulk(): Bulk | undefined {
  const memory = newMemory(4 * most)
  if (memory === undefined) return undefined
  const { buffer } = memory
  const [words, bytes] = [new Uint32Array(buffer), new Uint8Array(buffer)]
  return { draws: drawsOn(memory), floats: new Singles(buffer), words, bytes }
}

/** Draws as many as the memory holds, again and again. */
function inPieces(result: Numbers, view: Numbers, draw: (first: number, count: number) => void): void {
  for (let first = 0; first < result.length; first += most) {
    const count = Math.min(most, result.length - first)
    draw(first, count)
    result.set(view.subarray(0, count), first)
  }
}
