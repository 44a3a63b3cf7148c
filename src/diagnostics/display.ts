/**
 * How many terminal columns text takes. Tabs go to the next multiple of {@link tabWidth}; East Asian wide characters and
 * emoji take two columns, combining marks none. Characters that would steer the terminal are shown as `�`.
 */
export const tabWidth = 4

/** One character as it is shown, and the columns it takes. */
interface Cell {
  readonly text: string
  readonly width: number
  /** Where it stands in the text, in UTF-16 units. */
  readonly offset: number
}

/** A line ready to be shown: text without tabs or control characters, and the column of every offset of the original. */
export interface DisplayLine {
  readonly cells: readonly Cell[]
  readonly width: number
  readonly columnAt: (offset: number) => number
}

/** Unicode TR 11, East_Asian_Width=W or F, in coarse ranges. */
const wideRanges = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
] as const

function isWide(codePoint: number): boolean {
  return wideRanges.some(([from, to]) => codePoint >= from && codePoint <= to)
}

/** Controls, and the marks that turn the direction of writing around. */
const steering = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u
const combining = /[\p{Mn}\p{Me}\u200b-\u200d\ufeff]/u

function cellOf(character: string, offset: number, column: number): Cell {
  if (character === '\t') {
    const width = tabWidth - (column % tabWidth)
    return { text: ' '.repeat(width), width, offset }
  }
  if (steering.test(character)) return { text: '�', width: 1, offset }
  if (combining.test(character)) return { text: character, width: 0, offset }
  return { text: character, width: isWide(character.codePointAt(0) ?? 0) ? 2 : 1, offset }
}

/** Lays one line of text out in columns. */
export function displayLine(text: string): DisplayLine {
  const cells: Cell[] = []
  let offset = 0
  let width = 0
  for (const character of text) {
    const cell = cellOf(character, offset, width)
    cells.push(cell)
    offset += character.length
    width += cell.width
  }
  return { cells, width, columnAt: at => columnAt(cells, at) }
}

function columnAt(cells: readonly Cell[], offset: number): number {
  let column = 0
  for (const cell of cells) {
    if (cell.offset >= offset) break
    column += cell.width
  }
  return column
}

/** The columns `[from, to)` of a line; a wide character cut in two becomes spaces. */
export function columns(line: DisplayLine, from: number, to: number): string {
  let column = 0
  let out = ''
  for (const cell of line.cells) {
    const end = column + cell.width
    if (column >= from && end <= to) out += cell.text
    else out += ' '.repeat(Math.max(0, Math.min(end, to) - Math.max(column, from)))
    column = end
  }
  return out
}

/** How many columns a text of one line takes. */
export function displayWidth(text: string): number {
  return displayLine(text).width
}

/** A text as it may be printed: line breaks stay, whatever else would steer the terminal does not. */
export function printable(text: string): string {
  const line = (piece: string) =>
    displayLine(piece)
      .cells.map(cell => cell.text)
      .join('')
  return text.split(/\r?\n/).map(line).join('\n')
}
