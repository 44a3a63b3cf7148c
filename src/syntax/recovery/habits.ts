import type { Place, Word } from '../../../grammar/tokens.ts'
import { textOf } from '../../base/source.ts'
import { diagnose } from '../../diagnostics/diagnostic.ts'
import { type Failure, listPlace } from './attempt.ts'
import { contextOf, describe, type Finding, type Recogniser } from './finding.ts'
import { Brackets, closing, enclosing, isCloser, isOpener, itemEnd } from './items.ts'
import { made, type Repair, scarAt } from './repair.ts'
import {
  after,
  endsOperand,
  imageAt,
  isNameAt,
  kindAt,
  missing,
  spanAt,
  spanBetween,
  startsLine,
  startsOperand,
  touches,
  type View,
  wordAt,
  wordToken,
} from './view.ts'

/** The end of the innermost item that is open, seen from the error. */
function endOfItem(view: View, failure: Failure): number {
  const item = failure.open.at(-1)
  return item
    ? itemEnd(view, item.start, Math.max(failure.at, item.start + 1), item.place)
    : view.tokens.length
}

/** Puts other tokens in place of `[from, to)`, within an item that stays. */
function swap(view: View, failure: Failure, from: number, to: number, insert: Repair['insert']): Repair {
  return { from, to, insert, end: Math.max(to, endOfItem(view, failure)), cut: false }
}

/** Where a name with trailers ends, on its line; nothing if no name stands at `at`. */
function targetEnd(view: View, at: number): number | undefined {
  if (!isNameAt(view, at)) return undefined
  let i = at + 1
  while (!startsLine(view, i)) {
    const kind = kindAt(view, i)
    if (kind === 'Dot') i += 2
    else if (kind === 'LBracket' || kind === 'LParen')
      i = (closing(view, i, view.tokens.length) ?? view.tokens.length) + 1
    else break
  }
  return i
}

/** `x = 1` without `set` or `let`. */
const assignment: Recogniser = (view, failure) => {
  const { at } = failure
  const place = listPlace(failure)
  const end = targetEnd(view, at)
  if (!place || end === undefined || kindAt(view, end) !== 'Equals') return undefined
  const target = textOf(spanBetween(view, at, end - 1))
  const isSelf = imageAt(view, at) === 'self' && kindAt(view, at + 1) === 'Dot'
  if (isSelf) return ownMember(view, at, end, place)
  const known = end > at + 1 || isDeclared(view, imageAt(view, at))
  const word = assigningWord(view, end, place, known)
  const start = spanAt(view, at)
  const fix = { title: `Write \`${word}\``, span: { ...start, end: start.start }, replacement: `${word} ` }
  const value = textOf(spanBetween(view, at, lineEnd(view, end)))
  return {
    diagnostic: diagnose(
      'LTM1020',
      spanBetween(view, at, end),
      { name: target, instead: `${word} ${value}` },
      { fix },
    ),
    repair: {
      from: at,
      to: at,
      insert: [wordToken(word, start.start)],
      end: itemEnd(view, at, at + 1, place),
      cut: false,
    },
    // Many words may be meant: what stands behind the sign is known to few of them.
    scar: scarAt(view, end + 1, end + 1),
  }
}

/** `self.w = Linear(2, 2)`: a member is declared, and read by its name alone. */
function ownMember(view: View, at: number, end: number, place: Place): Finding {
  const target = textOf(spanBetween(view, at, end - 1))
  const name = textOf(spanBetween(view, at + 2, end - 1))
  const word = place === 'block' ? 'set' : assigningWord(view, end, place, false)
  const span = spanBetween(view, at, end - 1)
  const instead = `${word} ${name}`
  const fix = { title: `Write \`${instead}\``, span, replacement: instead }
  return {
    diagnostic: diagnose(
      'LTM1020',
      spanBetween(view, at, end),
      { name: target, instead: `${instead} ${textOf(spanBetween(view, end, lineEnd(view, end)))}` },
      { fix, help: 'There is no `self`: a member is declared in its module, and read by its name alone.' },
    ),
    repair: {
      from: at,
      to: at + 2,
      insert: [wordToken(word, span.start)],
      end: itemEnd(view, at, at + 1, place),
      cut: false,
    },
  }
}

