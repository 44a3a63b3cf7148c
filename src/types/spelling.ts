import {
  type Atom,
  atomsOf,
  constant,
  type Division,
  type Factor,
  multiply,
  ofAtom,
  type Polynomial,
  scale,
  subtract,
  type Term,
} from './polynomial.ts'

/** How the parts of a polynomial are written: as ltm writes sizes, or as JavaScript computes them. */
interface Spelling {
  power(base: string, exponent: number): string
  /** The text of an atom; `loose` text needs parentheses inside of a product. */
  atom(atom: Atom): { readonly text: string; readonly loose: boolean }
  /** Whether `of - by * (of div by)` is written as a remainder. */
  remainder(of: Polynomial): boolean
}

const surface: Spelling = {
  power: (base, exponent) => `${base} ^ ${exponent}`,
  atom: atom => ({ text: atom.key, loose: atom.kind === 'div' || atom.kind === 'mod' }),
  remainder: () => true,
}

/** The canonical text of a polynomial; a function of the polynomial alone, and it reads back as the same. */
export function printPolynomial(a: Polynomial): string {
  return write(a, surface)
}

/** `(h + 1) div 2`, as it is written alone. */
export function printQuotient(of: Polynomial, by: Polynomial): string {
  return `${operand(of, surface)} div ${operand(by, surface)}`
}

/**
 * A polynomial as a JavaScript expression, at the level of a sum. JavaScript's `%` is the remainder only where nothing
 * is negative, so `natural` says of what it may be used.
 */
export function printJavaScript(
  a: Polynomial,
  name: (variable: string) => string,
  natural: (a: Polynomial) => boolean,
): string {
  const spelling: Spelling = {
    power: (base, exponent) => Array.from({ length: exponent }, () => base).join(' * '),
    atom(atom) {
      if (atom.kind === 'variable') return { text: name(atom.key), loose: false }
      if (atom.kind === 'max' || atom.kind === 'min') {
        const args = atom.args.map(arg => write(arg, spelling))
        return { text: `Math.${atom.kind}(${args.join(', ')})`, loose: false }
      }
      const by = operand(atom.by, spelling)
      if (atom.kind === 'mod') return { text: `${operand(atom.of, spelling)} % ${by}`, loose: true }
      return { text: `Math.floor(${operand(atom.of, spelling)} / ${by})`, loose: false }
    },
    remainder: natural,
  }
  return write(a, spelling)
}

function write(a: Polynomial, spelling: Spelling): string {
  const shown = withRemainders(a, spelling)
  const terms = positiveFirst(shown.terms)
  const whole = shown.denominator === 1n
  const text = terms
    .map((term, i) => signed(writeTerm(term, spelling, whole), term.coefficient < 0n, i === 0))
    .join('')
  if (terms.length === 0) return '0'
  if (whole) return text
  return `${terms.length === 1 ? text : `(${text})`} / ${shown.denominator}`
}

/** `64 - n` rather than `-n + 64`. */
function positiveFirst(terms: readonly Term[]): readonly Term[] {
  const first = terms.findIndex(term => term.coefficient > 0n)
  return first <= 0 ? terms : [terms[first]!, ...terms.filter((_, i) => i !== first)]
}

function signed(text: string, negative: boolean, first: boolean): string {
  if (first) return negative ? `-${text}` : text
  return negative ? ` - ${text}` : ` + ${text}`
}

/** A term without its sign. */
function writeTerm(term: Term, spelling: Spelling, whole: boolean): string {
  const size = term.coefficient < 0n ? -term.coefficient : term.coefficient
  const [factor] = term.factors
  if (factor === undefined) return String(size)
  const alone = whole && term.coefficient === 1n && term.factors.length === 1 && factor.power === 1
  if (alone) return spelling.atom(factor.atom).text
  const factors = term.factors.map(each => writeFactor(each, spelling))
  return (size === 1n ? factors : [String(size), ...factors]).join(' * ')
}

function writeFactor({ atom, power }: Factor, spelling: Spelling): string {
  const { text, loose } = spelling.atom(atom)
  const base = loose ? `(${text})` : text
  return power === 1 ? base : spelling.power(base, power)
}

/** A side of `div` or `%`: in parentheses unless it is a name, a call or a number that isn't negative. */
function operand(a: Polynomial, spelling: Spelling): string {
  const shown = withRemainders(a, spelling)
  const [term, ...more] = shown.terms
  const [factor, ...others] = term?.factors ?? []
  const text = write(a, spelling)
  if (term === undefined) return text
  const single = more.length === 0 && shown.denominator === 1n && others.length === 0
  const bare = factor === undefined ? term.coefficient > 0n : isBare(term, factor, spelling)
  return single && bare ? text : `(${text})`
}

function isBare(term: Term, factor: Factor, spelling: Spelling): boolean {
  return term.coefficient === 1n && factor.power === 1 && !spelling.atom(factor.atom).loose
}

/** Writes `P - k * (P div k)` as `P % k` again, wherever all of it is there. */
function withRemainders(a: Polynomial, spelling: Spelling): Polynomial {
  const floors = atomsOf(a).filter(atom => atom.kind === 'div')
  return floors.reduce((rest, floor) => {
    if (!spelling.remainder(floor.of)) return rest
    const parts = subtract(floor.of, multiply(floor.by, ofAtom(floor)))
    const times = multiplicity(rest, parts, floor)
    if (times === undefined) return rest
    const key = `${operand(floor.of, surface)} % ${operand(floor.by, surface)}`
    const remainder = ofAtom({ kind: 'mod', key, of: floor.of, by: floor.by })
    return subtract(rest, multiply(times, subtract(parts, remainder)))
  }, a)
}

/** The constant c for which all symbolic terms of `c * parts` stand in `a`; undefined where there is none. */
function multiplicity(a: Polynomial, parts: Polynomial, floor: Division<'div'>): Polynomial | undefined {
  const marker = parts.terms.find(term => term.factors.some(factor => factor.atom.key === floor.key))
  const found = marker && a.terms.find(term => sameFactors(term, marker))
  if (marker === undefined || found === undefined) return undefined
  const times = scale(constant(found.coefficient, a.denominator), {
    numerator: marker.coefficient < 0n ? -1n : 1n,
    denominator: marker.coefficient < 0n ? -marker.coefficient : marker.coefficient,
  })
  const left = subtract(a, multiply(times, parts))
  const symbolic = parts.terms.filter(term => term.factors.length > 0)
  return symbolic.some(term => left.terms.some(other => sameFactors(other, term))) ? undefined : times
}

function sameFactors(a: Term, b: Term): boolean {
  if (a.factors.length !== b.factors.length) return false
  return a.factors.every((factor, i) => {
    const other = b.factors[i]!
    return factor.atom.key === other.atom.key && factor.power === other.power
  })
}
