import * as tf from '@tensorflow/tfjs-core'
import { nearest } from '../base/names.ts'
import { arrayTypes, takeArray } from './arrays.ts'
import { augment, type HostTensor } from './augment.ts'
import type { LoadedDataset } from './contracts.ts'
import { RunError } from './errors.ts'
import { augmentKey, epochOrder } from './order.ts'
import { copyPadded, lengthAt, lengthsOf, longest, maskOf, type Offsets, paddedLength } from './ragged.ts'
import { keyOfRows } from './random.ts'
import type { SplitRows } from './split.ts'
import type { Batch, DatasetSpec, FieldSpec } from './training.ts'

/** A field of all examples, row-major; those of a ragged one lie one after the other. */
export interface HostField {
  readonly spec: FieldSpec
  readonly data: Float32Array | Int32Array | Uint8Array
  /** Numbers in one example, or in one place of a ragged one. */
  readonly size: number
  readonly offsets?: Offsets
}

/** What a dataset holds in memory. */
export interface Contents {
  readonly fields: readonly HostField[]
  readonly fits: LoadedDataset['fits']
  readonly counts: LoadedDataset['counts']
  /** The values of its `fit`s, for what is computed batch by batch. */
  readonly fitted: readonly HostTensor[]
  readonly notes: readonly string[]
}

/** Batches of fields that lie in memory. */
export function serve(
  spec: DatasetSpec,
  seed: number,
  splits: SplitRows,
  { fields, fits, counts, fitted, notes }: Contents,
): LoadedDataset {
  const plans = new Map<string, { readonly epoch: number; readonly batches: Batches }>()
  const buckets = bucketsOf(spec, fields)
  const planOf = (split: string, epoch: number, shuffled: boolean): Batches => {
    const rows = rowsOf(spec, splits, split)
    if (!(shuffled && spec.shuffle)) return consecutive(spec, rows)
    const known = plans.get(split)
    if (known?.epoch === epoch) return known.batches
    const order = epochOrder(seed, spec.name, split, epoch, rows.length).map(place => rows[place] ?? 0)
    const batches =
      buckets === undefined
        ? consecutive(spec, order)
        : bucketed(spec, order, buckets, count =>
            epochOrder(seed, spec.name, `${split} buckets`, epoch, count),
          )
    plans.set(split, { epoch, batches })
    return batches
  }
  const countOf = (split: string, shuffled: boolean): number => {
    const rows = rowsOf(spec, splits, split)
    if (buckets === undefined || !(shuffled && spec.shuffle)) return countBatches(spec, rows.length, shuffled)
    return bucketSizes(rows, buckets).reduce((sum, size) => sum + countBatches(spec, size, shuffled), 0)
  }
  return {
    name: spec.name,
    fits,
    counts,
    notes,
    splits: new Map([...splits].map(([name, rows]) => [name, rows.length])),
    batches: (split, _epoch, shuffled) => countOf(split, shuffled),
    batch: (split, epoch, index, shuffled, augmented = false) => {
      const rows = planOf(split, epoch, shuffled)(index)
      const batch = gather(spec, fields, rows)
      return augmented
        ? augment(spec, batch, fitted, keyOfRows(augmentKey(seed, spec.name, epoch), rows))
        : batch
    },
  }
}

/** The rows of each batch of an epoch. */
type Batches = (index: number) => Int32Array

function consecutive({ batch }: DatasetSpec, rows: Int32Array): Batches {
  return index => rows.subarray(index * batch, (index + 1) * batch)
}

/** Which bucket each row falls into by the length of the first ragged field, and how many there are. */
interface Buckets {
  readonly count: number
  of(row: number): number
}

function bucketsOf({ buckets }: DatasetSpec, fields: readonly HostField[]): Buckets | undefined {
  const offsets = fields.find(field => field.offsets !== undefined)?.offsets
  if (buckets === undefined || offsets === undefined) return undefined
  return { count: buckets.length, of: row => buckets.findIndex(length => length >= lengthAt(offsets, row)) }
}

function bucketSizes(rows: Int32Array, buckets: Buckets): readonly number[] {
  const sizes = Array.from({ length: buckets.count }, () => 0)
  for (const row of rows) sizes[buckets.of(row)]! += 1
  return sizes
}

/** Batches of one bucket each, in an order of their own, so that long examples don't all come last. */
function bucketed(
  spec: DatasetSpec,
  rows: Int32Array,
  buckets: Buckets,
  permute: (count: number) => Int32Array,
): Batches {
  const groups: number[][] = Array.from({ length: buckets.count }, () => [])
  for (const row of rows) groups[buckets.of(row)]?.push(row)
  const batches = groups.flatMap(group =>
    Array.from({ length: countBatches(spec, group.length, true) }, (_, i) =>
      Int32Array.from(group.slice(i * spec.batch, (i + 1) * spec.batch)),
    ),
  )
  const order = permute(batches.length)
  return index => batches[order[index] ?? 0] ?? new Int32Array(0)
}

/** A short last batch is only dropped where examples are shuffled, so that it is others that miss out each epoch. */
function countBatches(spec: DatasetSpec, examples: number, shuffled: boolean): number {
  const whole = examples / spec.batch
  return spec.dropLast && shuffled ? Math.floor(whole) : Math.ceil(whole)
}

function rowsOf(spec: DatasetSpec, splits: SplitRows, split: string): Int32Array {
  const rows = splits.get(split)
  if (rows !== undefined) return rows
  const near = nearest(split, [...splits.keys()])
  throw new RunError({
    code: 'LTM5108',
    message: `dataset \`${spec.name}\` has no split \`${split}\``,
    trace: spec.trace,
    help: near === undefined ? `it has ${[...splits.keys()].join(', ')}` : `did you mean \`${near}\`?`,
  })
}

function gather(spec: DatasetSpec, fields: readonly HostField[], rows: Int32Array): Batch {
  const tensors = fields.flatMap(field =>
    field.offsets === undefined
      ? [[field.spec.name, gatherField(field, rows)] as const]
      : gatherRagged(spec, field, field.offsets, rows),
  )
  return { size: rows.length, fields: Object.fromEntries(tensors) }
}

function gatherField({ spec, data, size }: HostField, rows: Int32Array): tf.Tensor {
  const values = takeArray(spec.dtype, rows.length * size)
  if (size === 1) for (let i = 0; i < rows.length; i++) values[i] = data[rows[i]!]!
  else
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i]! * size
      values.set(data.subarray(from, from + size), i * size)
    }
  return tf.tensor(values, [rows.length, ...spec.shape], spec.dtype)
}

/** `x`, `x.mask` and `x.length`. */
function gatherRagged(
  { buckets }: DatasetSpec,
  { spec, data, size }: HostField,
  offsets: Int32Array,
  rows: Int32Array,
): readonly (readonly [string, tf.Tensor])[] {
  const places = paddedLength(buckets, longest(offsets, rows))
  const values = new arrayTypes[spec.dtype](rows.length * places * size).fill(spec.ragged?.pad ?? 0)
  copyPadded(values, places * size, { values: data, offsets, size }, rows)
  return [
    [spec.name, tf.tensor(values, [rows.length, places, ...spec.shape], spec.dtype)],
    [`${spec.name}.mask`, maskOf(offsets, rows, places)],
    [`${spec.name}.length`, lengthsOf(offsets, rows)],
  ]
}