function assigningWord(view: View, equals: number, place: Place, known: boolean): Word {
  if (place === 'file') return 'const'
  if (place === 'block') return known ? 'set' : 'let'
  const builds = /^[A-Z]/.test(imageAt(view, equals + 1)) && kindAt(view, equals + 2) === 'LParen'
  return place === 'module' && builds ? 'layer' : 'let'
}

/** Whether a variable or a parameter of this name is declared in sight. */
function isDeclared(view: View, name: string): boolean {
  return view.tokens.some((token, i) => {
    const word = wordAt(view, i)
    return token.image === name && i > 0 && word === undefined && declaring.has(imageAt(view, i - 1))
  })
}
const declaring: ReadonlySet<string> = new Set(['var', 'let', 'buffer', 'state', 'slot', 'set', '(', ','])

function lineEnd(view: View, from: number): number {
  const brackets = new Brackets()
  let i = from
  while (i + 1 < view.tokens.length && !startsLine(view, i + 1) && !brackets.step(view, i + 1)) i++
  return i
}

/** `x += 1`, `set x += 1`, `x := 1`. */
const compound: Recogniser = (view, failure) => {
  const { at } = failure
  const inSet = failure.rule === 'Set'
  const place = listPlace(failure)
  const end = inSet ? at : targetEnd(view, at)
  if ((!place && !inSet) || end === undefined || kindAt(view, end) !== 'CompoundAssignment') return undefined
  const start = inSet ? (failure.open.at(-1)?.start ?? at) + 1 : at
  const target = textOf(spanBetween(view, start, end - 1))
  const operator = imageAt(view, end)
  const last = lineEnd(view, end)
  const value = end < last ? grouped(view, end + 1, last) : '…'
  const instead =
    operator === ':=' ? `let ${target} = ${value}` : `set ${target} = ${target} ${operator[0]} ${value}`
  const span = spanBetween(view, inSet ? start - 1 : start, last)
  const fix = end < last ? { title: `Write \`${instead}\``, span, replacement: instead } : undefined
  const equals = made('Equals', spanAt(view, end).start)
  const insert = inSet ? [equals] : [wordToken('set', span.start), ...view.tokens.slice(at, end), equals]
  return {
    diagnostic: diagnose('LTM1021', spanAt(view, end), { operator, instead }, { fix }),
    repair: inSet
      ? swap(view, failure, end, end + 1, insert)
      : { from: at, to: end + 1, insert, end: itemEnd(view, at, end + 1, place ?? 'block'), cut: false },
  }
}

/** The text of some tokens, in parentheses if an operator stands in them. */
function grouped(view: View, first: number, last: number): string {
  const text = textOf(spanBetween(view, first, last))
  return view.tokens.slice(first, last + 1).some(token => /^[-+*/%@^]$/.test(token.image))
    ? `(${text})`
    : text
}

/** A call or another expression where a statement should stand. */
const expressionAlone: Recogniser = (view, failure) => {
  const { at } = failure
  if (listPlace(failure) !== 'block' || !startsOperand(view, at)) return undefined
  if (kindAt(view, at) === 'LBrace' || !(startsLine(view, at) || kindAt(view, at - 1) === 'LBrace'))
    return undefined
  const followed = isNameAt(view, at + 1) && !startsLine(view, at + 1)
  if (isNameAt(view, at) && followed) return undefined
  const end = statementEnd(view, at)
  return {
    diagnostic: diagnose('LTM1026', spanBetween(view, at, end - 1), { context: '' }),
    repair: { from: at, to: end, insert: [], end, cut: false },
  }
}

/** The end of what stands at `at`, seen as one statement: the next item, or a line that begins with another operand. */
function statementEnd(view: View, at: number): number {
  const limit = itemEnd(view, at, at + 1, 'block')
  let depth = 0
  for (let i = at; i < limit; i++) {
    if (i > at && depth === 0 && startsLine(view, i) && endsOperand(view, i - 1) && isNameAt(view, i))
      return i
    if (isOpener(kindAt(view, i))) depth++
    if (isCloser(kindAt(view, i))) depth--
  }
  return limit
}

const declarations: Readonly<Record<string, { readonly instead: string; readonly word: 'fn' | 'module' }>> = {
  def: { instead: 'fn name(…) { … }', word: 'fn' },
  function: { instead: 'fn name(…) { … }', word: 'fn' },
  func: { instead: 'fn name(…) { … }', word: 'fn' },
  fun: { instead: 'fn name(…) { … }', word: 'fn' },
  class: { instead: 'module Name(…) { … }', word: 'module' },
  struct: { instead: 'module Name(…) { … }', word: 'module' },
}

