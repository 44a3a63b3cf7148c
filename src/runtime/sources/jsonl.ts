import { isJsonObject, parseJson } from '../json.ts'
import type { SourceTable } from './column.ts'
import { badRow, type DataFile, damaged } from './problem.ts'
import { Rows } from './rows.ts'

const lineFeed = 0x0a

/** JSON lines: an object a line. Blank lines count, but hold no row. */
export function readJsonLines(bytes: Uint8Array, names: readonly string[], file: DataFile): SourceTable {
  const rows = new Rows(file, names)
  const lines: number[] = []
  let line = 1
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(lineFeed, start)
    const end = feed < 0 ? bytes.length : feed
    const text = bytes.subarray(start, end)
    start = end + 1
    if (text.every(byte => byte <= 0x20)) continue
    rows.add(rowOf(text, line, file), `${file.name}:${line}`)
    lines.push(line)
  }
  if (rows.count === 0) throw damaged(file, 'has no rows')
  return {
    rows: rows.count,
    columns: rows.finish(),
    place: row => `${file.name}:${lines[row] ?? '?'}`,
  }
}

function rowOf(text: Uint8Array, line: number, file: DataFile): Readonly<Record<string, unknown>> {
  const value = parseJson(text)
  if (isJsonObject(value)) return value
  const place = `${file.name}:${line}`
  if (value !== undefined)
    throw badRow(
      file,
      place,
      'this line is not an object',
      'each line is an object, such as {"text": "…", "stars": 4}',
    )
  const opens = text[0] === 0x5b && line === 1
  throw badRow(
    file,
    place,
    'this line is not JSON',
    opens
      ? 'a list over many lines is another format: write one object a line'
      : 'each line is an object of its own, in UTF-8',
  )
}
