import type { Clock, HostOperator } from './ir.ts'

/**
 * How a host operator is written: between its operands, before its operand, or as a function. Levels are those of the
 * language itself, loosest first: `or`, `and`, `not`, comparisons, sums, products, sign, power.
 */
export type Notation =
  | {
      readonly place: 'infix'
      readonly symbol: string
      readonly level: number
      readonly group: 'left' | 'right' | 'none'
    }
  | { readonly place: 'prefix'; readonly symbol: string; readonly level: number }
  | { readonly place: 'function' }

/** The level of `if … then … else …`, which reaches as far right as it can. */
export const chooseLevel = 0
/** The level of `not`. */
export const notLevel = 3
/** The level of the sign, which a negative number has too. */
export const signLevel = 7
/** The level of a power, whose right operand may have a sign. */
export const powerLevel = 8
/** The level of what needs no parentheses anywhere. */
export const atomLevel = 9

const infix = (symbol: string, level: number, group: 'left' | 'right' | 'none' = 'left'): Notation => ({
  place: 'infix',
  symbol,
  level,
  group,
})
const call: Notation = { place: 'function' }

/** Every host operator, as it is written. */
export const notations: Readonly<Record<HostOperator, Notation>> = {
  or: infix('or', 1),
  and: infix('and', 2),
  not: { place: 'prefix', symbol: 'not ', level: notLevel },
  eq: infix('==', 4, 'none'),
  ne: infix('!=', 4, 'none'),
  lt: infix('<', 4, 'none'),
  le: infix('<=', 4, 'none'),
  gt: infix('>', 4, 'none'),
  ge: infix('>=', 4, 'none'),
  add: infix('+', 5),
  sub: infix('-', 5),
  mul: infix('*', 6),
  div: infix('/', 6),
  mod: infix('%', 6),
  floordiv: infix('div', 6),
  neg: { place: 'prefix', symbol: '-', level: signLevel },
  pow: infix('^', powerLevel, 'right'),
  min: call,
  max: call,
  abs: call,
  exp: call,
  log: call,
  sqrt: call,
  sin: call,
  cos: call,
  tanh: call,
  floor: call,
  ceil: call,
  round: call,
}

const clockTable: Readonly<Record<Clock, true>> = {
  epoch: true,
  batch_index: true,
  batches: true,
  update: true,
  examples: true,
  seconds: true,
  total_updates: true,
  updates_per_epoch: true,
}

/** Whether a word names a clock. */
export function isClock(word: string): word is Clock {
  return Object.hasOwn(clockTable, word)
}

/** Whether a word is the key of a host operator. */
export function isHostOperator(word: string): word is HostOperator {
  return Object.hasOwn(notations, word)
}

const words = [
  'if',
  'then',
  'else',
  'of',
  'true',
  'false',
  'inf',
  'nan',
  'size',
  'item',
  'logged',
  'stalled',
  'told',
  'hyper',
  'var',
  'argument',
]

/** Whether a word means something in a host expression, so that a name spelt like it needs to say what it is. */
export function isHostWord(word: string): boolean {
  return words.includes(word) || isClock(word) || isHostOperator(word)
}

/**
 * What a bare name in a host expression may be: in a function one of its host parameters, elsewhere a `var` or a `hyper`.
 * A name that would be taken for something else is written `hyper lr`, `var lr`, `argument lr`.
 */
export interface HostScope {
  readonly args: ReadonlySet<string>
  readonly vars: ReadonlySet<string>
  readonly hypers: ReadonlySet<string>
}

/** What a bare name means, if anything. */
export function meaningOf(name: string, scope: HostScope): 'argument' | 'var' | 'hyper' | undefined {
  if (isHostWord(name)) return undefined
  if (scope.args.has(name)) return 'argument'
  if (scope.vars.has(name)) return 'var'
  return scope.hypers.has(name) ? 'hyper' : undefined
}
