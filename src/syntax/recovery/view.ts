import {
  Missing as missingType,
  type Place,
  type Token,
  tokenAt,
  type Word,
  word,
  words,
} from '../../../grammar/tokens.ts'
import { positionAt, type Source, type Span } from '../../base/source.ts'

/** Tokens of one text, or of a part of it; recovery may have changed some. */
export interface View {
  readonly source: Source
  readonly tokens: readonly Token[]
  /** The token behind them, where they are a part of the text. */
  readonly next?: Token | undefined
  /** Offsets at which something was left out that has been reported: an error there is a consequence. */
  readonly damaged?: readonly number[] | undefined
}

/** The name of the type of a token, `EOF` behind the last. */
export function kindAt(view: View, i: number): string {
  return view.tokens[i]?.tokenType.name ?? 'EOF'
}

export function imageAt(view: View, i: number): string {
  return view.tokens[i]?.image ?? ''
}

/** The word that a token is, if it is one of the language's words. */
export function wordAt(view: View, i: number): Word | undefined {
  const kind = kindAt(view, i)
  return isWord(kind) ? kind : undefined
}

const isWord = (name: string): name is Word => Object.hasOwn(words, name)

export function isReserved(name: Word): boolean {
  return 'reserved' in words[name]
}

/** Whether a token may be a name. */
export function isNameAt(view: View, i: number): boolean {
  const found = wordAt(view, i)
  return found ? !isReserved(found) : kindAt(view, i) === 'Identifier' || kindAt(view, i) === 'Missing'
}

/** Whether an operand may end with a token. */
export function endsOperand(view: View, i: number): boolean {
  return isNameAt(view, i) || operandEnds.has(kindAt(view, i))
}
const operandEnds: ReadonlySet<string> = new Set([
  'NumberToken',
  'StringToken',
  'OpenString',
  'RParen',
  'RBracket',
  'RBrace',
  'true',
  'false',
])

/** Whether an expression may begin with a token. */
export function startsOperand(view: View, i: number): boolean {
  return isNameAt(view, i) || operandStarts.has(kindAt(view, i))
}
const operandStarts: ReadonlySet<string> = new Set([
  'NumberToken',
  'StringToken',
  'OpenString',
  'LParen',
  'LBracket',
  'LBrace',
  'Minus',
  'not',
  'true',
  'false',
  'rearrange',
  'reduce',
  'einsum',
  'if',
  'fn',
  'for',
])

/** The span of a token; behind the last token, the place after it. */
export function spanAt(view: View, i: number): Span {
  const { source } = view
  const token = view.tokens[i]
  if (token) return { source, start: token.startOffset, end: endOf(token) }
  return after(view, view.tokens.length - 1)
}

/** The empty span behind a token. */
export function after(view: View, i: number): Span {
  const token = view.tokens[i]
  const offset = token ? endOf(token) : 0
  return { source: view.source, start: offset, end: offset }
}

/** From the start of one token to the end of another. */
export function spanBetween(view: View, first: number, last: number): Span {
  return { source: view.source, start: spanAt(view, first).start, end: spanAt(view, last).end }
}

export const endOf = (token: Token): number => (token.endOffset ?? token.startOffset) + 1

/** Whether a token is the first of its line. */
export function startsLine(view: View, i: number): boolean {
  const token = view.tokens[i]
  const before = view.tokens[i - 1]
  if (!token || !before) return true
  return view.source.text.slice(endOf(before), token.startOffset).includes('\n')
}

/** Whether something that has been reported was left out just before a token. */
export function isDamaged(view: View, i: number): boolean {
  const from = after(view, i - 1).start
  const to = (view.tokens[i] ?? view.next)?.startOffset ?? view.source.text.length
  return view.damaged?.some(offset => offset >= from && offset < Math.max(to, from + 1)) ?? false
}

/** Whether nothing stands between a token and the one before it. */
export function touches(view: View, i: number): boolean {
  const token = view.tokens[i]
  const before = view.tokens[i - 1]
  return token !== undefined && before !== undefined && endOf(before) === token.startOffset
}

/** The column at which the line of a token begins to be written. */
export function indentation(view: View, i: number): number {
  let first = i
  while (first > 0 && !startsLine(view, first)) first--
  const token = view.tokens[first]
  return token ? positionAt(view.source, token.startOffset).column : 1
}

/** A word in place of what stands at an offset, or between two tokens. */
export function wordToken(name: Word, start: number, end = start): Token {
  return tokenAt(word[name], name, start, end)
}

/** What stands for tokens that could not be read. */
export function missing(start: number, end: number): Token {
  return tokenAt(missingType, '', start, end)
}

/** Whether a word starts an item in a place. */
export function startsIn(name: Word, place: Place): boolean {
  const entry = words[name]
  return 'starts' in entry && (entry.starts as readonly Place[]).includes(place) // each entry lists some places only
}
