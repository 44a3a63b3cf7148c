import { isUtf8 } from 'node:buffer'
import { RunError } from './errors.ts'
import type { Trace } from './training.ts'

/** A column that some field or fit reads; the others may hold any text. */
export interface CsvColumn {
  /** Counted from 0. */
  readonly index: number
  /** What reads it, in the user's words: `field label`. */
  readonly reader: string
  /** It becomes an integer or a boolean, so only whole numbers make sense. */
  readonly whole: boolean
  /** As the program asks for it, where that is by name. */
  readonly name?: string
  /** It is kept as text. */
  readonly text?: boolean
  readonly trace: Trace
}

/** The text of a file and how to speak about it. */
export interface CsvText {
  readonly bytes: Uint8Array
  /** As the program wrote it: `iris.csv`. */
  readonly file: string
  /** Lines before the first row. */
  readonly skip: number
  /** What a cell without a number stands for, where the program says so. */
  readonly missing?: number | undefined
  readonly trace: Trace
}

/** The numbers of the used columns, row after row, in the order that the columns were asked for. */
export interface CsvNumbers {
  readonly rows: number
  readonly values: Float32Array
  /** The cells of the columns of text, by their place in the order asked for. */
  readonly texts: ReadonlyMap<number, readonly string[]>
  /** The line of each row, where texts are read. */
  readonly lines: readonly number[]
}

const comma = 0x2c
const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const tab = 0x09
const zero = 0x30
const nine = 0x39
const minus = 0x2d
const point = 0x2e

/** Above this a float32, in which columns travel, no longer holds every whole number. */
export const largestWhole = 2 ** 24

/**
 * Reads the used columns of comma-separated text as numbers, straight from its bytes. A row of plain decimals takes
 * a fast path; a row with anything else (exponents, quotes, spaces, text) is looked at more closely.
 */
export function parseCsv(text: CsvText, columns: readonly CsvColumn[]): CsvNumbers {
  checkEncoding(text)
  const cursor = startOf(text)
  skipLines(cursor, text.skip)
  if (onlyBlankLeft(cursor)) throw noRows(text)
  const width = widthOfRow(cursor)
  const beyond = columns.find(column => column.index >= width)
  if (beyond !== undefined) throw noSuchColumn(cursor, beyond, width)
  return readRows(cursor, width, columns)
}

// ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Cursor {
  readonly text: CsvText
  readonly bytes: Uint8Array
  at: number
  /** Counted from 1. */
  line: number
  lineStart: number
}

/** Which place of a row each column of the file takes; -1 is not read. */
interface Plan {
  readonly width: number
  readonly firstLine: number
  readonly slots: Int32Array
  /** By slot: 1 where only whole numbers make sense. */
  readonly whole: Uint8Array
  readonly columns: readonly CsvColumn[]
  readonly texts: ReadonlyMap<number, string[]>
}

function readRows(cursor: Cursor, width: number, columns: readonly CsvColumn[]): CsvNumbers {
  const slots = new Int32Array(width).fill(-1)
  for (const [slot, column] of columns.entries()) slots[column.index] = slot
  const whole = Uint8Array.from(columns, column => Number(column.whole))
  const texts = new Map(
    columns.flatMap(({ text }, slot): readonly [number, string[]][] => (text ? [[slot, []]] : [])),
  )
  const plan: Plan = { width, firstLine: cursor.line, slots, whole, columns, texts }
  const lines: number[] = []
  let values = new Float32Array((countLines(cursor) + 1) * columns.length)
  let rows = 0
  for (; !onlyBlankLeft(cursor); rows++) {
    const start = rows * columns.length
    if (start + columns.length > values.length) values = enlarged(values, start + columns.length)
    if (texts.size > 0) lines.push(cursor.line)
    const end = texts.size > 0 ? -1 : readPlainRow(cursor.bytes, cursor.at, plan, values, start)
    if (end < 0) readRow(cursor, plan, values, start)
    else Object.assign(cursor, { at: end, line: cursor.line + 1, lineStart: end })
  }
  return { rows, values: values.subarray(0, rows * columns.length), texts, lines }
}

const powersOfTen = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

