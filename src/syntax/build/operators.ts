import type { CstNode, Token } from '../../../grammar/tokens.ts'
import { bug } from '../../base/bug.ts'
import { type Span, spanning, textOf } from '../../base/source.ts'
import { diagnose } from '../../diagnostics/diagnostic.ts'
import type { BinaryOperator, Expr, Unary } from '../ast.ts'
import { at, type Context, nodes, spanOf, tokenSpan, tokensOf } from './cst.ts'

/** The binding strength of each binary operator; a unary minus lies between the products and the power. */
const strength = {
  or: 1,
  and: 2,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  div: 6,
  '%': 6,
  '@': 6,
  '^': 8,
} as const satisfies Readonly<Record<BinaryOperator, number>>

const notStrength = 3
const comparison = 4
const minusStrength = 7

/** The most operators in one row: the tree of a row is as deep as the row is long. */
export const chainLimit = 200

interface Row {
  readonly operands: readonly CstNode[]
  readonly prefixes: readonly (readonly Token[])[]
  readonly operators: readonly Token[]
  readonly ctx: Context
  /** Builds an operand without its prefixes. */
  readonly postfix: (cst: CstNode, ctx: Context) => Expr
  /** The operand that comes next, and the first of its prefixes that is still to be read. */
  operand: number
  prefix: number
}

/** A row of operands and operators, by precedence climbing over the table of grammar.md. */
export function buildOperation(cst: CstNode, ctx: Context, postfix: Row['postfix']): Expr {
  const operands = nodes(cst, 'Operand')
  const prefixes = operands.map(operand => tokensOf(operand, 'Prefix'))
  const operators = tokensOf(cst, 'Operator')
  const first = operands[0] ?? bug('an operation without operands')
  if (operators.length === 0 && prefixes[0]?.length === 0) return postfix(first, ctx)
  const length = prefixes.reduce((sum, each) => sum + each.length, operators.length)
  if (length > chainLimit)
    return tooLong(spanning(spanOf(first, ctx), spanOf(operands.at(-1) ?? first, ctx)), ctx)
  return climb({ operands, prefixes, operators, ctx, postfix, operand: 0, prefix: 0 }, 0)
}

/** Reports a row that is too long, and stands in for it. */
export function tooLong(span: Span, ctx: Context): Expr {
  ctx.report(diagnose('LTM1005', span, { limit: chainLimit }))
  return { kind: 'ErrorExpr', ...at(span, ctx) }
}

function climb(row: Row, least: number): Expr {
  let left = startOf(row, least)
  let compared: Token | undefined
  for (;;) {
    const operator = row.operators[row.operand - 1]
    if (!operator) return left
    const sign = operator.image as BinaryOperator // the category Operator holds exactly these
    const level = strength[sign]
    if (level < least) return left
    if (level === comparison && compared) return chained(row, left, compared, operator)
    if (level === comparison) compared = operator
    const right = climb(row, sign === '^' ? minusStrength : level + 1)
    left = { kind: 'Binary', ...at(spanning(left.span, right.span), row.ctx), operator: sign, left, right }
  }
}

function startOf(row: Row, least: number): Expr {
  const prefix = row.prefixes[row.operand]?.[row.prefix]
  if (prefix) {
    row.prefix++
    return prefix.image === '-' ? unary(row, prefix, '-', minusStrength) : negation(row, prefix, least)
  }
  const operand = row.operands[row.operand] ?? bug('an operator without an operand')
  row.operand++
  row.prefix = 0
  return row.postfix(operand, row.ctx)
}

function negation(row: Row, prefix: Token, least: number): Expr {
  const result = unary(row, prefix, 'not', notStrength)
  if (least > notStrength) {
    row.ctx.report(diagnose('LTM1006', tokenSpan(prefix, row.ctx.source), {}, parenthesise(result.span)))
  }
  return result
}

const parenthesise = (span: Span) => ({
  fix: { title: 'Put it in parentheses', span, replacement: `(${textOf(span)})` },
})

function unary(row: Row, prefix: Token, operator: Unary['operator'], level: number): Expr {
  const operand = climb(row, level)
  const span = spanning(tokenSpan(prefix, row.ctx.source), operand.span)
  return { kind: 'Unary', ...at(span, row.ctx), operator, operand }
}

/** `a < b < c`: reported with what it should say; the rest of the row is read so that it is not reported again. */
function chained(row: Row, left: Expr, first: Token, second: Token): Expr {
  const { ctx } = row
  const operands = left.kind === 'Binary' ? [left.left, left.right] : [left]
  const signs = [first]
  for (let next = comparisonAt(row); next; next = comparisonAt(row)) {
    signs.push(next)
    operands.push(climb(row, comparison + 1))
  }
  const texts = operands.map(each => textOf(each.span))
  const suggestion = signs.map((sign, i) => `${texts[i]} ${sign.image} ${texts[i + 1]}`).join(' and ')
  const span = spanning(left.span, operands.at(-1)?.span ?? left.span)
  const fix = { title: `Write \`${suggestion}\``, span, replacement: suggestion }
  const labels = [{ span: tokenSpan(first, ctx.source), text: 'the first comparison' }]
  ctx.report(diagnose('LTM1007', tokenSpan(second, ctx.source), { suggestion }, { labels, fix }))
  return { kind: 'ErrorExpr', ...at(span, ctx) }
}

function comparisonAt(row: Row): Token | undefined {
  const operator = row.operators[row.operand - 1]
  return operator && strength[operator.image as BinaryOperator] === comparison ? operator : undefined
}
