import type { HostVar } from '../../ir/ir.ts'
import type { Var } from '../../syntax/ast.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Context, complain, originOf } from '../context.ts'
import { checkDeclared } from '../conversion.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { FunctionRegion } from '../functionRegion.ts'
import type { PlacedBuffer } from '../states.ts'
import { declaredType } from '../types.ts'
import { type BufferSpec, errorValue, knownNumber, type Value } from '../values.ts'

/** A `var` of a training: what its name stands for, and where the program keeps it. */
export interface TrainVar {
  readonly value: Value
  /** A number or bool of the host. */
  readonly host?: HostVar
  /** A tensor, which is kept as buffers are. */
  readonly buffer?: PlacedBuffer
}

/** `var boost: float = 1`, `var running: f32[d] = zeros()` (F13). */
export function elaborateVar(ctx: Context, member: Var): TrainVar {
  const type = member.type && declaredType(ctx, member.type)
  if (type?.kind === 'error') return { value: errorValue }
  if (type?.kind === 'tensor') return tensorVar(ctx, member, type.type)
  // What makes a tensor is evaluated again where the start value is made; here its type is asked for.
  const given = expression({ ...ctx, region: new FunctionRegion() }, member.value)
  if (!type && given.kind === 'tensor') return tensorVar(ctx, member, given.type)
  const what = `\`${member.name.text}\``
  const value = type ? checkDeclared(ctx, given, type, member.value.span, what, member.type?.span) : given
  const host = hostVar(member, value)
  if (host) return { value: varValue(host), host }
  if (value.kind !== 'error')
    complain(ctx, 'LTM2109', member.value.span, {
      wanted: 'a number, a bool or a tensor',
      got: describe(value),
    })
  return { value: errorValue }
}

function tensorVar(ctx: Context, member: Var, type: TensorType): TrainVar {
  const path = member.name.text
  // A size that is no number has been reported.
  if (type.shape.some(size => typeof size !== 'number')) return { value: errorValue }
  const spec: BufferSpec = { declaration: member, type, raw: type, constraint: undefined, env: ctx.env }
  return { value: { kind: 'param', path, spec }, buffer: { path, spec } }
}

function hostVar(member: Var, value: Value): HostVar | undefined {
  const origin = originOf(member.span)
  const name = member.name.text
  if (value.kind === 'bool' && value.expr.kind === 'bool')
    return { name, type: 'bool', value: value.expr.value, origin }
  const known = knownNumber(value)
  return known === undefined
    ? undefined
    : { name, type: value.kind === 'int' ? 'int' : 'float', value: known, origin }
}

function varValue({ name, type }: HostVar): Value {
  if (type === 'bool') return { kind: 'bool', expr: { kind: 'var', name } }
  return { kind: 'float', expr: { kind: 'var', name }, ...(type === 'int' && { whole: true }) }
}
