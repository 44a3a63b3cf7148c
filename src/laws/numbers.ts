/** Numbers as a message shows them: one for all that are equal, else a list that is not too long. */
export function textOfNumbers(values: readonly number[]): string {
  const [first] = values
  if (first === undefined) return '[]'
  if (values.every(value => Object.is(value, first))) return short(first)
  const shown = values.slice(0, 9).map(short)
  return `[${shown.join(', ')}${values.length > 9 ? ', …' : ''}]`
}

const short = (value: number): string => String(Number(value.toPrecision(6)))

/** Whether two lists differ by more than a tolerance that is relative above 1 and absolute below. */
export function apart(found: readonly number[], wanted: readonly number[], tolerance: number): boolean {
  return (
    found.length !== wanted.length ||
    found.some((value, i) => {
      const other = wanted[i] ?? Number.NaN
      return value !== other && !(Math.abs(value - other) <= tolerance * Math.max(1, Math.abs(other)))
    })
  )
}
