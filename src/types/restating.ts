import { rebuildAtoms } from './floor.ts'
import {
  type Atom,
  add,
  atomsOf,
  type Factor,
  fraction,
  monomial,
  multiply,
  ofVariable,
  type Polynomial,
  quotientFactors,
  same,
  scale,
  subtract,
  zero,
} from './polynomial.ts'

/** A polynomial whose value is known, by the name that it is to have; the name occurs in no polynomial yet. */
export interface Given {
  readonly name: string
  readonly value: Polynomial
}

/** What a product is in terms of what is known: where `rows` is `batch * t + 1`, `batch * t` is `rows - 1`. */
interface Rule {
  readonly product: readonly Factor[]
  readonly value: Polynomial
}

/**
 * A polynomial in terms of given ones alone: `2 * batch * t + 3` is `2 * rows + 1`. Undefined where they don't tell it. This is
 * elimination with products of variables as the unknowns: what only a quotient of two given ones would tell is not found.
 */
export function restate(a: Polynomial, givens: readonly Given[]): Polynomial | undefined {
  const names = new Set(givens.map(({ name }) => name))
  const rules: Rule[] = []
  for (const { name, value } of givens) {
    const rest = reduced(value, rules)
    const untold = rest.terms.filter(({ factors }) => !factors.every(({ atom }) => isTold(atom, names)))
    const [leading] = untold.toSorted((x, y) => depthOf(y.factors) - depthOf(x.factors))
    if (leading === undefined) continue
    const { coefficient, factors: product } = leading
    const others = subtract(rest, monomial(product, fraction(coefficient, rest.denominator)))
    rules.push({
      product,
      value: scale(subtract(ofVariable(name), others), fraction(rest.denominator, coefficient)),
    })
  }
  const result = reduced(a, rules)
  return atomsOf(result).every(atom => isTold(atom, names)) ? result : undefined
}

/** Each product of a rule replaced, outside of floors and inside, until none is left. Every rule leads to lesser products. */
function reduced(a: Polynomial, rules: readonly Rule[]): Polynomial {
  const outside = a.terms.reduce((sum, { coefficient, factors }) => {
    const [rule, left] = applicable(factors, rules) ?? []
    const by = fraction(coefficient, a.denominator)
    if (rule === undefined || left === undefined) return add(sum, monomial(factors, by))
    return add(sum, multiply(monomial(left, by), rule.value))
  }, zero)
  if (!same(outside, a)) return reduced(outside, rules)
  const inside = rebuildAtoms(a, part => reduced(part, rules))
  return same(inside, a) ? a : reduced(inside, rules)
}

/** How deep floors and extremes stand in each other: what replaces a product must never stand deeper than itself. */
function depthOf(factors: readonly Factor[]): number {
  return Math.max(0, ...factors.map(({ atom }) => depthOfAtom(atom)))
}

function depthOfAtom(atom: Atom): number {
  return 1 + Math.max(0, ...partsOf(atom).flatMap(part => part.terms.map(({ factors }) => depthOf(factors))))
}

function partsOf(atom: Atom): readonly Polynomial[] {
  if (atom.kind === 'variable') return []
  return atom.kind === 'max' || atom.kind === 'min' ? atom.args : [atom.of, atom.by]
}

function applicable(
  factors: readonly Factor[],
  rules: readonly Rule[],
): readonly [Rule, readonly Factor[]] | undefined {
  for (const rule of rules) {
    const left = quotientFactors(factors, rule.product)
    if (left !== undefined) return [rule, left]
  }
  return undefined
}

function isTold(atom: Atom, names: ReadonlySet<string>): boolean {
  if (atom.kind === 'variable') return names.has(atom.key)
  return partsOf(atom).every(part => atomsOf(part).every(inner => isTold(inner, names)))
}