/** `def`, `class`, `function`. */
const foreignDeclaration: Recogniser = (view, failure) => {
  const { at } = failure
  const place = listPlace(failure)
  const image = imageAt(view, at)
  if (!place || !Object.hasOwn(declarations, image) || !isNameAt(view, at + 1)) return undefined
  const { instead, word } = declarations[image] ?? { instead: '', word: 'fn' }
  const span = spanAt(view, at)
  const fix = { title: `Write \`${word}\``, span, replacement: word }
  return {
    diagnostic: diagnose('LTM1027', span, { written: image, instead }, { fix }),
    repair: {
      from: at,
      to: at + 1,
      insert: [wordToken(word, span.start, span.end)],
      end: itemEnd(view, at, at + 1, place),
      cut: false,
    },
  }
}

/** `elif c {` */
const elif: Recogniser = (view, failure) => {
  const { at } = failure
  const image = imageAt(view, at)
  const place = listPlace(failure)
  if (!place || !['elif', 'elsif', 'elseif'].includes(image)) return undefined
  const span = spanAt(view, at)
  const fix = { title: 'Write `else if`', span, replacement: 'else if' }
  const insert = [wordToken('else', span.start), wordToken('if', span.start, span.end)]
  return {
    diagnostic: diagnose('LTM1024', span, { written: image, instead: 'else if' }, { fix }),
    repair: { from: at, to: at + 1, insert, end: itemEnd(view, at, at + 1, place), cut: false },
  }
}

/** `import torch`, `from torch import nn`. */
const foreignImport: Recogniser = (view, failure) => {
  const { at } = failure
  const from = listPlace(failure) === 'file' && imageAt(view, at) === 'from'
  const bare =
    failure.rule === 'BracedNames' && failure.expected[0] === 'LBrace' && wordAt(view, at - 1) === 'import'
  if (!from && !bare) return undefined
  return { diagnostic: diagnose('LTM1028', from ? spanAt(view, at) : spanBetween(view, at - 1, at), {}) }
}

/** `f(x, bias=false)` */
const namedByEquals: Recogniser = (view, failure) => {
  const { at } = failure
  if (kindAt(view, at) !== 'Equals' || (failure.rule !== 'Args' && failure.rule !== 'PatternCall'))
    return undefined
  const opener = enclosing(view, at)
  if (opener === undefined || !['LParen', 'Comma'].includes(kindAt(view, at - 2))) return undefined
  const closer = closing(view, opener, view.tokens.length) ?? at + 1
  const insert = view.tokens.slice(at, closer).map((token, i) => {
    const named = kindAt(view, at + i) === 'Equals' && enclosing(view, at + i, opener) === opener
    return named ? made('Colon', token.startOffset) : token
  })
  const span = spanAt(view, at)
  const fix = { title: 'Write `:`', span, replacement: touches(view, at + 1) ? ': ' : ':' }
  return {
    diagnostic: diagnose('LTM1031', span, { name: imageAt(view, at - 1) }, { fix }),
    repair: swap(view, failure, at, closer, insert),
  }
}

/** `forward(x: f32): f32 {` and `if x:`. */
const colonForBody: Recogniser = (view, failure) => {
  const { at } = failure
  const wanted = failure.expected.includes('LBrace') || failure.rule === 'Body'
  if (kindAt(view, at) !== 'Colon' || !wanted) return undefined
  const span = spanAt(view, at)
  const fix = { title: 'Write `->`', span, replacement: ' ->' }
  const result: Finding = {
    diagnostic: diagnose('LTM1033', span, {}, { fix }),
    repair: swap(view, failure, at, at + 1, [made('Arrow', span.start)]),
    guess: true,
  }
  const typed = kindAt(view, at - 1) === 'RParen' && !startsLine(view, at + 1) && at + 1 < view.tokens.length
  return typed ? result : { diagnostic: diagnose('LTM1032', span, {}) }
}

