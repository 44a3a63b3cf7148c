/**
 * Threefry-2x32, a counter-based generator: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011; rotations and the key schedule's constant are those of its table 2 and of Skein. Thirteen rounds
 * are the fewest that pass BigCrush there; the test compares with the published vectors.
 */
export const parity = 0x1bd11bda
export const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const
export const rounds = 13

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** The two words that belong to a key and a counter, as unsigned numbers. */
export function threefry(k0: number, k1: number, c0: number, c1: number, count = rounds): [number, number] {
  const keys = [k0 | 0, k1 | 0, k0 ^ k1 ^ parity]
  let x0 = (c0 + k0) | 0
  let x1 = (c1 + k1) | 0
  for (let round = 0; round < count; round++) {
    x0 = (x0 + x1) | 0
    x1 = rotate(x1, rotations[round % 8]!) ^ x0
    const step = (round + 1) / 4
    if (Number.isInteger(step)) {
      x0 = (x0 + keys[step % 3]!) | 0
      x1 = (x1 + keys[(step + 1) % 3]! + step) | 0
    }
  }
  return [x0 >>> 0, x1 >>> 0]
}

/**
 * The first `count` words of a key's sequence: those of the counters (0, 0), (1, 0), … in turn. The same function as
 * {@link threefry}, written out because the loop over rounds costs eight times as much.
 */
export function threefryWords(k0: number, k1: number, count: number): Uint32Array {
  const words = new Uint32Array(count)
  const k2 = k0 ^ k1 ^ parity
  for (let at = 0, counter = 0; at < count; at += 2, counter++) {
    let x0 = (counter + k0) | 0
    let x1 = k1 | 0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0
    x0 = (x0 + k1) | 0
    x1 = (x1 + k2 + 1) | 0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0
    x0 = (x0 + k2) | 0
    x1 = (x1 + k0 + 2) | 0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0
    x0 = (x0 + k0) | 0
    x1 = (x1 + k1 + 3) | 0
    x0 = (x0 + x1) | 0
    x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0
    words[at] = x0
    if (at + 1 < count) words[at + 1] = x1
  }
  return words
}
