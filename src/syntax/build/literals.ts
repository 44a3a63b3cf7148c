import type { Token } from '../../../grammar/tokens.ts'
import { diagnose } from '../../diagnostics/diagnostic.ts'
import type { Expr, NumberLiteral, StringLiteral } from '../ast.ts'
import { at, type Context, tokenSpan } from './cst.ts'

const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t' }

/** A string with its escapes resolved. */
export function buildString(from: Token, ctx: Context): StringLiteral {
  const open = from.tokenType.name === 'OpenString'
  const inner = from.tokenType.name === 'Missing' ? '' : from.image.slice(1, open ? undefined : -1)
  const text = inner.replaceAll(/\\(.?)/g, (written, escaped: string, offset: number) => {
    const resolved = escapes[escaped]
    if (resolved !== undefined) return resolved
    if (!open) reportEscape(written, from.startOffset + 1 + offset, ctx)
    return written
  })
  return { kind: 'StringLiteral', ...at(tokenSpan(from, ctx.source), ctx), text }
}

function reportEscape(written: string, start: number, ctx: Context): void {
  const span = { source: ctx.source, start, end: start + written.length }
  const fix = { title: 'Write the backslash twice', span, replacement: `\\${written}` }
  ctx.report(diagnose('LTM1003', span, { written }, { fix }))
}

/** A number without a unit. */
export function buildNumber(from: Token, ctx: Context): NumberLiteral {
  return {
    kind: 'NumberLiteral',
    ...at(tokenSpan(from, ctx.source), ctx),
    value: numberValue(from),
    integer: !/[.eE]/.test(from.image),
    unit: undefined,
    of: undefined,
  }
}

/** The value of a number token. */
export function numberValue(from: Token): number {
  return Number(from.image.replaceAll('_', ''))
}

/** `None`, `null`, `True`, `False`: words of other languages that can't be meant as names. */
export function buildForeignName(from: Token, ctx: Context): Expr | undefined {
  const span = tokenSpan(from, ctx.source)
  switch (from.image) {
    case 'True':
    case 'False': {
      const replacement = from.image.toLowerCase()
      const fix = { title: `Write \`${replacement}\``, span, replacement }
      ctx.report(diagnose('LTM1024', span, { written: from.image, instead: replacement }, { fix }))
      return { kind: 'BoolLiteral', ...at(span, ctx), value: from.image === 'True' }
    }
    case 'None':
    case 'null':
    case 'nil':
    case 'undefined':
      ctx.report(diagnose('LTM1023', span, { written: from.image }))
      return { kind: 'ErrorExpr', ...at(span, ctx) }
    default:
      return undefined
  }
}
