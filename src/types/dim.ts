import { bug } from '../base/bug.ts'
import { isNatural, type Least, lowerBound, neverZero, upperBound } from './bounds.ts'
import * as floor from './floor.ts'
import type { Polynomial } from './polynomial.ts'
import * as poly from './polynomial.ts'
import { readPolynomial } from './reading.ts'
import { restate } from './restating.ts'
import { printJavaScript, printPolynomial } from './spelling.ts'

/**
 * A symbolic size, canonical: a number where it is known, else the normal form of a polynomial over dimension
 * variables as text (`2 * batch + 1`). Equal sizes are equal values, so `===` decides equality within the polynomial
 * fragment; {@link compareDims} says more.
 *
 * A shape may hold one entry `...s`, which stands for any number of dimensions (see tensor.ts).
 */
export type Dim = number | string

/** What is known of whether two sizes are the same one. */
export type Comparison = 'equal' | 'different' | 'unknown'

/** Reads a size in ltm's spelling; undefined where the text is none. */
export function parseDim(text: string): Dim | undefined {
  const value = readPolynomial(text)
  return value && dimOf(value)
}

/** Whether a size is a number. */
export function isKnown(d: Dim): d is number {
  return typeof d === 'number'
}

/** Whether an entry of a shape is a rest such as `...s`, any number of dimensions: no size, and nothing to calculate with. */
export function isRest(d: Dim): d is `...${string}` {
  return typeof d === 'string' && d.startsWith('...')
}

/** The text of a size. */
export function showDim(d: Dim): string {
  return String(d)
}

// Most sizes are numbers or single variables: those take no polynomial.

