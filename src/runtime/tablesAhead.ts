import { readTable, type Table } from './table.ts'
import type { DatasetSpec } from './training.ts'

/**
 * Tables that were read for the sizes which a program asks of its data: the run that follows in this process takes them,
 * so that rows are read once. Rows of the user's own may come once only.
 */
const waiting = new Map<string, Table>()

/** Reads a table for its sizes. */
export async function readTableAhead(spec: DatasetSpec, directory: string): Promise<Table> {
  const table = waiting.get(keyOf(spec, directory)) ?? (await readTable(spec, directory))
  if (isRead(spec)) waiting.set(keyOf(spec, directory), table)
  return table
}

/** The table that was read ahead, or else a new one. */
export async function takeTable(spec: DatasetSpec, directory: string): Promise<Table> {
  const key = keyOf(spec, directory)
  const table = waiting.get(key)
  waiting.delete(key)
  return table ?? readTable(spec, directory)
}

/** What a program says itself is at hand. */
function isRead({ source: { kind } }: DatasetSpec): boolean {
  return kind !== 'inline' && kind !== 'synthetic'
}

/** All that decides what is read, and what is checked on the way. */
function keyOf({ source, columns, vocabularies, schema }: DatasetSpec, directory: string): string {
  return JSON.stringify([directory, source, columns, vocabularies, schema])
}
