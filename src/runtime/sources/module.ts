import { RunError } from '../errors.ts'
import { thrown } from '../thrown.ts'
import { importUserModule } from '../userModule.ts'
import type { SourceTable } from './column.ts'
import { badRow, type DataFile, damaged } from './problem.ts'
import { Rows } from './rows.ts'

/**
 * Rows of the user's own: what a module exports as `default` is an iterable of objects, perhaps an async one, or a function
 * that gives such an iterable.
 */
export async function readUserRows(
  path: string,
  names: readonly string[],
  file: DataFile,
): Promise<SourceTable> {
  const exported = await defaultOf(path, file)
  const rows = new Rows(file, names)
  try {
    const given: unknown = typeof exported === 'function' ? await exported() : exported
    if (!isIterable(given))
      throw damaged(
        file,
        'does not export an iterable of rows as its `default`',
        'write `export default async function* () { yield { x: [1, 2], label: 0 } }`',
      )
    for await (const row of given) rows.add(checked(row, rows.count, file), placeOf(file, rows.count))
  } catch (error) {
    throw error instanceof RunError ? error : failed(file, `fails at row ${rows.count}`, error)
  }
  if (rows.count === 0) throw damaged(file, 'gives no rows')
  return { rows: rows.count, columns: rows.finish(), place: row => placeOf(file, row) }
}

const placeOf = (file: DataFile, row: number): string => `${file.name}, row ${row}`

async function defaultOf(path: string, file: DataFile): Promise<unknown> {
  try {
    const module: { readonly default?: unknown } = await importUserModule(path)
    return module.default
  } catch (error) {
    throw failed(file, "can't be loaded", error)
  }
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return (
    typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
  )
}

function checked(row: unknown, index: number, file: DataFile): Readonly<Record<string, unknown>> {
  if (isRecord(row)) return row
  throw badRow(
    file,
    placeOf(file, index),
    'this row is not an object',
    'yield objects such as { x: [1, 2], label: 0 }',
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function failed(file: DataFile, what: string, error: unknown): RunError {
  return new RunError({
    code: 'LTM5138',
    message: `${file.name} ${what}: ${thrown(error)}`,
    trace: file.trace,
  })
}