/** Whether a size is nothing but a variable. */
function isVariable(d: Dim): d is string {
  return typeof d === 'string' && /^[A-Za-z_][\w']*$/.test(d)
}

export function add(a: Dim, b: Dim): Dim {
  if (isKnown(a) && isKnown(b) && Number.isSafeInteger(a + b)) return a + b
  return dimOf(poly.add(polynomialOf(a), polynomialOf(b)))
}

export function subtract(a: Dim, b: Dim): Dim {
  if (isKnown(a) && isKnown(b) && Number.isSafeInteger(a - b)) return a - b
  return dimOf(poly.subtract(polynomialOf(a), polynomialOf(b)))
}

export function multiply(a: Dim, b: Dim): Dim {
  if (isKnown(a) && isKnown(b) && Number.isSafeInteger(a * b)) return a * b
  return dimOf(poly.multiply(polynomialOf(a), polynomialOf(b)))
}

/** The product of some sizes; that of none is 1. */
export function product(dims: readonly Dim[]): Dim {
  return dims.reduce((result, d) => multiply(result, d), 1)
}

/** `a ^ n` for a whole n of at least 0. */
export function power(a: Dim, n: number): Dim {
  if (!Number.isInteger(n) || n < 0) bug(`a size to the power of ${n}`)
  return dimOf(poly.power(polynomialOf(a), n))
}

/**
 * `a / b` where it provably comes out even; undefined otherwise, and {@link divisibility} then says whether it never does.
 */
export function exactDivide(a: Dim, b: Dim): Dim | undefined {
  const quotient = poly.divideExactly(polynomialOf(a), polynomialOf(b))
  return quotient && isWhole(quotient) ? dimOf(quotient) : undefined
}

/** Whether b divides a: always, never, or depending on the values of the variables. */
export function divisibility(a: Dim, b: Dim): 'exact' | 'inexact' | 'unknown' {
  if (exactDivide(a, b) !== undefined) return 'exact'
  if (b === 0) return 'inexact'
  return compareDims(modulo(a, b), 0) === 'different' ? 'inexact' : 'unknown'
}

/** `a` divided by `b` and rounded down. A division by the number 0 stays as it is written, and is never a number. */
export function floorDivide(a: Dim, b: Dim): Dim {
  return dimOf(floor.floorDivide(polynomialOf(a), polynomialOf(b)))
}

/** `a` divided by `b` and rounded up. */
export function ceilDivide(a: Dim, b: Dim): Dim {
  return floorDivide(subtract(add(a, b), 1), b)
}

/** The remainder that goes with {@link floorDivide}: for a positive `b` it lies in [0, b). */
export function modulo(a: Dim, b: Dim): Dim {
  return dimOf(floor.modulo(polynomialOf(a), polynomialOf(b)))
}

export function maximum(a: Dim, b: Dim): Dim {
  return dimOf(floor.extreme('max', [polynomialOf(a), polynomialOf(b)]))
}

export function minimum(a: Dim, b: Dim): Dim {
  return dimOf(floor.extreme('min', [polynomialOf(a), polynomialOf(b)]))
}

/**
 * What a variable is at least, unless the caller knows better: a size is at least 1, a call such as `len(sizes)` at least 0.
 */
export const leastSize: Least = variable => (variable.endsWith(')') ? 0 : 1)

/**
 * Whether two sizes are the same for all, no, or some values of their variables: `different` needs a proof, from the sign
 * of the difference or from divisibility. A division's right side is taken to be positive. Of a rest nothing is known but that it is itself.
 */
export function compareDims(a: Dim, b: Dim, least: Least = leastSize): Comparison {
  if (a === b) return 'equal'
  if (isKnown(a) && isKnown(b)) return 'different'
  if (isRest(a) || isRest(b)) return 'unknown'
  const difference = inFull(poly.subtract(polynomialOf(a), polynomialOf(b)))
  if (difference.terms.length === 0) return 'equal'
  if (neverZero(difference)) return 'different'
  const [low, high] = [lowerBound(difference, least), upperBound(difference, least)]
  const apart = (low !== undefined && low.numerator > 0n) || (high !== undefined && high.numerator < 0n)
  return apart ? 'different' : 'unknown'
}

/** Whether `a >= b` for all values of the variables (true), for none (false), or neither is proved. */
export function isAtLeast(a: Dim, b: Dim, least: Least = leastSize): boolean | undefined {
  const difference = inFull(poly.subtract(polynomialOf(a), polynomialOf(b)))
  if (isNatural(difference, least)) return true
  const high = upperBound(difference, least)
  return high !== undefined && high.numerator < 0n ? false : undefined
}

/** Puts sizes in the place of variables (and of named atoms, by their whole text), all at once. */
export function substitute(d: Dim, bindings: ReadonlyMap<string, Dim>): Dim {
  if (isKnown(d) || bindings.size === 0) return d
  if (isVariable(d)) return bindings.get(d) ?? d
  const value = (name: string): Polynomial | undefined => {
    const bound = bindings.get(name)
    return bound === undefined ? undefined : polynomialOf(bound)
  }
  return dimOf(floor.rebuild(polynomialOf(d), value))
}

/**
 * A size in terms of others alone, by their names: `2 * batch * t + 1` where `rows` is `batch * t` is `2 * rows + 1`. The names
 * occur in none of the sizes. Undefined where these do not tell it.
 */
export function restated(d: Dim, givens: ReadonlyMap<string, Dim>): Dim | undefined {
  const known = [...givens].map(([name, dim]) => ({ name, value: polynomialOf(dim) }))
  const value = isKnown(d) ? polynomialOf(d) : restate(polynomialOf(d), known)
  return value && dimOf(value)
}

/** Whether the values of some sizes tell that of another one. */
export function isToldBy(d: Dim, sizes: readonly Dim[]): boolean {
  if (isKnown(d) || sizes.includes(d)) return true
  const givens = sizes.filter(size => typeof size === 'string' && !isRest(size))
  return !isRest(d) && restated(d, new Map(givens.map((size, i) => [`size'${i}`, size]))) !== undefined
}

/** The variables and named atoms that a size depends on. */
export function variablesOf(d: Dim): ReadonlySet<string> {
  if (isVariable(d)) return new Set([d])
  const names = new Set<string>()
  if (!isKnown(d)) collectVariables(polynomialOf(d), names)
  return names
}

/** The value of a size where those of all its variables are given. */
export function evaluate(d: Dim, values: ReadonlyMap<string, number>): number {
  return isKnown(d) ? d : numberOf(polynomialOf(d), values)
}

/** The parts of `d = coefficient * variable + rest`; undefined where the variable stands in a power, a floor, or not at all. */
export function linearIn(
  d: Dim,
  variable: string,
): { readonly coefficient: Dim; readonly rest: Dim } | undefined {
  if (d === variable && isVariable(d)) return { coefficient: 1, rest: 0 }
  if (isKnown(d) || isVariable(d)) return undefined
  const value = polynomialOf(d)
  const at = (x: Dim): Polynomial => polynomialOf(substitute(d, new Map([[variable, x]])))
  const rest = at(0)
  const coefficient = poly.subtract(at(1), rest)
  const rebuilt = poly.add(poly.multiply(coefficient, poly.ofVariable(variable)), rest)
  const linear = coefficient.terms.length > 0 && poly.same(rebuilt, value)
  return linear ? { coefficient: dimOf(coefficient), rest: dimOf(rest) } : undefined
}

/**
 * A size as a JavaScript expression at the level of a sum, for emitters; `name` spells a variable. It is exact as long as
 * the numbers stay below 2^53.
 */
export function renderDim(d: Dim, name: (variable: string) => string): string {
  return printJavaScript(polynomialOf(d), name, value => isNatural(value, leastSize))
}

const known = new Map<string, Polynomial>()

/** The polynomial behind a size; reading is remembered by text. */
function polynomialOf(d: Dim): Polynomial {
  if (isKnown(d)) return poly.constant(BigInt(d))
  const remembered = known.get(d)
  if (remembered !== undefined) return remembered
  const value = readPolynomial(d) ?? bug(`\`${d}\` is not a size`)
  known.set(d, value)
  return value
}

/** The size that a polynomial is; whole numbers beyond 2^53 stay text. */
function dimOf(value: Polynomial): Dim {
  const number = poly.constantOf(value)
  if (number !== undefined && number.denominator === 1n && Number.isSafeInteger(Number(number.numerator))) {
    return Number(number.numerator)
  }
  const text = printPolynomial(value)
  if (!known.has(text)) known.set(text, value)
  return text
}

function inFull(value: Polynomial): Polynomial {
  return floor.rebuild(value, () => undefined, 'full')
}

const mostResidues = 4096

/** Whether a polynomial is whole for all whole values of its atoms: it is, if it is on one period of the denominator. */
function isWhole(value: Polynomial): boolean {
  if (value.denominator === 1n) return true
  const atoms = poly.atomsOf(value)
  const period = Number(value.denominator)
  if (period ** atoms.length > mostResidues) return false
  const residues = Array.from({ length: period ** atoms.length }, (_, i) => i)
  return residues.every(i => {
    const point = new Map(atoms.map((atom, k) => [atom.key, Math.floor(i / period ** k) % period]))
    const at = poly.replaceAtoms(value, atom => poly.constant(BigInt(point.get(atom.key) ?? 0)))
    return at.denominator === 1n
  })
}

function collectVariables(value: Polynomial, names: Set<string>): void {
  for (const atom of poly.atomsOf(value)) {
    if (atom.kind === 'variable') names.add(atom.key)
    else if (atom.kind === 'max' || atom.kind === 'min')
      for (const arg of atom.args) collectVariables(arg, names)
    else for (const part of [atom.of, atom.by]) collectVariables(part, names)
  }
}

function numberOf(value: Polynomial, values: ReadonlyMap<string, number>): number {
  const sum = value.terms.reduce((total, term) => {
    const factors = term.factors.map(({ atom, power }) => atomValue(atom, values) ** power)
    return factors.reduce((product, factor) => product * factor, Number(term.coefficient)) + total
  }, 0)
  return sum / Number(value.denominator)
}

function atomValue(atom: poly.Atom, values: ReadonlyMap<string, number>): number {
  switch (atom.kind) {
    case 'variable':
      return values.get(atom.key) ?? bug(`no value for the size ${atom.key}`)
    case 'max':
      return Math.max(...atom.args.map(arg => numberOf(arg, values)))
    case 'min':
      return Math.min(...atom.args.map(arg => numberOf(arg, values)))
    case 'div':
      return Math.floor(numberOf(atom.of, values) / numberOf(atom.by, values))
    case 'mod':
      return bug('a remainder outside of the printer')
  }
}
