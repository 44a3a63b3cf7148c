import { bug } from '../base/bug.ts'
import { nearest } from '../base/names.ts'
import { type CsvColumn, type CsvNumbers, csvHeader, largestWhole, parseCsv } from './csv.ts'
import { RunError } from './errors.ts'
import { type Column, type SourceTable, sizeOf } from './sources/column.ts'
import { openFile } from './sources/open.ts'
import { readSource } from './sources/read.ts'
import type { ColumnSpec, DatasetSpec, SourceSpec } from './training.ts'

/** What a dataset is made of: a column of the source, or several side by side, for each entry of its `columns`. */
export interface Table {
  readonly rows: number
  readonly columns: readonly Column[]
  /** Where an example stands in the source, for messages. */
  place(row: number): string
}

/** Reads the columns that a dataset uses from its source, and behind them those that its vocabularies are learned from. */
export async function readTable(dataset: DatasetSpec, directory: string): Promise<Table> {
  const spec = { ...dataset, columns: [...dataset.columns, ...learnedColumns(dataset)] }
  const { source } = spec
  switch (source.kind) {
    case 'csv':
      return readCsvTable(spec, source, directory)
    case 'inline':
      return inlineTable(spec, source.columns, usedColumns(spec))
    case 'synthetic':
      return syntheticTable(spec, source, usedColumns(spec))
    default:
      return fileTable(spec, await readSource(source, namesOf(spec), directory))
  }
}

function learnedColumns({ vocabularies = [] }: DatasetSpec): readonly ColumnSpec[] {
  return vocabularies.flatMap(({ unit, columns }) => columns.map(column => ({ column, tokens: { unit } })))
}

// ── Sources that name their columns ─────────────────────────────────────────────────────────────────────────────────

function namesOf(spec: DatasetSpec): readonly string[] {
  return [...new Set(spec.columns.flatMap(column => (isLaid(column) ? [String(column.column)] : [])))]
}

function fileTable(spec: DatasetSpec, table: SourceTable): Table {
  const columns = spec.columns.map(wanted => {
    const name = isLaid(wanted) ? String(wanted.column) : ''
    const column = table.columns.find(each => each.name === name)
    if (column === undefined) return bug(`the source has not read \`${name}\``)
    checkWhole(spec, name, column, table)
    return column
  })
  return { rows: table.rows, columns, place: row => table.place(row) }
}

/** Numbers that become integers or booleans are whole, and small enough for the float32 in which columns travel. */
function checkWhole(spec: DatasetSpec, name: string, column: Column, table: SourceTable): void {
  const reader = spec.schema.find(field => field.whole && field.columns.includes(name))
  if (reader === undefined || column.kind === 'text') return
  const { values } = column
  // A field that takes a part of a column may leave out what isn't whole.
  if (column.kind === 'numbers' && sizeOf(column.shape) !== sizeOf(reader.shape)) return
  const bad = values.findIndex(value => !Number.isInteger(value) || Math.abs(value) > largestWhole)
  if (bad < 0) return
  const row =
    column.kind === 'ragged'
      ? column.offsets.findLastIndex(offset => offset <= bad)
      : Math.floor(bad / sizeOf(column.shape))
  const why = Number.isInteger(values[bad])
    ? `is out of range: ${exactUpTo}`
    : `is not a whole number, but field \`${reader.name}\` reads \`${name}\` as one`
  throw new RunError({
    code: 'LTM5106',
    message: `${table.place(row)}: ${values[bad]} ${why}`,
    trace: reader.trace,
  })
}

// ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Laid = Extract<ColumnSpec, { readonly column: unknown }>

export function isLaid(column: ColumnSpec): column is Laid {
  return typeof column === 'object' && 'column' in column
}

/** The columns that are read, each once; `header` says where those stand that are asked for by name. */
function usedColumns(spec: DatasetSpec, header: readonly string[] = []): readonly CsvColumn[] {
  const used = new Map<number, ColumnSpec>()
  for (const column of spec.columns)
    for (const index of indicesOf(column, header)) if (!used.has(index)) used.set(index, column)
  return [...used]
    .sort(([a], [b]) => a - b)
    .map(([index, column]) => describeColumn(spec, index, isLaid(column) ? column : undefined))
}

