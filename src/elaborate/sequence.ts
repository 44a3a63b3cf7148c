import type { Span } from '../base/source.ts'
import { axisIndex, isRest, type Shape, showType, type TensorType } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { type BoolValue, errorValue, type SequenceValue, type Value } from './values.ts'

/** `along(x, axis: 1, reverse: true)`: what a `for` goes over slice by slice (F3). */
export function sequence(ctx: Context, tensor: Value, axis: Value, reverse: Value, span: Span): Value {
  if ([tensor, axis, reverse].some(value => value.kind === 'error')) return errorValue
  if (tensor.kind !== 'tensor')
    return complain(ctx, 'LTM2109', span, { wanted: 'a tensor', got: describe(tensor) })
  if (axis.kind !== 'int' || typeof axis.dim !== 'number')
    return complain(ctx, 'LTM2109', span, { wanted: 'an axis, such as 1', got: describe(axis) })
  const backwards = reverse.kind === 'bool' ? directionOf(ctx, reverse) : undefined
  if (backwards === undefined)
    return complain(ctx, 'LTM2109', span, { wanted: '`true` or `false`', got: describe(reverse) })
  const { shape } = tensor.type
  const at = axisIndex(shape, axis.dim)
  if (at === undefined) {
    // Which axis that is only an instance knows.
    if (shape.some(isRest)) return errorValue
    return complain(ctx, 'LTM2140', span, { axis: String(axis.dim), type: showType(tensor.type) })
  }
  const counted = axis.dim < 0 || shape.some(isRest) ? axis.dim : at
  return { kind: 'sequence', tensor, axis: counted, length: shape[at]!, reverse: backwards }
}

/** In a definition what depends on an argument stands for either direction. */
function directionOf(ctx: Context, { expr }: BoolValue): boolean | undefined {
  if (expr.kind === 'bool') return expr.value
  return ctx.generic ? false : undefined
}

/** The type of one slice. */
export function sliceType({ tensor: { type }, axis }: SequenceValue): TensorType {
  const at = axisIndex(type.shape, axis)
  return { dtype: type.dtype, shape: type.shape.filter((_, i) => i !== at) }
}

/** Where slices of a shape go in what is made of them; undefined where it has no such place. */
export function stackIndex(shape: Shape, axis: number): number | undefined {
  const place = axis < 0 ? shape.length + 1 + axis : axis
  const rest = shape.findIndex(isRest)
  const known = rest < 0 || (axis < 0 ? place > rest : place <= rest)
  return known && place >= 0 && place <= shape.length ? place : undefined
}
