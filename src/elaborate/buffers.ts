import type { Span } from '../base/source.ts'
import type { Buffer } from '../syntax/ast.ts'
import { type Context, complain } from './context.ts'
import { checkDeclared } from './conversion.ts'
import { applyOperator } from './tensors.ts'
import type { BufferSpec, Value } from './values.ts'

/** Buffers stand still outside of training, so there a `set` that is reached is a mistake. */
function mayWrite(ctx: Context, declaration: Buffer, span: Span): boolean {
  ctx.mode.onRead('training')
  if (ctx.mode.training !== false) return true
  complain(
    ctx,
    'LTM4310',
    span,
    { name: declaration.name.text },
    { labels: [{ span: declaration.span, text: 'declared here' }] },
  )
  return false
}

/**
 * `set running_mean = …` in a function of a module, or `set x = …` for a `var` of the training that holds a tensor. Reads behind
 * it see the new value; no gradient flows into it.
 */
export function setBuffer(ctx: Context, path: string, spec: BufferSpec, value: Value, span: Span): void {
  const { text } = spec.declaration.name
  if (spec.declaration.kind === 'Buffer' && !mayWrite(ctx, spec.declaration, span)) return
  const checked = checkDeclared(
    ctx,
    value,
    { kind: 'tensor', type: spec.type },
    span,
    `the new value of \`${text}\``,
    spec.declaration.type?.span,
  )
  if (checked.kind !== 'tensor') return
  const stopped =
    checked.type.dtype === 'f32' ? applyOperator(ctx, 'stop_gradient', [checked], {}, span) : checked
  if (stopped.kind !== 'tensor') return
  const name = ctx.region.rename(stopped.name, text)
  ctx.region.write({ path, spec, value: { ...stopped, name, span } })
}