/**
 * Reads a row of plain decimals and says where it ends; -1 where a cell is anything else, and the row is for `readRow`.
 * Up to 15 digits are exact in a double, and so are the powers of ten up to 22, so that one division rounds correctly
 * (Clinger, How to read floating point numbers accurately, 1990).
 */
function readPlainRow(
  bytes: Uint8Array,
  from: number,
  plan: Plan,
  values: Float32Array,
  start: number,
): number {
  const { width, slots, whole } = plan
  let at = from
  for (let column = 0; column < width; column++) {
    let byte = bytes[at]
    const negative = byte === minus
    if (negative) byte = bytes[++at]
    const first = at
    let mantissa = 0
    for (; byte! >= zero && byte! <= nine; byte = bytes[++at]) mantissa = mantissa * 10 + (byte! - zero)
    let digits = at - first
    let decimals = 0
    if (byte === point) {
      for (byte = bytes[++at]; byte! >= zero && byte! <= nine; byte = bytes[++at]) {
        mantissa = mantissa * 10 + (byte! - zero)
        decimals++
      }
      digits += decimals
    }
    if (byte === carriageReturn && bytes[at + 1] === lineFeed) byte = bytes[++at]
    if (digits === 0 || digits > 15 || byte !== (column === width - 1 ? lineFeed : comma)) return -1
    at++
    const slot = slots[column]!
    if (slot < 0) continue
    if (whole[slot] === 1 && (decimals > 0 || mantissa > largestWhole)) return -1
    const size = decimals > 0 ? mantissa / powersOfTen[decimals]! : mantissa
    values[start + slot] = negative ? -size : size
  }
  return at
}

/** Reads any row, cell by cell. */
function readRow(cursor: Cursor, plan: Plan, values: Float32Array, start: number): void {
  const { width, slots } = plan
  const rowStart = cursor.at
  const rowLine = cursor.line
  if (width > 1 && endsLine(cursor.bytes[rowStart])) throw wrongCount(cursor, plan, rowStart, rowLine)
  for (let column = 0; column < width; column++) {
    const slot = slots[column]!
    const texts = plan.texts.get(slot)
    if (slot < 0) skipCell(cursor)
    else if (texts) texts.push(cellText(cursor))
    else values[start + slot] = numberCell(cursor, plan.columns[slot]!)
    const ended = cursor.bytes[cursor.at] !== comma
    if (ended !== (column === width - 1)) throw wrongCount(cursor, plan, rowStart, rowLine)
    if (!ended) cursor.at++
  }
  endLine(cursor)
}

/** The names of the columns: the last line before the rows, or the first where none is skipped. */
export function csvHeader(text: CsvText): readonly string[] {
  checkEncoding(text)
  const cursor = startOf(text)
  skipLines(cursor, text.skip - 1)
  if (onlyBlankLeft(cursor)) throw noRows(text)
  const names: string[] = [cellText(cursor)]
  while (cursor.bytes[cursor.at] === comma) {
    cursor.at++
    names.push(cellText(cursor))
  }
  return names
}

/** Counts the cells of the row that starts here, and goes back. */
function widthOfRow(cursor: Cursor): number {
  const { at, line, lineStart } = cursor
  let width = 1
  for (skipCell(cursor); cursor.bytes[cursor.at] === comma; width++) {
    cursor.at++
    skipCell(cursor)
  }
  Object.assign(cursor, { at, line, lineStart })
  return width
}

function countLines(cursor: Cursor): number {
  let count = 0
  for (let at = cursor.bytes.indexOf(lineFeed, cursor.at); at >= 0; count++) {
    at = cursor.bytes.indexOf(lineFeed, at + 1)
  }
  return count
}

/** Files of old Macs end lines with a carriage return alone, so the count of line feeds may be too low. */
function enlarged(values: Float32Array<ArrayBuffer>, needed: number): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(Math.max(needed, values.length * 2))
  larger.set(values)
  return larger
}

// ── Cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** How files write that a number is missing. */
const absent = /^(|na|n\/a|nan|null|none|\?)$/i

