import { extreme, floorDivide, modulo } from './floor.ts'
import {
  add,
  constant,
  constantOf,
  divideExactly,
  multiply,
  negate,
  ofVariable,
  type Polynomial,
  power,
  subtract,
} from './polynomial.ts'

/**
 * Reads the text of a size, in ltm's own spelling; undefined where it is none. Names may hold dots, brackets and calls
 * (`batch.size`, `sizes[i + 1]`, `len(sizes)`): such a name is one opaque atom. `/` must come out even as a polynomial
 * with rational coefficients.
 */
export function readPolynomial(text: string): Polynomial | undefined {
  const tokens = tokenize(text)
  if (tokens === undefined) return undefined
  const reader: Reader = { tokens, at: 0 }
  const value = readSum(reader)
  return reader.at === tokens.length ? value : undefined
}

interface Reader {
  readonly tokens: readonly string[]
  at: number
}

const tokenPattern = /\s*(\d+|[A-Za-z_$?#@][\w$?#@']*(?:\.[\w$?#@']+)*|[-+*/%^(),[\]])/y

/** Numbers, names with their brackets, and signs. */
function tokenize(text: string): readonly string[] | undefined {
  const tokens: string[] = []
  let at = 0
  while (text.slice(at).trim() !== '') {
    tokenPattern.lastIndex = at
    const token = tokenPattern.exec(text)?.[1]
    if (token === undefined) return undefined
    at = tokenPattern.lastIndex
    const end = isName(token) && !isOperatorName(token) ? endOfName(text, at) : at
    tokens.push(token + text.slice(at, end))
    at = end
  }
  return tokens
}

function isName(token: string): boolean {
  return /^[A-Za-z_$?#@]/.test(token)
}

function isOperatorName(token: string): boolean {
  return token === 'div' || token === 'max' || token === 'min'
}

/** Where the brackets, calls and members that follow a name end. */
function endOfName(text: string, start: number): number {
  let at = start
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const sign = text[i]!
    if (sign === '[' || sign === '(') depth++
    else if (sign === ']' || sign === ')') depth--
    else if (depth === 0 && !/[\w.$]/.test(sign)) break
    if (depth < 0) break
    if (depth === 0) at = i + 1
  }
  return at
}

function readSum(reader: Reader): Polynomial | undefined {
  let sum = readProduct(reader)
  while (sum !== undefined && (peek(reader) === '+' || peek(reader) === '-')) {
    const sign = take(reader)
    const next = readProduct(reader)
    sum = next && (sign === '+' ? add(sum, next) : subtract(sum, next))
  }
  return sum
}

const products: Readonly<Record<string, (a: Polynomial, b: Polynomial) => Polynomial | undefined>> = {
  '*': multiply,
  '/': divideExactly,
  div: floorDivide,
  '%': modulo,
}

function readProduct(reader: Reader): Polynomial | undefined {
  let product = readUnary(reader)
  while (product !== undefined) {
    const combine = products[peek(reader) ?? '']
    if (combine === undefined) break
    take(reader)
    const next = readUnary(reader)
    product = next && combine(product, next)
  }
  return product
}

function readUnary(reader: Reader): Polynomial | undefined {
  if (peek(reader) === '-') {
    take(reader)
    const value = readUnary(reader)
    return value && negate(value)
  }
  const base = readPrimary(reader)
  if (base === undefined || peek(reader) !== '^') return base
  take(reader)
  const exponent = readUnary(reader)
  const value = exponent && constantOf(exponent)
  if (value === undefined || value.denominator !== 1n || value.numerator < 0n) return undefined
  return power(base, Number(value.numerator))
}

function readPrimary(reader: Reader): Polynomial | undefined {
  const token = take(reader)
  if (token === undefined || token === 'div') return undefined
  if (token === 'max' || token === 'min') return readExtreme(reader, token)
  if (/^\d/.test(token)) return constant(BigInt(token))
  if (isName(token)) return ofVariable(token)
  const value = token === '(' ? readSum(reader) : undefined
  return take(reader) === ')' ? value : undefined
}

function readExtreme(reader: Reader, kind: 'max' | 'min'): Polynomial | undefined {
  const args: Polynomial[] = []
  let sign = take(reader)
  while (sign === (args.length === 0 ? '(' : ',')) {
    const arg = readSum(reader)
    if (arg === undefined) return undefined
    args.push(arg)
    sign = take(reader)
  }
  return sign === ')' && args.length > 0 ? extreme(kind, args) : undefined
}

function peek(reader: Reader): string | undefined {
  return reader.tokens[reader.at]
}

function take(reader: Reader): string | undefined {
  return reader.tokens[reader.at++]
}
