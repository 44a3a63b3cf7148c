import {
  type Place,
  type Token,
  type TokenType,
  tokenAt,
  tokens as tokenTypes,
} from '../../../grammar/tokens.ts'
import { type Attempt, attempt, type Failure, listPlace } from './attempt.ts'
import { Brackets, beginsItem, closing, closingOf, enclosing, isCloser, isOpener, itemEnd } from './items.ts'
import { after, endOf, indentation, kindAt, missing, startsLine, type View } from './view.ts'

/** Tokens to put in place of others: `[from, to)`. */
export interface Patch {
  readonly from: number
  readonly to: number
  readonly insert: readonly Token[]
}

/** A patch, and the old index from which on everything stays as it is. */
export interface Repair extends Patch {
  readonly end: number
  /** Set where text is cut off: an error right behind the cut is a consequence of it. */
  readonly cut: boolean
  /** Set where nothing else can have been meant. */
  readonly exact?: boolean
  /** Set where it is only right if nothing in its item is wrong behind it. */
  readonly whole?: boolean
}

/** A repair that was tried and lets the parser go further. */
export interface Repaired {
  readonly view: View
  readonly result: Attempt
  /** Set where the next error is a consequence of this repair. */
  readonly quiet: boolean
  /** Where the text is no longer the user's: nobody knows what stands around it. */
  readonly scar?: Scar | undefined
}

/** From the end of the last token before a repair to the start of the first behind it, as offsets. */
export interface Scar {
  readonly from: number
  readonly to: number
}

/** Tries a repair; nothing if the parser gets no further with it. One that is `sure` need only be read itself. */
export function tryRepair(view: View, repair: Repair, sure = false): Repaired | undefined {
  const tokens = [...view.tokens.slice(0, repair.from), ...repair.insert, ...view.tokens.slice(repair.to)]
  const changed = { ...view, tokens }
  const result = attempt(changed)
  if ('tree' in result) return { view: changed, result, quiet: false }
  const { at } = result.failure
  const resume = repair.end + repair.insert.length - (repair.to - repair.from)
  const behind = repair.from + repair.insert.length
  const stuck = !repair.cut && !sure && inItemBefore(result.failure, behind)
  if (stuck || (at < (sure ? behind : resume) && !movesOn(result.failure, behind))) return undefined
  return { view: changed, result, quiet: repair.cut && at === resume }
}

/** Whether the parser read on behind a patch and stopped in an item that begins there, or between two items. */
function movesOn(failure: Failure, behind: number): boolean {
  if (failure.at <= behind) return false
  const item = failure.open.at(-1)
  return (item !== undefined && item.start >= behind) || listPlace(failure) !== undefined
}

/** Whether the item that a patch belongs to is still not whole. */
function inItemBefore(failure: Failure, behind: number): boolean {
  const item = failure.open.at(-1)
  return listPlace(failure) === undefined && item !== undefined && item.start < behind
}

/** The first repair behind which nothing is wrong in its item, or that helps at all. Where none does, the rest of the declaration goes. */
export function repaired(view: View, failure: Failure): Repaired | undefined {
  let first: Repaired | undefined
  for (const repair of repairs(view, failure)) {
    if (repair.cut && first) return first
    const done = tryRepair(view, repair)
    if (!done) continue
    const found = { ...done, scar: scarOf(view, repair) }
    if (repair.cut || heals(view, done.result, repair)) return found
    if (!repair.whole) first ??= found
  }
  return first
}

/** Whether the parser gets behind the item, or to the end where it is the last. */
const heals = (view: View, result: Attempt, { end, insert, from, to }: Repair): boolean =>
  'tree' in result || (end < view.tokens.length && result.failure.at >= end + insert.length - (to - from))

/** An item that is gone as a whole leaves its neighbours as they are. */
function scarOf(view: View, { from, to, cut, exact }: Repair): Scar | undefined {
  return exact || (cut && startsLine(view, from)) ? undefined : scarAt(view, from, to)
}

export const scarAt = (view: View, from: number, to: number): Scar => ({
  from: after(view, from - 1).start,
  to: view.tokens[to]?.startOffset ?? view.source.text.length,
})

/** What may be done about an error, the smallest change first. */
function* repairs(view: View, failure: Failure): Generator<Repair> {
  const place = listPlace(failure)
  if (place) yield* listRepairs(view, failure, place)
  const item = failure.open.at(-1)
  if (!item) return
  if (!place) yield* itemRepairs(view, failure, item.start, item.place)
  for (const each of failure.open.toReversed()) {
    const end = itemEnd(view, each.start, Math.max(failure.at, each.start + 1), each.place)
    yield { from: each.start, to: end, insert: [], end, cut: true }
  }
}

function* listRepairs(view: View, failure: Failure, place: Place): Generator<Repair> {
  const { at } = failure
  const brace = made('RBrace', after(view, at - 1).start)
  if (place !== 'file' && (at >= view.tokens.length || leavesList(view, failure))) {
    yield { from: at, to: at, insert: [brace], end: at, cut: at >= view.tokens.length }
  }
  if (at >= view.tokens.length) return
  const end = itemEnd(view, at, at + 1, place)
  yield { from: at, to: end, insert: [], end, cut: true }
}

