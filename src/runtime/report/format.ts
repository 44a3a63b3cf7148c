/** A value in four significant digits: `0.1234`, `12`, `1.234e-5`, `NaN`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', 'inf')
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e6) return String(value === 0 ? 0 : value)
  if (size >= 999_950 || size < 0.00099995) return value.toExponential(3)
  if (size >= 999.95) return String(Math.round(value))
  return value.toPrecision(4)
}

/** A count with separators: `12,810`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** How long something took or will take: `1.2ms`, `0.85s`, `12.3s`, `2m 05s`, `1h 02m`, `3d 04h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?'
  if (seconds > 0 && seconds < 0.00995) return `${(seconds * 1000).toFixed(1)}ms`
  if (seconds < 9.995) return `${seconds.toFixed(2)}s`
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`
  const whole = Math.round(seconds)
  if (whole < 3600) return pair(whole, 60, 'm', 1, 's')
  if (whole < 86_400) return pair(whole, 3600, 'h', 60, 'm')
  return pair(whole, 86_400, 'd', 3600, 'h')
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small)
  return `${Math.floor(seconds / large)}${largeName} ${String(rest).padStart(2, '0')}${smallName}`
}

/** Batches a second, or seconds a batch where that reads better. */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond) || perSecond <= 0) return '?/s'
  if (perSecond < 1) return `${formatDuration(1 / perSecond)} each`
  return `${perSecond < 99.95 ? Number(perSecond.toPrecision(3)) : Math.round(perSecond)}/s`
}

/** A guess at what is still to come; fractions of a second would only flicker. */
export function formatTimeLeft(seconds: number): string {
  return seconds < 59 ? `${Math.ceil(seconds)}s left` : `${formatDuration(seconds)} left`
}

/** For how long something has been under way, in whole seconds: `next for 7s`. */
export function formatWait(seconds: number): string {
  return `next for ${seconds < 60 ? `${seconds}s` : formatDuration(seconds)}`
}

/** As many of a text's characters as fit, the last one an ellipsis where some don't. */
export function fitted(text: string, width: number): string {
  const letters = [...text]
  if (letters.length <= width) return text
  return width < 1 ? '' : `${letters.slice(0, width - 1).join('')}…`
}

/** The columns that a text takes, as far as names and numbers go. */
export function widthOf(text: string): number {
  return [...text].length
}

/** Numbers in row-major order as nested lists, each to four digits. */
export function tensorText(numbers: readonly number[], shape: readonly number[]): string {
  const [rows, ...inner] = shape
  if (rows === undefined) return formatNumber(numbers[0] ?? Number.NaN)
  const size = numbers.length / Math.max(rows, 1)
  const items = Array.from({ length: rows }, (_, i) =>
    tensorText(numbers.slice(i * size, (i + 1) * size), inner),
  )
  return `[${items.join(', ')}]`
}
