import type { Span } from '../base/source.ts'
import type { For } from '../syntax/ast.ts'
import { compareDims } from '../types/dim.ts'
import { isRest, sameType, type TensorType } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { filled } from './conversion.ts'
import { describe } from './describe.ts'
import type { RoundBody } from './scanRound.ts'
import { toTensor } from './tensors.ts'
import { errorValue, type Value } from './values.ts'

/** A `var` from outside that the body sets. */
export interface Carried {
  readonly name: string
  /** As the first round finds it, of tensors alone. */
  readonly start: Value
  readonly span: Span | undefined
}

/** Undefined where the name can't be set at all: the `set` itself says so. */
export function carriedFrom(ctx: Context, name: string, node: For): Carried | undefined {
  const binding = ctx.env.lookup(name)
  if (!binding?.mutable || binding.value.kind === 'error') return undefined
  const start = tensorsOnly(ctx, binding.value, node.span)
  if (!start) {
    complain(
      ctx,
      'LTM2144',
      node.span,
      { name, got: describe(binding.value) },
      binding.span ? { labels: [{ span: binding.span, text: 'declared here' }] } : {},
    )
    return undefined
  }
  return { name, start, span: binding.span }
}

/** Numbers become tensors; undefined where something is neither. */
export function tensorsOnly(ctx: Context, value: Value, span: Span): Value | undefined {
  switch (value.kind) {
    case 'tensor':
      return value
    case 'int':
    case 'float':
    case 'bool': {
      const tensor = toTensor(ctx, value, span)
      return tensor.kind === 'error' ? undefined : tensor
    }
    case 'list': {
      const items = value.items.map(item => tensorsOnly(ctx, item, span))
      return items.every(item => item !== undefined) ? { kind: 'list', items } : undefined
    }
    case 'record': {
      const fields = [...value.fields].map(([name, field]) => [name, tensorsOnly(ctx, field, span)] as const)
      const whole = fields.flatMap(([name, field]) => (field ? [[name, field] as const] : []))
      return whole.length === fields.length ? { ...value, fields: new Map(whole) } : undefined
    }
    default:
      return undefined
  }
}

/** What a round leaves of a `var`: of the type that it started with. */
export function endOfRound(ctx: Context, { name, start, span }: Carried, body: RoundBody): Value | undefined {
  const after = body.ends.get(name) ?? errorValue
  if (after.kind === 'error') return undefined
  const end = body.inside(inner => likeStart(inner, start, after, body.span))
  if (end === 'error') return undefined
  if (end) return end
  complain(
    ctx,
    'LTM2143',
    body.span,
    { name, before: describe(start), after: describe(after) },
    span ? { labels: [{ span, text: 'it starts here' }] } : {},
  )
  return undefined
}

/** The value with the structure and types of another one; undefined where it differs. */
function likeStart(ctx: Context, start: Value, end: Value, span: Span): Value | 'error' | undefined {
  if (end.kind === 'error') return 'error'
  if (start.kind === 'tensor') {
    if (end.kind === 'tensor') return sameSizes(ctx, start.type, end.type) ? end : undefined
    const fits =
      end.kind === 'bool'
        ? start.type.dtype === 'bool'
        : end.kind === 'int' || (end.kind === 'float' && start.type.dtype === 'f32')
    if (!fits) return undefined
    const tensor = filled(ctx, end, start.type, span)
    return tensor.kind === 'error' ? 'error' : tensor
  }
  if (start.kind === 'list' && end.kind === 'list' && start.items.length === end.items.length)
    return joined(
      start.items.map((item, i) => likeStart(ctx, item, end.items[i]!, span)),
      items => ({ kind: 'list', items }),
    )
  if (start.kind === 'record' && end.kind === 'record' && start.fields.size === end.fields.size) {
    const names = [...start.fields.keys()]
    return joined(
      names.map(name => likeStart(ctx, start.fields.get(name)!, end.fields.get(name) ?? errorValue, span)),
      fields => ({ kind: 'record', fields: new Map(names.map((name, i) => [name, fields[i]!])) }),
    )
  }
  return undefined
}

function joined(
  parts: readonly (Value | 'error' | undefined)[],
  make: (whole: readonly Value[]) => Value,
): Value | 'error' | undefined {
  if (parts.includes('error')) return 'error'
  const whole = parts.flatMap(part => (part === undefined || part === 'error' ? [] : [part]))
  return whole.length === parts.length ? make(whole) : undefined
}

function sameSizes(ctx: Context, a: TensorType, b: TensorType): boolean {
  if (sameType(a, b)) return true
  if (a.dtype !== b.dtype) return false
  if (a.shape.length !== b.shape.length) return ctx.generic && [...a.shape, ...b.shape].some(isRest)
  return a.shape.every((size, i) => {
    const answer = compareDims(size, b.shape[i]!)
    return answer === 'equal' || (answer === 'unknown' && ctx.generic)
  })
}
