import { bug } from '../base/bug.ts'
import type { Dim } from '../types/dim.ts'
import { isRest, type Shape } from '../types/tensor.ts'
import type { Clash } from './op.ts'

/** Whether the number of axes is unknown. */
export function hasRest(shape: Shape): boolean {
  return shape.some(isRest)
}

/**
 * The entry of a shape that an axis names, counted from the end when negative; undefined where there is no such axis or a
 * rest lies between it and the end that it is counted from.
 */
export function entryOf(axis: number, shape: Shape): number | undefined {
  const entry = axis < 0 ? axis + shape.length : axis
  if (!Number.isInteger(entry) || entry < 0 || entry >= shape.length) return undefined
  const passed = axis < 0 ? shape.slice(entry) : shape.slice(0, entry + 1)
  return hasRest(passed) ? undefined : entry
}

/** The entry of an axis that inference has already accepted. */
export function knownEntry(axis: number, shape: Shape): number {
  return entryOf(axis, shape) ?? bug(`axis ${axis} of [${shape.join(', ')}]`)
}

/** The entries of a list of axes, ascending; an empty list means all of them. */
export function entriesOf(axes: readonly number[], shape: Shape): readonly number[] {
  if (axes.length === 0) return shape.map((_, i) => i)
  return axes.map(axis => knownEntry(axis, shape)).sort((a, b) => a - b)
}

/** The axis as a number from the front where the number of axes is known, since several kernels want it so. */
export function frontAxis(axis: number, shape: Shape): number {
  return axis < 0 && !hasRest(shape) ? axis + shape.length : axis
}

/** Says that an axis doesn't exist, in terms of the shape it was meant for. */
export function noAxis(axis: number, shape: Shape): Clash {
  const count = shape.length
  const axes = count === 1 ? '1 axis' : `${count} axes`
  if (hasRest(shape))
    return {
      clash: `axis ${axis} can't be told in [${shape.join(', ')}], whose number of axes is open`,
      input: 0,
    }
  return { clash: `axis ${axis} doesn't exist: [${shape.join(', ')}] has ${axes}`, input: 0 }
}

/** The shape with one entry replaced. */
export function replaceEntry(shape: Shape, entry: number, size: Dim): Shape {
  return shape.map((old, i) => (i === entry ? size : old))
}
