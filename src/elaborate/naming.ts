import { nearest } from '../base/names.ts'
import type { Span } from '../base/source.ts'
import type { Const, Let, Name } from '../syntax/ast.ts'
import { missingCondition } from './conditions.ts'
import { type Context, complain, spend } from './context.ts'
import { checkDeclared } from './conversion.ts'
import { describe } from './describe.ts'
import type { Binding, Env } from './env.ts'
import { expecting, expression } from './evaluate.ts'
import { predeclaredNames } from './predeclared.ts'
import { declaredType } from './types.ts'
import { errorValue, type Value } from './values.ts'

export function unknownName(ctx: Context, node: Name): Value {
  if (['train', 'val', 'test'].includes(node.text))
    return complain(ctx, 'LTM4381', node.span, { phase: node.text })
  const help = Object.hasOwn(habits, node.text) ? habits[node.text] : undefined
  const near = help === undefined ? nearest(node.text, [...ctx.env.names(), ...predeclaredNames]) : undefined
  return complain(ctx, 'LTM3001', node.span, { name: node.text, near }, help === undefined ? {} : { help })
}

const alone = 'what the library has is called by its name alone: `relu(x)`'
const ownName = 'members of a module are read by their names alone: `weight`'
const clock =
  'the clocks are `epoch`, `batch_index`, `batches`, `examples` and `seconds`; an optimizer `adam` has `adam.update`'

/** Names of other languages and libraries, and what is written here. */
const habits: Readonly<Record<string, string>> = {
  range: 'a range is written `a..b`: `0..n`',
  self: ownName,
  this: ownName,
  torch: alone,
  nn: alone,
  F: alone,
  np: alone,
  numpy: alone,
  math: alone,
  tf: alone,
  jax: alone,
  jnp: alone,
  step: clock,
  global_step: clock,
  iteration: clock,
  forward:
    'a module does not call its own `forward` by name: what several of its functions need is a `fn` of its own',
}

/** Whether a name may be used here; where it exists only under a condition, that must be known to hold (F35). */
export function conditionHolds(ctx: Context, binding: Binding, node: Name): boolean {
  const condition = missingCondition(ctx, binding)
  if (condition === undefined) return true
  complain(
    ctx,
    'LTM3013',
    node.span,
    { name: node.text, condition },
    binding.span ? { labels: [{ span: binding.span, text: 'declared here' }] } : {},
  )
  return false
}

/** What a binding gives where it is used: parameters are read, `let` members and constants computed. */
export function settle(ctx: Context, value: Value, span: Span): Value {
  if (value.kind === 'param') return ctx.region.member(ctx, value.path, value.spec, span)
  if (value.kind !== 'lazy') return value
  const { declaration, env, field } = value
  if (declaration.kind === 'Let') {
    const whole = once(ctx, declaration, env, span)
    return field ? fieldOf(ctx, whole, field, declaration) : whole
  }
  return declaration.type?.kind === 'NamedType' && declaration.type.shape !== undefined
    ? computed(ctx, declaration, declaration.name.text, env, span)
    : constant(ctx, declaration, env)
}

/** One name of `let { a, b } = …`. */
function fieldOf(ctx: Context, whole: Value, field: Name, { value }: Let): Value {
  if (whole.kind === 'error') return whole
  if (whole.kind !== 'record')
    return complain(ctx, 'LTM2109', value.span, { wanted: 'a record', got: describe(whole) })
  const names = [...whole.fields.keys()]
  return (
    whole.fields.get(field.text) ??
    complain(ctx, 'LTM3003', field.span, {
      object: describe(whole),
      name: field.text,
      near: nearest(field.text, names),
      has: names.length > 0 ? `it has ${names.map(each => `\`${each}\``).join(', ')}` : '',
    })
  )
}

/** In a function a `let` member is computed where it is first used, draws included, and is the same from there on (F40). */
function once(ctx: Context, declaration: Let, env: Env, span: Span): Value {
  const name = declaration.names[0]?.text ?? ''
  const known = ctx.region.lets?.get(env)?.get(declaration.id)
  if (known) return known
  const value = computed(ctx, declaration, name, env, span)
  const { lets } = ctx.region
  if (!lets || value.kind === 'error') return value
  const own: Value = value.kind === 'tensor' ? { ...value, name: ctx.region.rename(value.name, name) } : value
  lets.set(env, new Map([...(lets.get(env) ?? []), [declaration.id, own]]))
  return own
}

/** A `let` member, or a constant tensor: computed anew where it is used. */
function computed(ctx: Context, declaration: Let | Const, name: string, env: Env, span: Span): Value {
  const key = `let ${declaration.id}`
  if (ctx.active.includes(key)) return complain(ctx, 'LTM3011', declaration.span, { cycle: `\`${name}\`` })
  if (!spend(ctx, span, `\`${name}\``)) return errorValue
  const within = { ...ctx, env, expected: undefined, active: [...ctx.active, key] }
  const type = declaration.type && declaredType(within, declaration.type)
  if (!type) return expression(within, declaration.value)
  const value = expression(type.kind === 'tensor' ? expecting(within, type.type) : within, declaration.value)
  return checkDeclared(within, value, type, declaration.value.span, `\`${name}\``, declaration.type?.span)
}

/** `const J: int = 8`: a number, a string, a list, whose value no place changes. */
function constant(ctx: Context, declaration: Const, env: Env): Value {
  const { constants } = ctx.world
  const known = constants.get(declaration.id)
  if (known === 'open')
    return complain(ctx, 'LTM3011', declaration.name.span, {
      cycle: `the constant \`${declaration.name.text}\``,
    })
  if (known) return known
  constants.set(declaration.id, 'open')
  const value = constantValue(
    { ...ctx, env, generic: false, instantiations: [], expected: undefined },
    declaration,
  )
  constants.set(declaration.id, value)
  return value
}

function constantValue(ctx: Context, declaration: Const): Value {
  const type = declaration.type && declaredType(ctx, declaration.type)
  const value = expression(ctx, declaration.value)
  if (value.kind === 'tensor')
    return complain(ctx, 'LTM2109', declaration.value.span, {
      wanted: 'a type for this constant tensor, as in `const y: f32[3] = …`',
      got: describe(value),
    })
  return type
    ? checkDeclared(
        ctx,
        value,
        type,
        declaration.value.span,
        `\`${declaration.name.text}\``,
        declaration.type?.span,
      )
    : value
}