function indicesOf(column: ColumnSpec, header: readonly string[]): readonly number[] {
  if (typeof column === 'number') return [column]
  if (isLaid(column))
    return [typeof column.column === 'number' ? column.column : header.indexOf(column.column)]
  return Array.from({ length: column[1] - column[0] }, (_, index) => column[0] + index)
}

/** A column is spoken of as that of its first reader, but of one that needs whole numbers if there is such a one. */
function describeColumn(spec: DatasetSpec, index: number, laid: Laid | undefined): CsvColumn {
  const readers = spec.schema.filter(field => field.columns.includes(laid?.column ?? index))
  const reader = readers.find(field => field.whole) ?? readers[0]
  const { name } = reader ?? spec
  return {
    index,
    ...(typeof laid?.column === 'string' ? { name: laid.column } : {}),
    ...(laid?.tokens ? { text: true } : {}),
    reader: reader === undefined ? `dataset \`${name}\`` : `field \`${name}\``,
    whole: reader?.whole ?? false,
    trace: reader?.trace ?? spec.source.trace,
  }
}

// ── Sources ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Csv = Extract<SourceSpec, { kind: 'csv' }>

async function readCsvTable(spec: DatasetSpec, source: Csv, directory: string): Promise<Table> {
  const bytes = await openFile({ name: source.path, trace: source.trace }, directory)
  const byName = spec.columns.some(column => isLaid(column) && typeof column.column === 'string')
  const { trace } = source
  const skip = byName ? Math.max(source.skip, 1) : source.skip
  const text = { bytes, file: source.path, skip, missing: source.missing, trace }
  const header = byName ? csvHeader(text) : []
  if (byName) checkNames(spec, source, header)
  const used = usedColumns(spec, header)
  const read = parseCsv(text, used)
  const columns = spec.columns.map((column): Column => {
    const slots = indicesOf(column, header).map(index => used.findIndex(each => each.index === index))
    const texts = read.texts.get(slots[0] ?? -1)
    if (isLaid(column) && column.tokens && texts)
      return { kind: 'text', name: String(column.column), values: texts }
    const shape = Array.isArray(column) ? [slots.length] : []
    return { kind: 'numbers', name: '', shape, values: sideBySide(read, used.length, slots) }
  })
  return { rows: read.rows, columns, place: row => `${source.path}:${read.lines[row] ?? row + skip + 1}` }
}

/** The numbers of some of the columns; all of them are as they were read. */
function sideBySide({ rows, values }: CsvNumbers, width: number, slots: readonly number[]): Float32Array {
  if (slots.length === width && slots.every((slot, i) => slot === i)) return values
  const chosen = new Float32Array(rows * slots.length)
  let at = 0
  for (let start = 0; start < values.length; start += width)
    for (const slot of slots) chosen[at++] = values[start + slot] ?? Number.NaN
  return chosen
}

function checkNames(spec: DatasetSpec, { path, trace }: Csv, header: readonly string[]): void {
  for (const column of spec.columns) {
    if (!isLaid(column) || typeof column.column === 'number' || header.includes(column.column)) continue
    const near = nearest(column.column, header)
    const reader = spec.schema.find(field => field.columns.includes(column.column))
    throw new RunError({
      code: 'LTM5105',
      message: `${path}: no column is called “${column.column}”; the header names ${header.slice(0, 8).join(', ')}`,
      trace: reader?.trace ?? trace,
      help:
        near === undefined
          ? 'columns can also be told by their place: column(0)'
          : `did you mean \`${near}\`?`,
    })
  }
}