/** `if a = b {` and `let x == 1`. */
const equalsForEquals: Recogniser = (view, failure) => {
  const { at, expected } = failure
  const span = spanAt(view, at)
  const replace = (kind: string, written: string, instead: string, meaning: string): Finding => ({
    diagnostic: diagnose(
      'LTM1034',
      span,
      { written, instead, meaning },
      { fix: { title: `Write \`${instead}\``, span, replacement: instead } },
    ),
    repair: swap(view, failure, at, at + 1, [made(kind, span.start)]),
    guess: true,
  })
  if (kindAt(view, at) === 'EqualEqual' && expected.includes('Equals'))
    return replace('Equals', '==', '=', 'Giving a value')
  if (kindAt(view, at) === 'Equals') return replace('EqualEqual', '=', '==', 'A comparison')
  return undefined
}

/** `/* a comment *\/` */
const blockComment: Recogniser = (view, failure) => {
  const { at } = failure
  const first = imageAt(view, at) === '/' ? at : at - 1
  if (imageAt(view, first) !== '/' || imageAt(view, first + 1) !== '*' || !touches(view, first + 1))
    return undefined
  const end = indexWhere(view, first + 2, view.tokens.length, i => {
    return imageAt(view, i) === '*' && imageAt(view, i + 1) === '/' && touches(view, i + 1)
  })
  const diagnostic = diagnose('LTM1029', spanBetween(view, first, first + 1), {})
  return end < 0 ? { diagnostic } : { diagnostic, repair: swap(view, failure, first, end + 2, []) }
}

/** `x[1:3]` */
const sliceByColon: Recogniser = (view, failure) => {
  const { at } = failure
  const opener = kindAt(view, at) === 'Colon' ? enclosing(view, at) : undefined
  if (opener === undefined || kindAt(view, opener) !== 'LBracket') return undefined
  const span = spanAt(view, at)
  const closer = closing(view, opener, view.tokens.length) ?? at
  const colons = view.tokens.slice(opener, closer).filter((_, i) => kindAt(view, opener + i) === 'Colon')
  const fix = { title: 'Write `..`', span, replacement: '..' }
  return {
    diagnostic: diagnose(
      'LTM1034',
      span,
      { written: ':', instead: '..', meaning: 'A stretch of an axis' },
      colons.length === 1 ? { fix } : { help: 'Write `x[a..b]`; it has every element from `a` to `b`.' },
    ),
  }
}

/** `-> (f32[n], f32[n])` and `return (a, b)` */
const tuple: Recogniser = (view, failure) => {
  const { at, rule, expected } = failure
  const type = rule === 'Type' && kindAt(view, at) === 'LParen'
  const value = kindAt(view, at) === 'Comma' && expected.includes('RParen')
  const opener = type ? at : value ? enclosing(view, at) : undefined
  if (opener === undefined || kindAt(view, opener) !== 'LParen') return undefined
  if (value && endsOperand(view, opener - 1)) return undefined
  const instead = '{ first: …, second: … }'
  const closer = closing(view, opener, view.tokens.length) ?? at
  if (kindAt(view, closer + 1) === 'FatArrow') return undefined
  return {
    diagnostic: diagnose('LTM1027', spanBetween(view, opener, closer), { written: '(…, …)', instead }),
  }
}

/** `let a, b = f(x)` and `let (a, b) = f(x)` */
const severalNames: Recogniser = (view, failure) => {
  const { at, rule } = failure
  const start = failure.open.at(-1)?.start ?? at
  if (rule !== 'Let' || wordAt(view, start) !== 'let') return undefined
  if (kindAt(view, at) !== 'Comma' && kindAt(view, at) !== 'LParen') return undefined
  const instead = 'let { a, b } = …'
  return {
    diagnostic: diagnose('LTM1027', spanBetween(view, start, at), { written: 'let a, b = …', instead }),
  }
}

/** `k updates` of a number with a name. */
const unitOfName: Recogniser = (view, failure) => {
  const { at } = failure
  const unit = imageAt(view, at)
  if (!units.has(unit) || startsLine(view, at) || !isNameAt(view, at - 1)) return undefined
  const name = imageAt(view, at - 1)
  const span = spanBetween(view, at - 1, at)
  const instead = `${name} * 1 ${unit}`
  const star = made('Star', spanAt(view, at).start)
  const one = { ...missing(span.end, span.end), image: '1' }
  return {
    diagnostic: diagnose(
      'LTM1027',
      span,
      { written: textOf(span), instead },
      { fix: { title: `Write \`${instead}\``, span, replacement: instead } },
    ),
    repair: swap(view, failure, at, at + 1, [star, one]),
  }
}
const units: ReadonlySet<string> = new Set([
  'batches',
  'updates',
  'epochs',
  'examples',
  'seconds',
  'minutes',
  'hours',
])

