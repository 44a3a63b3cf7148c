/**
 * How long random draws take, by their number: `node --import tsx bench/draws.ts`. The loop in JavaScript, the kernel with the copy
 * out of its memory, and what programs call. Each number is the median of several rounds in one process.
 */
import { cpus } from 'node:os'
import { bulkWords } from '../src/runtime/bulk.ts'
import { bernoulliArray, normalArray, rootKey, uniformArray } from '../src/runtime/random.ts'
import { threefryWords } from '../src/runtime/threefry.ts'

const sizes = [2_000, 100_000, 1_000_000]
const key = rootKey(1)
const masks = new Uint8Array(1_000_000)

/** Nanoseconds per draw, after rounds that let V8 compile what is hot. */
function measured(count: number, draw: (count: number) => unknown): readonly number[] {
  for (let i = 0; i < 20; i++) draw(count)
  const times = Array.from({ length: 31 }, () => {
    const began = performance.now()
    draw(count)
    return ((performance.now() - began) * 1e6) / count
  })
  return times.sort((a, b) => a - b)
}

const ways: readonly (readonly [name: string, draw: (count: number) => unknown])[] = [
  ['words in JavaScript', count => threefryWords(key.high, key.low, count)],
  ['words by the kernel', count => bulkWords(key, count)],
  ['uniform', count => uniformArray(key, count, -1, 1)],
  ['yes or no', count => bernoulliArray(key, count, 0.5)],
  ['yes or no, in memory at hand', count => bernoulliArray(key, count, 0.5, masks.subarray(0, count))],
  ['normal', count => normalArray(key, count)],
]

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
console.log('| draws | count | ns per draw | least | most |')
console.log('| --- | ---: | ---: | ---: | ---: |')
// The kernel is compiled once that many have been asked for.
uniformArray(key, 2 ** 21)
for (const count of sizes)
  for (const [name, draw] of ways) {
    const times = measured(count, draw)
    const shown = [times[15], times[0], times.at(-1)].map(each => (each ?? Number.NaN).toFixed(2))
    console.log(`| ${name} | ${count} | ${shown.join(' | ')} |`)
  }
