import * as tf from '@tensorflow/tfjs-core'
import { nearest } from '../base/names.ts'
import type { LoadedDataset } from './contracts.ts'
import { RunError } from './errors.ts'
import { epochOrder, splitOrder } from './order.ts'
import { type SplitRows, splitRows } from './split.ts'
import { columnGroup, readTable, type Table } from './table.ts'
import type { Batch, DatasetSpec, FieldSpec } from './training.ts'

/**
 * Reads a dataset, splits it, and computes its fits and fields once, on the active backend. What stays are plain arrays
 * on the host: no tensor outlives the call.
 */
export async function loadDataset(
  spec: DatasetSpec,
  directory: string,
  seed: number,
): Promise<LoadedDataset> {
  const table = await readTable(spec, directory)
  const before = await fieldsToSplitBy(spec, table)
  const labels = before && labelsIn(stratifier(spec), before)
  const splits = splitRows(spec, splitOrder(seed, spec.name, table.rows), labels)
  const settled = spec.fits === undefined || spec.fits.length === 0 ? before : undefined
  const fields =
    settled ?? (await withFits(spec, table, fittingRows(splits), fits => computeFields(spec, table, fits)))
  if (labels !== undefined) checkLabelsStand(spec, labels, labelsIn(stratifier(spec), fields))
  return serve(spec, seed, splits, fields)
}

/** A field of all examples, row-major. */
interface HostField {
  readonly spec: FieldSpec
  readonly data: HostArray
  /** Numbers in one example. */
  readonly size: number
}
type HostArray = Float32Array | Int32Array | Uint8Array

// ── Fits ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Fits are learned from the split `train`, or from the first one where none has that name. */
function fittingRows(splits: SplitRows): Int32Array {
  return splits.get('train') ?? [...splits.values()][0]!
}

async function withFits<T>(
  spec: DatasetSpec,
  table: Table,
  rows: ArrayLike<number>,
  use: (fits: readonly tf.Tensor[]) => Promise<T>,
): Promise<T> {
  const fits = explained(spec, 'fits', () => tf.tidy(() => computeFits(spec, table, rows)))
  try {
    return await use(fits)
  } finally {
    tf.dispose(fits)
  }
}

function computeFits(spec: DatasetSpec, table: Table, rows: ArrayLike<number>): tf.Tensor[] {
  if (spec.fits === undefined || spec.fits.length === 0) return []
  const columns = uploadColumns(spec, table, rows)
  const fits: tf.Tensor[] = []
  for (const { compute } of spec.fits) fits.push(compute(columns, fits))
  return fits
}

function uploadColumns(spec: DatasetSpec, table: Table, rows: ArrayLike<number>): readonly tf.Tensor[] {
  return spec.columns.map(range => {
    const { values, shape } = columnGroup(table, range, rows)
    return tf.tensor(values, shape, 'float32')
  })
}

// ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Rows that are on the device at once while fields are computed. */
const chunkRows = 4096

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

async function computeFields(
  spec: DatasetSpec,
  table: Table,
  fits: readonly tf.Tensor[],
): Promise<readonly HostField[]> {
  const fields = spec.schema.map(field => emptyField(field, table.rows))
  for (let start = 0; start < table.rows; start += chunkRows) {
    const rows = rangeOf(start, Math.min(start + chunkRows, table.rows))
    const results = explained(spec, 'fields', () =>
      tf.tidy(() => [...spec.fields(uploadColumns(spec, table, rows), fits)]),
    )
    try {
      for (const [index, field] of fields.entries())
        await copyChunk(field, results[index], start, rows.length)
    } finally {
      tf.dispose(results)
    }
  }
  return fields
}

function emptyField(spec: FieldSpec, rows: number): HostField {
  const size = spec.shape.reduce((product, extent) => product * extent, 1)
  return { spec, size, data: new arrays[spec.dtype](rows * size) }
}

async function copyChunk(field: HostField, result: tf.Tensor | undefined, start: number, rows: number) {
  checkResult(field.spec, result, rows)
  const values = await result.data()
  const bad = values.findIndex(value => Number.isNaN(value))
  if (bad >= 0) throw notANumber(field, start + Math.floor(bad / field.size))
  field.data.set(values, start * field.size)
}

function checkResult(
  field: FieldSpec,
  result: tf.Tensor | undefined,
  rows: number,
): asserts result is tf.Tensor {
  const wanted = typeText(field.dtype, [rows, ...field.shape])
  const found = result === undefined ? 'nothing' : typeText(result.dtype, result.shape)
  if (found === wanted) return
  const message = `field \`${field.name}\` should be ${wanted} for ${rows} examples, but computes ${found}`
  throw new RunError({ code: 'LTM5107', message, trace: field.trace })
}

