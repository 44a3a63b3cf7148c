/** A slope by finite differences; undefined where there is none, or none that differences can tell. */
export function slopeOf(f: (h: number) => number): number | undefined {
  const h = 1e-3
  // Central differences of fourth order: in 64 bits the error is about 1e-11.
  const slope = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)
  const bend = Math.abs(f(h) - 2 * f(0) + f(-h)) / h
  return bend <= 0.02 * Math.max(1, Math.abs(slope)) ? slope : undefined
}

export function moved(values: readonly number[], at: number, by: number): readonly number[] {
  return values.map((value, i) => (i === at ? value + by : value))
}

/** Row by row the elements of `f`, differentiated by each number that it is given; undefined where one has no slope. */
export function jacobian(
  f: (values: readonly number[]) => readonly number[],
  at: readonly number[],
): readonly (readonly number[])[] | undefined {
  const columns = at.map((_, column) => {
    const near = new Map([-2e-3, -1e-3, 0, 1e-3, 2e-3].map(h => [h, f(moved(at, column, h))] as const))
    return f(at).map((__, row) => slopeOf(h => near.get(h === 0 ? 0 : h)?.[row] ?? Number.NaN))
  })
  const rows = f(at).map((_, row) => columns.map(column => column[row]))
  const known = rows.map(row => row.filter(slope => slope !== undefined))
  return known.every(row => row.length === at.length) ? known : undefined
}

/** The first rows that none before them determine: coordinates that can be moved freely. */
export function independentRows(matrix: readonly (readonly number[])[]): readonly number[] {
  const scale = Math.max(...matrix.flat().map(Math.abs), 0)
  const basis: (readonly number[])[] = []
  return matrix.flatMap((row, i) => {
    const rest = basis.reduce((left, unit) => minus(left, unit, dot(left, unit)), row)
    const length = Math.sqrt(dot(rest, rest))
    if (!(length > 1e-6 * scale)) return []
    basis.push(rest.map(x => x / length))
    return [i]
  })
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)

const minus = (a: readonly number[], b: readonly number[], times: number): readonly number[] =>
  a.map((x, i) => x - times * (b[i] ?? 0))

/** log |det A| by elimination with pivots. */
export function logDeterminant(matrix: readonly (readonly number[])[]): number {
  let left = matrix
  let total = 0
  while (left.length > 0) {
    const pivot = left.reduce((best, row) => (Math.abs(row[0] ?? 0) > Math.abs(best[0] ?? 0) ? row : best))
    const [head = 0, ...tail] = pivot
    total += Math.log(Math.abs(head))
    left = left
      .filter(row => row !== pivot)
      .map(([first = 0, ...others]) => minus(others, tail, first / head))
  }
  return total
}
