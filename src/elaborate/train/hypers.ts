import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { Domain, Hyper as IrHyper } from '../../ir/ir.ts'
import type { Hyper } from '../../syntax/ast.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { knownNumber, type Value } from '../values.ts'

type Scalar = IrHyper['value']

/** A `hyper` with its value: the declared one, or what the command line set. Both are checked against type and domain. */
export function elaborateHyper(ctx: Context, member: Hyper, given: string | undefined): IrHyper | undefined {
  const type =
    member.type.kind === 'NamedType' && member.type.shape === undefined ? member.type.name.text : ''
  // What could not be read has been reported.
  if (member.type.kind === 'NamedType' && member.type.name.text === '') return undefined
  if (type !== 'float' && type !== 'int' && type !== 'bool' && type !== 'string') {
    complain(ctx, 'LTM2102', member.type.span, {
      what: 'the type of a hyper',
      expected: '`float`, `int`, `bool` or `string`',
      got: `\`${textOf(member.type.span)}\``,
    })
    return undefined
  }
  const declared = expression(ctx, member.value)
  if (declared.kind === 'error') return undefined
  const start = scalarOf(declared, type)
  if (start === undefined) {
    complain(ctx, 'LTM2115', member.value.span, {
      name: `\`${member.name.text}\``,
      expected: type,
      got: describe(declared),
    })
    return undefined
  }
  const value = given === undefined ? start : parseValue(ctx, member, type, given)
  const domain = domainOf(ctx, member, type)
  if (value === undefined || domain === 'error') return undefined
  if (domain && !within(value, domain)) {
    complain(ctx, 'LTM4401', given === undefined ? member.value.span : member.name.span, {
      name: member.name.text,
      value: String(value),
      domain: textOf(member.domain!.span),
    })
    return undefined
  }
  return { name: member.name.text, type, value, ...(domain ? { domain } : {}), origin: originOf(member.span) }
}

function scalarOf(value: Value, type: IrHyper['type']): Scalar | undefined {
  if (type === 'string') return value.kind === 'string' ? value.text : undefined
  if (type === 'bool')
    return value.kind === 'bool' && value.expr.kind === 'bool' ? value.expr.value : undefined
  if (type === 'int' && value.kind !== 'int') return undefined
  return knownNumber(value)
}

/** What the command line says, as the declared type wants it. */
function parseValue(ctx: Context, member: Hyper, type: IrHyper['type'], text: string): Scalar | undefined {
  const wrong = (wanted: string): undefined =>
    void complain(ctx, 'LTM4402', member.name.span, { name: member.name.text, value: text, wanted })
  switch (type) {
    case 'string':
      return text
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : wrong('`true` or `false`')
    case 'int':
      return numberIn(text, /^[+-]?\d[\d_]*$/, Number.isSafeInteger) ?? wrong('a whole number')
    case 'float':
      return (
        numberIn(text, /^[+-]?(\d[\d_]*\.?|\d[\d_]*\.\d+|\.\d+)([eE][+-]?\d+)?$/, Number.isFinite) ??
        wrong('a finite number')
      )
  }
}

function numberIn(text: string, form: RegExp, good: (value: number) => boolean): number | undefined {
  const value = form.test(text) ? Number(text.replaceAll('_', '')) : undefined
  return value !== undefined && good(value) ? value : undefined
}

function domainOf(ctx: Context, member: Hyper, type: IrHyper['type']): Domain | undefined | 'error' {
  const { domain } = member
  if (!domain) return undefined
  const kind = domain.path.parts.map(part => part.text).join('.')
  if (kind !== 'range' && kind !== 'log_range' && kind !== 'choice') {
    complain(ctx, 'LTM3001', domain.path.span, {
      name: kind,
      near: nearest(kind, ['range', 'log_range', 'choice']),
    })
    return 'error'
  }
  const values = (domain.args ?? []).map(arg =>
    arg.kind === 'Positional'
      ? scalarOf(expression(ctx, arg.value), type === 'int' ? 'int' : type)
      : undefined,
  )
  const known = values.filter(value => value !== undefined)
  const [low, high] = known
  const good =
    known.length === values.length &&
    (kind === 'choice'
      ? known.length > 0
      : known.length === 2 && Number(low) < Number(high) && (kind === 'range' || Number(low) > 0))
  if (good) return { kind, values: known }
  complain(ctx, 'LTM2102', domain.span, {
    what: 'the domain',
    expected:
      kind === 'choice'
        ? `\`choice(…)\` of ${type} values`
        : `\`${kind}(low, high)\`${kind === 'log_range' ? ' with 0 < low < high' : ''}`,
    got: `\`${textOf(domain.span)}\``,
  })
  return 'error'
}

function within(value: Scalar, domain: Domain): boolean {
  if (domain.kind === 'choice') return domain.values.includes(value)
  return Number(value) >= Number(domain.values[0]) && Number(value) <= Number(domain.values[1])
}

/** What a hyper is while the program is compiled: known. A path starts at the file of the `train`. */
export function hyperValue(hyper: IrHyper, file: string): Value {
  const { value } = hyper
  if (typeof value === 'string') return { kind: 'string', text: value, file }
  if (typeof value === 'boolean') return { kind: 'bool', expr: { kind: 'bool', value } }
  return hyper.type === 'int'
    ? { kind: 'int', dim: value }
    : { kind: 'float', expr: { kind: 'number', value } }
}
