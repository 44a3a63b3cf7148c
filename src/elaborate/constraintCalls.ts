import { textOf } from '../base/source.ts'
import type { Constraint } from '../syntax/ast.ts'
import type { TensorType } from '../types/tensor.ts'
import type { CallSite, Piped } from './arguments.ts'
import { mayKeep } from './constraintBuffers.ts'
import { constraintArguments, constraintFunction, valueTypeOf } from './constraints.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expression, unexpecting } from './evaluate.ts'
import { emitCall } from './functionCalls.ts'
import { applyOperator, push } from './tensors.ts'
import { type ConstraintValue, type DeclarationValue, errorValue, type Value } from './values.ts'

/**
 * A constraint as a function from the raw tensor: `simplex(logits)`, `interval(0, 1)(x)`, `x |> interval(0, 1)`. A
 * tensor in the parentheses is what goes through it, anything else an argument of the constraint.
 */
export function callConstraintDeclaration(
  ctx: Context,
  callee: DeclarationValue & { readonly declaration: Constraint },
  site: CallSite,
  piped?: Piped,
): Value {
  const raw = piped ?? rawGiven(ctx, callee.declaration, site)
  if (raw?.value.kind === 'error') return errorValue
  const given = piped || !raw ? site.args : []
  const spec = constraintArguments(ctx, callee, { args: given, span: site.span, shown: site.shown })
  if (!spec) return errorValue
  const constraint: ConstraintValue = { kind: 'constraint', spec }
  return raw ? applyConstraint(ctx, constraint, raw) : constraint
}

/** A constraint whose arguments are given already. */
export function callConstraint(ctx: Context, callee: ConstraintValue, site: CallSite, piped?: Piped): Value {
  const [only] = site.args
  const raw = piped ?? (only?.kind === 'Positional' ? pipedOf(ctx, only.value) : undefined)
  if (!raw || site.args.length !== (piped ? 0 : 1))
    return complain(ctx, 'LTM4004', site.span, { constraint: callee.spec.text, count: site.args.length })
  return applyConstraint(ctx, callee, raw)
}

/** The only argument, where the constraint needs none of its own and it is a tensor. */
function rawGiven(ctx: Context, { signature }: Constraint, site: CallSite): Piped | undefined {
  const [only] = site.args
  if (only?.kind !== 'Positional' || site.args.length > 1) return undefined
  if (signature.formals.some(formal => !formal.value)) return undefined
  const raw = pipedOf(ctx, only.value)
  return raw.value.kind === 'tensor' || signature.formals.length === 0 ? raw : undefined
}

const pipedOf = (ctx: Context, node: Parameters<typeof expression>[1]): Piped => ({
  value: expression(unexpecting(ctx), node),
  span: node.span,
})

function applyConstraint(ctx: Context, { spec }: ConstraintValue, { value, span }: Piped): Value {
  if (value.kind === 'error') return errorValue
  if (value.kind !== 'tensor' || value.type.dtype !== 'f32')
    return complain(ctx, 'LTM2109', span, { wanted: 'an f32 tensor', got: describe(value) })
  if (!mayKeep(ctx, spec, span)) return errorValue
  const type = valueTypeOf(ctx, spec, value.type, span)
  const forward = type && constraintFunction(ctx, spec, 'forward', type, value.type, type)
  if (!forward) return errorValue
  const args = [{ name: 'u', value, span }]
  return emitCall(ctx, forward, { self: undefined, args, name: spec.text }, span)
}

const number: TensorType = { dtype: 'f32', shape: [] }

/** `log_det_jacobian(weight)`: what the change from the raw tensor to the parameter adds to the logarithm of a density. */
export function logDetJacobian(ctx: Context, site: CallSite, piped?: Piped): Value {
  const [only] = site.args
  const given = piped ?? (only?.kind === 'Positional' ? pipedOf(ctx, only.value) : undefined)
  if (!given || site.args.length !== (piped ? 0 : 1))
    return complain(ctx, 'LTM3006', site.span, {
      callee: 'log_det_jacobian',
      name: 'parameter',
      signature: 'it is `log_det_jacobian(parameter)`',
    })
  const { value, span } = given
  if (value.kind === 'error') return errorValue
  const read = value.kind === 'tensor' ? value.parameter : undefined
  if (!read) return complain(ctx, 'LTM4005', span, { got: textOf(span) })
  const { path, spec } = read
  if (!spec.constraint) return push(ctx, 'const', [], { value: 0, dtype: 'f32' }, number, site.span)
  const raw = ctx.region.member(ctx, path, spec, span, 'raw')
  if (raw.kind === 'error') return errorValue
  const { declaration, text } = spec.constraint
  if (!declaration.members.some(member => member.kind === 'Method' && member.role === 'log_det'))
    return complain(
      ctx,
      'LTM4006',
      span,
      { name: textOf(span), constraint: text },
      { labels: [{ span: spec.declaration.span, text: 'declared here' }] },
    )
  const instance = constraintFunction(ctx, spec.constraint, 'log_det', spec.type, spec.raw, undefined)
  if (!instance) return errorValue
  const args = [{ name: 'u', value: raw, span }]
  const request = { self: undefined, args, name: text, parameter: path }
  const terms = emitCall(ctx, instance, request, site.span)
  return terms.kind === 'tensor' && terms.type.shape.length > 0
    ? applyOperator(ctx, 'sum', [terms], {}, site.span)
    : terms
}

/** The logarithm of a parameter whose constraint has a stable one is `-inf` where the value rounds to 0. */
export function checkLog(ctx: Context, name: string, value: Value | undefined, site: CallSite): void {
  if (name !== 'log' || value?.kind !== 'tensor' || !value.parameter) return
  const { constraint } = value.parameter.spec
  if (!constraint) return
  if (!constraint.declaration.members.some(each => each.kind === 'Method' && each.role === 'log_forward'))
    return
  const parameter = value.parameter.path.split('.').at(-1) ?? ''
  complain(ctx, 'LTM4007', site.span, { parameter, constraint: constraint.text })
}
