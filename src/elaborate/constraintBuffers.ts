import type { Span } from '../base/source.ts'
import type { Method } from '../syntax/ast.ts'
import type { TensorType } from '../types/tensor.ts'
import { type Context, complain, type FunctionInstance } from './context.ts'
import { declaredType, showDeclared } from './types.ts'
import type { BufferSpec, ConstraintSpec, OwnBuffer } from './values.ts'

/** Defines the buffers of a constraint in a scope where its sizes are known. */
export function defineBuffers(ctx: Context, constraint: ConstraintSpec['declaration']): readonly OwnBuffer[] {
  return constraint.members.flatMap((member): readonly OwnBuffer[] => {
    if (member.kind !== 'Buffer') return []
    const { text, span } = member.name
    const type = declaredType(ctx, member.type)
    if (type.kind !== 'tensor') {
      if (type.kind !== 'error')
        complain(ctx, 'LTM2109', member.type.span, { wanted: 'a tensor', got: showDeclared(type) })
      return []
    }
    const own: TensorType = type.type
    const spec: BufferSpec = { declaration: member, type: own, raw: own, constraint: undefined, env: ctx.env }
    ctx.env.define(text, { kind: 'param', path: text, spec }, span)
    return [{ name: text, spec }]
  })
}

export function hasBuffers({ declaration }: ConstraintSpec): boolean {
  return declaration.members.some(member => member.kind === 'Buffer')
}

/** A constraint with buffers needs a parameter that they belong to. */
export function mayKeep(ctx: Context, spec: ConstraintSpec, span: Span): boolean {
  const buffer = spec.declaration.members.find(member => member.kind === 'Buffer')
  if (!buffer) return true
  const labels = [{ span: buffer.span, text: 'what it keeps' }]
  complain(ctx, 'LTM4013', span, { constraint: spec.text, buffer: buffer.name.text }, { labels })
  return false
}

/** `inverse` and `check` take values that no training has to do with, such as start values. */
export function checkReadsNone(
  ctx: Context,
  role: Method['role'],
  instance: Pick<FunctionInstance, 'members'>,
  span: Span,
): void {
  const [read] = instance.members
  if (!read || (role !== 'inverse' && role !== 'check')) return
  const { declaration } = read.spec
  const labels = [{ span: declaration.span, text: 'declared here' }]
  complain(ctx, 'LTM4014', span, { role, buffer: declaration.name.text }, { labels })
}
