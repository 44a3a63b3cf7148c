import { formatCount, formatNumber } from './format.ts'

/** What `debug` shows: a value of the host, or a tensor with its numbers in row-major order. */
export type Shown = { readonly value: number | boolean | string } | ShownTensor
export interface ShownTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly numbers: Float64Array
}

/** Of each axis that is longer, so many at either end are shown. */
const edge = 3

/**
 * `digits.ltm:12 h: f32[2] = [0.5, 2]`; a tensor of more than a line of numbers has the smallest, the mean and the largest on
 * the first line, and its numbers below, those in the middle left out.
 */
export function shownText(trace: string, label: string, shown: Shown): string {
  if ('value' in shown) {
    const { value } = shown
    if (typeof value === 'string' && label === JSON.stringify(value)) return `${trace} ${value}`
    return `${trace} ${label} = ${typeof value === 'number' ? formatNumber(value) : value}`
  }
  const { dtype, shape, numbers } = shown
  const type = `${dtypes[dtype] ?? dtype}${shape.length === 0 ? '' : `[${shape.join(', ')}]`}`
  const start = `${trace} ${label}: ${type}`
  if (numbers.length === 0) return `${start}, no numbers`
  if (shape.length < 2 && numbers.length <= 2 * edge + 2)
    return `${start} = ${numbersText(shown, numbers, shape)}`
  return `${start}, ${summary(shown)}\n  ${nested(shown, 0, 0, 2)}`
}

const dtypes: Readonly<Record<string, string>> = { float32: 'f32', int32: 'i32' }

/** The smallest, the mean and the largest number; how many are not finite; of truths, how many hold. */
function summary({ dtype, numbers }: ShownTensor): string {
  const total = formatCount(numbers.length)
  if (dtype === 'bool') return `${formatCount(numbers.reduce((sum, each) => sum + each, 0))} of ${total} true`
  const finite = numbers.filter(Number.isFinite)
  const lost = numbers.length - finite.length
  const told = [
    ...(finite.length === 0 ? [] : [rangeText(finite)]),
    ...(lost === 0 ? [] : [`${formatCount(lost)} of ${total} not finite`]),
  ]
  return told.join(', ')
}

function rangeText(numbers: Float64Array): string {
  let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const each of numbers) {
    least = Math.min(least, each)
    most = Math.max(most, each)
    sum += each
  }
  const mean = formatNumber(sum / numbers.length)
  return `${formatNumber(least)} to ${formatNumber(most)}, mean ${mean}`
}

/** The axes from one on, as nested lists whose last level is a line each. */
function nested(shown: ShownTensor, axis: number, offset: number, indent: number): string {
  const { shape, numbers } = shown
  const size = shape[axis] ?? 1
  const step = shape.slice(axis + 1).reduce((product, each) => product * each, 1)
  if (axis >= shape.length - 1) return numbersText(shown, numbers.subarray(offset, offset + size), [size])
  const rows = ends(size).map(i =>
    i === undefined ? '…' : nested(shown, axis + 1, offset + i * step, indent + 1),
  )
  return `[${rows.join(`,\n${' '.repeat(indent + 1)}`)}]`
}

function numbersText({ dtype }: ShownTensor, numbers: Float64Array, shape: readonly number[]): string {
  const one = (number: number | undefined) =>
    number === undefined ? '…' : dtype === 'bool' ? String(number !== 0) : formatNumber(number)
  if (shape.length === 0) return one(numbers[0] ?? Number.NaN)
  return `[${ends(numbers.length)
    .map(i => one(i === undefined ? undefined : numbers[i]))
    .join(', ')}]`
}

/** The places along an axis that are shown, with a gap where some are left out. */
function ends(size: number): readonly (number | undefined)[] {
  const all = Array.from({ length: size }, (_, i) => i)
  return size <= 2 * edge + 2 ? all : [...all.slice(0, edge), undefined, ...all.slice(-edge)]
}
