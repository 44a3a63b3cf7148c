import {
  Caret,
  EqualEqual,
  type Lexed,
  NotEqual,
  StringToken,
  type Token,
  type TokenType,
  tokenAt,
  word,
} from '../../../grammar/tokens.ts'
import type { Source, Span } from '../../base/source.ts'
import { diagnose, type Report } from '../../diagnostics/diagnostic.ts'
import { endOf, kindAt, touches, type View } from './view.ts'

/** Reports what is wrong with single characters and tokens, and gives the tokens that were meant. */
export function clean(source: Source, lexed: Lexed, report: Report): View {
  reportUnknown(source, lexed, report)
  reportStrays(source, lexed, report)
  const view = { source, tokens: lexed.tokens }
  for (const token of lexed.tokens) {
    if (token.tokenType.name === 'OpenString') report(diagnose('LTM1002', spanOf(source, token), {}))
  }
  return { source, tokens: translated(view, report) }
}

function spanOf(source: Source, token: Token): Span {
  return { source, start: token.startOffset, end: endOf(token) }
}

function reportUnknown(source: Source, { unknown }: Lexed, report: Report): void {
  for (const { offset, length } of unknown) {
    const written = source.text.slice(offset, offset + length)
    const character = `\`${[...written].slice(0, 12).join('')}\``
    report(diagnose('LTM1001', { source, start: offset, end: offset + length }, { character }))
  }
}

/** Semicolons and `#` comments come in crowds; each habit is reported once, at its first place. */
function reportStrays(source: Source, { strays }: Lexed, report: Report): void {
  const semicolons = strays.filter(stray => stray.image === ';')
  const first = semicolons[0]
  if (first) {
    const span = spanOf(source, first)
    const fix = { title: 'Remove it', span, replacement: '' }
    report(diagnose('LTM1025', span, { count: semicolons.length }, { fix }))
  }
  const hash = strays.find(stray => stray.image !== ';')
  if (hash) {
    const span = { source, start: hash.startOffset, end: hash.startOffset + 1 }
    report(diagnose('LTM1029', span, {}, { fix: { title: 'Write `//`', span, replacement: '//' } }))
  }
}

/** Signs of other languages that stand for exactly one sign or word of ltm. */
const meanings: Readonly<Record<string, { readonly type: TokenType; readonly image: string }>> = {
  TripleEquals: { type: EqualEqual, image: '==' },
  NotDoubleEquals: { type: NotEqual, image: '!=' },
  AndAnd: { type: word.and, image: 'and' },
  OrOr: { type: word.or, image: 'or' },
  Bang: { type: word.not, image: 'not' },
}

/** Whether a token may have to be replaced: `*` where it is the half of a power. */
const isForeign = ({ tokenType: { name } }: Token): boolean =>
  name === 'Star' || name === 'QuotedText' || Object.hasOwn(meanings, name)

function translated(view: View, report: Report): readonly Token[] {
  if (!view.tokens.some(isForeign)) return view.tokens
  const tokens: Token[] = []
  for (let i = 0; i < view.tokens.length; i++) {
    const token = view.tokens[i]
    if (!token) continue
    const power = kindAt(view, i) === 'Star' && kindAt(view, i + 1) === 'Star' && touches(view, i + 1)
    const second = view.tokens[i + 1]
    if (power && second && kindAt(view, i - 1) !== 'Dot') {
      const span = { source: view.source, start: token.startOffset, end: endOf(second) }
      report(diagnose('LTM1022', span, {}, { fix: { title: 'Write `^`', span, replacement: '^' } }))
      tokens.push(tokenAt(Caret, '^', span.start, span.end))
      i++
    } else tokens.push(translate(view.source, token, report))
  }
  return tokens
}

function translate(source: Source, token: Token, report: Report): Token {
  const span = spanOf(source, token)
  if (token.tokenType.name === 'QuotedText') {
    const image = `"${token.image.slice(1, -1).replaceAll('"', '\\"')}"`
    report(diagnose('LTM1030', span, {}, { fix: { title: 'Use double quotes', span, replacement: image } }))
    return tokenAt(StringToken, image, span.start, span.end)
  }
  const meaning = meanings[token.tokenType.name]
  if (!meaning) return token
  const { type, image } = meaning
  const replacement = image === 'not' ? 'not ' : image
  const fix = { title: `Write \`${image}\``, span, replacement }
  report(diagnose('LTM1024', span, { written: token.image, instead: image }, { fix }))
  return tokenAt(type, image, span.start, span.end)
}
