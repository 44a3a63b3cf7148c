import { expectation } from '../../../grammar/messages.ts'
import { type Place, starters, type Word, words } from '../../../grammar/tokens.ts'
import { nearest } from '../../base/names.ts'
import type { Span } from '../../base/source.ts'
import { type Diagnostic, diagnose } from '../../diagnostics/diagnostic.ts'
import { type Failure, listPlace } from './attempt.ts'
import { contextOf, describe, type Finding, placeNames, type Recogniser } from './finding.ts'
import { foreignWords } from './habits.ts'
import { Brackets, beginsItem, closes, closingOf, enclosing, fits, isCloser, itemEnd } from './items.ts'
import { leavesList, made, scarAt } from './repair.ts'
import {
  after,
  endsOperand,
  imageAt,
  indentation,
  isNameAt,
  isReserved,
  kindAt,
  missing,
  spanAt,
  startsIn,
  startsLine,
  type View,
  wordAt,
  wordToken,
} from './view.ts'

/** Nested deeper than the language allows. */
const depth: Recogniser = (view, failure) =>
  failure.tooDeep === undefined
    ? undefined
    : { diagnostic: diagnose('LTM1004', spanAt(view, failure.at), { limit: failure.tooDeep }) }

/** A word that is near one which could stand here. */
const misspelt: Recogniser = (view, failure) => {
  const { at } = failure
  if (!isNameAt(view, at)) return undefined
  const written = imageAt(view, at)
  const meant = nearest(written, candidates(view, failure))
  if (meant === undefined || !isWord(meant)) return undefined
  const span = spanAt(view, at)
  const fix = { title: `Write \`${meant}\``, span, replacement: meant }
  const place = listPlace(failure) ?? failure.open.at(-1)?.place ?? 'file'
  const start = listPlace(failure) ? at : (failure.open.at(-1)?.start ?? at)
  return {
    diagnostic: diagnose('LTM1011', span, { written, meant, context: contextOf(view, failure) }, { fix }),
    repair: {
      from: at,
      to: at + 1,
      insert: [wordToken(meant, span.start, span.end)],
      end: itemEnd(view, start, at + 1, place),
      cut: false,
    },
    guess: true,
  }
}

const isWord = (name: string): name is Word => Object.hasOwn(words, name)

/** The words that may have been meant: those that the rule asks for, or those that start an item or a clause. */
function candidates(view: View, failure: Failure): readonly string[] {
  const place = listPlace(failure)
  if (!place) return failure.expected.flatMap(name => (isWord(name) ? [name] : (wordsOf[name] ?? [])))
  const here = starters(place).filter(word => fits(word, view, failure.at + 1))
  return [...here, ...clauses]
}

const wordsOf: Readonly<Record<string, readonly Word[]>> = {
  Phase: ['train', 'val', 'test', 'predict'],
  Unit: ['batches', 'updates', 'epochs', 'examples', 'seconds', 'minutes', 'hours'],
}

const clauses: readonly Word[] = [
  ...(['over', 'with', 'on', 'bar', 'where', 'pad', 'merge', 'from', 'frozen', 'project', 'cycle'] as const),
  ...(['else', 'in', 'for', 'then', 'and', 'or', 'div', 'every'] as const),
]

/** A word that begins something, but elsewhere. */
const elsewhere: Recogniser = (view, failure) => {
  const place = listPlace(failure)
  const word = wordAt(view, failure.at)
  if (!place || !word || !fits(word, view, failure.at + 1)) return undefined
  const there = placesOf(word)
  if (there === '') return undefined
  const details = { word, here: placeNames[place], there, context: contextOf(view, failure) }
  return { diagnostic: diagnose('LTM1016', spanAt(view, failure.at), details) }
}

function placesOf(word: Word): string {
  const places = Object.keys(placeNames) as readonly Place[] // the table is total
  return places
    .filter(each => startsIn(word, each))
    .map(each => placeNames[each])
    .join(' or ')
}

/** A closing bracket with nothing to close. */
const strayCloser: Recogniser = (view, failure) => {
  const { at } = failure
  if (!listPlace(failure) || !isCloser(kindAt(view, at))) return undefined
  return { diagnostic: diagnose('LTM1017', spanAt(view, at), { closer: imageAt(view, at) }) }
}

/** A bracket that is not closed where the next line, item or bracket begins. */
const unclosed: Recogniser = (view, failure) => {
  const { at } = failure
  const opener = enclosing(view, at)
  if (opener === undefined) return undefined
  const closer = closingOf(kindAt(view, opener))
  const atEnd = at >= view.tokens.length
  if (listPlace(failure)) {
    if (!atEnd && !leavesList(view, failure)) return undefined
    return { diagnostic: unclosedAt(view, failure, Math.max(opener, forgotten(view) ?? 0)) }
  }
  if (!failure.expected.includes(closer)) return undefined
  if (isCloser(kindAt(view, at)) && !closes(kindAt(view, opener), kindAt(view, at)))
    return mismatched(view, at, opener)
  if (!atEnd && !startsLine(view, at)) return undefined
  return { diagnostic: unclosedAt(view, failure, opener) }
}

