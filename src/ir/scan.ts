import type { Dim } from '../types/dim.ts'
import { isRest, type Shape } from '../types/tensor.ts'
import type { Step, ValueType } from './ir.ts'

/** What the attributes of a `scan` say, with the places that they give its inputs and outputs. */
export interface Scan {
  readonly func: string
  readonly carried: number
  /** The axis of each tensor that it goes along. */
  readonly along: readonly number[]
  /** The axis on which each yield is put together. */
  readonly stack: readonly number[]
  readonly reverse: boolean
}

/** The attributes of a `scan`; undefined where they aren't what they should be. */
export function scanOf({ attrs }: Step): Scan | undefined {
  const { func, carried, along, stack, reverse } = attrs
  if (typeof func !== 'string' || typeof carried !== 'number' || typeof reverse !== 'boolean')
    return undefined
  return isAxes(along) && isAxes(stack) ? { func, carried, along, stack, reverse } : undefined
}

function isAxes(attr: unknown): attr is readonly number[] {
  return Array.isArray(attr) && attr.every(axis => typeof axis === 'number')
}

/** Whether an input is a tensor that the scan goes along. */
export function isSequence({ carried, along }: Scan, input: number): boolean {
  return input >= carried && input < carried + along.length
}

/** The types that the function takes for a scan's inputs: slices in place of sequences. Undefined where there is no such axis. */
export function roundTypes(scan: Scan, inputs: readonly ValueType[]): readonly ValueType[] | undefined {
  const types = inputs.map((type, i) =>
    isSequence(scan, i) ? withoutAxis(type, scan.along[i - scan.carried]!) : type,
  )
  return types.every(type => type !== undefined) ? types : undefined
}

/** How many rounds there are: the size of the axis of the first sequence, of this type. */
export function roundsOf({ along }: Scan, first: ValueType | undefined): Dim | undefined {
  const [axis] = along
  if (first === undefined || first === 'key' || axis === undefined) return undefined
  return first.shape[placeOf(first.shape, axis)]
}

/** The types of a scan's results, from those of its function's. */
export function scanTypes(
  scan: Scan,
  results: readonly ValueType[],
  rounds: Dim,
): readonly (ValueType | undefined)[] {
  return results.map((type, i) => {
    if (i < scan.carried) return type
    const axis = scan.stack[i - scan.carried]
    return type === 'key' || axis === undefined ? undefined : withAxis(type.shape, axis, rounds, type)
  })
}

function withoutAxis(type: ValueType, axis: number): ValueType | undefined {
  if (type === 'key') return undefined
  const at = placeOf(type.shape, axis)
  if (type.shape[at] === undefined || isRest(type.shape[at])) return undefined
  return { ...type, shape: type.shape.filter((_, i) => i !== at) }
}

function withAxis(
  shape: Shape,
  axis: number,
  size: Dim,
  type: Exclude<ValueType, 'key'>,
): ValueType | undefined {
  const at = axis < 0 ? shape.length + 1 + axis : axis
  if (at < 0 || at > shape.length) return undefined
  return { ...type, shape: [...shape.slice(0, at), size, ...shape.slice(at)] }
}

const placeOf = (shape: Shape, axis: number): number => (axis < 0 ? shape.length + axis : axis)
