import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../base/bug.ts'
import { RunError } from './errors.ts'
import { copyPadded, lengthAt, longest, type Offsets } from './ragged.ts'
import { type Column, type NumberArray, showColumn, sizeOf, type TextColumn } from './sources/column.ts'
import { isLaid, type Table } from './table.ts'
import type { ColumnSpec, DatasetSpec, VocabularySpec } from './training.ts'
import { learn, numbered, type TextPlace, type Vocabulary } from './vocabulary.ts'

/** A column as the functions of a dataset take it: numbers of one shape, or of a length that differs. */
export interface Input {
  readonly values: NumberArray
  readonly dtype: 'float32' | 'int32'
  /** Of one example, or of one place where `offsets` say how many there are. */
  readonly shape: readonly number[]
  readonly offsets?: Offsets
}

/** The inputs of a table, with texts numbered by vocabularies that are learned from some rows. */
export interface Inputs {
  readonly rows: number
  readonly columns: readonly Input[]
  /** By their names, or those of their columns; empty where no texts are read. */
  readonly vocabularies: ReadonlyMap<string, Vocabulary>
  place(row: number): string
}

/** The inputs without a number for any text: what filters take, which no vocabulary is learned for. */
export function plainInputs(spec: DatasetSpec, table: Table): Inputs {
  const columns = spec.columns.map((wanted, i): Input => {
    const column = table.columns[i] ?? bug('a table without one of its columns')
    if (!isLaid(wanted) || wanted.tokens === undefined) return numbersOf(spec, wanted, column)
    return { values: new Int32Array(table.rows), dtype: 'int32', shape: [] }
  })
  return { rows: table.rows, columns, vocabularies: new Map(), place: row => table.place(row) }
}

export function inputsOf(spec: DatasetSpec, table: Table, learnFrom: ArrayLike<number>): Inputs {
  const vocabularies = new Map(namedVocabularies(spec, table, learnFrom))
  const columns = spec.columns.map((wanted, i): Input => {
    const column = table.columns[i] ?? bug('a table without one of its columns')
    if (!isLaid(wanted) || wanted.tokens === undefined) return numbersOf(spec, wanted, column)
    if (column.kind !== 'text') throw notAsDeclared(spec, wanted, column, 'texts')
    const place = textPlace(spec, wanted.column, table)
    const named = wanted.tokens.vocabulary
    const vocabulary =
      (named === undefined ? undefined : vocabularies.get(named)) ??
      learn([column], learnFrom, wanted.tokens, place)
    vocabularies.set(named ?? columnName(wanted.column), vocabulary)
    const { values, offsets } = numbered(column, vocabulary, wanted.tokens, place)
    const one = { values, dtype: 'int32', shape: [] } as const
    return wanted.tokens.unit === 'whole' ? one : { ...one, offsets }
  })
  return { rows: table.rows, columns, vocabularies, place: row => table.place(row) }
}

/** `column("text")`. */
export function columnName(column: string | number): string {
  return `column(${JSON.stringify(column)})`
}

function namedVocabularies(
  spec: DatasetSpec,
  table: Table,
  rows: ArrayLike<number>,
): readonly (readonly [name: string, texts: Vocabulary])[] {
  let at = spec.columns.length
  return (spec.vocabularies ?? []).map(vocabulary => {
    const columns = vocabulary.columns.map(() => textsOf(vocabulary, table.columns[at++]))
    const { name: dataset } = spec
    const place = { column: `\`${vocabulary.name}\``, dataset, trace: vocabulary.trace }
    return [vocabulary.name, learn(columns, rows, vocabulary, { ...place, place: row => table.place(row) })]
  })
}

function textsOf({ name, trace }: VocabularySpec, column: Column | undefined): TextColumn {
  if (column?.kind === 'text') return column
  const held = column === undefined ? 'nothing' : showColumn(column)
  throw new RunError({
    code: 'LTM5110',
    message: `column(${JSON.stringify(column?.name)}) holds ${held} in each example, but the vocabulary \`${name}\` needs texts`,
    trace,
  })
}