const closingText: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

function unclosedAt(view: View, failure: Failure, opener: number): Diagnostic {
  const written = imageAt(view, opener)
  const closer = closingText[written] ?? written
  const details = {
    opener: written,
    closer,
    found: describe(view, failure.at),
    context: contextOf(view, failure),
  }
  const fix = { title: `Insert \`${closer}\``, span: after(view, failure.at - 1), replacement: closer }
  return diagnose('LTM1015', placeOf(view, failure.at), details, {
    labels: [{ span: spanAt(view, opener), text: 'opened here' }],
    fix: written === '{' ? undefined : fix,
  })
}

function mismatched(view: View, at: number, opener: number): Finding {
  const details = { opener: imageAt(view, opener), closer: imageAt(view, at) }
  const labels = [{ span: spanAt(view, opener), text: 'opened here' }]
  return { diagnostic: diagnose('LTM1018', spanAt(view, at), details, { labels }) }
}

/** The brace that was probably forgotten to be closed: the next closing one stands further left than its line. */
function forgotten(view: View): number | undefined {
  const brackets = new Brackets()
  let found: number | undefined
  for (let i = 0; i < view.tokens.length; i++) {
    const opener = brackets.open.at(-1)
    const braces = kindAt(view, i) === 'RBrace' && opener !== undefined && kindAt(view, opener) === 'LBrace'
    if (braces && startsLine(view, i) && indentation(view, i) < indentation(view, opener)) found ??= opener
    brackets.step(view, i)
  }
  return found
}

/** A reserved word where a name should stand. */
const reservedName: Recogniser = (view, failure) => {
  const { at } = failure
  const word = wordAt(view, at)
  if (!word || !isReserved(word) || startsLine(view, at) || !wantsName(view, failure)) return undefined
  const { start, end } = spanAt(view, at)
  const repair = { from: at, to: at + 1, insert: [missing(start, end)], end: at + 1, cut: false }
  // Where a name follows, it is the one before the word that is missing.
  const scar = isNameAt(view, at + 1) ? scarAt(view, at, at + 1) : undefined
  return { diagnostic: diagnose('LTM1014', spanAt(view, at), { word }), repair, scar }
}

function wantsName(view: View, { at, rule, expected }: Failure): boolean {
  if (rule === 'Formals' || rule === 'Streams') return ['LParen', 'Comma'].includes(kindAt(view, at - 1))
  return expected.includes('Name') && !expected.includes('LParen')
}

/** An item that ends too early, and so has taken the first word of the next line for a name: `let x = a +`. */
const swallowedWord: Recogniser = (view, failure) => {
  const { at } = failure
  const word = at - 1
  const place = listPlace(failure)
  const point = kindAt(view, at - 2) === 'Dot' && wordAt(view, word) !== undefined
  if (!place || !startsLine(view, word) || !(point || swallows(view, word, place))) return undefined
  const offset = after(view, at - 2).start
  const expected = point ? 'a name behind `.`' : 'an expression'
  const details = { found: describe(view, word), expected, context: contextOf(view, failure) }
  return {
    diagnostic: diagnose('LTM1010', spanAt(view, word), details),
    repair: { from: word, to: word, insert: [missing(offset, offset)], end: at, cut: false },
    guess: true,
  }
}

const swallows = (view: View, word: number, place: Place): boolean =>
  beginsItem(view, word, place) && !endsOperand(view, word - 1) && kindAt(view, word - 1) !== 'LBrace'

/** The same within an item that is not finished: the error is at the word, not behind it. */
export function located(view: View, failure: Failure): Failure {
  const item = failure.open.at(-1)
  const word = failure.at - 1
  if (!item || listPlace(failure) || word <= item.start || !startsLine(view, word)) return failure
  return swallows(view, word, item.place) ? { ...failure, at: word } : failure
}

/** `module A {` without parentheses. */
const missingFormals: Recogniser = (view, failure) => {
  const { at, rule, expected } = failure
  const item = failure.open.at(-1)
  if (!item || !(rule === 'Formals' || rule === 'Streams') || expected[0] !== 'LParen') return undefined
  const span = after(view, at - 1)
  const details = {
    expected: '`(` and the arguments',
    found: describe(view, at),
    context: contextOf(view, failure),
  }
  const fix = { title: 'Insert `()`', span, replacement: '()' }
  const end = itemEnd(view, item.start, Math.max(at, item.start + 1), item.place)
  return {
    diagnostic: diagnose('LTM1010', placeOf(view, at), details, { fix }),
    repair: {
      from: at,
      to: at,
      insert: [made('LParen', span.start), made('RParen', span.start)],
      end,
      cut: false,
    },
    guess: true,
  }
}

