import { nearest } from '../base/names.ts'
import type { Span } from '../base/source.ts'
import type { Member } from '../syntax/ast.ts'
import { rank } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { countOf, dataMember } from './counts.ts'
import { describe } from './describe.ts'
import { expression, unexpecting } from './evaluate.ts'
import { frozenLike } from './frozen.ts'
import { joinPath } from './paths.ts'
import { partOf } from './sharing.ts'
import { applyOperator } from './tensors.ts'
import {
  errorValue,
  type FunctionValue,
  type ModuleValue,
  type ParameterRead,
  type TensorValue,
  type Value,
} from './values.ts'

export function member(ctx: Context, node: Member): Value {
  const logged = ctx.region.kind === 'step' ? ctx.watching?.read(ctx, node) : undefined
  if (logged) return logged
  const object = expression(unexpecting(ctx), node.object)
  return memberValue(ctx, object, node.name.text, node.span)
}

/** `object.name`: a field, a part of a module, or one of the few things that tensors have. */
export function memberValue(ctx: Context, object: Value, name: string, span: Span): Value {
  switch (object.kind) {
    case 'error':
      return object
    case 'record':
      return object.fields.get(name) ?? missing(ctx, object, name, span, [...object.fields.keys()])
    case 'module':
      return moduleMember(ctx, object, name, span)
    case 'tensor':
      return tensorMember(ctx, object, name, span)
    case 'optimizer':
      if (name === 'update')
        return { kind: 'float', expr: { kind: 'clock', clock: 'update', of: object.name }, unit: 'updates' }
      return (
        object.settings.get(name) ?? missing(ctx, object, name, span, ['update', ...object.settings.keys()])
      )
    case 'declaration': {
      // `simplex.ilr` is a name in two parts.
      const { path } = 'path' in object.declaration ? object.declaration : { path: undefined }
      const parts = path ? [...path.parts.map(part => part.text), name].join('.') : undefined
      const found = parts === undefined ? undefined : object.env.lookup(parts)?.value
      return found ?? missing(ctx, object, name, span, [])
    }
    case 'data':
      return dataMember(ctx, object, name, span)
    case 'data_member':
      return countOf(ctx, object, name, span)
    case 'metric':
      return complain(ctx, 'LTM4109', span, { name: object.name })
    // What a module has that only a type is known of, its instances tell.
    case 'opaque_function':
      return object.type.kind === 'module' ? errorValue : missing(ctx, object, name, span, [])
    default:
      return missing(ctx, object, name, span, [])
  }
}

function missing(ctx: Context, object: Value, name: string, span: Span, known: readonly string[]): Value {
  const has = known.length > 0 ? `it has ${known.map(field => `\`${field}\``).join(', ')}` : ''
  return complain(ctx, 'LTM3003', span, { object: describe(object), name, near: nearest(name, known), has })
}

function moduleMember(ctx: Context, object: ModuleValue, name: string, span: Span): Value {
  const found = object.spec.members.get(name)
  if (!found) return missing(ctx, object, name, span, [...object.spec.members.keys()])
  switch (found.kind) {
    case 'param':
    case 'buffer':
      return ctx.region.member(ctx, joinPath(object.path, name), found.spec, span)
    case 'layer':
      return partOf(frozenLike(found.value, object), object)
    case 'function':
      return {
        kind: 'function',
        declaration: found.declaration,
        name,
        env: object.spec.env,
        self: object,
        holds: found.conditions,
      }
    case 'let':
      return complain(ctx, 'LTM2109', span, {
        wanted: 'a layer, a parameter or a function of the module',
        got: `\`let ${name}\`, which only the module itself sees`,
      })
  }
}

const habits: Readonly<Record<string, string>> = {
  shape: 'sizes are names in the type: `forward(x: f32[n, d])` gives you `n` and `d`',
  size: 'sizes are names in the type; `size(x)` counts the elements',
  reshape: 'write `rearrange(x : …)`',
  view: 'write `rearrange(x : …)`',
  item: 'a step reads a number where it logs, prints or decides on it',
  detach: 'write `stop_gradient(x)`',
  sum: 'write `sum(x, axis: …)`',
  mean: 'write `mean(x, axis: …)`',
}

function tensorMember(ctx: Context, object: TensorValue, name: string, span: Span): Value {
  if (name === 'T') return transpose(ctx, object, span)
  if ((name === 'log' || name === 'raw') && object.parameter)
    return parameterPart(ctx, object.parameter, name, span)
  const part = object.parts?.get(name)
  if (part) return part
  const help = habits[name]
  return complain(ctx, 'LTM3003', span, {
    object: `a tensor (${describe(object)})`,
    name,
    near: nearest(name, [...(object.parts?.keys() ?? [])]),
    has: help ?? 'tensors have `.T`; functions are written `f(x)` or `x |> f`',
  })
}

/** `weight.raw`, and `weight.log` where the constraint has a stable logarithm. */
function parameterPart(ctx: Context, { path, spec }: ParameterRead, part: 'raw' | 'log', span: Span): Value {
  const { constraint } = spec
  if (!constraint && part === 'raw') return ctx.region.member(ctx, path, spec, span)
  const has = constraint?.declaration.members.some(
    item => item.kind === 'Method' && item.role === 'log_forward',
  )
  if (part === 'log' && !has) {
    return complain(
      ctx,
      'LTM3015',
      span,
      { what: 'parameter', member: 'log' },
      {
        help: `${constraint ? `\`${constraint.text}\`` : 'an unconstrained parameter'} has no stable logarithm; write \`log(…)\``,
      },
    )
  }
  return ctx.region.member(ctx, path, spec, span, part)
}

function transpose(ctx: Context, object: TensorValue, span: Span): Value {
  const axes = rank(object.type)
  if (axes !== undefined && axes < 2) {
    return complain(ctx, 'LTM2103', span, {
      operator: '.T',
      problem: `it swaps the last two axes, and this is ${describe(object)}`,
    })
  }
  return applyOperator(ctx, 'transpose', [object], {}, span, '.T')
}

/** `forward` or another function of an instance. */
export function methodOf(instance: ModuleValue, name: string): FunctionValue | undefined {
  const member = instance.spec.members.get(name)
  if (member?.kind !== 'function') return undefined
  const { declaration, conditions } = member
  return { kind: 'function', declaration, name, env: instance.spec.env, self: instance, holds: conditions }
}
