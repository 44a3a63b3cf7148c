import { existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { badUsage } from './cli.ts'
import { npzOf, type PredictedFields } from './npz.ts'

/** What a predict step said of one example. */
type Row = Readonly<Record<string, unknown>>

/** Refuses a place that could not be written to, before anything is computed. */
export function requireWritable(path: string): void {
  const folder = dirname(path)
  if (!existsSync(folder)) throw badUsage(`there is no directory \`${folder}\` to write \`${path}\` in`)
  if (existsSync(path) && statSync(path).isDirectory()) throw badUsage(`\`${path}\` is a directory`)
}

/** Writes predictions in the format that the file's ending names. */
export function writePredictions(path: string, rows: readonly Row[], fields: PredictedFields): void {
  if (path.endsWith('.npz')) writeFileSync(path, npzOf(rows, fields))
  else writeFileSync(path, path.endsWith('.csv') ? csvOf(rows) : jsonlOf(rows))
}

/** One JSON object a line; numbers that aren't finite, which JSON lacks, are written as words. */
export function jsonlOf(rows: readonly Row[]): string {
  const speltOut = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
  return rows.map(row => `${JSON.stringify(row, speltOut)}\n`).join('')
}

/** A header of all fields, then a line a row (RFC 4180); lists are written as JSON. */
export function csvOf(rows: readonly Row[]): string {
  if (rows.length === 0) return ''
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const lines = [names, ...rows.map(row => names.map(name => cellOf(row[name])))]
  return lines.map(line => `${line.map(quoted).join(',')}\n`).join('')
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
