import { unreachable } from '../../base/bug.ts'
import { type Code, join, renderCode, ts } from '../../base/code.ts'
import type { Clock, HostExpr, HostOperator } from '../../ir/ir.ts'
import type { Dim } from '../../types/dim.ts'
import { memberAccess, quote } from './names.ts'

/** How the names in a host expression read at the place where it is printed. */
export interface HostNames {
  /** What has the clocks: `run` in a step, `clock` in an optimizer's settings. */
  readonly clock: string
  readonly argument: (name: string) => Code
  /** A `var` of the step at hand; those of `train` stand together. */
  readonly local?: (name: string) => Code | undefined
  readonly size: (dim: Dim) => Code
  readonly item: (value: string) => Code
}

/** A host expression as JavaScript arithmetic. */
export function hostCode(expr: HostExpr, names: HostNames): Code {
  return printed(expr, names).code
}

/** Text and how tightly it binds; the levels are those of JavaScript. */
interface Printed {
  readonly code: Code
  readonly level: number
}

const atom = 20
const unary = 14
const choice = 2

function printed(expr: HostExpr, names: HostNames): Printed {
  switch (expr.kind) {
    case 'number':
      return numberText(expr.value)
    case 'bool':
      return { code: String(expr.value), level: atom }
    case 'string':
      return { code: quote(expr.value), level: atom }
    case 'hyper':
      return { code: `settings${memberAccess(expr.name)}`, level: atom }
    case 'argument':
      return { code: names.argument(expr.name), level: atom }
    case 'var':
      return { code: names.local?.(expr.name) ?? `vars${memberAccess(expr.name)}`, level: atom }
    case 'clock':
      return { code: clockText(expr.clock, expr.of, names.clock), level: atom }
    case 'size':
      return sizePrinted(names.size(expr.dim))
    case 'item':
      return { code: names.item(expr.value), level: unary }
    case 'logged':
      return { code: `${names.clock}.logged(${quote(expr.name)})`, level: atom }
    case 'told':
      return { code: `${names.clock}.told.${camelCase(expr.what)}`, level: atom }
    case 'stalled':
      return { code: stalledText(expr, names.clock), level: atom }
    case 'choose':
      return chosen(expr, names)
    case 'apply':
      return applied(expr.operator, expr.args, names)
    default:
      return unreachable(expr)
  }
}

/** A number literal; the special ones have names in JavaScript. */
export function numberLiteral(value: number): string {
  if (Object.is(value, -0)) return '-0'
  return Math.abs(value) === Math.PI ? `${value < 0 ? '-' : ''}Math.PI` : String(value)
}

/** The literal of a number that becomes a 32-bit float. */
export function floatLiteral(value: number): string {
  return numberLiteral(Math.abs(value) === Math.PI ? value : shortFloat(value))
}

/** Of the numbers that become the same 32-bit float the one with the fewest digits. */
export function shortFloat(value: number): number {
  if (String(value).length <= 8) return value
  const rounded = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(digits => Number(value.toPrecision(digits)))
  return rounded.find(each => Math.fround(each) === Math.fround(value)) ?? value
}

function numberText(value: number): Printed {
  return { code: numberLiteral(value), level: value < 0 || Object.is(value, -0) ? unary : atom }
}

/** A size comes as text; its outermost operator is looked up there. */
function sizePrinted(code: Code): Printed {
  const text = renderCode(code, 'javascript')
  return { code, level: / [+-] /.test(text) ? 11 : / [*/] /.test(text) ? 12 : atom }
}

function stalledText(expr: HostExpr & { readonly kind: 'stalled' }, owner: string): string {
  const { place, direction, monitor, patience, minDelta, minShare, cooldown } = expr
  const numbers = { minDelta: minDelta === 0 ? undefined : minDelta, minShare, cooldown }
  const more = Object.entries(numbers).map(([key, value]) =>
    value === undefined ? '' : `, ${key}: ${value}`,
  )
  const stall = `{ direction: ${quote(direction)}, monitor: ${quote(monitor)}, patience: ${patience}${more.join('')} }`
  return `${owner}.stalled(${quote(place)}, ${stall})`
}

function clockText(clock: Clock, of: string | undefined, owner: string): string {
  if (clock === 'update') return `${owner}.updates(${of === undefined ? '' : quote(of)})`
  return `${owner}.${camelCase(clock)}`
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function chosen(expr: HostExpr & { readonly kind: 'choose' }, names: HostNames): Printed {
  const condition = inside(expr.condition, names, choice + 1)
  const then = inside(expr.then, names, choice + 1)
  return { code: ts`${condition} ? ${then} : ${inside(expr.otherwise, names, choice)}`, level: choice }
}

/** In parentheses where it binds less tightly than its place asks for. */
function inside(expr: HostExpr, names: HostNames, level: number): Code {
  const text = printed(expr, names)
  return text.level < level ? ts`(${text.code})` : text.code
}

interface Infix {
  readonly text: string
  readonly level: number
}

const infix: Readonly<Partial<Record<HostOperator, Infix>>> = {
  or: { text: '||', level: 3 },
  and: { text: '&&', level: 4 },
  eq: { text: '===', level: 8 },
  ne: { text: '!==', level: 8 },
  lt: { text: '<', level: 9 },
  le: { text: '<=', level: 9 },
  gt: { text: '>', level: 9 },
  ge: { text: '>=', level: 9 },
  add: { text: '+', level: 11 },
  sub: { text: '-', level: 11 },
  mul: { text: '*', level: 12 },
  div: { text: '/', level: 12 },
  mod: { text: '%', level: 12 },
}

function applied(operator: HostOperator, args: readonly HostExpr[], names: HostNames): Printed {
  const [a, b] = args
  const sign = infix[operator]
  if (sign !== undefined && a !== undefined && b !== undefined) {
    const code = ts`${inside(a, names, sign.level)} ${sign.text} ${inside(b, names, sign.level + 1)}`
    return { code, level: sign.level }
  }
  if (operator === 'pow' && a !== undefined && b !== undefined) {
    return { code: ts`${inside(a, names, unary + 1)} ** ${inside(b, names, unary - 1)}`, level: 13 }
  }
  if (operator === 'neg' && a !== undefined)
    return { code: ts`-${inside(a, names, unary + 1)}`, level: unary }
  if (operator === 'not' && a !== undefined)
    return { code: ts`!${inside(a, names, unary + 1)}`, level: unary }
  const plain = args.map(arg => inside(arg, names, choice))
  if (operator === 'floordiv')
    return {
      code: ts`Math.floor(${join(
        args.map(arg => inside(arg, names, 13)),
        ' / ',
      )})`,
      level: atom,
    }
  return { code: ts`Math.${operator}(${join(plain)})`, level: atom }
}