/** `x if c else y` behind a declaration's or a member's value. */
const choiceBehind: Recogniser = (view, failure) => {
  const { at } = failure
  const place = listPlace(failure)
  if (!place || place === 'block' || wordAt(view, at) !== 'if') return undefined
  if (startsLine(view, at) || !endsOperand(view, at - 1)) return undefined
  return { diagnostic: diagnose('LTM1035', spanBetween(view, at - 1, at), {}) }
}

/** `rearrange x : a b -> b a` */
const barePattern: Recogniser = (view, failure) => {
  const { at, rule, expected } = failure
  const word = imageAt(view, at - 1)
  if (rule !== 'PatternCall' || expected[0] !== 'LParen') return undefined
  const details = { expected: '`(`', found: describe(view, at), context: contextOf(view, failure) }
  const help = `A pattern stands in parentheses: \`${word}(${word === 'einsum' ? 'a, b : i k, k j -> i j' : 'x : a b -> b a'})\`.`
  return { diagnostic: diagnose('LTM1010', spanAt(view, at), details, { help }) }
}

/** `param w: f32 = 1.0 in positive`, `param w: f32[d] project max_norm(2) = normal()` */
const lateClause: Recogniser = (view, failure) => {
  const { at } = failure
  const place = listPlace(failure)
  if (place !== 'module' && place !== 'train') return undefined
  const help = lateClauses[imageAt(view, at)]
  if (help === undefined || startsLine(view, at)) return undefined
  const details = {
    expected: 'the next member or `}`',
    found: describe(view, at),
    context: contextOf(view, failure),
  }
  return { diagnostic: diagnose('LTM1010', spanAt(view, at), details, { help }) }
}
const lateClauses: Readonly<Record<string, string>> = {
  in: 'Where a value lives stands before the value: `param scale: f32 in positive = 1.0`, `hyper lr: float in log_range(1e-5, 1e-1) = 1e-3`.',
  '=': 'The value stands before the projection: `param w: f32[d] = normal() project max_norm(2)`.',
}

/** `a if c else b` */
const pythonChoice: Recogniser = (view, failure) => {
  const item = failure.open.at(-1)
  if (!item || wordAt(view, failure.at) !== 'else' || wordAt(view, item.start) !== 'if') return undefined
  if (startsLine(view, item.start) || !endsOperand(view, item.start - 1)) return undefined
  return { diagnostic: diagnose('LTM1035', spanBetween(view, item.start - 1, failure.at), {}) }
}

/** `print(x)` */
const printCall: Recogniser = (view, failure) => {
  if (failure.rule !== 'Print') return undefined
  const item = failure.open.at(-1)
  return { diagnostic: diagnose('LTM1036', spanBetween(view, item?.start ?? failure.at, failure.at), {}) }
}

/** `0.77.4` */
const twoPoints: Recogniser = (view, failure) => {
  const { at } = failure
  const kinds = [at - 2, at - 1, at].map(i => kindAt(view, i)).join(' ')
  if (failure.rule !== 'Trailer' || kinds !== 'NumberToken Dot NumberToken') return undefined
  if (!touches(view, at - 1) || !touches(view, at)) return undefined
  const span = spanBetween(view, at - 2, at)
  return {
    diagnostic: diagnose('LTM1042', span, { written: textOf(span) }),
    repair: swap(view, failure, at - 2, at + 1, [missing(span.start, span.end)]),
  }
}

/** `.5` and `1.` */
const pointlessNumber: Recogniser = (view, failure) => {
  const { at } = failure
  const before = kindAt(view, at) === 'Dot' && kindAt(view, at + 1) === 'NumberToken' && touches(view, at + 1)
  const behind = failure.rule === 'Trailer' && kindAt(view, at - 2) === 'NumberToken' && touches(view, at - 1)
  if (!before && !behind) return undefined
  const first = before ? at : at - 2
  const span = spanBetween(view, first, first + 1)
  const written = textOf(span)
  const instead = before ? `0${written}` : `${written}0`
  const number = { ...(view.tokens[before ? at + 1 : at - 2] ?? missing(span.start, span.end)) }
  return {
    diagnostic: diagnose(
      'LTM1009',
      span,
      { written, instead },
      { fix: { title: `Write \`${instead}\``, span, replacement: instead } },
    ),
    repair: swap(view, failure, first, first + 2, [
      { ...number, image: instead, startOffset: span.start, endOffset: span.end - 1 },
    ]),
  }
}