function textPlace(spec: DatasetSpec, at: string | number, table: Table): TextPlace {
  const reader = spec.schema.find(field => field.columns.includes(at))
  return {
    column: columnName(at),
    dataset: spec.name,
    trace: reader?.trace ?? spec.trace,
    place: row => table.place(row),
  }
}

function numbersOf(spec: DatasetSpec, wanted: ColumnSpec, column: Column): Input {
  const dtype = 'float32'
  if (column.kind === 'text') throw notAsDeclared(spec, wanted, column, 'numbers')
  const shape = isLaid(wanted) ? wanted.shape : undefined
  const isRagged = shape?.[0] === 'ragged'
  if (column.kind === 'ragged') {
    const rest = sizeOf((shape ?? []).filter(size => typeof size === 'number'))
    if (!isRagged || rest !== 1) throw notAsDeclared(spec, wanted, column, 'as many numbers in every example')
    return { values: column.values, dtype, shape: [], offsets: column.offsets }
  }
  if (shape === undefined) return { values: column.values, dtype, shape: column.shape }
  const sizes = shape.filter(size => typeof size === 'number')
  const count = sizeOf(column.shape)
  const fits = isRagged ? count % sizeOf(sizes) === 0 : count === sizeOf(sizes)
  if (!fits) throw notAsDeclared(spec, wanted, column, `numbers laid out as [${shape.join(', ')}]`)
  if (!isRagged) return { values: column.values, dtype, shape: sizes }
  const length = count / sizeOf(sizes)
  const rows = count === 0 ? 0 : column.values.length / count
  return {
    values: column.values,
    dtype,
    shape: sizes,
    offsets: Int32Array.from({ length: rows + 1 }, (_, row) => row * length),
  }
}

function notAsDeclared(spec: DatasetSpec, wanted: ColumnSpec, column: Column, needs: string): RunError {
  const at = isLaid(wanted) ? wanted.column : Array.isArray(wanted) ? wanted[0] : wanted
  const reader = spec.schema.find(field => field.columns.some(each => each === at))
  const who = reader === undefined ? `dataset \`${spec.name}\`` : `field \`${reader.name}\``
  return new RunError({
    code: 'LTM5110',
    message: `column(${JSON.stringify(at)}) holds ${showColumn(column)} in each example, but ${who} needs ${needs}`,
    trace: reader?.trace ?? spec.trace,
  })
}

/** Some rows of every input as tensors; what is ragged is padded to the longest of them. */
export function upload({ columns }: Inputs, rows: ArrayLike<number>): readonly tf.Tensor[] {
  return columns.map(input => {
    const { values, dtype, shape, offsets } = input
    const size = sizeOf(shape)
    const places = offsets === undefined ? 1 : longest(offsets, rows)
    const laid =
      dtype === 'int32'
        ? new Int32Array(rows.length * places * size)
        : new Float32Array(rows.length * places * size)
    if (offsets !== undefined) copyPadded(laid, places * size, { values, offsets, size }, rows)
    else
      for (let i = 0; i < rows.length; i++) copyNumbers(laid, i * size, values, (rows[i] ?? 0) * size, size)
    const extents = offsets === undefined ? shape : [places, ...shape]
    return tf.tensor(laid, [rows.length, ...extents], dtype)
  })
}

/** Element by element where the types differ: that is what V8's `set` is slow at. */
function copyNumbers(
  target: Float32Array | Int32Array,
  at: number,
  values: NumberArray,
  from: number,
  count: number,
): void {
  if (values.constructor === target.constructor) target.set(values.subarray(from, from + count), at)
  else for (let i = 0; i < count; i++) target[at + i] = values[from + i]!
}

/** The most numbers that an example of any input has. */
export function mostNumbers({ columns, rows }: Inputs): number {
  let most = 1
  for (const { shape, offsets } of columns) {
    const size = sizeOf(shape)
    if (offsets === undefined) most = Math.max(most, size)
    else for (let row = 0; row < rows; row++) most = Math.max(most, lengthAt(offsets, row) * size)
  }
  return most
}
