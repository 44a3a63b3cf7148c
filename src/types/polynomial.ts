/**
 * Polynomials with rational coefficients over opaque integer atoms: the normal form behind {@link Dim}.
 *
 * A remainder `P % k` never occurs as an atom: it is `P - k * (P div k)`, which makes `k * (P div k) + P % k = P` true by
 * construction; only the printer puts it back together.
 */
export interface Polynomial {
  /** In graded lexicographic order, highest first; no coefficient is 0. */
  readonly terms: readonly Term[]
  /** Positive, and coprime to the coefficients taken together. */
  readonly denominator: bigint
}

export interface Term {
  readonly coefficient: bigint
  /** Sorted by the atoms' keys, each atom once. */
  readonly factors: readonly Factor[]
}

export interface Factor {
  readonly atom: Atom
  readonly power: number
}

/** What can't be taken apart. `key` is its canonical text; equal keys are equal atoms. `mod` exists in the printer only. */
export type Atom = Variable | Division<'div'> | Division<'mod'> | Extreme<'max'> | Extreme<'min'>

export interface Variable {
  readonly kind: 'variable'
  readonly key: string
}

export interface Division<Kind> {
  readonly kind: Kind
  readonly key: string
  readonly of: Polynomial
  readonly by: Polynomial
}

export interface Extreme<Kind> {
  readonly kind: Kind
  readonly key: string
  readonly args: readonly Polynomial[]
}

export interface Fraction {
  readonly numerator: bigint
  /** Positive. */
  readonly denominator: bigint
}

export const zero: Polynomial = { terms: [], denominator: 1n }
export const one: Polynomial = constant(1n)

/** A constant, `numerator / denominator`. */
export function constant(numerator: bigint, denominator = 1n): Polynomial {
  return monomial([], fraction(numerator, denominator))
}

/** An atom as a polynomial. */
export function ofAtom(atom: Atom): Polynomial {
  return { terms: [{ coefficient: 1n, factors: [{ atom, power: 1 }] }], denominator: 1n }
}

/** A variable, or a named atom such as `len(sizes)`, as a polynomial. */
export function ofVariable(name: string): Polynomial {
  return ofAtom({ kind: 'variable', key: name })
}

/** A product of atoms with a coefficient. */
export function monomial(factors: readonly Factor[], coefficient: Fraction): Polynomial {
  return normal([{ coefficient: coefficient.numerator, factors }], coefficient.denominator)
}

export function add(a: Polynomial, b: Polynomial): Polynomial {
  const left = a.terms.map(term => scaled(term, b.denominator))
  const right = b.terms.map(term => scaled(term, a.denominator))
  return normal([...left, ...right], a.denominator * b.denominator)
}

export function negate(a: Polynomial): Polynomial {
  return { terms: a.terms.map(term => scaled(term, -1n)), denominator: a.denominator }
}

export function subtract(a: Polynomial, b: Polynomial): Polynomial {
  return add(a, negate(b))
}

export function multiply(a: Polynomial, b: Polynomial): Polynomial {
  const products = a.terms.flatMap(x => b.terms.map(y => timesTerm(x, y)))
  return normal(products, a.denominator * b.denominator)
}

/** `a ^ exponent`, for a whole exponent of at least 0. */
export function power(a: Polynomial, exponent: number): Polynomial {
  let result = one
  for (let i = 0; i < exponent; i++) result = multiply(result, a)
  return result
}

/** `a` times a fraction. */
export function scale(a: Polynomial, by: Fraction): Polynomial {
  return normal(
    a.terms.map(term => scaled(term, by.numerator)),
    a.denominator * by.denominator,
  )
}

/** Whether two normal forms are the same. */
export function same(a: Polynomial, b: Polynomial): boolean {
  return subtract(a, b).terms.length === 0
}

/** The value of a polynomial without atoms. */
export function constantOf(a: Polynomial): Fraction | undefined {
  const [term, ...more] = a.terms
  if (term === undefined) return { numerator: 0n, denominator: 1n }
  if (more.length > 0 || term.factors.length > 0) return undefined
  return { numerator: term.coefficient, denominator: a.denominator }
}

/** Every atom that stands in it, not looking inside atoms. */
export function atomsOf(a: Polynomial): readonly Atom[] {
  const atoms = new Map<string, Atom>()
  for (const term of a.terms) for (const { atom } of term.factors) atoms.set(atom.key, atom)
  return [...atoms.values()]
}

/** Puts a polynomial in the place of each atom, all at once. */
export function replaceAtoms(a: Polynomial, replacement: (atom: Atom) => Polynomial): Polynomial {
  let sum = zero
  for (const term of a.terms) {
    const product = term.factors.reduce(
      (value, factor) => multiply(value, power(replacement(factor.atom), factor.power)),
      constant(term.coefficient, a.denominator),
    )
    sum = add(sum, product)
  }
  return sum
}

