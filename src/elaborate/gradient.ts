import type { Span } from '../base/source.ts'
import { textOf } from '../base/source.ts'
import type { CallSite, Piped } from './arguments.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expression, unexpecting } from './evaluate.ts'
import { push } from './tensors.ts'
import { errorValue, type TensorValue, type Value } from './values.ts'

/** `gradient(y, x)`: the slope of a number by a value that it was computed from, a value like any other (F2). */
export function gradient(ctx: Context, site: CallSite, piped?: Piped): Value {
  const given = site.args.flatMap(arg =>
    arg.kind === 'Positional'
      ? [{ value: expression(unexpecting(ctx), arg.value), span: arg.value.span }]
      : [],
  )
  const [y, x] = piped ? [piped, ...given] : given
  if (!y || !x)
    return complain(ctx, 'LTM3006', site.span, {
      callee: 'gradient',
      name: y ? 'x' : 'y',
      signature: 'it is `gradient(y, x)`',
    })
  const number = floatTensor(ctx, y.value, y.span)
  const by = floatTensor(ctx, x.value, x.span)
  if (!number || !by) return errorValue
  if (number.type.shape.length > 0) {
    return complain(
      ctx,
      'LTM2122',
      y.span,
      { got: describe(number) },
      { help: `write \`gradient(sum(${textOf(y.span)}), ${textOf(x.span)})\`` },
    )
  }
  if (!dependsOn(ctx, number.name, by.name)) {
    return complain(ctx, 'LTM2123', site.span, { y: textOf(y.span), x: textOf(x.span) })
  }
  return push(ctx, 'gradient', [number.name, by.name], {}, by.type, site.span)
}

function floatTensor(ctx: Context, value: Value, span: Span): TensorValue | undefined {
  if (value.kind === 'tensor' && value.type.dtype === 'f32') return value
  if (value.kind !== 'error')
    complain(ctx, 'LTM2109', span, { wanted: 'an f32 tensor', got: describe(value) })
  return undefined
}

/** Whether a value was computed from another one, here. A gradient would be zero else, silently. */
function dependsOn(ctx: Context, value: string, on: string): boolean {
  const seen = new Set([value])
  for (const name of seen) {
    const maker = ctx.region.maker(name)
    // A loss that an optimizer evaluates has been differentiated, once.
    if (maker && maker.op !== 'evaluate') for (const input of maker.inputs) seen.add(input)
  }
  return seen.has(on)
}
