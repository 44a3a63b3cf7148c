import {
  type Atom,
  add,
  atomsOf,
  constant,
  constantOf,
  divide,
  type Factor,
  type Fraction,
  floorQuotient,
  fraction,
  gcd,
  multiply,
  ofAtom,
  type Polynomial,
  quotientFactors,
  replaceAtoms,
  same,
  scale,
  subtract,
  type Term,
  zero,
} from './polynomial.ts'
import { printPolynomial, printQuotient } from './spelling.ts'

/**
 * How far floors are taken apart. `readable` keeps `(n - k) div 2` as it was written; `full` knows that it is
 * `(n + k) div 2 - k`, and merges floors of symbolic divisors too.
 */
export type Effort = 'readable' | 'full'

/**
 * `floor(a / b)` in normal form. Every rewrite holds for all integers where the divisor isn't 0; the two that are marked
 * take the divisor to be positive, as each size and stride is. A division by 0 stays as it is written.
 */
export function floorDivide(a: Polynomial, b: Polynomial, effort: Effort = 'readable'): Polynomial {
  if (b.terms.length === 0) return divAtom(a, b)
  const [over, by] = wholePositive(a, b)
  const { quotient, remainder } = divide(over, by, digitOf(effort))
  if (quotient.terms.length > 0) return add(quotient, floorDivide(remainder, by, effort))
  if (over.terms.length === 0) return zero
  const simpler = withoutContent(over, by) ?? withoutCommonFactor(over, by) ?? unnested(over, by, effort)
  return simpler === undefined ? divAtom(over, by) : floorDivide(...simpler, effort)
}

/** `a - b * floor(a / b)`: the remainder that goes with {@link floorDivide}. */
export function modulo(a: Polynomial, b: Polynomial, effort: Effort = 'readable'): Polynomial {
  return subtract(a, multiply(b, floorDivide(a, b, effort)))
}

/** The largest or smallest of some polynomials; arguments that differ by a number are compared at once. */
export function extreme(kind: 'max' | 'min', args: readonly Polynomial[]): Polynomial {
  const flat = args.flatMap(arg => flattened(kind, arg))
  const kept = flat.filter((arg, i) => !flat.some((other, j) => i !== j && yields(kind, arg, other, i > j)))
  const sorted = kept
    .map(arg => ({ arg, text: printPolynomial(arg) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
  const [first, ...more] = sorted
  if (first === undefined) return zero
  if (more.length === 0) return first.arg
  const key = `${kind}(${sorted.map(({ text }) => text).join(', ')})`
  return ofAtom({ kind, key, args: sorted.map(({ arg }) => arg) })
}

/** Rebuilds a polynomial with other values for its variables, which also normalises its floors anew. */
export function rebuild(
  a: Polynomial,
  variable: (name: string) => Polynomial | undefined,
  effort: Effort = 'readable',
): Polynomial {
  return rebuildAtoms(a, part => rebuild(part, variable, effort), variable, effort)
}

/** Rebuilds a polynomial with other parts in its floors and extremes, and other values for the variables outside of these. */
export function rebuildAtoms(
  a: Polynomial,
  inner: (part: Polynomial) => Polynomial,
  variable: (name: string) => Polynomial | undefined = () => undefined,
  effort: Effort = 'readable',
): Polynomial {
  return replaceAtoms(a, atom => {
    if (atom.kind === 'variable') return variable(atom.key) ?? ofAtom(atom)
    if (atom.kind === 'div') return floorDivide(inner(atom.of), inner(atom.by), effort)
    if (atom.kind === 'mod') return modulo(inner(atom.of), inner(atom.by), effort)
    return extreme(atom.kind, atom.args.map(inner))
  })
}

function divAtom(of: Polynomial, by: Polynomial): Polynomial {
  return ofAtom({ kind: 'div', key: printQuotient(of, by), of, by })
}

/** Both times the same number, so that all coefficients are whole and the divisor's first one is positive. */
function wholePositive(a: Polynomial, b: Polynomial): readonly [Polynomial, Polynomial] {
  const sign = b.terms[0]!.coefficient < 0n ? -1n : 1n
  const times = fraction(sign * a.denominator * b.denominator, gcd(a.denominator, b.denominator))
  return [scale(a, times), scale(b, times)]
}

/** (P + k·d) div d = k + P div d: how much of each coefficient leaves the floor. A number keeps 0 ≤ r < d. */
function digitOf(effort: Effort) {
  return (coefficient: Fraction, leading: Fraction, factors: readonly Factor[]): Fraction => {
    const [c, d] = [coefficient.numerator, leading.numerator]
    const down = effort === 'full' || factors.length === 0
    return { numerator: down ? floorQuotient(c, d) : c / d, denominator: 1n }
  }
}

/** (c·P + r) div (c·d) = (P + r div c) div d, for a positive d where c doesn't divide r. */
function withoutContent(a: Polynomial, b: Polynomial): readonly [Polynomial, Polynomial] | undefined {
  const symbolic = [...a.terms.filter(term => term.factors.length > 0), ...b.terms]
  const content = symbolic.reduce((common, term) => gcd(common, term.coefficient), 0n)
  if (content === 1n) return undefined
  const by = { numerator: 1n, denominator: content }
  const number = a.terms.find(term => term.factors.length === 0)?.coefficient ?? 0n
  const rounded = constant(floorQuotient(number, content))
  return [add(scale(subtract(a, constant(number)), by), rounded), scale(b, by)]
}

/** (x·P) div (x·d) = P div d. */
function withoutCommonFactor(a: Polynomial, b: Polynomial): readonly [Polynomial, Polynomial] | undefined {
  const terms = [...a.terms, ...b.terms]
  const common = terms[0]!.factors.find(({ atom }) =>
    terms.every(term => term.factors.some(f => f.atom.key === atom.key)),
  )
  if (common === undefined) return undefined
  const without = (p: Polynomial): Polynomial => ({
    ...p,
    terms: p.terms.map(term => takeOut(term, common.atom)),
  })
  return [without(a), without(b)]
}

function takeOut(term: Term, atom: Atom): Term {
  return { coefficient: term.coefficient, factors: quotientFactors(term.factors, [{ atom, power: 1 }])! }
}

/** (P div c + Q) div d = (P + c·Q) div (c·d), for a positive d. */
function unnested(
  a: Polynomial,
  b: Polynomial,
  effort: Effort,
): readonly [Polynomial, Polynomial] | undefined {
  const floors = atomsOf(a).filter(atom => atom.kind === 'div')
  const [floor] = floors
  if (floor === undefined || floors.length > 1) return undefined
  if (effort === 'readable' && (!constantOf(b) || !constantOf(floor.by))) return undefined
  const rest = subtract(a, ofAtom(floor))
  if (floor.by.terms.length === 0 || atomsOf(rest).some(atom => atom.key === floor.key)) return undefined
  return [add(floor.of, multiply(floor.by, rest)), multiply(floor.by, b)]
}

function flattened(kind: 'max' | 'min', arg: Polynomial): readonly Polynomial[] {
  const [atom] = atomsOf(arg)
  return atom?.kind === kind && same(arg, ofAtom(atom)) ? atom.args : [arg]
}

/** Whether `arg` never decides beside `other`: it is the same (and comes later), or differs by a number to the wrong side. */
function yields(kind: 'max' | 'min', arg: Polynomial, other: Polynomial, later: boolean): boolean {
  const difference = constantOf(kind === 'max' ? subtract(other, arg) : subtract(arg, other))
  if (difference === undefined) return false
  return difference.numerator > 0n || (difference.numerator === 0n && later)
}
