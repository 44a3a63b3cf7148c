import * as tf from '@tensorflow/tfjs-core'
import { RunError } from './errors.ts'
import type { Inputs } from './inputs.ts'
import { upload } from './inputs.ts'
import type { Column, NumberArray } from './sources/column.ts'
import { sizeOf } from './sources/column.ts'
import type { Table } from './table.ts'
import type { DatasetSpec } from './training.ts'

/** Rows whose filters are computed at once. */
const chunkRows = 4096

/** The rows that pass all filters, ascending. */
export async function rowsThatPass(spec: DatasetSpec, inputs: Inputs): Promise<Int32Array> {
  const passing: number[] = []
  for (let start = 0; start < inputs.rows; start += chunkRows) {
    const count = Math.min(chunkRows, inputs.rows - start)
    const rows = Int32Array.from({ length: count }, (_, i) => start + i)
    const keep = tf.tidy(() => {
      const columns = upload(inputs, rows)
      return (spec.filters ?? []).map(filter => filter(columns)).reduce((a, b) => tf.logicalAnd(a, b))
    })
    const truths = await keep.data().finally(() => keep.dispose())
    for (let i = 0; i < count; i++) if (truths[i]) passing.push(start + i)
  }
  if (passing.length > 0) return Int32Array.from(passing)
  throw new RunError({
    code: 'LTM5116',
    message: `the filters of dataset \`${spec.name}\` leave none of its ${inputs.rows} rows`,
    trace: spec.trace,
  })
}

/** A table of some of the rows of another one, which still says where each stood. */
export function tableOf(table: Table, rows: Int32Array): Table {
  return {
    rows: rows.length,
    columns: table.columns.map(column => someOf(column, rows)),
    place: row => table.place(rows[row] ?? row),
  }
}

function someOf(column: Column, rows: Int32Array): Column {
  if (column.kind === 'text') return { ...column, values: Array.from(rows, row => column.values[row] ?? '') }
  if (column.kind === 'numbers') {
    const size = sizeOf(column.shape)
    return { ...column, values: gathered(column.values, rows, row => [row * size, (row + 1) * size]) }
  }
  const offsets = new Int32Array(rows.length + 1)
  const span = (row: number): readonly [number, number] => [
    column.offsets[row] ?? 0,
    column.offsets[row + 1] ?? 0,
  ]
  for (const [i, row] of rows.entries()) {
    const [from, to] = span(row)
    offsets[i + 1] = (offsets[i] ?? 0) + to - from
  }
  return { ...column, offsets, values: gathered(column.values, rows, span) }
}

function gathered(
  values: NumberArray,
  rows: Int32Array,
  span: (row: number) => readonly [from: number, to: number],
): NumberArray {
  let length = 0
  for (const row of rows) length += span(row)[1] - span(row)[0]
  const some = values.slice(0, length)
  let at = 0
  for (const row of rows) {
    const own = values.subarray(...span(row))
    some.set(own, at)
    at += own.length
  }
  return some
}