/**
 * Division with remainder, `a = quotient * b + remainder`, as one learns it at school. `digit` says how often the leading
 * coefficient of `b` goes into a coefficient; what it leaves over stays in the remainder. `b` isn't 0.
 */
export function divide(
  a: Polynomial,
  b: Polynomial,
  digit: (coefficient: Fraction, leading: Fraction, factors: readonly Factor[]) => Fraction,
): { readonly quotient: Polynomial; readonly remainder: Polynomial } {
  const [lead] = b.terms
  let quotient = zero
  let remainder = zero
  let rest = a
  while (rest.terms[0] !== undefined && lead !== undefined) {
    const term = rest.terms[0]
    const factors = quotientFactors(term.factors, lead.factors)
    if (factors !== undefined) {
      const times = digit(coefficientOf(rest, term), coefficientOf(b, lead), term.factors)
      const piece = monomial(factors, times)
      quotient = add(quotient, piece)
      rest = subtract(rest, multiply(piece, b))
    }
    const left = rest.terms[0]
    if (left === undefined || compareFactors(left.factors, term.factors) !== 0) continue
    const residue = monomial(left.factors, coefficientOf(rest, left))
    remainder = add(remainder, residue)
    rest = subtract(rest, residue)
  }
  return { quotient, remainder }
}

/** The quotient where nothing remains, over the rationals. */
export function divideExactly(a: Polynomial, b: Polynomial): Polynomial | undefined {
  if (b.terms.length === 0) return undefined
  const { quotient, remainder } = divide(a, b, divideFractions)
  return remainder.terms.length === 0 ? quotient : undefined
}

/** The factors that are left when `b` is taken out; undefined where it doesn't go in. */
export function quotientFactors(a: readonly Factor[], b: readonly Factor[]): readonly Factor[] | undefined {
  const powers = new Map(b.map(factor => [factor.atom.key, factor.power]))
  const left: Factor[] = []
  for (const { atom, power } of a) {
    const rest = power - (powers.get(atom.key) ?? 0)
    powers.delete(atom.key)
    if (rest < 0) return undefined
    if (rest > 0) left.push({ atom, power: rest })
  }
  return powers.size === 0 ? left : undefined
}

/** A fraction in lowest terms. */
export function fraction(numerator: bigint, denominator: bigint): Fraction {
  const common = gcd(numerator, denominator) * (denominator < 0n ? -1n : 1n)
  return { numerator: numerator / common, denominator: denominator / common }
}

export function divideFractions(a: Fraction, b: Fraction): Fraction {
  return fraction(a.numerator * b.denominator, a.denominator * b.numerator)
}

/** The greatest common divisor, at least 0; that of 0 and 0 is taken to be 1. */
export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x === 0n ? 1n : x
}

/** Rounds `a / b` down; `b` is positive. */
export function floorQuotient(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

/** Graded lexicographic order, higher first; it respects multiplication, which makes division end. */
export function compareFactors(a: readonly Factor[], b: readonly Factor[]): number {
  const byDegree = degree(b) - degree(a)
  if (byDegree !== 0) return byDegree
  for (const [i, x] of a.entries()) {
    const y = b[i]!
    if (x.atom.key !== y.atom.key) return x.atom.key < y.atom.key ? -1 : 1
    if (x.power !== y.power) return y.power - x.power
  }
  return 0
}

function degree(factors: readonly Factor[]): number {
  return factors.reduce((sum, factor) => sum + factor.power, 0)
}

function coefficientOf(a: Polynomial, term: Term): Fraction {
  return fraction(term.coefficient, a.denominator)
}

function scaled(term: Term, by: bigint): Term {
  return { coefficient: term.coefficient * by, factors: term.factors }
}

function timesTerm(a: Term, b: Term): Term {
  const factors = new Map(a.factors.map(factor => [factor.atom.key, factor]))
  for (const { atom, power } of b.factors) {
    factors.set(atom.key, { atom, power: power + (factors.get(atom.key)?.power ?? 0) })
  }
  const sorted = [...factors.values()].sort((x, y) => (x.atom.key < y.atom.key ? -1 : 1))
  return { coefficient: a.coefficient * b.coefficient, factors: sorted }
}

/** Sums like terms, drops zeros, cancels and sorts. */
function normal(terms: readonly Term[], denominator: bigint): Polynomial {
  const sums = new Map<string, Term>()
  for (const term of terms) {
    const key = term.factors.map(({ atom, power }) => `${atom.key}^${power}`).join('*')
    const known = sums.get(key)
    sums.set(key, { factors: term.factors, coefficient: term.coefficient + (known?.coefficient ?? 0n) })
  }
  const kept = [...sums.values()].filter(term => term.coefficient !== 0n)
  const common = kept.reduce((divisor, term) => gcd(divisor, term.coefficient), denominator)
  const cancelled = kept.map(term => ({ ...term, coefficient: term.coefficient / common }))
  cancelled.sort((a, b) => compareFactors(a.factors, b.factors))
  return { terms: cancelled, denominator: kept.length === 0 ? 1n : denominator / common }
}
