import { readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, extname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { nearest } from '../base/names.ts'
import { systemCode } from './atomic.ts'
import { type CsvColumn, largestWhole, parseCsv } from './csv.ts'
import { RunError } from './errors.ts'
import type { DatasetSpec, SourceSpec } from './training.ts'

/** The numbers that a dataset is made of. */
export interface Table {
  readonly rows: number
  /** Which column of the source each column of `values` is. */
  readonly columns: readonly number[]
  /** Row-major. */
  readonly values: Float32Array
}

/** A group of columns for the program: its numbers, row-major, and their shape. */
export interface ColumnGroup {
  readonly values: Float32Array
  readonly shape: [rows: number] | [rows: number, columns: number]
}

type ColumnRange = DatasetSpec['columns'][number]

/** Reads the columns that a dataset uses from its source. */
export async function readTable(spec: DatasetSpec, directory: string): Promise<Table> {
  const columns = usedColumns(spec)
  const { source } = spec
  switch (source.kind) {
    case 'csv':
      return readCsvTable(source, columns, directory)
    case 'inline':
      return inlineTable(spec, source.columns, columns)
    case 'synthetic':
      return syntheticTable(source, columns)
  }
}

/** Some rows of a group of columns, in the order given; a single column has rank 1. */
export function columnGroup(table: Table, range: ColumnRange, rows: ArrayLike<number>): ColumnGroup {
  const [from, to] = typeof range === 'number' ? [range, range + 1] : range
  const slots = Array.from({ length: to - from }, (_, index) => table.columns.indexOf(from + index))
  const values = new Float32Array(rows.length * slots.length)
  const stride = table.columns.length
  let at = 0
  for (let row = 0; row < rows.length; row++) {
    const start = rows[row]! * stride
    for (let index = 0; index < slots.length; index++) values[at++] = table.values[start + slots[index]!]!
  }
  return { values, shape: typeof range === 'number' ? [rows.length] : [rows.length, to - from] }
}

// ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function usedColumns(spec: DatasetSpec): readonly CsvColumn[] {
  const used = new Set(spec.columns.flatMap(range => indicesOf(range)))
  return [...used].sort((a, b) => a - b).map(index => describeColumn(spec, index))
}

function indicesOf(range: ColumnRange): readonly number[] {
  if (typeof range === 'number') return [range]
  return Array.from({ length: range[1] - range[0] }, (_, index) => range[0] + index)
}

/** A column is spoken of as that of its first reader, but of one that needs whole numbers if there is such a one. */
function describeColumn(spec: DatasetSpec, index: number): CsvColumn {
  const readers = spec.schema.filter(field => field.columns.includes(index))
  const reader = readers.find(field => field.whole) ?? readers[0]
  const { name } = reader ?? spec
  return {
    index,
    reader: reader === undefined ? `dataset \`${name}\`` : `field \`${name}\``,
    whole: reader?.whole ?? false,
    trace: reader?.trace ?? spec.source.trace,
  }
}

// ── Sources ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Csv = Extract<SourceSpec, { kind: 'csv' }>

async function readCsvTable(source: Csv, columns: readonly CsvColumn[], directory: string): Promise<Table> {
  const path = resolve(directory, source.path.replace(/^~(?=[/\\])/, homedir()))
  const bytes = await unpacked(await readBytes(source, path), source)
  const { skip, trace } = source
  const numbers = parseCsv({ bytes, file: source.path, skip, trace }, columns)
  return { ...numbers, columns: columns.map(column => column.index) }
}