/** `a + if c then x else y` */
const openChoice: Recogniser = (view, failure) => {
  const { at } = failure
  const word = wordAt(view, at)
  if (failure.rule !== 'Operand' || (word !== 'if' && word !== 'fn' && word !== 'for')) return undefined
  const item = failure.open.at(-1)
  const opener = enclosing(view, at, item?.start)
  const limit = endOfItem(view, failure)
  const end = comma(view, at, (opener === undefined ? undefined : closing(view, opener, limit)) ?? limit)
  const start = spanAt(view, at).start
  const stop = after(view, end - 1).start
  const span = { source: view.source, start, end: stop }
  const insert = [made('LParen', start), ...view.tokens.slice(at, end), made('RParen', stop)]
  return {
    diagnostic: diagnose(
      'LTM1008',
      spanAt(view, at),
      { word },
      { fix: { title: 'Put it in parentheses', span, replacement: `(${textOf(span)})` } },
    ),
    repair: swap(view, failure, at, end, insert),
  }
}

/** The first comma outside of brackets, or the limit. */
function comma(view: View, from: number, limit: number): number {
  let depth = 0
  for (let i = from; i < limit; i++) {
    if (kindAt(view, i) === 'Comma' && depth === 0) return i
    if (isOpener(kindAt(view, i))) depth++
    if (isCloser(kindAt(view, i))) depth--
  }
  return limit
}

/** `x => e` and `lambda x: e` */
const foreignLambda: Recogniser = (view, failure) => {
  const { at } = failure
  const instead = 'fn(x) = …'
  if (kindAt(view, at) === 'FatArrow')
    return { diagnostic: diagnose('LTM1027', spanAt(view, at), { written: '=>', instead }) }
  if (imageAt(view, at - 1) !== 'lambda') return undefined
  return { diagnostic: diagnose('LTM1027', spanAt(view, at - 1), { written: 'lambda', instead }) }
}

/** `for a, b in xs, ys {` */
const severalIterables: Recogniser = (view, failure) => {
  const { at } = failure
  const item = failure.open.at(-1)
  if (!item || kindAt(view, at) !== 'Comma' || wordAt(view, item.start) !== 'for') return undefined
  const limit = endOfItem(view, failure)
  const start = indexWhere(view, item.start, at, i => wordAt(view, i) === 'in') + 1
  const end = indexWhere(view, at, limit, i => kindAt(view, i) === 'LBrace')
  const name = view.tokens[item.start + 1]
  if (start === 0 || end < 0 || !name) return undefined
  const written = textOf(spanBetween(view, start, end - 1))
  const span = spanBetween(view, start, end - 1)
  const instead = `zip(${written})`
  const zip = { ...name, image: 'zip', startOffset: span.start, endOffset: span.start }
  const fix = { title: `Write \`${instead}\``, span, replacement: instead }
  return {
    diagnostic: diagnose('LTM1027', span, { written: `in ${written}`, instead: `in ${instead}` }, { fix }),
    repair: swap(view, failure, start, end, [
      zip,
      made('LParen', span.start),
      ...view.tokens.slice(start, end),
      made('RParen', span.end),
    ]),
  }
}

function indexWhere(view: View, from: number, to: number, test: (at: number) => boolean): number {
  const found = view.tokens.slice(from, to).findIndex((_, i) => test(from + i))
  return found < 0 ? -1 : from + found
}

/** Words of other languages, which must not be taken for misspelt words of this one. */
export const foreignWords: readonly Recogniser[] = [foreignDeclaration, elif, foreignImport, foreignLambda]

/** Habits from other languages, each with its own message. */
export const habits: readonly Recogniser[] = [
  blockComment,
  assignment,
  compound,
  namedByEquals,
  sliceByColon,
  tuple,
  severalNames,
  unitOfName,
  choiceBehind,
  barePattern,
  lateClause,
  colonForBody,
  equalsForEquals,
  pythonChoice,
  printCall,
  twoPoints,
  pointlessNumber,
  openChoice,
  severalIterables,
  expressionAlone,
]
