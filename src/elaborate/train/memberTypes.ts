import { textOf } from '../../base/source.ts'
import type { Ragged } from '../../ir/ir.ts'
import type { Expr, Field, Fit } from '../../syntax/ast.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { type DeclaredType, declaredType, showDeclared } from '../types.ts'
import { knownNumber } from '../values.ts'

/** What a field or a fit is declared to be; the first size of a ragged field is the symbol that it wrote. */
export interface MemberType {
  readonly type: TensorType
  readonly ragged?: Ragged
}

export function memberType(ctx: Context, member: Field | Fit): MemberType | undefined {
  if (member.name.text === 'size') return void complain(ctx, 'LTM4307', member.name.span, undefined)
  const within = { ...ctx, env: ctx.env.child() }
  const variables = new Set<string>()
  const type = declaredType(within, member.type, member.kind === 'Field' ? variables : undefined)
  if (type.kind === 'error') return undefined
  const tensor = tensorOf(member, type)
  if (!tensor)
    return void complain(ctx, 'LTM2109', member.type.span, {
      wanted: 'a tensor type with sizes that are numbers',
      got: showDeclared(type),
    })
  const [first, ...rest] = tensor.shape
  const isRagged = typeof first === 'string' && variables.has(first)
  if (rest.some(size => typeof size !== 'number') || (typeof first === 'string' && !isRagged))
    return void complain(ctx, 'LTM4331', member.type.span, {
      name: member.name.text,
      type: showDeclared(type),
    })
  if (!isRagged) {
    const [extra] = [...member.where, ...(member.pad ? [member.pad] : [])]
    if (extra) return void complain(ctx, 'LTM4333', extra.span, { name: member.name.text })
    return { type: tensor }
  }
  const ragged = raggedOf(within, member, first)
  return ragged && { type: tensor, ragged }
}

/** `fit users: int = …`: a size that the data tells, which programs may use in shapes. */
export function isSize({ type }: Fit): boolean {
  return type.kind === 'NamedType' && type.shape === undefined && type.name.text === 'int'
}

function tensorOf(member: Field | Fit, type: DeclaredType): TensorType | undefined {
  if (type.kind === 'tensor') return type.type
  if (type.kind === 'bool') return { dtype: 'bool', shape: [] }
  return member.kind === 'Fit' && isSize(member) ? { dtype: 'i32', shape: [] } : undefined
}

function raggedOf(ctx: Context, member: Field | Fit, size: string): Ragged | undefined {
  const bounds = member.where.map(condition => boundOf(ctx, condition, size))
  const padding = member.pad && expression(ctx, member.pad)
  if (padding?.kind === 'error') return undefined
  const pad = padding ? knownNumber(padding) : 0
  if (pad === undefined && member.pad)
    return void complain(ctx, 'LTM2102', member.pad.span, {
      what: '`pad`',
      expected: 'a number',
      got: textOf(member.pad.span),
    })
  const known = bounds.filter(bound => bound !== undefined)
  if (pad === undefined || known.length < bounds.length) return undefined
  return known.length === 0 ? { pad } : { bound: Math.min(...known), pad }
}

/** `t <= 200` and `t < 201`. */
function boundOf(ctx: Context, node: Expr, size: string): number | undefined {
  const isBound =
    node.kind === 'Binary' &&
    (node.operator === '<=' || node.operator === '<') &&
    node.left.kind === 'Name' &&
    node.left.text === size
  const limit = isBound ? knownNumber(expression(ctx, node.right)) : undefined
  const bound = isBound && node.operator === '<' && limit !== undefined ? limit - 1 : limit
  if (bound !== undefined && Number.isInteger(bound) && bound >= 1) return bound
  return node.kind === 'ErrorExpr' ? undefined : void complain(ctx, 'LTM4334', node.span, { size })
}