function inlineTable(
  spec: DatasetSpec,
  lists: Extract<SourceSpec, { kind: 'inline' }>['columns'],
  used: readonly CsvColumn[],
): Table {
  const rows = lists[0]?.length ?? 0
  const uneven = lists.findIndex(list => list.length !== rows)
  const what = (text: string) => inlineProblem(spec, text)
  if (uneven >= 0) throw what(`column ${uneven} has ${lists[uneven]?.length} values and column 0 has ${rows}`)
  if (rows === 0) throw what('the table has no rows')
  for (const column of used) {
    const list = lists[column.index]
    if (list === undefined) throw what(`there is no column(${column.index}), which ${column.reader} reads`)
    for (const [row, value] of list.entries())
      for (const each of isNumbers(value) ? value : [value])
        if (typeof each === 'number') checkInline(each, row, column, what)
  }
  const columns = spec.columns.map(column => inlineColumn(column, lists, rows))
  return { rows, columns, place: exampleAt }
}

function exampleAt(row: number): string {
  return `example ${row} (counted from 0)`
}

type Cell = Extract<SourceSpec, { kind: 'inline' }>['columns'][number][number]
const isNumbers = (cell: Cell): cell is readonly number[] => typeof cell === 'object'

function inlineColumn(spec: ColumnSpec, lists: readonly (readonly Cell[])[], rows: number): Column {
  const columns = indicesOf(spec, []).map(index => lists[index] ?? [])
  const [first = []] = columns
  if (isLaid(spec) && spec.tokens) return { kind: 'text', name: '', values: first.map(String) }
  if (isLaid(spec) && first.every(isNumbers)) return listColumn(first)
  const values = Float32Array.from({ length: rows * columns.length }, (_, i) =>
    Number(columns[i % columns.length]?.[Math.floor(i / columns.length)]),
  )
  return { kind: 'numbers', name: '', shape: Array.isArray(spec) ? [columns.length] : [], values }
}

/** Lists that are as long in each example are the numbers of a shape. */
function listColumn(lists: readonly (readonly number[])[]): Column {
  const [{ length } = []] = lists
  if (lists.every(list => list.length === length))
    return { kind: 'numbers', name: '', shape: [length], values: Float32Array.from(lists.flat()) }
  const offsets = new Int32Array(lists.length + 1)
  for (const [row, list] of lists.entries()) offsets[row + 1] = offsets[row]! + list.length
  return { kind: 'ragged', name: '', offsets, values: Float32Array.from(lists.flat()) }
}

function checkInline(value: number, row: number, column: CsvColumn, what: (text: string) => RunError): void {
  const where = `${value} in row ${row} of column(${column.index})`
  if (!Number.isFinite(Math.fround(value))) throw what(`${where} is not a finite 32-bit number`)
  if (!column.whole) return
  if (!Number.isInteger(value))
    throw what(`${where} is not a whole number, but ${column.reader} reads it as one`)
  if (Math.abs(value) > largestWhole) throw what(`${where} is out of range: ${exactUpTo}`)
}

function inlineProblem(spec: DatasetSpec, text: string): RunError {
  const message = `dataset \`${spec.name}\`: ${text}`
  return new RunError({ code: 'LTM5106', message, trace: spec.source.trace })
}

const exactUpTo = `whole numbers are exact up to ${largestWhole.toLocaleString('en')}`

type Synthetic = Extract<SourceSpec, { kind: 'synthetic' }>

function syntheticTable(spec: DatasetSpec, { count, trace }: Synthetic, used: readonly CsvColumn[]): Table {
  if (!Number.isInteger(count) || count < 1 || count > largestWhole) {
    const message = `a synthetic dataset can't have ${count} examples: ${exactUpTo}`
    throw new RunError({ code: 'LTM5102', message, trace })
  }
  const beyond = used.find(column => column.index > 0)
  if (beyond !== undefined) {
    const message = `there is no column(${beyond.index}): a synthetic dataset has one column, the index of the example`
    throw new RunError({ code: 'LTM5105', message, trace: beyond.trace })
  }
  const values = Float32Array.from({ length: count }, (_, index) => index)
  const columns = spec.columns.map(
    (column): Column => ({ kind: 'numbers', name: '', shape: Array.isArray(column) ? [1] : [], values }),
  )
  return { rows: count, columns, place: exampleAt }
}
