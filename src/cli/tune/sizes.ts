import type { BatchTrial } from '../../runtime/batchTrial.ts'

/** What came of a batch size. */
export type Attempt =
  | ({ readonly kind: 'fits' } & BatchTrial)
  /** It takes more memory than there is, or than it may. */
  | { readonly kind: 'too large'; readonly why: string }
  /** The program does not compile with it; with another it may. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Something else went wrong, of which `said` tells all. */
  | { readonly kind: 'failed'; readonly why: string; readonly said: string }

export interface Tried {
  readonly size: number
  readonly attempt: Attempt
}

/** Which sizes there are: those of a choice, or all between two. */
export type Sizes =
  | { readonly kind: 'choice'; readonly values: readonly number[] }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }

/** Where the search between two sizes ends: they are so near each other, in parts of the smaller. */
const margin = 0.05

/**
 * Tries ever larger batches, each twice the last, until one is too large, fails or holds all examples. `binary` then halves the
 * gap between the largest that fits and the least that doesn't.
 */
export async function trySizes(
  sizes: Sizes,
  method: 'power' | 'binary',
  attempt: (size: number) => Promise<Attempt>,
): Promise<readonly Tried[]> {
  const tried: Tried[] = []
  const isLast = async (size: number): Promise<boolean> => {
    const found = await attempt(size)
    tried.push({ size, attempt: found })
    return found.kind === 'fits' ? found.whole : found.kind !== 'refused'
  }
  for (const size of growing(sizes)) if (await isLast(size)) break
  const bound = tried.at(-1)
  if (method === 'power' || sizes.kind === 'choice' || bound?.attempt.kind !== 'too large') return tried
  let [low, high] = [largestThatFits(tried)?.size ?? Number.NaN, bound.size]
  while (high - low > Math.max(1, low * margin)) {
    const middle = (low + high) >> 1
    if (await isLast(middle)) high = middle
    else low = middle
  }
  return tried.toSorted((a, b) => a.size - b.size)
}

function* growing(sizes: Sizes): Generator<number> {
  if (sizes.kind === 'choice') yield* sizes.values.toSorted((a, b) => a - b)
  else for (let size = sizes.from; size <= sizes.to; size *= 2) yield size
}

export type Fitting = Tried & { readonly attempt: Extract<Attempt, { kind: 'fits' }> }

const fits = (tried: Tried): tried is Fitting => tried.attempt.kind === 'fits'

/** The largest size that fits, if one does. */
export function largestThatFits(tried: readonly Tried[]): Fitting | undefined {
  return tried.filter(fits).reduce<Fitting | undefined>((a, b) => (a && a.size > b.size ? a : b), undefined)
}

/** Examples a second. */
export function speedOf({ attempt }: Fitting): number {
  return attempt.examples / attempt.seconds
}

/** The size that trains on the most examples a second; of those that differ by noise alone the smallest. */
export function fastest(tried: readonly Tried[]): Fitting | undefined {
  const most = Math.max(...tried.filter(fits).map(speedOf))
  return tried.filter(fits).find(each => speedOf(each) >= most * (1 - margin))
}
