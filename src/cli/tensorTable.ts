import type { StoredTensor } from '../runtime/contracts.ts'
import { formatNumber } from '../runtime/report/format.ts'

/** What is told of a tensor; mean, spread and ends of what is finite in it. */
export interface TensorFacts {
  readonly name: string
  readonly type: string
  readonly elements: number
  readonly mean: number
  /** The standard deviation of the elements. */
  readonly spread: number
  readonly least: number
  readonly greatest: number
  readonly notFinite: number
}

const dtypes = { float32: 'f32', int32: 'i32', bool: 'bool' } as const

/** `f32[8, 2]`. */
export function typeText({ dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>): string {
  return shape.length === 0 ? dtypes[dtype] : `${dtypes[dtype]}[${shape.join(', ')}]`
}

export function factsOf(name: string, tensor: StoredTensor): TensorFacts {
  const { data } = tensor
  let [sum, squares, least, greatest, finite] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const value of data) {
    if (!Number.isFinite(value)) continue
    finite += 1
    sum += value
    least = Math.min(least, value)
    greatest = Math.max(greatest, value)
  }
  const mean = sum / finite
  for (const value of data) if (Number.isFinite(value)) squares += (value - mean) ** 2
  const type = typeText(tensor)
  const notFinite = data.length - finite
  return {
    name,
    type,
    elements: data.length,
    mean,
    spread: Math.sqrt(squares / finite),
    least,
    greatest,
    notFinite,
  }
}

/** Columns by their widest cell; the first `left` begin at the left, the others end at the right. */
export function columns(rows: readonly (readonly string[])[], left: number): readonly string[] {
  const widths = rows.reduce<number[]>((known, row) => {
    for (const [i, cell] of row.entries()) known[i] = Math.max(known[i] ?? 0, cell.length)
    return known
  }, [])
  return rows.map(row =>
    row
      .map((cell, i) => (i < left ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

/** A line a tensor under a line of heads. */
export function tensorLines(tensors: readonly TensorFacts[], title: string): readonly string[] {
  const head = [title, '', 'elements', 'mean', 'spread', 'least', 'greatest', '']
  const rows = tensors.map(({ name, type, elements, mean, spread, least, greatest, notFinite }) => [
    ...[`  ${name}`, type, `${elements}`, formatNumber(mean), formatNumber(spread)],
    ...[formatNumber(least), formatNumber(greatest), notFinite === 0 ? '' : `${notFinite} not finite`],
  ])
  return columns([head, ...rows], 2)
}
