import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../base/bug.ts'
import { nearest } from '../base/names.ts'
import { arrayTypes } from './arrays.ts'
import { type Contents, type HostField, serve } from './batches.ts'
import type { LoadedDataset } from './contracts.ts'
import { checkedCounts } from './counts.ts'
import { RunError } from './errors.ts'
import { rowsThatPass, tableOf } from './filter.ts'
import { type Inputs, inputsOf, mostNumbers, plainInputs, upload } from './inputs.ts'
import { readData } from './memory.ts'
import { fieldsKey, splitOrder } from './order.ts'
import { bounded, checkLengths, lengthAt, longest } from './ragged.ts'
import { type Key, keyOfRows } from './random.ts'
import { sizeOf } from './sources/column.ts'
import { type SplitRows, splitRows } from './split.ts'
import { isLaid, type readTable, type Table } from './table.ts'
import { takeTable } from './tablesAhead.ts'
import type { DatasetSpec, FieldSpec } from './training.ts'

/**
 * Reads a dataset, splits it, and computes its fits and fields once, on the active backend. What stays are plain arrays
 * on the host: no tensor outlives the call.
 */
export async function loadDataset(
  spec: DatasetSpec,
  directory: string,
  seed: number,
  read: typeof readTable = takeTable,
): Promise<LoadedDataset> {
  const whole = await read(spec, directory)
  const table = await filtered(spec, whole)
  const before = await fieldsToSplitBy(spec, table, seed)
  const labels = before && labelsIn(stratifier(spec), before.fields)
  const splits = splitRows(spec, splitOrder(seed, spec.name, table.rows), labels)
  const learned =
    before && learnsNothing(spec) ? before : await learnedFields(spec, table, fittingRows(splits), seed)
  const settled = learned.fields
  if (labels !== undefined) checkLabelsStand(spec, labels, labelsIn(stratifier(spec), settled))
  const ragged = settled.flatMap(({ spec: field, offsets }) => (offsets ? [{ spec: field, offsets }] : []))
  checkLengths(spec, ragged, row => table.place(row))
  const counts = checkedCounts(spec, table, settled, learned.fits)
  const left = `${spec.name}: filters left out ${whole.rows - table.rows} of ${whole.rows} rows`
  const notes = table === whole ? learned.notes : [left, ...learned.notes]
  return serve(spec, seed, splits, { ...learned, counts, notes })
}

async function filtered(spec: DatasetSpec, table: Table): Promise<Table> {
  if (spec.filters === undefined) return table
  const passing = await rowsThatPass(spec, plainInputs(spec, table))
  return passing.length === table.rows ? table : tableOf(table, passing)
}

function learnsNothing({ fits = [], vocabularies = [], columns }: DatasetSpec): boolean {
  return fits.length + vocabularies.length === 0 && !columns.some(column => isLaid(column) && column.tokens)
}

type Learned = Omit<Contents, 'counts'>

/** The fields of all rows, with what is fitted learned from some. */
async function learnedFields(
  spec: DatasetSpec,
  table: Table,
  rows: ArrayLike<number>,
  seed: number,
): Promise<Learned> {
  const inputs = inputsOf(spec, table, rows)
  return withFits(spec, inputs, rows, async fits => {
    const fitted = await Promise.all(
      fits.map(async fit => ({ values: await readData(fit), shape: fit.shape, dtype: fit.dtype })),
    )
    const named = fitted.map(({ values }, i) => [spec.fits?.[i]?.name ?? '', [...values]] as const)
    const fields = await computeFields(spec, inputs, fits, fieldsKey(seed, spec.name))
    return {
      fields,
      fits: Object.fromEntries([...named, ...inputs.vocabularies]),
      fitted,
      notes: cutsOf(spec, inputs),
    }
  })
}

/** What a bound, `where t <= 200`, has taken off. */
function cutsOf({ name, schema }: DatasetSpec, { columns, rows }: Inputs): readonly string[] {
  return schema.flatMap(field => {
    const { bound, like } = field.ragged ?? {}
    const offsets = like === undefined ? undefined : columns[like]?.offsets
    if (bound === undefined || offsets === undefined) return []
    const cut = rangeOf(0, rows).filter(row => lengthAt(offsets, row) > bound).length
    return cut === 0
      ? []
      : [`${name}: ${cut} of ${rows} examples of \`${field.name}\` were cut to ${bound} places`]
  })
}

// ── Fits ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Fits are learned from the split `train`, or from the first one where none has that name. */
function fittingRows(splits: SplitRows): Int32Array {
  return splits.get('train') ?? [...splits.values()][0]!
}

async function withFits<T>(
  spec: DatasetSpec,
  inputs: Inputs,
  rows: ArrayLike<number>,
  use: (fits: readonly tf.Tensor[]) => Promise<T>,
): Promise<T> {
  const fits = explained(spec, 'fits', () => tf.tidy(() => computeFits(spec, inputs, rows)))
  try {
    return await use(fits)
  } finally {
    tf.dispose(fits)
  }
}

function computeFits(spec: DatasetSpec, inputs: Inputs, rows: ArrayLike<number>): tf.Tensor[] {
  if (spec.fits === undefined || spec.fits.length === 0) return []
  const columns = upload(inputs, rows)
  const fits: tf.Tensor[] = []
  for (const { compute } of spec.fits) fits.push(compute(columns, fits))
  return fits
}

// ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Rows that are on the device at once while fields are computed. */
const chunkRows = 4096

/** And numbers of their inputs: what fits into a cache is done sooner, and so is memory that was used before. */
const chunkNumbers = 2 ** 18

async function computeFields(
  spec: DatasetSpec,
  inputs: Inputs,
  fits: readonly tf.Tensor[],
  key: Key,
): Promise<readonly HostField[]> {
  const fields = spec.schema.map(field => emptyField(field, inputs))
  const step = Math.max(1, Math.min(chunkRows, Math.floor(chunkNumbers / mostNumbers(inputs))))
  for (let start = 0; start < inputs.rows; start += step) {
    const rows = rangeOf(start, Math.min(start + step, inputs.rows))
    const results = explained(spec, 'fields', () =>
      tf.tidy(() => [...spec.fields(upload(inputs, rows), fits, keyOfRows(key, rows))]),
    )
    try {
      for (const [index, field] of fields.entries()) await copyChunk(field, results[index], rows, inputs)
    } finally {
      tf.dispose(results)
    }
  }
  return fields
}

function emptyField(spec: FieldSpec, inputs: Inputs): HostField {
  const size = sizeOf(spec.shape)
  const { ragged } = spec
  if (ragged === undefined) return { spec, size, data: new arrayTypes[spec.dtype](inputs.rows * size) }
  const lengths = inputs.columns[ragged.like]?.offsets ?? bug('a ragged field of columns that are not')
  const offsets = bounded(lengths, ragged.bound)
  return { spec, size, offsets, data: new arrayTypes[spec.dtype]((offsets[inputs.rows] ?? 0) * size) }
}

async function copyChunk(
  field: HostField,
  result: tf.Tensor | undefined,
  rows: Int32Array,
  inputs: Inputs,
): Promise<void> {
  const { offsets, size, data } = field
  const places =
    field.spec.ragged && longest(inputs.columns[field.spec.ragged.like]?.offsets ?? offsets ?? rows, rows)
  checkResult(field.spec, result, rows.length, places)
  const values = await result.data()
  const width = (places ?? 1) * size
  // One look at all of them, and at each example only where there is one to blame.
  const incomplete = hasNaN(values)
  for (const [i, row] of rows.entries()) {
    const count = offsets === undefined ? size : lengthAt(offsets, row) * size
    const own = values.subarray(i * width, i * width + count)
    if (incomplete && hasNaN(own)) throw notANumber(field, inputs.place(row))
    data.set(own, offsets === undefined ? row * size : (offsets[row] ?? 0) * size)
  }
}

/** A loop, not `some`: a call for each number takes longer than all else that is done with it. */
function hasNaN(values: Float32Array | Int32Array | Uint8Array): boolean {
  if (!(values instanceof Float32Array)) return false
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true
  return false
}

function checkResult(
  field: FieldSpec,
  result: tf.Tensor | undefined,
  rows: number,
  places: number | undefined,
): asserts result is tf.Tensor {
  const wanted = typeText(field.dtype, [rows, ...(places === undefined ? [] : [places]), ...field.shape])
  const found = result === undefined ? 'nothing' : typeText(result.dtype, result.shape)
  if (found === wanted) return
  const message = `field \`${field.name}\` should be ${wanted} for ${rows} examples, but computes ${found}`
  throw new RunError({ code: 'LTM5107', message, trace: field.trace })
}

/** `f32[150, 4]`, as the language writes it. */
function typeText(dtype: string, shape: readonly number[]): string {
  return `${dtype.replace('float32', 'f32').replace('int32', 'i32')}[${shape.join(', ')}]`
}

function notANumber({ spec }: HostField, place: string): RunError {
  return new RunError({
    code: 'LTM5107',
    message: `field \`${spec.name}\` is NaN in ${place}`,
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

// ── Splits by a field ──────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The field to split by is needed before there is a training split to learn fits from, so fits of the whole table
 * stand in; `checkLabelsStand` makes sure that this made no difference.
 */
async function fieldsToSplitBy(spec: DatasetSpec, table: Table, seed: number): Promise<Learned | undefined> {
  if (splitBy(spec) === undefined) return undefined
  stratifier(spec)
  return learnedFields(spec, table, rangeOf(0, table.rows), seed)
}

const splitBy = (spec: DatasetSpec): string | undefined => spec.stratify ?? spec.group

function stratifier(spec: DatasetSpec): FieldSpec {
  const by = splitBy(spec)
  const field = spec.schema.find(candidate => candidate.name === by)
  if (field !== undefined) return field
  const near = nearest(
    by ?? '',
    spec.schema.map(candidate => candidate.name),
  )
  throw new RunError({
    code: 'LTM5109',
    message: `dataset \`${spec.name}\` is to be split by \`${by}\`, but has no such field`,
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
    message: `dataset \`${spec.name}\` is split by \`${splitBy(spec)}\`, which depends on a \`fit\` of the training split`,
    trace: spec.trace,
    help: 'the split has to be known before anything is fitted: split by a field without fits',
  })
}