/** The number in the cell at the cursor, which may be quoted, spaced, have an exponent, or be no number at all. */
function numberCell(cursor: Cursor, column: CsvColumn): number {
  const place = { ...cursor }
  const text = cellText(cursor)
  if (cursor.text.missing !== undefined && absent.test(text)) return cursor.text.missing
  const value = decimal.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw notANumber(place, column, text)
  if (!Number.isFinite(Math.fround(value))) throw tooLarge(place, column, text)
  if (column.whole && !(Number.isInteger(value) && Math.abs(value) <= largestWhole)) {
    throw notWhole(place, column, text, value)
  }
  return value
}

/** Moves past a cell and returns its text without quotes and the space around it. */
function cellText(cursor: Cursor): string {
  const start = cursor.at
  skipCell(cursor)
  const text = decode(cursor.bytes.subarray(start, cursor.at)).trim()
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"').trim() : text
}

/** Moves to the comma, line end or file end that ends the cell. */
function skipCell(cursor: Cursor): void {
  const { bytes } = cursor
  while (bytes[cursor.at] === space || bytes[cursor.at] === tab) cursor.at++
  if (bytes[cursor.at] === quote) skipQuoted(cursor)
  let at = cursor.at
  while (!endsCell(bytes, at)) at++
  cursor.at = at
}

function skipQuoted(cursor: Cursor): void {
  const { bytes } = cursor
  const opened = { ...cursor }
  for (let at = cursor.at + 1; at < bytes.length; at++) {
    if (bytes[at] === lineFeed) Object.assign(cursor, { line: cursor.line + 1, lineStart: at + 1 })
    if (bytes[at] !== quote) continue
    if (bytes[at + 1] !== quote) {
      afterQuote(cursor, at + 1)
      return
    }
    at++
  }
  throw problem(opened, 'LTM5103', 'a quote is opened here and never closed', opened.text.trace)
}

function afterQuote(cursor: Cursor, at: number): void {
  cursor.at = at
  while (cursor.bytes[cursor.at] === space || cursor.bytes[cursor.at] === tab) cursor.at++
  if (endsCell(cursor.bytes, cursor.at)) return
  throw problem(cursor, 'LTM5103', 'expected a comma after the closing quote', cursor.text.trace)
}

function endsCell(bytes: Uint8Array, at: number): boolean {
  if (at >= bytes.length) return true
  const byte = bytes[at]!
  return byte === comma || byte === lineFeed || byte === carriageReturn
}

// ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A byte order mark says only that the text is UTF-8. */
function startOf(text: CsvText): Cursor {
  const { bytes } = text
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return { text, bytes, at: marked ? 3 : 0, line: 1, lineStart: marked ? 3 : 0 }
}

function skipLines(cursor: Cursor, count: number): void {
  for (let skipped = 0; skipped < count && cursor.at < cursor.bytes.length; skipped++) {
    while (cursor.at < cursor.bytes.length && !endsLine(cursor.bytes[cursor.at])) cursor.at++
    endLine(cursor)
  }
}

function endLine(cursor: Cursor): void {
  if (cursor.bytes[cursor.at] === carriageReturn) cursor.at++
  if (cursor.bytes[cursor.at] === lineFeed) cursor.at++
  cursor.line++
  cursor.lineStart = cursor.at
}

function endsLine(byte: number | undefined): boolean {
  return byte === lineFeed || byte === carriageReturn
}

function onlyBlankLeft(cursor: Cursor): boolean {
  let at = cursor.at
  while (endsLine(cursor.bytes[at]) || cursor.bytes[at] === space || cursor.bytes[at] === tab) at++
  return at >= cursor.bytes.length
}

function checkEncoding({ bytes, file, trace }: CsvText): void {
  if (isUtf8(bytes)) return
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const feed = bytes.indexOf(lineFeed, start)
    const end = feed < 0 ? bytes.length : feed + 1
    if (!isUtf8(bytes.subarray(start, end))) {
      const help = 'save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”)'
      const message = `${file}:${line}: the text is not UTF-8`
      throw new RunError({ code: 'LTM5103', message, trace, help })
    }
    start = end
  }
}

const decoder = new TextDecoder()
function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

// ── What can be wrong ───────────────────────────────────────────────────────────────────────────────────────────────