const memberWords: { readonly [P in Place]?: Word } = {
  dataset: 'field',
  module: 'param',
  train: 'hyper',
  metric: 'state',
  optimizer: 'slot',
}

/** `image: f32 = column(0)` without `field`. */
const bareMember: Recogniser = (view, failure) => {
  const { at } = failure
  const place = listPlace(failure)
  const word = place && memberWords[place]
  if (!word || !isNameAt(view, at) || kindAt(view, at + 1) !== 'Colon') return undefined
  const { start } = spanAt(view, at)
  const fix = {
    title: `Write \`${word}\``,
    span: { source: view.source, start, end: start },
    replacement: `${word} `,
  }
  const details = { word, name: imageAt(view, at), context: contextOf(view, failure) }
  return {
    diagnostic: diagnose('LTM1037', spanAt(view, at), details, { fix }),
    repair: { from: at, to: at, insert: [wordToken(word, start)], end: at + 2, cut: false },
    scar: scarAt(view, at + 2, itemEnd(view, at, at + 1, place)),
  }
}

/** `let x = 1` outside of everything. */
const topLevelLet: Recogniser = (view, failure) => {
  const word = wordAt(view, failure.at)
  if (listPlace(failure) !== 'file' || (word !== 'let' && word !== 'var')) return undefined
  const help = 'A value that the whole file sees is written `const name = …`.'
  return declaredOtherwise(view, failure, { word, right: 'const', here: placeNames.file, context: '', help })
}

/** `const x = 1` among statements. */
const constInBlock: Recogniser = (view, failure) => {
  if (listPlace(failure) !== 'block' || wordAt(view, failure.at) !== 'const') return undefined
  const place = { here: placeNames.block, context: contextOf(view, failure) }
  const help = 'A value inside of a body is written `let name = …`.'
  return declaredOtherwise(view, failure, { word: 'const', right: 'let', ...place, help })
}

interface Otherwise {
  /** What is written, and what this place has for it. */
  readonly word: Word
  readonly right: Word
  readonly here: string
  readonly context: string
  readonly help: string
}

/** A value that is declared by the word of another place. */
function declaredOtherwise(
  view: View,
  { at }: Failure,
  { word, right, here, context, help }: Otherwise,
): Finding | undefined {
  if (!isNameAt(view, at + 1)) return undefined
  const span = spanAt(view, at)
  const fix = { title: `Write \`${right}\``, span, replacement: right }
  const details = { word, here, there: placesOf(word), context }
  const insert = [wordToken(right, span.start, span.end)]
  return {
    diagnostic: diagnose('LTM1016', span, details, { fix, help }),
    repair: { from: at, to: at + 1, insert, end: at + 2, cut: false },
  }
}

/** Where an error behind the last token is shown: at the last token. */
function placeOf(view: View, at: number): Span {
  return at < view.tokens.length ? spanAt(view, at) : spanAt(view, at - 1)
}

/** What was found and what could stand here. */
export function unexpected(view: View, failure: Failure): Finding {
  const place = listPlace(failure)
  const expected = place ? listExpectation(place) : expectation(failure.rule, failure.expected)
  const details = { found: describe(view, failure.at), expected, context: contextOf(view, failure) }
  const opener = place ? undefined : enclosing(view, failure.at, failure.open.at(-1)?.start)
  const closable = opener !== undefined && failure.expected.includes(closingOf(kindAt(view, opener)))
  const labels = closable ? [{ span: spanAt(view, opener), text: 'opened here' }] : []
  return { diagnostic: diagnose('LTM1010', placeOf(view, failure.at), details, { labels }) }
}

function listExpectation(place: Place): string {
  const what =
    place === 'file' ? 'a declaration' : place === 'block' ? 'a statement or `}`' : 'a member or `}`'
  const some = starters(place).filter(word => word !== 'if' && word !== 'fn')
  return `${what} (${some
    .slice(0, 5)
    .map(word => `\`${word}\``)
    .join(', ')} …)`
}

/** What must be ruled out before a habit of another language is seen in an error. */
export const slips: readonly Recogniser[] = [
  depth,
  swallowedWord,
  missingFormals,
  unclosed,
  ...foreignWords,
  misspelt,
]
/** What else is wrong with the structure; {@link unexpected} finds something in every error. */
export const structure: readonly Recogniser[] = [
  topLevelLet,
  constInBlock,
  bareMember,
  strayCloser,
  elsewhere,
  reservedName,
]