function inlineTable(
  spec: DatasetSpec,
  lists: readonly (readonly number[])[],
  used: readonly CsvColumn[],
): Table {
  const rows = lists[0]?.length ?? 0
  const uneven = lists.findIndex(list => list.length !== rows)
  const what = (text: string) => inlineProblem(spec, text)
  if (uneven >= 0) throw what(`column ${uneven} has ${lists[uneven]!.length} values and column 0 has ${rows}`)
  if (rows === 0) throw what('the table has no rows')
  const values = new Float32Array(rows * used.length)
  for (const [slot, column] of used.entries()) {
    const list = lists[column.index]
    if (list === undefined) throw what(`there is no column(${column.index}), which ${column.reader} reads`)
    for (const [row, value] of list.entries()) {
      checkInline(value, row, column, what)
      values[row * used.length + slot] = value
    }
  }
  return { rows, columns: used.map(column => column.index), values }
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

function syntheticTable({ count, trace }: Synthetic, used: readonly CsvColumn[]): Table {
  if (!Number.isInteger(count) || count < 1 || count > largestWhole) {
    const message = `a synthetic dataset can't have ${count} examples: ${exactUpTo}`
    throw new RunError({ code: 'LTM5102', message, trace })
  }
  const beyond = used.find(column => column.index > 0)
  if (beyond !== undefined) {
    const message = `there is no column(${beyond.index}): a synthetic dataset has one column, the index of the example`
    throw new RunError({ code: 'LTM5105', message, trace: beyond.trace })
  }
  return { rows: count, columns: [0], values: Float32Array.from({ length: count }, (_, index) => index) }
}

// ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function readBytes(source: Csv, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw await unreadable(source, path, error)
  }
}

async function unreadable(source: Csv, path: string, error: unknown): Promise<RunError> {
  const fail = (why: string, help?: string) =>
    new RunError({ code: 'LTM5101', message: `data file ${source.path} ${why}`, trace: source.trace, help })
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return fail(`does not exist: ${path}`, await suggestion(source.path, path))
  if (code === 'EISDIR') return fail(`is a folder: ${path}`, 'name one file in it')
  if (code === 'EACCES' || code === 'EPERM') return fail(`can't be read: permission denied for ${path}`)
  if (code === 'ERR_FS_FILE_TOO_LARGE')
    return fail('is larger than 2 GiB, the most that csv reads', 'split it up')
  return fail(`can't be read (${code || String(error)}): ${path}`)
}

async function suggestion(written: string, path: string): Promise<string> {
  const folder = dirname(path)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined)
    return `the folder ${folder} does not exist either; paths start from the folder of the .ltm file`
  const names = entries.filter(entry => !entry.isDirectory()).map(entry => entry.name)
  const name = basename(path)
  const near = nearFile(name, names)
  if (near !== undefined) return `did you mean ${written.slice(0, written.length - name.length)}${near}?`
  const tables = names.filter(other => /\.(csv|tsv|txt|gz)$/.test(other)).sort()
  return tables.length === 0 ? `${folder} has no data files` : `there are ${tables.slice(0, 8).join(', ')}`
}

/** Endings are often what was forgotten, and too alike to tell files apart by. */
function nearFile(name: string, names: readonly string[]): string | undefined {
  const byStem = new Map(names.toSorted().map(other => [stemOf(other), other]))
  const stem = stemOf(name)
  return byStem.get(stem) ?? byStem.get(nearest(stem, [...byStem.keys()]) ?? '')
}

function stemOf(name: string): string {
  return name.split('.', 1)[0]!
}

/** Files in gzip format are recognised by their first bytes too, which no UTF-8 text begins with. */
async function unpacked(bytes: Buffer, source: Csv): Promise<Buffer> {
  const marked = bytes[0] === 0x1f && bytes[1] === 0x8b
  if (!marked && extname(source.path) !== '.gz') return bytes
  const fail = (why: string, help: string) =>
    new RunError({ code: 'LTM5103', message: `${source.path} ${why}`, trace: source.trace, help })
  if (!marked)
    throw fail('is not in gzip format, as its name says', 'take `.gz` off its name, or compress it')
  try {
    return await promisify(gunzip)(bytes)
  } catch (error) {
    const cutOff = systemCode(error) === 'Z_BUF_ERROR'
    throw fail(
      cutOff ? 'is cut off: its gzip data ends early' : 'has damaged gzip data',
      'fetch the file anew',
    )
  }
}
