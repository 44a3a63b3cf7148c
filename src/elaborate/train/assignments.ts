import { nearest } from '../../base/names.ts'
import type { Member, SetStatement } from '../../syntax/ast.ts'
import { setBuffer } from '../buffers.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { fieldOf, named, recordOf } from '../statements.ts'
import { type Change, changeOf } from '../targets.ts'
import { isBuffer, type Value } from '../values.ts'
import { setSetting } from './settings.ts'
import { kept } from './snapshots.ts'
import type { StepContext } from './stepContext.ts'
import { hostValue, setVariable } from './variables.ts'

function ownerOf(ctx: Context, target: Member): Value | undefined {
  return target.object.kind === 'Name' ? ctx.env.lookup(target.object.text)?.value : undefined
}

/** `set boost = …`, `set x[i] = …`, `set { h, c } = …`; `set adam.lr = …` is a setting of an optimizer. */
export function setStatement(step: StepContext, node: SetStatement): void {
  const { ctx } = step
  const { target } = node
  if (!('kind' in target)) {
    const value = recordOf(ctx, expression(ctx, node.value), node.value.span)
    for (const name of target)
      setName(step, { name, value: fieldOf(ctx, value, name.text, name.span), span: name.span })
    return
  }
  const owner = target.kind === 'Member' ? ownerOf(ctx, target) : undefined
  if (target.kind === 'Member' && owner?.kind === 'optimizer') return setSetting(step, node, target, owner)
  if (owner?.kind === 'error') return
  const change = changeOf(ctx, target, node.value)
  if (change) setName(step, change)
}

/** A `var` of the step gets another value while the program is compiled; one that the host keeps, when it runs. */
function setName(step: StepContext, { name: { text, span: at }, value, span }: Change): void {
  const { ctx } = step
  const binding = ctx.env.lookup(text)
  const old = binding?.value
  if (!binding || !old)
    return void complain(ctx, 'LTM3001', at, { name: text, near: nearest(text, ctx.env.names()) })
  if (old.kind === 'error') return
  if (!binding.mutable)
    return void complain(
      ctx,
      'LTM3009',
      at,
      { name: text },
      binding.span ? { labels: [{ span: binding.span, text: 'declared here' }] } : {},
    )
  if (old.kind === 'param' && isBuffer(old.spec)) return setBuffer(ctx, old.path, old.spec, value, span)
  const variable = step.variables.get(text)
  if (variable) return setVariable(step, text, variable, named(ctx, value, text), span)
  if (!binding.persistent) return ctx.env.assign(text, kept(step, named(ctx, value, text), text, span))
  const expr = hostValue(value, old.kind === 'bool' ? 'bool' : 'number')
  if (expr) step.region.body.push({ kind: 'set', name: text, value: expr, origin: originOf(span) })
  else if (value.kind !== 'error')
    complain(ctx, 'LTM2102', span, {
      what: `\`${text}\``,
      expected: old.kind === 'bool' ? 'a bool' : 'a number',
      got: describe(value),
    })
}
