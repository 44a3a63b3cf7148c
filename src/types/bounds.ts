import {
  type Atom,
  add,
  constant,
  constantOf,
  type Factor,
  type Fraction,
  fraction,
  gcd,
  negate,
  ofVariable,
  type Polynomial,
  replaceAtoms,
  scale,
  subtract,
  type Term,
} from './polynomial.ts'

/** The least value of a variable; undefined where it may be anything. */
export type Least = (variable: string) => number | undefined

/**
 * A number that a polynomial never falls below, where one is found.
 *
 * Each atom is replaced by its least value plus a slack of at least 0, and `P div k` by `(P - r) / k` with a remainder r
 * of its own. Then a term with a positive coefficient adds at least 0, and one with a negative coefficient at least its
 * value at the greatest slacks, where all of these are bounded.
 */
export function lowerBound(a: Polynomial, least: Least): Fraction | undefined {
  const slacks: Slacks = new Map()
  const shifted = inSlacks(a, least, slacks)
  let sum = 0n
  for (const term of shifted.terms) {
    const bound = termBound(term, slacks)
    if (bound === undefined) return undefined
    sum += bound
  }
  return fraction(sum, shifted.denominator)
}

/** A number that a polynomial never exceeds, where one is found. */
export function upperBound(a: Polynomial, least: Least): Fraction | undefined {
  const bound = lowerBound(negate(a), least)
  return bound && { numerator: -bound.numerator, denominator: bound.denominator }
}

/** By name: the most that a slack may be; undefined for no limit, and `free` where it isn't even known to be positive. */
type Slacks = Map<string, bigint | undefined | 'free'>

function inSlacks(a: Polynomial, least: Least, slacks: Slacks): Polynomial {
  return replaceAtoms(a, atom => slackened(atom, least, slacks))
}

function slackened(atom: Atom, least: Least, slacks: Slacks): Polynomial {
  if (atom.kind === 'div' || atom.kind === 'mod') {
    const by = constantOf(atom.by)
    if (by !== undefined && by.numerator > 0n && by.denominator === 1n) {
      const remainder = slack(`${atom.key} left`, by.numerator - 1n, slacks)
      if (atom.kind === 'mod') return remainder
      const rest = subtract(inSlacks(atom.of, least, slacks), remainder)
      return scale(rest, { numerator: 1n, denominator: by.numerator })
    }
  }
  const low = leastOf(atom, least)
  return low === undefined ? slack(atom.key, 'free', slacks) : add(low, slack(atom.key, undefined, slacks))
}

function slack(name: string, most: bigint | undefined | 'free', slacks: Slacks): Polynomial {
  slacks.set(name, most)
  return ofVariable(name)
}

function leastOf(atom: Atom, least: Least): Polynomial | undefined {
  if (atom.kind === 'variable') {
    const low = least(atom.key)
    return low === undefined ? undefined : constant(BigInt(low))
  }
  if (atom.kind === 'div')
    return isNatural(atom.of, least) && isNatural(atom.by, least) ? constant(0n) : undefined
  if (atom.kind === 'mod') return isNatural(atom.by, least) ? constant(0n) : undefined
  const bounds = atom.args.map(arg => lowerBound(arg, least))
  const known = bounds.filter(bound => bound !== undefined)
  if (atom.kind === 'min' && known.length < bounds.length) return undefined
  const sorted = known.sort((x, y) => compareFractions(x, y))
  const bound = atom.kind === 'min' ? sorted[0] : sorted.at(-1)
  return bound && constant(bound.numerator, bound.denominator)
}

/** Whether a polynomial is provably at least 0. */
export function isNatural(a: Polynomial, least: Least): boolean {
  const bound = lowerBound(a, least)
  return bound !== undefined && bound.numerator >= 0n
}

function compareFractions(a: Fraction, b: Fraction): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function termBound(term: Term, slacks: Slacks): bigint | undefined {
  if (term.factors.length === 0) return term.coefficient
  const limits = term.factors.map(factor => limitOf(factor, slacks))
  if (limits.some(limit => limit === 'free')) return undefined
  if (term.coefficient > 0n) return 0n
  return limits.reduce<bigint | undefined>(
    (product, limit) => (product === undefined || typeof limit !== 'bigint' ? undefined : product * limit),
    term.coefficient,
  )
}

function limitOf({ atom, power }: Factor, slacks: Slacks): bigint | undefined | 'free' {
  const most = slacks.get(atom.key)
  return typeof most === 'bigint' ? most ** BigInt(power) : most
}

/** Whether two values differ because their parity, or another remainder, does: `2 * n` is never `2 * m + 1`. */
export function neverZero(a: Polynomial): boolean {
  const number = a.terms.find(term => term.factors.length === 0)?.coefficient ?? 0n
  const symbolic = a.terms.filter(term => term.factors.length > 0)
  if (symbolic.length === 0) return number !== 0n
  const content = symbolic.reduce((common, term) => gcd(common, term.coefficient), 0n)
  return number % content !== 0n
}
