import { bug } from '../base/bug.ts'
import type { Span } from '../base/source.ts'
import type { Attrs, HostExpr } from '../ir/ir.ts'
import { findOp, type OpName } from '../ops/index.ts'
import type { Op } from '../ops/op.ts'
import { inferType, withDefaults } from '../ops/signature.ts'
import { compareDims, type Dim, variablesOf } from '../types/dim.ts'
import { type DType, isRest, type TensorType } from '../types/tensor.ts'
import { type Context, complain, originOf } from './context.ts'
import { describe } from './describe.ts'
import { sizeExpr } from './host.ts'
import { type ErrorValue, errorValue, type TensorValue, type Value } from './values.ts'

/** The entry of a primitive operator. */
export const entryOf = (name: OpName): Op => findOp(name) ?? bug(`no operator ${name}`)

/** One application of a primitive operator: checks it against the table, adds the step, gives the result. */
export function applyOperator(
  ctx: Context,
  name: OpName,
  inputs: readonly TensorValue[],
  attrs: Attrs,
  span: Span,
  shown: string = name,
): TensorValue | ErrorValue {
  const op = entryOf(name)
  const inferred = inferType(
    op,
    inputs.map(input => input.type),
    attrs,
  )
  if ('clash' in inferred) {
    return clash(ctx, inferred, inputs, span, shown)
  }
  for (const [left, right] of inferred.obligations)
    if (!requireEqual(ctx, left, right, span)) return errorValue
  if (inferred.type === 'key') return errorValue
  return push(
    ctx,
    name,
    inputs.map(input => input.name),
    withDefaults(op, attrs),
    inferred.type,
    span,
  )
}

/** Inputs that do not go together. The sides of an infix operator have no names of their own. */
function clash(
  ctx: Context,
  inferred: Extract<ReturnType<typeof inferType>, { readonly clash: string }>,
  inputs: readonly TensorValue[],
  span: Span,
  shown: string,
): ErrorValue {
  if (inputs.some(({ type }) => type.shape.some(isLost))) return errorValue
  const infix = inputs.length === 2 && !/[a-z_[]/.test(shown.replace(/^(and|or|div)$/, ''))
  const sides = (text: string): string =>
    text
      .replaceAll('in `a`', 'on the left')
      .replaceAll('in `b`', 'on the right')
      .replaceAll('`a`', 'the left side')
      .replaceAll('`b`', 'the right side')
  const [left, right] = inputs
  const at = inferred.input === undefined ? undefined : inputs[inferred.input]
  if (infix && left && right)
    return complain(
      ctx,
      'LTM2103',
      span,
      { operator: shown, problem: sides(inferred.clash) },
      {
        note: `left   ${describe(left)}\nright  ${describe(right)}`,
        ...(left.type.dtype !== right.type.dtype && left.type.dtype !== 'bool' && right.type.dtype !== 'bool'
          ? { help: 'tensors do not convert by themselves: `f32(x)` does' }
          : {}),
        cause: `${ctx.declaration}: ${inferred.clash}`,
      },
    )
  return complain(
    ctx,
    'LTM2103',
    span,
    { operator: shown, problem: inferred.clash },
    {
      note:
        inferred.expected && inferred.got
          ? `expected ${inferred.expected}\ngot      ${inferred.got}`
          : undefined,
      labels: at?.span && at.span !== span ? [{ span: at.span, text: `this is ${describe(at)}` }] : [],
    },
  )
}

/** Adds a step of one tensor result. */
export function push(
  ctx: Context,
  op: string,
  inputs: readonly string[],
  attrs: Attrs,
  type: TensorType,
  span: Span,
): TensorValue {
  const name = ctx.region.fresh(op === 'call' && typeof attrs.func === 'string' ? valueName(attrs.func) : op)
  ctx.region.push({ op, inputs, attrs, outputs: [{ name, type }], origin: originOf(span) })
  return { kind: 'tensor', name, type, span }
}

/** `Linear.forward.1` names its results `linear`. */
function valueName(func: string): string {
  const parts = func.replace(/\.\d+$/, '').split('.')
  const last = parts.at(-1)!
  const name = last === 'forward' && parts.length > 1 ? parts.at(-2)! : last
  return name[0]!.toLowerCase() + name.slice(1)
}

/** A size that could not be made out, which has been reported. */
export const isLost = (size: Dim): boolean => !isRest(size) && variablesOf(size).has('_')

/** The cause of what is wrong with a value in the same way wherever it is used: it was made wrong. */
export const madeAt = ({ declaration }: Context, { name }: TensorValue, problem: string): string =>
  `${name} of ${declaration}: ${problem}`

/** Two sizes that must be one: reports where they are not, or where that can't be known in an instance. */
export function requireEqual(ctx: Context, left: Dim, right: Dim, span: Span): boolean {
  const answer = compareDims(left, right)
  if (answer === 'equal' || (answer === 'unknown' && (ctx.generic || isLost(left) || isLost(right))))
    return true
  const condition = `${left} == ${right}`
  // The same sizes, wherever they meet.
  complain(ctx, 'LTM2113', span, { condition }, { cause: condition })
  return false
}

/** A host number or bool as a tensor of rank 0, of the dtype that its neighbours have. */
export function toTensor(ctx: Context, value: Value, span: Span, dtype?: DType): TensorValue | ErrorValue {
  switch (value.kind) {
    case 'tensor':
    case 'error':
      return value
    case 'int':
      return hostTensor(ctx, sizeExpr(value.dim), dtype === 'i32' ? 'i32' : 'f32', span)
    case 'float':
      if (dtype === 'i32' && value.whole) return hostTensor(ctx, value.expr, dtype, span)
      if (dtype === 'i32') return complain(ctx, 'LTM2109', span, { wanted: 'an int', got: describe(value) })
      return hostTensor(ctx, value.expr, 'f32', span)
    case 'bool':
      return hostTensor(ctx, value.expr, 'bool', span)
    case 'function':
    case 'operator':
      return complain(ctx, 'LTM3012', span, { name: value.name })
    case 'metric':
      return complain(ctx, 'LTM4109', span, { name: value.name })
    default:
      return complain(ctx, 'LTM2109', span, { wanted: 'a tensor', got: describe(value) })
  }
}

function hostTensor(ctx: Context, expr: HostExpr, dtype: DType, span: Span): TensorValue {
  const type: TensorType = { dtype, shape: [] }
  if (expr.kind === 'number') return push(ctx, 'const', [], { value: expr.value, dtype }, type, span)
  if (expr.kind === 'bool') return push(ctx, 'const', [], { value: expr.value ? 1 : 0, dtype }, type, span)
  const number = push(ctx, 'host', [], { value: expr }, { dtype: 'f32', shape: [] }, span)
  return dtype === 'f32' ? number : push(ctx, 'cast', [number.name], { dtype }, type, span)
}

export type { OpName }
