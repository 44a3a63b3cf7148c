import * as tf from '@tensorflow/tfjs-core'
import { RunError } from './errors.ts'
import type { NumberArray } from './sources/column.ts'
import type { DatasetSpec, FieldSpec } from './training.ts'

/** How many places each example has, and where they begin in values that lie one example after the other. */
export type Offsets = Int32Array

export const lengthAt = (offsets: Offsets, row: number): number =>
  (offsets[row + 1] ?? 0) - (offsets[row] ?? 0)

/** The length of the longest of some examples; batches have at least one place. */
export function longest(offsets: Offsets, rows: ArrayLike<number>): number {
  let most = 1
  for (let i = 0; i < rows.length; i++) most = Math.max(most, lengthAt(offsets, rows[i] ?? 0))
  return most
}

/** The same lengths, cut to a bound. */
export function bounded(offsets: Offsets, bound: number | undefined): Offsets {
  if (bound === undefined) return offsets
  const cut = new Int32Array(offsets.length)
  for (let row = 0; row + 1 < offsets.length; row++)
    cut[row + 1] = (cut[row] ?? 0) + Math.min(bound, lengthAt(offsets, row))
  return cut
}

/** Copies some examples into `target`, each from its row's beginning; `stride` numbers lie between beginnings. */
export function copyPadded(
  target: NumberArray,
  stride: number,
  source: { readonly values: NumberArray; readonly offsets: Offsets; readonly size: number },
  rows: ArrayLike<number>,
): void {
  const { values, offsets, size } = source
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0
    const from = (offsets[row] ?? 0) * size
    const count = Math.min(stride, lengthAt(offsets, row) * size)
    target.set(values.subarray(from, from + count), i * stride)
  }
}

/** The smallest bucket that holds a length; without buckets, the length itself. */
export function paddedLength(buckets: readonly number[] | undefined, length: number): number {
  return buckets?.find(bucket => bucket >= length) ?? length
}

/** Which places of a batch belong to an example. */
export function maskOf(offsets: Offsets, rows: ArrayLike<number>, places: number): tf.Tensor {
  const mask = new Uint8Array(rows.length * places)
  for (let i = 0; i < rows.length; i++)
    mask.fill(1, i * places, i * places + Math.min(places, lengthAt(offsets, rows[i] ?? 0)))
  return tf.tensor(mask, [rows.length, places], 'bool')
}

export function lengthsOf(offsets: Offsets, rows: ArrayLike<number>): tf.Tensor {
  return tf.tensor(
    Int32Array.from({ length: rows.length }, (_, i) => lengthAt(offsets, rows[i] ?? 0)),
    [rows.length],
    'int32',
  )
}

interface Lengths {
  readonly spec: FieldSpec
  readonly offsets: Offsets
}

/** Fields that share a size must agree on it, and every example must fit into a bucket. */
export function checkLengths(
  spec: DatasetSpec,
  fields: readonly Lengths[],
  place: (row: number) => string,
): void {
  const bySize = new Map<string, Lengths>()
  for (const field of fields) {
    const size = field.spec.ragged?.size ?? ''
    const other = bySize.get(size)
    if (other === undefined) bySize.set(size, field)
    else checkAlike(other, field, size, place)
    checkBuckets(spec, field, place)
  }
}

function checkAlike(a: Lengths, b: Lengths, size: string, place: (row: number) => string): void {
  const row = a.offsets.findIndex((_, i) => lengthAt(a.offsets, i) !== lengthAt(b.offsets, i))
  if (row < 0 || row + 1 >= a.offsets.length) return
  throw new RunError({
    code: 'LTM5111',
    message: `${place(row)}: \`${a.spec.name}\` has ${lengthAt(a.offsets, row)} places and \`${b.spec.name}\` ${lengthAt(b.offsets, row)}, but both are as long as \`${size}\` says`,
    trace: b.spec.trace,
    help: 'fields of other lengths have sizes of other names',
  })
}

function checkBuckets({ buckets, trace }: DatasetSpec, field: Lengths, place: (row: number) => string): void {
  const largest = buckets?.at(-1)
  if (largest === undefined) return
  const { offsets, spec } = field
  for (let row = 0; row + 1 < offsets.length; row++) {
    if (lengthAt(offsets, row) <= largest) continue
    throw new RunError({
      code: 'LTM5112',
      message: `${place(row)}: \`${spec.name}\` has ${lengthAt(offsets, row)} places, more than the largest bucket, ${largest}`,
      trace,
      help: `add a larger bucket, or cut longer examples: \`where ${spec.ragged?.size} <= ${largest}\``,
    })
  }
}
