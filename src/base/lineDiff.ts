/** A line that both texts have, or only the old or the new one. */
export interface DiffLine {
  readonly kind: 'both' | 'old' | 'new'
  readonly text: string
}

/** More edits than this between two texts, and what differs is shown as replaced whole. */
const mostEdits = 1000

/**
 * The shortest way from one text to the other, line by line (E. W. Myers 1986, "An O(ND) difference algorithm and its
 * variations"). `furthest[k]` is how far in the old text `d` edits reach on the diagonal `old - new = k`.
 */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const rounds: Map<number, number>[] = []
  let furthest = new Map([[1, 0]])
  for (let d = 0; d <= Math.min(before.length + after.length, mostEdits); d++) {
    rounds.push(furthest)
    const next = new Map(furthest)
    for (let k = -d; k <= d; k += 2) {
      let x = stepsDown(furthest, k, d) ? at(furthest, k + 1) : at(furthest, k - 1) + 1
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++
      next.set(k, x)
      if (x >= before.length && x - k >= after.length) return backtrack(before, after, rounds)
    }
    furthest = next
  }
  return [...lines('old', before), ...lines('new', after)]
}

function at(furthest: ReadonlyMap<number, number>, k: number): number {
  return furthest.get(k) ?? -1
}

/** Whether the diagonal is best reached by a line of the new text. */
function stepsDown(furthest: ReadonlyMap<number, number>, k: number, d: number): boolean {
  return k === -d || (k !== d && at(furthest, k - 1) < at(furthest, k + 1))
}

function lines(kind: DiffLine['kind'], texts: readonly string[]): DiffLine[] {
  return texts.map(text => ({ kind, text }))
}

function backtrack(
  before: readonly string[],
  after: readonly string[],
  rounds: readonly ReadonlyMap<number, number>[],
): readonly DiffLine[] {
  const backwards: DiffLine[] = []
  let x = before.length
  let y = after.length
  for (let d = rounds.length - 1; d >= 0; d--) {
    const furthest = rounds[d]!
    const down = stepsDown(furthest, x - y, d)
    const k = down ? x - y + 1 : x - y - 1
    const fromX = at(furthest, k)
    const edited = d === 0 ? 0 : down ? fromX : fromX + 1
    for (; x > edited; x--, y--) backwards.push({ kind: 'both', text: before[x - 1]! })
    if (d === 0) break
    backwards.push(down ? { kind: 'new', text: after[--y]! } : { kind: 'old', text: before[--x]! })
  }
  return backwards.reverse()
}
