import { toldTexts } from '../../base/hookEvents.ts'
import {
  type HostScope,
  isClock,
  isHostOperator,
  meaningOf,
  type Notation,
  notations,
  notLevel,
  powerLevel,
  signLevel,
} from '../host.ts'
import type { Clock, HostExpr, HostOperator } from '../ir.ts'
import { parseDim } from './names.ts'
import type { Scanner } from './scanner.ts'

/** A host expression in ordinary notation. */
export function parseExpr(s: Scanner, scope: HostScope): HostExpr {
  return parseLevel(s, scope, 1)
}

type Infix = Extract<Notation, { readonly place: 'infix' }>

const infixes = (Object.keys(notations) as HostOperator[]) // the keys of a total record are its key type
  .flatMap(operator => {
    const notation = notations[operator]
    return notation.place === 'infix' ? [{ operator, ...notation }] : []
  })
  // `<=` before `<`
  .sort((a, b) => b.symbol.length - a.symbol.length)

/** Precedence climbing: an operand, then every operator that binds at least as tightly as asked. */
function parseLevel(s: Scanner, scope: HostScope, least: number): HostExpr {
  let left = parseOperand(s, scope, least)
  for (;;) {
    const found = infixes.find(each => each.level >= least && acceptInfix(s, each.symbol))
    if (!found) return left
    left = { kind: 'apply', operator: found.operator, args: [left, parseLevel(s, scope, rightLevel(found))] }
    if (
      found.group === 'none' &&
      infixes.some(each => each.level === found.level && acceptInfix(s, each.symbol))
    )
      s.fail('a comparison is not compared again without parentheses')
  }
}

function rightLevel({ group, level }: Infix): number {
  return group === 'right' ? signLevel : level + 1
}

const remainder = /%(?=\s)/y

/** `%` with a name behind it begins a value, not a remainder. */
function acceptInfix(s: Scanner, symbol: string): boolean {
  return symbol === '%' ? s.take(remainder) !== undefined : s.accept(symbol)
}

function parseOperand(s: Scanner, scope: HostScope, least: number): HostExpr {
  if (least <= notLevel && s.accept('not'))
    return { kind: 'apply', operator: 'not', args: [parseLevel(s, scope, notLevel)] }
  if (least <= signLevel && s.accept('-')) return parseSigned(s, scope)
  return parseAtom(s, scope)
}

/** `-1` is a number, `-(1)` and `-1 ^ 2` are negations. */
function parseSigned(s: Scanner, scope: HostScope): HostExpr {
  const bare = s.onThisLine(/(?:\d|inf(?!\w)|nan(?!\w))/y)
  const arg = parseLevel(s, scope, powerLevel)
  if (bare && arg.kind === 'number') return { kind: 'number', value: -arg.value }
  return { kind: 'apply', operator: 'neg', args: [arg] }
}

function parseAtom(s: Scanner, scope: HostScope): HostExpr {
  const value = s.numberMaybe()
  if (value !== undefined) return { kind: 'number', value }
  if (s.atText) return { kind: 'string', value: s.text() }
  if (s.accept('(')) {
    const inner = parseExpr(s, scope)
    s.expect(')')
    return inner
  }
  const word = s.word()
  return word === undefined ? s.fail('expected a host expression') : parseWord(s, scope, word)
}

function parseWord(s: Scanner, scope: HostScope, word: string): HostExpr {
  if (word === 'true' || word === 'false') return { kind: 'bool', value: word === 'true' }
  if (word === 'if') return parseChoice(s, scope)
  if (word === 'size') return { kind: 'size', dim: inParentheses(s, () => parseDim(s, ')')) }
  if (word === 'item') return { kind: 'item', value: inParentheses(s, () => s.value()) }
  if (word === 'logged') return { kind: 'logged', name: inParentheses(s, () => s.text()) }
  if (word === 'told')
    return { kind: 'told', what: inParentheses(s, () => s.oneOf([...toldTexts, 'gradient_norm'])) }
  if (word === 'stalled') return inParentheses(s, () => parseStalled(s))
  if (word === 'hyper' || word === 'var' || word === 'argument') return { kind: word, name: s.name() }
  if (isClock(word)) return parseClock(s, word)
  if (isHostOperator(word))
    return { kind: 'apply', operator: word, args: s.list('(', ')', () => parseExpr(s, scope)) }
  const kind = meaningOf(word, scope)
  return kind ? { kind, name: word } : s.fail(`\`${word}\` is no hyper, var or argument; before it`)
}

/** `stalled("val.loss" min "val.loss" patience 5 by 0.01)`: the place, what it watches, and how. */
function parseStalled(s: Scanner): HostExpr {
  const place = s.text()
  const direction = s.oneOf(['min', 'max'])
  const monitor = s.text()
  s.expect('patience')
  const patience = s.number()
  const minDelta = s.accept('by') ? s.number() : 0
  const minShare = s.accept('share') ? { minShare: s.number() } : {}
  const cooldown = s.accept('cooldown') ? { cooldown: s.number() } : {}
  return { kind: 'stalled', place, direction, monitor, patience, minDelta, ...minShare, ...cooldown }
}

function parseClock(s: Scanner, clock: Clock): HostExpr {
  return s.accept('of') ? { kind: 'clock', clock, of: s.name() } : { kind: 'clock', clock }
}

function parseChoice(s: Scanner, scope: HostScope): HostExpr {
  const condition = parseExpr(s, scope)
  s.expect('then')
  const then = parseExpr(s, scope)
  s.expect('else')
  return { kind: 'choose', condition, then, otherwise: parseExpr(s, scope) }
}

function inParentheses<T>(s: Scanner, item: () => T): T {
  s.expect('(')
  const inner = item()
  s.expect(')')
  return inner
}
