import type { Shape, TensorType } from '../types/tensor.ts'
import { hasRest, knownEntry } from './axes.ts'
import type { Make } from './builder.ts'
import type { Operand } from './op.ts'

/** A number as `f32[]`, which broadcasts against anything. */
export function number(make: Make, value: number): Operand {
  return make.const([], { value, dtype: 'f32' })
}

/** 1 where the condition holds and 0 elsewhere. */
export function indicator(make: Make, condition: Operand): Operand {
  return make.cast([condition], { dtype: 'f32' })
}

/** Sums a gradient over the axes that broadcasting added to an operand or stretched in it. */
export function unbroadcast(gradient: Operand, to: TensorType, make: Make): Operand {
  const from = gradient.type.shape
  if (sameShape(from, to.shape)) return gradient
  if (to.shape.length === 0) return make.sum([gradient])
  if (hasRest(from) || hasRest(to.shape)) return make.sum_to([gradient], { shape: to.shape })
  const added = from.length - to.shape.length
  const lead = added === 0 ? gradient : make.sum([gradient], { axis: range(added) })
  const stretched = range(to.shape.length).filter(i => to.shape[i] === 1 && from[i + added] !== 1)
  return stretched.length === 0 ? lead : make.sum([lead], { axis: stretched, keep: true })
}

/** Stretches a reduction's gradient back over the axes that the reduction removed. */
export function restore(
  dy: Operand,
  x: TensorType,
  attrs: { readonly axis: readonly number[]; readonly keep: boolean },
  make: Make,
): Operand {
  const all = attrs.axis.length === 0
  if (all && !attrs.keep) return make.broadcast_to([dy], { shape: x.shape })
  return make.broadcast_to([keepAxes(dy, x, attrs, make)], { shape: x.shape })
}

/** A reduction's result (or its gradient) with the removed axes put back at length 1. */
export function keepAxes(
  y: Operand,
  x: TensorType,
  attrs: { readonly axis: readonly number[]; readonly keep: boolean },
  make: Make,
): Operand {
  if (attrs.keep || (attrs.axis.length === 0 && y.type.shape.length === 0)) return y
  const removed = new Set(attrs.axis.map(axis => knownEntry(axis, x.shape)))
  return make.reshape([y], { shape: x.shape.map((size, i) => (removed.has(i) ? 1 : size)) })
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