/** `f32[150, 4]`, as the language writes it. */
function typeText(dtype: string, shape: readonly number[]): string {
  return `${dtype.replace('float32', 'f32').replace('int32', 'i32')}[${shape.join(', ')}]`
}

function notANumber({ spec }: HostField, example: number): RunError {
  return new RunError({
    code: 'LTM5107',
    message: `field \`${spec.name}\` is NaN in example ${example} (counted from 0)`,
    trace: spec.trace,
    help: 'look for a division by zero (a column that never changes has no spread), or a root or logarithm of a negative number',
  })
}

/** What a library says about shapes is passed on with the place in the program that it happened in. */
function explained<T>(spec: DatasetSpec, what: string, compute: () => T): T {
  try {
    return compute()
  } catch (error) {
    if (error instanceof RunError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const message = `the ${what} of dataset \`${spec.name}\` can't be computed: ${reason}`
    throw new RunError({ code: 'LTM5107', message, trace: spec.trace })
  }
}

function rangeOf(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, index) => from + index)
}

// ── Stratification ──────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The field to stratify by is needed before there is a training split to learn fits from, so fits of the whole table
 * stand in; `checkLabelsStand` makes sure that this made no difference.
 */
async function fieldsToSplitBy(spec: DatasetSpec, table: Table): Promise<readonly HostField[] | undefined> {
  if (spec.stratify === undefined) return undefined
  stratifier(spec)
  return withFits(spec, table, rangeOf(0, table.rows), fits => computeFields(spec, table, fits))
}

function stratifier(spec: DatasetSpec): FieldSpec {
  const field = spec.schema.find(candidate => candidate.name === spec.stratify)
  if (field !== undefined) return field
  const near = nearest(
    spec.stratify ?? '',
    spec.schema.map(candidate => candidate.name),
  )
  throw new RunError({
    code: 'LTM5109',
    message: `dataset \`${spec.name}\` is to be split by \`${spec.stratify}\`, but has no such field`,
    trace: spec.trace,
    help: near && `did you mean \`${near}\`?`,
  })
}

function labelsIn(spec: FieldSpec, fields: readonly HostField[]): readonly string[] {
  const { data, size } = fields.find(field => field.spec.name === spec.name)!
  return Array.from({ length: data.length / size }, (_, row) =>
    data.subarray(row * size, (row + 1) * size).join(),
  )
}

function checkLabelsStand(spec: DatasetSpec, before: readonly string[], after: readonly string[]): void {
  if (before.every((label, row) => label === after[row])) return
  throw new RunError({
    code: 'LTM5109',
    message: `dataset \`${spec.name}\` is split by \`${spec.stratify}\`, which depends on a \`fit\` of the training split`,
    trace: spec.trace,
    help: 'the split has to be known before anything is fitted: split by a field without fits',
  })
}

// ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function serve(
  spec: DatasetSpec,
  seed: number,
  splits: SplitRows,
  fields: readonly HostField[],
): LoadedDataset {
  const orders = new Map<string, { readonly epoch: number; readonly rows: Int32Array }>()
  const orderOf = (split: string, epoch: number, shuffled: boolean): Int32Array => {
    const rows = rowsOf(spec, splits, split)
    if (!(shuffled && spec.shuffle)) return rows
    const known = orders.get(split)
    if (known?.epoch === epoch) return known.rows
    const order = epochOrder(seed, spec.name, split, epoch, rows.length).map(place => rows[place]!)
    orders.set(split, { epoch, rows: order })
    return order
  }
  return {
    name: spec.name,
    splits: new Map([...splits].map(([name, rows]) => [name, rows.length])),
    batches: (split, _epoch, shuffled) => countBatches(spec, rowsOf(spec, splits, split).length, shuffled),
    batch: (split, epoch, index, shuffled) => {
      const start = index * spec.batch
      return gather(fields, orderOf(split, epoch, shuffled).subarray(start, start + spec.batch))
    },
  }
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

function gather(fields: readonly HostField[], rows: Int32Array): Batch {
  const tensors = fields.map(field => [field.spec.name, gatherField(field, rows)] as const)
  return { size: rows.length, fields: Object.fromEntries(tensors) }
}

function gatherField({ spec, data, size }: HostField, rows: Int32Array): tf.Tensor {
  const values = new arrays[spec.dtype](rows.length * size)
  for (const [index, row] of rows.entries())
    values.set(data.subarray(row * size, (row + 1) * size), index * size)
  return tf.tensor(values, [rows.length, ...spec.shape], spec.dtype)
}
