import { nearest } from '../../base/names.ts'
import { type Column, sizeOf } from './column.ts'
import { badRow, type DataFile } from './problem.ts'

/** Takes the members of objects row by row (of JSON lines, or of a user's own function) and keeps them as columns. */
export class Rows {
  readonly #file: DataFile
  readonly #columns: readonly ColumnBuilder[]
  #count = 0

  constructor(file: DataFile, names: readonly string[]) {
    this.#file = file
    this.#columns = names.map(name => new ColumnBuilder(name))
  }

  get count(): number {
    return this.#count
  }

  /** One row; `place` says where it stands. */
  add(row: Readonly<Record<string, unknown>>, place: string): void {
    for (const column of this.#columns) {
      const wrong = Object.hasOwn(row, column.name)
        ? column.add(row[column.name])
        : `has no \`${column.name}\`; it has ${shownNames(Object.keys(row))}`
      if (wrong === undefined) continue
      const near = Object.hasOwn(row, column.name) ? undefined : nearest(column.name, Object.keys(row))
      const help =
        near === undefined ? 'every row has the same members, of the same kind' : `did you mean \`${near}\`?`
      throw badRow(this.#file, place, wrong, help)
    }
    this.#count++
  }

  finish(): readonly Column[] {
    return this.#columns.map(column => column.finish())
  }
}

export function shownNames(names: readonly string[]): string {
  if (names.length === 0) return 'nothing'
  const shown = names.slice(0, 8).map(name => `\`${name}\``)
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ')
}

/** What a column holds is settled by its first value. */
export class ColumnBuilder {
  readonly name: string
  #texts: string[] | undefined
  #values = new Float64Array(1024)
  #length = 0
  #rank: number | undefined
  #item: readonly number[] = []
  readonly #lengths: number[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Says what is wrong with the value, if anything is. */
  add(value: unknown): string | undefined {
    if (typeof value === 'string') return this.#addText(value)
    if (this.#texts) return `\`${this.name}\` is ${kindOf(value)}, and a string in the rows before`
    const shape = shapeOf(value)
    if (shape === undefined) return `\`${this.name}\` is ${kindOf(value)}${missingHint(value)}`
    const item = shape.slice(1)
    this.#rank ??= shape.length
    if (this.#lengths.length === 0) this.#item = item
    if (this.#rank !== shape.length || item.join() !== this.#item.join())
      return `\`${this.name}\` is ${shownShape(shape)}, and ${shownShape([this.#lengths[0] ?? 0, ...this.#item].slice(0, this.#rank))} in the first row`
    this.#lengths.push(shape[0] ?? 1)
    return this.#append(value)
  }

  finish(): Column {
    const { name } = this
    if (this.#texts) return { kind: 'text', name, values: this.#texts }
    const values = this.#values.slice(0, this.#length)
    const [first = 0] = this.#lengths
    if (this.#rank === 0 || this.#lengths.every(length => length === first))
      return { kind: 'numbers', name, shape: this.#rank === 0 ? [] : [first, ...this.#item], values }
    const size = sizeOf(this.#item)
    const offsets = new Int32Array(this.#lengths.length + 1)
    for (const [row, length] of this.#lengths.entries())
      offsets[row + 1] = (offsets[row] ?? 0) + length * size
    return { kind: 'ragged', name, offsets, values }
  }

  #addText(value: string): string | undefined {
    if (this.#rank !== undefined) return `\`${this.name}\` is a string, and a number in the rows before`
    this.#texts ??= []
    this.#texts.push(value)
    return undefined
  }

  #append(value: unknown): string | undefined {
    if (Array.isArray(value)) {
      for (const item of value) {
        const wrong = this.#append(item)
        if (wrong !== undefined) return wrong
      }
      return undefined
    }
    const number = Number(value)
    if (!Number.isFinite(number)) return `\`${this.name}\` is ${number}, which is no finite number`
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = number
    return undefined
  }
}

/** The extents of a number (none) or of nested lists of numbers; undefined for anything else, or lists of uneven length. */
function shapeOf(value: unknown): readonly number[] | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return []
  if (!Array.isArray(value)) return undefined
  const shapes = value.map(shapeOf)
  const [first = []] = shapes
  const even = shapes.every(shape => shape !== undefined && shape.join() === first.join())
  return even ? [value.length, ...first] : undefined
}

function shownShape(shape: readonly number[]): string {
  return shape.length === 0 ? 'a number' : `a list [${shape.join(', ')}]`
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list of other things than numbers'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function missingHint(value: unknown): string {
  return value === null ? ': leave rows with missing values out, or fill them in' : ''
}
