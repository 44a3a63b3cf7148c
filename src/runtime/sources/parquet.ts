import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type Compressors, type FileMetaData, parquetMetadata, parquetRead, parquetSchema } from 'hyparquet'
import { nearest } from '../../base/names.ts'
import type { RunError } from '../errors.ts'
import type { Column, SourceTable } from './column.ts'
import { badRow, type DataFile, damaged } from './problem.ts'
import { ColumnBuilder, shownNames } from './rows.ts'

const compressors: Compressors = {
  GZIP: input => gunzipSync(input),
  BROTLI: input => brotliDecompressSync(input),
}

/** The columns of an Apache Parquet file, plain, with Snappy, gzip or Brotli. Other columns are not read. */
export async function readParquet(
  bytes: Uint8Array,
  names: readonly string[],
  file: DataFile,
): Promise<SourceTable> {
  const buffer = new Uint8Array(bytes).buffer
  const metadata = metadataOf(buffer, file)
  const has = parquetSchema(metadata).children.map(child => child.element.name)
  for (const name of names) if (!has.includes(name)) throw noColumn(file, name, has)
  const rows = Number(metadata.num_rows)
  if (rows === 0) throw damaged(file, 'has no rows')
  const columns: Column[] = []
  for (const name of names) columns.push(await readColumn(buffer, metadata, name, rows, file))
  return { rows, columns, place: row => `${file.name}, row ${row}` }
}

function metadataOf(buffer: ArrayBuffer, file: DataFile): FileMetaData {
  const ends = Buffer.from(buffer)
  if (ends.toString('latin1', 0, 4) !== 'PAR1')
    throw damaged(file, 'is not a Parquet file: it does not begin with `PAR1`')
  if (ends.toString('latin1', ends.length - 4) !== 'PAR1')
    throw damaged(file, 'is cut off: a Parquet file ends with `PAR1`', 'fetch the file anew')
  return explained(file, 'its footer', () => parquetMetadata(buffer))
}

async function readColumn(
  buffer: ArrayBuffer,
  metadata: FileMetaData,
  name: string,
  rows: number,
  file: DataFile,
): Promise<Column> {
  const chunks: { readonly start: number; readonly values: ArrayLike<unknown> }[] = []
  try {
    await parquetRead({
      file: buffer,
      metadata,
      columns: [name],
      compressors,
      onChunk: ({ columnData, rowStart }) => chunks.push({ start: rowStart, values: columnData }),
    })
  } catch (error) {
    throw unreadable(file, `column \`${name}\``, error)
  }
  chunks.sort((a, b) => a.start - b.start)
  return columnOf(chunks, name, rows, file)
}

/** Value by value, so that a missing one is found in its row. */
function columnOf(
  chunks: readonly { readonly values: ArrayLike<unknown> }[],
  name: string,
  rows: number,
  file: DataFile,
): Column {
  const column = new ColumnBuilder(name)
  let row = 0
  for (const { values } of chunks)
    for (let index = 0; index < values.length && row < rows; index++, row++) {
      const wrong = column.add(plain(values[index]))
      if (wrong !== undefined) throw badRow(file, `${file.name}, row ${row}`, wrong)
    }
  if (row !== rows) throw damaged(file, `has ${row} values of \`${name}\` for ${rows} rows`)
  return column.finish()
}

/** Whole numbers of 64 bits become doubles. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) return Array.from(value, Number)
  return Array.isArray(value) ? value.map(plain) : value
}

function noColumn(file: DataFile, name: string, has: readonly string[]): RunError {
  const near = nearest(name, has)
  return damaged(
    file,
    `has no column \`${name}\`; it has ${shownNames(has)}`,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  )
}

function explained<T>(file: DataFile, what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw unreadable(file, what, error)
  }
}

function unreadable(file: DataFile, what: string, error: unknown): RunError {
  const reason = error instanceof Error ? error.message : String(error)
  const codec = /unsupported compression codec: (\w+)/.exec(reason)?.[1]
  return codec === undefined
    ? damaged(file, `can't be read: ${what} is damaged (${reason})`, 'fetch the file anew, or write it again')
    : damaged(
        file,
        `is compressed with ${codec}, which ltm does not read`,
        'write it with Snappy or gzip: `to_parquet(path, compression="snappy")`',
      )
}