/** Whether an item of an outer list begins here, not deeper than the owner of the list: a brace is missing before it. */
export function leavesList(view: View, failure: Failure): boolean {
  const { at, open } = failure
  const owner = open.at(-1)
  if (!owner || !startsLine(view, at) || indentation(view, at) > indentation(view, owner.start)) return false
  return open.some(({ place }) => beginsItem(view, at, place))
}

function* itemRepairs(view: View, failure: Failure, start: number, place: Place): Generator<Repair> {
  const { at, expected } = failure
  const end = itemEnd(view, start, Math.max(at, start + 1), place)
  const only = expected.length === 1 ? expected[0] : undefined
  if (only && insertable.has(only) && at < end) {
    const exact = only !== 'Equals'
    yield { from: at, to: at, insert: [made(only, after(view, at - 1).start)], end, cut: false, exact }
  }
  if (expected.includes('LBrace') && opensHere(view, start, at, only !== undefined))
    yield* braces(view, at, start)
  yield* closings(view, at, start, end)
  const kind = kindAt(view, at)
  if (at < end && !isOpener(kind) && !isCloser(kind))
    yield { from: at, to: at + 1, insert: [], end, cut: false }
  yield* holes(view, at, start, end)
}

/** Whether a brace was forgotten: nothing else may stand here, or what belongs to the item is set in below it. */
function opensHere(view: View, start: number, at: number, alone: boolean): boolean {
  if (at >= view.tokens.length) return false
  return startsLine(view, at) ? indentation(view, at) > indentation(view, start) : alone
}

/** The brace alone, where all is well then, or both around the lines that are set in deeper. */
function* braces(view: View, at: number, start: number): Generator<Repair> {
  const brace = made('LBrace', after(view, at - 1).start)
  const end = view.tokens.length
  yield { from: at, to: at, insert: [brace], end, cut: false, exact: true, whole: true }
  let to = at
  while (
    to < view.tokens.length &&
    (!startsLine(view, to) || indentation(view, to) > indentation(view, start))
  )
    to++
  const insert = [brace, ...view.tokens.slice(at, to), made('RBrace', after(view, to - 1).start)]
  yield { from: at, to, insert, end: to, cut: false, exact: true, whole: true }
}

/** Closes one open bracket after the other. */
function* closings(view: View, at: number, start: number, end: number): Generator<Repair> {
  const brackets = new Brackets()
  for (let i = start; i < at; i++) brackets.step(view, i)
  const closers = brackets.open
    .toReversed()
    .map(each => made(closingOf(kindAt(view, each)), after(view, at - 1).start))
  for (let count = 1; count <= Math.min(closers.length, 5); count++) {
    yield { from: at, to: at, insert: closers.slice(0, count), end, cut: false }
  }
}

/** Puts a hole where the error is: in the innermost brackets, behind `=`, or in the head before a block. */
function* holes(view: View, at: number, start: number, end: number): Generator<Repair> {
  const opener = enclosing(view, at, start)
  const closer = opener === undefined ? undefined : closing(view, opener, end)
  if (opener !== undefined && closer !== undefined && closer >= at) yield hole(view, opener + 1, closer, end)
  const equals = firstOutside(view, 'Equals', start, Math.min(at + 1, end))
  if (equals !== undefined) yield { ...hole(view, equals + 1, end, end), cut: true }
  const brace = firstOutside(view, 'LBrace', at, end)
  if (brace !== undefined && brace > start + 1) yield hole(view, start + 1, brace, end)
}

function hole(view: View, from: number, to: number, end: number): Repair {
  const first = view.tokens[from]
  const last = view.tokens[to - 1]
  const before = after(view, from - 1).start
  const insert =
    from < to && first && last ? missing(first.startOffset, endOf(last)) : missing(before, before)
  return { from, to, insert: [insert], end, cut: false }
}

/** The first token of a kind that stands in no bracket opened since `start`. */
function firstOutside(view: View, kind: string, start: number, end: number): number | undefined {
  let depth = 0
  for (let i = start; i < end; i++) {
    const found = kindAt(view, i)
    if (found === kind && depth === 0) return i
    if (isOpener(found)) depth++
    if (isCloser(found)) depth--
  }
  return undefined
}

const insertable: ReadonlySet<string> = new Set([
  'Colon',
  'Comma',
  'Equals',
  'Arrow',
  'LParen',
  'in',
  'then',
  'from',
])

const typeByName: ReadonlyMap<string, TokenType> = new Map(tokenTypes.map(type => [type.name, type]))

/** A token that was left out, at an offset. */
export function made(name: string, offset: number): Token {
  const type = typeByName.get(name)
  return type ? tokenAt(type, String(type.PATTERN), offset, offset) : missing(offset, offset)
}
