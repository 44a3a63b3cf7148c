import type { Domain, Hyper } from '../../ir/ir.ts'

/** The values of a trial's hypers, as they are given on a command line. */
export type Choice = Readonly<Record<string, string>>

/** A hyper that a sweep varies. */
export interface Varied {
  readonly name: string
  readonly type: Hyper['type']
  readonly domain: Domain
}

/** Uniform numbers in [0, 1), the same ones for a seed: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** A value of each hyper at random, on the scale of its domain. */
export function drawn(space: readonly Varied[], random: () => number): Choice {
  return Object.fromEntries(space.map(each => [each.name, valueAt(each, random())]))
}

/** All combinations of `points` values of each range, ends included, and of all choices. */
export function gridOf(space: readonly Varied[], points: number): readonly Choice[] {
  return space.reduce<readonly Choice[]>(
    (rows, each) => {
      const values = [...new Set(gridValues(each, points))]
      return rows.flatMap(row => values.map(value => ({ ...row, [each.name]: value })))
    },
    [{}],
  )
}

function gridValues(each: Varied, points: number): readonly string[] {
  const { kind, values } = each.domain
  if (kind === 'choice') return values.map(String)
  return Array.from({ length: points }, (_, i) => valueAt(each, points === 1 ? 0.5 : i / (points - 1)))
}

/** The value at a share of the domain, from 0 to 1. */
function valueAt({ type, domain: { kind, values } }: Varied, share: number): string {
  if (kind === 'choice') return String(values[Math.min(Math.floor(share * values.length), values.length - 1)])
  const [low = 0, high = 1] = values.map(Number)
  const value = kind === 'range' ? low + share * (high - low) : low * (high / low) ** share
  return type === 'int' ? String(Math.round(value)) : String(Number(value.toPrecision(6)))
}
