import { substituteShape } from '../types/unify.ts'
import type { CallSite, Piped } from './arguments.ts'
import { type Context, complain } from './context.ts'
import { convert } from './conversion.ts'
import { expression, unexpecting } from './evaluate.ts'
import { tensorsOf } from './functionRegion.ts'
import { freshSizes, type Sizes } from './receiver.ts'
import { push } from './tensors.ts'
import { type DeclaredType, showDeclared } from './types.ts'
import { errorValue, type OpaqueFunctionValue, type TensorValue, type Value } from './values.ts'

/** A call of a function that is an argument of a definition: its declared type says what it takes and gives (F25). */
export function callOpaque(ctx: Context, callee: OpaqueFunctionValue, site: CallSite, piped?: Piped): Value {
  const given = site.args.flatMap(arg =>
    arg.kind === 'Except' ? [] : [{ value: expression(unexpecting(ctx), arg.value), span: arg.value.span }],
  )
  const args = piped ? [piped, ...given] : given
  const { params, result, sizes: own } = callee.type
  // A bare `fn` gives what is like its argument.
  if (!params) return args[0]?.value ?? errorValue
  const signature = `it is \`${showDeclared(callee.type)}\``
  const surplus = args[params.length]
  if (surplus)
    return complain(
      ctx,
      'LTM3005',
      surplus.span,
      { callee: site.shown, count: params.length, signature },
      { cause: `${ctx.declaration}: ${site.shown}` },
    )
  if (args.length < params.length)
    return complain(
      ctx,
      'LTM3006',
      site.span,
      { callee: site.shown, name: `argument ${args.length + 1}`, signature },
      { cause: `${ctx.declaration}: ${site.shown}` },
    )
  const sizes: Sizes = { ...freshSizes(), variables: new Set(own) }
  const values = args.map(({ value, span }, i) =>
    convert(ctx, value, params[i]!, sizes, {
      what: `argument ${i + 1}`,
      callee: site.shown,
      span,
      declared: undefined,
    }),
  )
  if (!result || values.some(value => value.kind === 'error')) return errorValue
  return someOf(ctx, result, sizes, site, values.flatMap(tensorsOf))
}

/**
 * Some value of a type, with its sizes as the call has bound them. A step that only a definition's own check ever sees
 * makes it, so that it counts as computed from the arguments.
 */
function someOf(
  ctx: Context,
  type: DeclaredType,
  sizes: Sizes,
  site: CallSite,
  from: readonly TensorValue[],
): Value {
  if (type.kind === 'tensor') {
    const shape = substituteShape(type.type.shape, sizes.bindings)
    const inputs = from.map(({ name }) => name)
    return push(ctx, 'call', inputs, { func: site.shown }, { dtype: type.type.dtype, shape }, site.span)
  }
  if (type.kind !== 'record') return errorValue
  return {
    kind: 'record',
    fields: new Map([...type.fields].map(([name, field]) => [name, someOf(ctx, field, sizes, site, from)])),
  }
}
