import type { RunResult } from '../runtime/program.ts'
import { writeNpy, writeTexts } from '../runtime/sources/writeNpy.ts'
import { writeZip } from '../runtime/sources/writeZip.ts'
import { badUsage } from './cli.ts'

export type PredictedFields = RunResult['predicted']
type PredictedField = PredictedFields extends ReadonlyMap<string, infer Field> ? Field : never

/**
 * An array a field: its values stacked in the order of the rows, those of a ragged field filled up with zeros, or empty
 * texts, to the longest, beside `NAME.length` as in batches. What a step without data returns is an array as it is.
 */
export function npzOf(rows: readonly Readonly<Record<string, unknown>>[], fields: PredictedFields): Buffer {
  const arrays = new Map<string, Buffer>()
  for (const [name, field] of fields) {
    const values = rows.flatMap(row => (name in row ? [row[name]] : []))
    const stacked = field.many || values.length !== 1 ? values : values[0]
    const rank = field.rank + (stacked === values ? 1 : 0)
    if (!values.every(value => isOfRank(value, field.rank))) throw ranksDiffer(name)
    arrays.set(`${name}.npy`, arrayOf(field, stacked, rank))
    if (field.ragged) arrays.set(`${name}.length.npy`, lengthsOf(values))
  }
  return writeZip(arrays)
}

/** An empty list says nothing of what would be in it. */
function isOfRank(value: unknown, rank: number): boolean {
  if (!isList(value)) return rank === 0
  return rank > 0 && value.every(inner => isOfRank(inner, rank - 1))
}

function ranksDiffer(name: string) {
  return badUsage(
    `steps return \`${name}\` with different numbers of axes, and an .npz file holds one array a name: write a .jsonl file`,
  )
}

function arrayOf({ dtype }: PredictedField, value: unknown, rank: number): Buffer {
  const shape = new Array<number>(rank).fill(0)
  measure(value, shape, 0)
  const filled: unknown[] = []
  fill(filled, value, shape, 0)
  if (dtype === 'text')
    return writeTexts(
      shape,
      filled.map(text => String(text ?? '')),
    )
  return writeNpy(
    dtype,
    shape,
    filled.map(number => Number(number ?? 0)),
  )
}

function lengthsOf(values: readonly unknown[]): Buffer {
  const lengths = values.map(value => (isList(value) ? value.length : 0))
  return writeNpy('int32', [lengths.length], lengths)
}

/** Each axis is as long as the longest list on it. */
function measure(value: unknown, shape: number[], axis: number): void {
  if (!isList(value)) return
  shape[axis] = Math.max(shape[axis] ?? 0, value.length)
  for (const inner of value) measure(inner, shape, axis + 1)
}

function fill(into: unknown[], value: unknown, shape: readonly number[], axis: number): void {
  if (axis === shape.length) {
    into.push(value)
    return
  }
  const list = isList(value) ? value : []
  for (let i = 0; i < (shape[axis] ?? 0); i++) fill(into, list[i], shape, axis + 1)
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
