import {
  atomLevel,
  chooseLevel,
  type HostScope,
  meaningOf,
  type Notation,
  notations,
  signLevel,
} from '../host.ts'
import type { HostExpr, HostOperator } from '../ir.ts'
import { printDim, printLiteral, printName, printNumber, printValue } from './names.ts'

interface Piece {
  readonly text: string
  /** How tightly it binds; see {@link Notation}. */
  readonly level: number
}

/** A host expression in ordinary notation, with no parentheses but those it needs. */
export function printExpr(expr: HostExpr, scope: HostScope): string {
  return piece(expr, scope).text
}

const atom = (text: string): Piece => ({ text, level: atomLevel })

function piece(expr: HostExpr, scope: HostScope): Piece {
  switch (expr.kind) {
    case 'number':
      return { text: printNumber(expr.value), level: isSigned(expr.value) ? signLevel : atomLevel }
    case 'bool':
    case 'string':
      return atom(printLiteral(expr.value))
    case 'hyper':
    case 'argument':
    case 'var':
      return atom(reference(expr, scope))
    case 'clock':
      return atom(expr.of === undefined ? expr.clock : `${expr.clock} of ${printName(expr.of)}`)
    case 'size':
      return atom(`size(${printDim(expr.dim)})`)
    case 'item':
      return atom(`item(${printValue(expr.value)})`)
    case 'logged':
      return atom(`logged(${printLiteral(expr.name)})`)
    case 'told':
      return atom(`told(${expr.what})`)
    case 'stalled':
      return atom(`stalled(${stall(expr)})`)
    case 'apply':
      return application(expr.operator, expr.args, scope)
    case 'choose':
      return choice(expr, scope)
  }
}

function stall(expr: Extract<HostExpr, { readonly kind: 'stalled' }>): string {
  const by = expr.minDelta === 0 ? '' : ` by ${printNumber(expr.minDelta)}`
  const monitor = `${expr.direction} ${printLiteral(expr.monitor)}`
  const share = expr.minShare === undefined ? '' : ` share ${printNumber(expr.minShare)}`
  const rest = expr.cooldown === undefined ? '' : ` cooldown ${printNumber(expr.cooldown)}`
  return `${printLiteral(expr.place)} ${monitor} patience ${printNumber(expr.patience)}${by}${share}${rest}`
}

function reference(
  expr: Extract<HostExpr, { readonly kind: 'hyper' | 'argument' | 'var' }>,
  scope: HostScope,
): string {
  const name = printName(expr.name)
  return meaningOf(expr.name, scope) === expr.kind && name === expr.name ? name : `${expr.kind} ${name}`
}

function choice(expr: Extract<HostExpr, { readonly kind: 'choose' }>, scope: HostScope): Piece {
  const [condition, then, otherwise] = [expr.condition, expr.then, expr.otherwise].map(e =>
    printExpr(e, scope),
  )
  return { text: `if ${condition} then ${then} else ${otherwise}`, level: chooseLevel }
}

function application(operator: HostOperator, args: readonly HostExpr[], scope: HostScope): Piece {
  const notation = notations[operator]
  const [first, second] = args
  if (notation.place === 'infix' && first && second && args.length === 2)
    return infix(notation, first, second, scope)
  if (notation.place === 'prefix' && first && args.length === 1) return prefix(notation, first, scope)
  return atom(`${operator}(${args.map(arg => printExpr(arg, scope)).join(', ')})`)
}

type Infix = Extract<Notation, { readonly place: 'infix' }>

function infix({ symbol, level, group }: Infix, left: HostExpr, right: HostExpr, scope: HostScope): Piece {
  const first = operand(left, group === 'left' ? level : level + 1, scope)
  // The right operand of a power may carry a sign: `2 ^ -1`.
  const second = operand(right, group === 'right' ? signLevel : level + 1, scope)
  return { text: `${first} ${symbol} ${second}`, level }
}

function prefix(
  notation: Extract<Notation, { readonly place: 'prefix' }>,
  arg: HostExpr,
  scope: HostScope,
): Piece {
  const { symbol, level } = notation
  // `-1` is a number; the negation of a number is `-(1)`, and `--x` reads badly.
  const tight = symbol === '-' && (arg.kind === 'number' || piece(arg, scope).text.startsWith('-'))
  return { text: `${symbol}${operand(arg, tight ? atomLevel + 1 : level, scope)}`, level }
}

function operand(expr: HostExpr, least: number, scope: HostScope): string {
  const { text, level } = piece(expr, scope)
  return level < least ? `(${text})` : text
}

function isSigned(value: number): boolean {
  return value < 0 || Object.is(value, -0)
}