/** `iris.csv:17:9: …`, the place counted in lines and characters, as editors do. */
function problem(cursor: Cursor, code: string, what: string, trace: Trace, help?: string): RunError {
  const character = decode(cursor.bytes.subarray(cursor.lineStart, cursor.at)).length + 1
  const message = `${cursor.text.file}:${cursor.line}:${character}: ${what}`
  return new RunError({ code, message, trace, help })
}

function notANumber(place: Cursor, column: CsvColumn, text: string): RunError {
  const shown = text === '' ? 'an empty cell' : `“${shortened(text)}”`
  const what = `${shown} is not a number, but ${column.reader} reads ${shownColumn(column)} as one`
  return problem(place, 'LTM5106', what, column.trace, helpForText(place, text))
}

function helpForText(place: Cursor, text: string): string {
  const { file, skip } = place.text
  const missing = /^([+-]?(nan|inf(inity)?)|na|n\/a|null|none|\?|)$/i.test(text)
  if (missing) return 'leave rows with missing values out of the file, or fill them in'
  if (place.line === skip + 1)
    return `if line ${place.line} is a header, say so: csv("${file}", skip: ${skip + 1})`
  if (/^[^,]*;/.test(text)) return 'cells are separated by commas; this line has semicolons'
  if (/\S[ \t]+\S/.test(text)) return 'cells are separated by commas; this line has spaces'
  return 'columns that no field reads may hold any text'
}

function tooLarge(place: Cursor, column: CsvColumn, text: string): RunError {
  const what = `“${shortened(text)}” is too large: the largest number is about 3.4e38`
  return problem(place, 'LTM5106', what, column.trace)
}

function notWhole(place: Cursor, column: CsvColumn, text: string, value: number): RunError {
  const what = Number.isInteger(value)
    ? `is out of range: whole numbers are exact up to ${largestWhole.toLocaleString('en')}`
    : `is not a whole number, but ${column.reader} reads ${shownColumn(column)} as one`
  return problem(place, 'LTM5106', `“${shortened(text)}” ${what}`, column.trace)
}

function wrongCount(cursor: Cursor, plan: Plan, rowStart: number, rowLine: number): RunError {
  const { text, bytes } = cursor
  const row = { ...cursor, at: rowStart, line: rowLine, lineStart: rowStart }
  const empty = endsLine(bytes[rowStart])
  const found = widthOfRow(row)
  const has = empty ? 'this line is empty' : `this row has ${columnsInWords(found)}`
  const expected = `line ${plan.firstLine} has ${plan.width}`
  const header =
    rowLine === plan.firstLine + 1 && plan.columns.length > 0
      ? `if line ${plan.firstLine} is a header, say so: csv("${text.file}", skip: ${text.skip + 1})`
      : 'every row must have as many columns as the first one'
  return problem(row, 'LTM5104', `${has}, but ${expected}`, text.trace, header)
}

function noSuchColumn(cursor: Cursor, column: CsvColumn, width: number): RunError {
  const { file } = cursor.text
  const help =
    width === 1
      ? `columns are separated by commas, and line ${cursor.line} of ${file} has none`
      : `columns are counted from 0: the last one is column(${width - 1})`
  const message = `${file}:${cursor.line}: there is no ${shownColumn(column)}, which ${column.reader} reads: the file has ${columnsInWords(width)}`
  return new RunError({ message, code: 'LTM5105', trace: column.trace, help })
}

function noRows({ bytes, file, skip, trace }: CsvText): RunError {
  const skipped =
    skip === 1 ? 'the first line, which is skipped' : `the first ${skip} lines, which are skipped`
  const why = skip > 0 ? `has no rows after ${skipped}` : 'has no rows'
  return new RunError({
    code: 'LTM5102',
    message: `${file} ${bytes.length === 0 ? 'is empty' : why}`,
    trace,
  })
}

/** `column(3)`, `column("age")`. */
export function shownColumn({ name, index }: Pick<CsvColumn, 'name' | 'index'>): string {
  return `column(${name === undefined ? index : JSON.stringify(name)})`
}

function columnsInWords(count: number): string {
  return count === 1 ? '1 column' : `${count} columns`
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
