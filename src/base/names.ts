import { editDistance } from './suggest.ts'

/** The name that was probably meant: the nearest candidate, at most two edits away (one, for a word of three letters). */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let least = (word.length <= 3 ? 1 : 2) + 1
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= least) continue
    const distance = editDistance(word, candidate)
    if (distance >= least || distance >= candidate.length) continue
    best = candidate
    least = distance
  }
  return best
}
