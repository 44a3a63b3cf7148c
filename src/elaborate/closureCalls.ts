import type { TensorType } from '../types/tensor.ts'
import type { CallSite, Piped } from './arguments.ts'
import { type Context, complain, originOf } from './context.ts'
import { convert } from './conversion.ts'
import { expression, unexpecting } from './evaluate.ts'
import { freshSizes } from './receiver.ts'
import { type ClosureValue, errorValue, type TensorValue, type Value } from './values.ts'

/** `closure(x)` in the update of an optimizer: the loss of its batch where its parameters are `x`, and the gradient there. */
export function evaluateClosure(ctx: Context, callee: ClosureValue, site: CallSite, piped?: Piped): Value {
  const given = site.args.flatMap(arg =>
    arg.kind === 'Positional'
      ? [{ value: expression(unexpecting(ctx), arg.value), span: arg.value.span }]
      : [],
  )
  const [at, surplus] = piped ? [piped, ...given] : given
  const signature = 'it takes all parameters as one vector, and gives `{ loss, grad }`'
  if (!at) return complain(ctx, 'LTM3006', site.span, { callee: site.shown, name: 'param', signature })
  if (surplus || site.args.length > given.length)
    return complain(ctx, 'LTM3005', surplus?.span ?? site.span, { callee: site.shown, count: 1, signature })
  if (ctx.region.kind !== 'step') return complain(ctx, 'LTM4112', site.span, { name: site.shown })
  const type: TensorType = { dtype: 'f32', shape: [callee.size] }
  const point = convert(ctx, at.value, { kind: 'tensor', type }, freshSizes(), {
    what: 'the point',
    callee: site.shown,
    span: at.span,
    declared: undefined,
  })
  if (point.kind !== 'tensor') return errorValue
  const part = (name: string, of: TensorType): TensorValue => ({
    kind: 'tensor',
    name: ctx.region.fresh(name),
    type: of,
    span: site.span,
  })
  const loss = part('loss', { dtype: 'f32', shape: [] })
  const grad = part('grad', type)
  ctx.region.push({
    op: 'evaluate',
    inputs: [point.name],
    attrs: {},
    outputs: [loss, grad].map(({ name, type }) => ({ name, type })),
    origin: originOf(site.span),
  })
  return {
    kind: 'record',
    fields: new Map([
      ['loss', loss],
      ['grad', grad],
    ]),
  }
}
