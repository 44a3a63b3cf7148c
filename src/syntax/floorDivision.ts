import { type Lexed, type Token, tokenize } from '../../grammar/tokens.ts'
import type { Source } from '../base/source.ts'
import { diagnose, type Report } from '../diagnostics/diagnostic.ts'
import { Brackets } from './recovery/items.ts'
import { endOf, endsOperand, kindAt, startsOperand, type View } from './recovery/view.ts'

/**
 * Reports `a // 2`, which other languages read as floor division: a comment behind an operand, on its line, that could
 * itself go on as an expression of whole numbers. A comment of words is left alone. Where it closes a bracket the program
 * is broken without it, else it is a warning. Returns the offsets of the former.
 */
export function reportFloorDivision(source: Source, lexed: Lexed, report: Report): readonly number[] {
  const view = { source, tokens: lexed.tokens }
  const breaking: number[] = []
  let next = 0
  for (const comment of lexed.comments) {
    while (next < view.tokens.length && (view.tokens[next]?.startOffset ?? 0) < comment.startOffset) next++
    const reading = comment.tokenType.name === 'Comment' ? divisionIn(view, next - 1, comment) : 'comment'
    if (reading === 'comment') continue
    const span = { source, start: comment.startOffset, end: comment.startOffset + 2 }
    const fix = { title: 'Write `div`', span, replacement: 'div' }
    report(diagnose(reading === 'breaking' ? 'LTM1041' : 'LTM1040', span, {}, { fix }))
    if (reading === 'breaking') breaking.push(comment.startOffset)
  }
  return breaking
}

type Reading = 'comment' | 'division' | 'breaking'

function divisionIn(view: View, before: number, comment: Token): Reading {
  const last = view.tokens[before]
  if (!last || view.source.text.slice(endOf(last), comment.startOffset).includes('\n')) return 'comment'
  if (!endsOperand(view, before) || kindAt(view, before) === 'RBrace') return 'comment'
  if (kindAt(view, before) === 'StringToken' || /[.eE]/.test(numberText(last))) return 'comment'
  return readingOf(comment.image.slice(2))
}

const numberText = (token: Token): string => (token.tokenType.name === 'NumberToken' ? token.image : '')

/** Whether a text reads as the rest of an expression after a division sign; one lonely word does not. */
function readingOf(text: string): Reading {
  const { tokens, unknown, strays } = tokenize(text)
  const view = { source: { name: '', text }, tokens }
  if (tokens.length === 0 || unknown.length + strays.length > 0) return 'comment'
  if (tokens.some(each => numberText(each).includes('.'))) return 'comment'
  const brackets = new Brackets()
  let wantsOperand = true
  let closesOutside = false
  for (let i = 0; i < tokens.length; i++) {
    const next = afterToken(kindAt(view, i), wantsOperand, startsOperand(view, i))
    if (next === undefined) return 'comment'
    wantsOperand = next
    closesOutside = brackets.step(view, i) || closesOutside
  }
  if (wantsOperand || brackets.open.length > 0) return 'comment'
  if (closesOutside) return 'breaking'
  return tokens.length === 1 && kindAt(view, 0) !== 'NumberToken' ? 'comment' : 'division'
}

/** Whether an operand is wanted behind a token; nothing where the token can't stand. */
function afterToken(kind: string, wantsOperand: boolean, isOperand: boolean): boolean | undefined {
  if (kind === 'LParen') return true
  if (signs.has(kind)) return wantsOperand ? undefined : kind !== 'RParen' && kind !== 'RBracket'
  return wantsOperand && isOperand ? false : undefined
}

const signs: ReadonlySet<string> = new Set([
  'Plus',
  'Minus',
  'Star',
  'Slash',
  'Percent',
  'RParen',
  'RBracket',
  'Comma',
])
