import { RunError } from './errors.ts'
import type { DatasetSpec } from './training.ts'

/** Row numbers of each split, ascending, so that what isn't shuffled keeps the order of the source. */
export type SplitRows = ReadonlyMap<string, Int32Array>

/**
 * Deals all rows to the splits in the order of `permutation`. Sizes are the shares of the rows, rounded so that they add
 * up; with `labels`, each label is dealt by itself, and what rounding gave one label is taken back from the next; of a dataset that is split by
 * groups, the labels say what stays together.
 */
export function splitRows(spec: DatasetSpec, permutation: Int32Array, labels?: readonly string[]): SplitRows {
  if (spec.split.length === 0) return new Map([['train', permutation.toSorted()]])
  checkShares(spec)
  const shares = withRest(spec.split.map(([, share]) => share))
  const dealt = shares.map((): number[] => [])
  const owed = shares.map(() => 0)
  if (spec.group === undefined)
    for (const stratum of strata(permutation, labels)) deal(stratum, shares, owed, dealt)
  else dealWhole(strata(permutation, labels), shares, permutation.length, dealt)
  const splits = spec.split.map(([name], index) => [name, Int32Array.from(dealt[index]!).sort()] as const)
  checkNotEmpty(spec, splits, permutation.length)
  return new Map(splits)
}

/** Where the shares leave some rows unused, those are one more split without a name. */
function withRest(shares: readonly number[]): readonly number[] {
  const rest = 1 - shares.reduce((sum, share) => sum + share, 0)
  return rest > tolerance ? [...shares, rest] : shares
}

const tolerance = 1e-9

function strata(permutation: Int32Array, labels: readonly string[] | undefined): Iterable<readonly number[]> {
  if (labels === undefined) return [[...permutation]]
  const byLabel = new Map<string, number[]>()
  for (const row of permutation) {
    const label = labels[row]!
    const stratum = byLabel.get(label)
    if (stratum === undefined) byLabel.set(label, [row])
    else stratum.push(row)
  }
  return byLabel.values()
}

/**
 * Deals one stratum in consecutive runs. Each row counts for the split that is owed most, which rounds as the method of
 * largest remainders does; `owed` carries the remainders over to the next stratum.
 */
function deal(rows: readonly number[], shares: readonly number[], owed: number[], dealt: number[][]): void {
  const sizes = shares.map(() => 0)
  for (const [index, share] of shares.entries()) owed[index]! += rows.length * share
  for (let row = 0; row < rows.length; row++) {
    const split = mostOwed(owed)
    owed[split]!--
    sizes[split]!++
  }
  let start = 0
  for (const [index, size] of sizes.entries()) {
    for (let at = start; at < start + size; at++) dealt[index]!.push(rows[at]!)
    start += size
  }
}

/** Deals groups as they are, each to the split that lacks the most rows. */
function dealWhole(
  groups: Iterable<readonly number[]>,
  shares: readonly number[],
  count: number,
  dealt: number[][],
): void {
  const owed = shares.map(share => share * count)
  for (const group of groups) {
    const split = mostOwed(owed)
    owed[split]! -= group.length
    for (const row of group) dealt[split]!.push(row)
  }
}

function mostOwed(owed: readonly number[]): number {
  let most = 0
  for (const [index, amount] of owed.entries()) if (amount > owed[most]! + tolerance) most = index
  return most
}

function checkShares(spec: DatasetSpec): void {
  const wrong = spec.split.find(([, share]) => !(share >= 0 && share <= 1 + tolerance))
  if (wrong !== undefined) throw problem(spec, `split \`${wrong[0]}\` can't take a share of ${wrong[1]}`)
  const sum = spec.split.reduce((total, [, share]) => total + share, 0)
  if (sum > 1 + 1e-6)
    throw problem(spec, `its splits take ${Number(sum.toPrecision(6))} of the rows together`)
}

function checkNotEmpty(
  spec: DatasetSpec,
  splits: readonly (readonly [name: string, rows: Int32Array])[],
  count: number,
): void {
  const empty = splits.find(([, rows], index) => rows.length === 0 && spec.split[index]![1] > 0)
  if (empty === undefined) return
  const share = spec.split.find(([name]) => name === empty[0])![1]
  throw problem(spec, `split \`${empty[0]}\` (${share} of ${count} rows) would have no examples`)
}

function problem(spec: DatasetSpec, what: string): RunError {
  return new RunError({
    code: 'LTM5108',
    message: `dataset \`${spec.name}\`: ${what}`,
    trace: spec.trace,
    help: 'shares are at least 0 and add up to at most 1, such as `split train: 0.8, val: 0.1, test: 0.1`',
  })
}
