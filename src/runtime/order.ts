import { createHash } from 'node:crypto'

/** The order in which the rows of a dataset are dealt to its splits: a pure function of its arguments. */
export function splitOrder(seed: number, dataset: string, rows: number): Int32Array {
  return permutation([seed, dataset, 'split'], rows)
}

/** The order of a shuffled split in an epoch: a pure function of its arguments, so a resumed run has the same. */
export function epochOrder(
  seed: number,
  dataset: string,
  split: string,
  epoch: number,
  rows: number,
): Int32Array {
  return permutation([seed, dataset, 'epoch', split, epoch], rows)
}

type Place = readonly (string | number)[]

/** Fisher and Yates' shuffle: each place, from the last, is swapped with one drawn from those up to it. */
function permutation(place: Place, count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index)
  const draws = words(place, count)
  for (let last = count - 1; last > 0; last--) {
    const drawn = Math.floor((draws[last]! / 2 ** 32) * (last + 1))
    const kept = order[last]!
    order[last] = order[drawn]!
    order[drawn] = kept
  }
  return order
}

const wordsPerBlock = 8

/** Counter-based random words: block after block, the SHA-256 hash of the place and the block's number. */
function words(place: Place, count: number): Uint32Array {
  const result = new Uint32Array(Math.ceil(count / wordsPerBlock) * wordsPerBlock)
  for (let block = 0; block * wordsPerBlock < count; block++) {
    const hash = createHash('sha256')
      .update(JSON.stringify([...place, block]))
      .digest()
    for (let word = 0; word < wordsPerBlock; word++) {
      result[block * wordsPerBlock + word] = hash.readUInt32LE(word * 4)
    }
  }
  return result
}
