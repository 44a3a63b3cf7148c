/** What the readers of data files give: columns of one kind of value each, never an object for each row. */
export type Column = NumberColumn | TextColumn | RaggedColumn

export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

/** Numbers as the file stores them: an image of bytes stays one byte a pixel until a field is computed from it. */
export interface NumberColumn {
  readonly kind: 'numbers'
  readonly name: string
  /** Of one example; `[]` for a number each. */
  readonly shape: readonly number[]
  /** Row-major, one example after the other. */
  readonly values: NumberArray
  /** How many different numbers it can have, from 0, where the source knows: classes, tokens. */
  readonly count?: number
}

export interface TextColumn {
  readonly kind: 'text'
  readonly name: string
  readonly values: readonly string[]
}

/** Lists of numbers, of a length of its own in each example. */
export interface RaggedColumn {
  readonly kind: 'ragged'
  readonly name: string
  /** Where the list of each example begins in `values`, and after the last one where it ends. */
  readonly offsets: Int32Array
  readonly values: NumberArray
}

/** The columns of a source, all of `rows` examples. */
export interface SourceTable {
  readonly rows: number
  readonly columns: readonly Column[]
  /** Where an example stands, for messages: `reviews.jsonl:17`. */
  place(row: number): string
}

/** `u8[28, 28]`, what a file holds for one example, as the language writes types. */
export function showColumn(column: Column): string {
  if (column.kind === 'text') return 'a string'
  if (column.kind === 'ragged') return 'lists of different lengths'
  const dtype = dtypeNames[column.values.constructor.name] ?? 'f32'
  return column.shape.length === 0 ? dtype : `${dtype}[${column.shape.join(', ')}]`
}

const dtypeNames: Readonly<Record<string, string>> = {
  Uint8Array: 'u8',
  Int8Array: 'i8',
  Uint16Array: 'u16',
  Int16Array: 'i16',
  Uint32Array: 'u32',
  Int32Array: 'i32',
  Float32Array: 'f32',
  Float64Array: 'f64',
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1)
}
