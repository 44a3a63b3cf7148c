import type { Place, Word } from '../../../grammar/tokens.ts'
import {
  endsOperand,
  indentation,
  isNameAt,
  isReserved,
  kindAt,
  startsIn,
  startsLine,
  startsOperand,
  type View,
  wordAt,
} from './view.ts'

/** What must follow a starting word, for it to be one and not a name. */
const followers: {
  readonly [W in Word]?: 'name' | 'operand' | 'paren' | 'brace' | 'string' | 'colon' | 'any'
} = {
  forward: 'paren',
  inverse: 'paren',
  log_det: 'paren',
  log_forward: 'paren',
  check: 'paren',
  update: 'paren',
  compute: 'paren',
  trainer: 'brace',
  print: 'string',
  checkpoint: 'string',
  raw: 'colon',
  require: 'operand',
  filter: 'operand',
  minimize: 'operand',
  yield: 'operand',
  debug: 'operand',
  return: 'operand',
  while: 'operand',
  if: 'operand',
  skip: 'any',
  stop: 'any',
  break: 'any',
}

const inBraces: ReadonlySet<Word> = new Set(['let', 'set', 'import'])

/** Whether the token after a starting word can follow it. */
export function fits(name: Word, view: View, next: number): boolean {
  switch (followers[name] ?? 'name') {
    case 'any':
      return true
    case 'operand':
      return startsOperand(view, next)
    case 'paren':
      return kindAt(view, next) === 'LParen'
    case 'brace':
      return kindAt(view, next) === 'LBrace'
    case 'string':
      return kindAt(view, next) === 'StringToken' || kindAt(view, next) === 'OpenString'
    case 'colon':
      return kindAt(view, next) === 'Colon'
    case 'name':
      return isNameAt(view, next) || (inBraces.has(name) && kindAt(view, next) === 'LBrace')
  }
}

/** Whether an item of a place seems to begin at a token. Between operand and word no operator is missing in ltm. */
export function beginsItem(view: View, i: number, place: Place): boolean {
  const name = wordAt(view, i)
  if (!name || !startsIn(name, place)) return false
  const before = kindAt(view, i - 1)
  if (before === 'Dot' && !startsLine(view, i)) return false
  if (kindAt(view, i + 1) === 'Colon')
    return name === 'raw' || (startsLine(view, i) && endsOperand(view, i - 1))
  if (isReserved(name) && name !== 'if' && name !== 'for' && name !== 'fn') return true
  const opens = i === 0 || before === 'LBrace' || endsOperand(view, i - 1)
  return fits(name, view, i + 1) && (opens || (startsLine(view, i) && isNameAt(view, i + 1)))
}

const closerOf: Readonly<Record<string, string>> = {
  LParen: 'RParen',
  LBracket: 'RBracket',
  LBrace: 'RBrace',
}
const closers: ReadonlySet<string> = new Set(Object.values(closerOf))

export const isOpener = (kind: string): boolean => Object.hasOwn(closerOf, kind)
export const isCloser = (kind: string): boolean => closers.has(kind)
export const closes = (opener: string, closer: string): boolean => closerOf[opener] === closer
export const closingOf = (opener: string): string => closerOf[opener] ?? opener

/** Brackets that are open behind each token, kept while walking. A closer also closes what was forgotten inside it. */
export class Brackets {
  readonly open: number[] = []

  /** Returns whether a closer found nothing to close. */
  step(view: View, i: number): boolean {
    const kind = kindAt(view, i)
    if (isOpener(kind)) this.open.push(i)
    else if (isCloser(kind)) return !this.#close(view, kind)
    return false
  }

  #close(view: View, kind: string): boolean {
    const match = this.open.findLastIndex(each => closes(kindAt(view, each), kind))
    if (match < 0) return false
    this.open.length = match
    return true
  }
}

/**
 * Where an item ends that begins at `start` and went wrong before `from`: at the closing brace of its list, or where the
 * next item seems to begin. Inside an unclosed parenthesis a line that begins an item ends it too; inside an unclosed
 * brace only one that is not indented deeper.
 */
export function itemEnd(view: View, start: number, from: number, place: Place): number {
  const brackets = new Brackets()
  const margin = indentation(view, start)
  for (let i = start; i < view.tokens.length; i++) {
    if (i >= from && beginsItem(view, i, place) && endsHere(view, i, brackets, margin)) return i
    const outside = brackets.step(view, i)
    if (outside && i >= from && kindAt(view, i) === 'RBrace') return i
  }
  return view.tokens.length
}

function endsHere(view: View, i: number, brackets: Brackets, margin: number): boolean {
  if (brackets.open.length === 0) return true
  if (!startsLine(view, i)) return false
  const inBrace = brackets.open.some(each => kindAt(view, each) === 'LBrace')
  return !inBrace || indentation(view, i) <= margin
}

/** The innermost bracket that is open before a token, if it opened at `start` or later. */
export function enclosing(view: View, at: number, start = 0): number | undefined {
  const brackets = new Brackets()
  for (let i = start; i < at; i++) brackets.step(view, i)
  return brackets.open.at(-1)
}

/** The closer of the bracket at `opener`, if it stands before `end`. */
export function closing(view: View, opener: number, end: number): number | undefined {
  const brackets = new Brackets()
  for (let i = opener; i < end; i++) {
    brackets.step(view, i)
    if (brackets.open.length === 0) return closes(kindAt(view, opener), kindAt(view, i)) ? i : undefined
  }
  return undefined
}
