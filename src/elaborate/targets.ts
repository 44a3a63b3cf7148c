import { nearest } from '../base/names.ts'
import { type Span, textOf } from '../base/source.ts'
import type { Expr, Index, Member, Name } from '../syntax/ast.ts'
import type { TensorType } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expecting, expression, unexpecting } from './evaluate.ts'
import { listPosition } from './indexing.ts'
import { withPart } from './parts.ts'
import { errorValue, type Value } from './values.ts'

/** What a `set` does: the name that it changes, and the value that the name has then. */
export interface Change {
  readonly name: Name
  readonly value: Value
  /** Where the new value is written. */
  readonly span: Span
}

/** The value on the right of a `set`, once it is known what is expected there. */
type NewValue = (expected: TensorType | undefined) => Value

/**
 * What `set x = v`, `set x[i] = v` or `set s.h = v` gives the name in front: the old value with a part replaced (F11). Undefined
 * where a mistake has been reported: the name keeps the value that it has.
 */
export function changeOf(ctx: Context, target: Expr, node: Expr): Change | undefined {
  return changed(ctx, target, node.span, expected => expression(expecting(ctx, expected), node))
}

function changed(ctx: Context, target: Expr, span: Span, value: NewValue): Change | undefined {
  switch (target.kind) {
    case 'Name':
      return { name: target, value: value(typeOfName(ctx, target.text)), span }
    case 'Index':
    case 'Member': {
      const object = expression(unexpecting(ctx), target.object)
      if (object.kind === 'error') {
        value(undefined)
        return undefined
      }
      const whole =
        target.kind === 'Index'
          ? withItem(ctx, object, target, span, value)
          : withField(ctx, object, target, value)
      return whole.kind === 'error' ? undefined : changed(ctx, target.object, span, () => whole)
    }
    case 'ErrorExpr':
      return undefined
    default:
      complain(ctx, 'LTM2150', target.span, { what: `\`${textOf(target.span)}\`` })
      return undefined
  }
}

function typeOfName(ctx: Context, name: string): TensorType | undefined {
  const old = ctx.env.lookup(name)?.value
  return old?.kind === 'tensor' ? old.type : old?.kind === 'param' ? old.spec.type : undefined
}

function withItem(ctx: Context, object: Value, target: Index, span: Span, value: NewValue): Value {
  if (object.kind === 'tensor') return withPart(ctx, object, target, span, value)
  if (object.kind !== 'list') {
    value(undefined)
    return complain(ctx, 'LTM2109', target.object.span, {
      wanted: 'a list or a tensor',
      got: describe(object),
    })
  }
  const at = listPosition(ctx, object, target)
  const item = value(undefined)
  if (at === undefined) return errorValue
  return { kind: 'list', items: object.items.with(at, item) }
}

function withField(ctx: Context, object: Value, { name, span }: Member, value: NewValue): Value {
  const old = object.kind === 'record' ? object.fields.get(name.text) : undefined
  const field = value(old?.kind === 'tensor' ? old.type : undefined)
  if (object.kind !== 'record' || object.of !== undefined)
    return complain(ctx, 'LTM2150', span, { what: `\`${textOf(span)}\`` })
  if (old) return { ...object, fields: new Map([...object.fields, [name.text, field]]) }
  const names = [...object.fields.keys()]
  return complain(ctx, 'LTM3003', name.span, {
    object: describe(object),
    name: name.text,
    near: nearest(name.text, names),
    has: `it has ${names.map(each => `\`${each}\``).join(', ')}`,
  })
}
