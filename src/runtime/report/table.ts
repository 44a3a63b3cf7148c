import type { Numbers } from '../training.ts'
import { formatNumber, widthOf } from './format.ts'

/** Values of one phase, or of one named step of it, by their short names. */
export interface ValueGroup {
  /** `val`, or `val.abroad`. */
  readonly prefix: string
  readonly values: readonly (readonly [name: string, value: number])[]
}

/**
 * Sorts values by what logged them. A prefix may itself have a dot (a named step), and so may a name (a field of a
 * metric), so that `prefixes`, those that have been seen, decide.
 */
export function groupValues(values: Numbers, prefixes: Iterable<string> = []): readonly ValueGroup[] {
  const known = [...prefixes].sort((a, b) => b.length - a.length)
  const groups = new Map<string, (readonly [string, number])[]>()
  for (const [fullName, value] of Object.entries(values)) {
    const prefix = known.find(candidate => fullName.startsWith(`${candidate}.`)) ?? fullName.split('.', 1)[0]!
    const name = fullName.slice(prefix.length + 1) || fullName
    groups.set(prefix, [...(groups.get(prefix) ?? []), [name, value]])
  }
  return [...groups].map(([prefix, entries]) => ({ prefix, values: entries }))
}

/** The numbers of one result that has several: `confusion[0][1]` is one of `confusion`. */
export interface ElementGroup {
  readonly name: string
  readonly elements: readonly (readonly [place: readonly number[], value: number])[]
}

/** Numbers by themselves, and those that are elements of something, which no line has room for. */
export function withoutElements({ prefix, values }: ValueGroup): {
  readonly numbers: ValueGroup
  readonly elements: readonly ElementGroup[]
} {
  const elements = new Map<string, (readonly [readonly number[], number])[]>()
  const numbers = values.filter(([full, value]) => {
    const [, name, indices] = /^(.*?)((?:\[\d+\])+)$/.exec(full) ?? []
    if (name === undefined || indices === undefined) return true
    const place = indices.slice(1, -1).split('][').map(Number)
    elements.set(name, [...(elements.get(name) ?? []), [place, value]])
    return false
  })
  return {
    numbers: { prefix, values: numbers },
    elements: [...elements].map(([name, each]) => ({ name: `${prefix}.${name}`, elements: each })),
  }
}

/** Each result of several numbers under its name: a vector in a line, else a line for each row. */
export function elementLines(groups: readonly ElementGroup[]): readonly string[] {
  return groups.flatMap(({ name, elements }) => {
    const rows = new Map<string, string[]>()
    for (const [place, value] of elements) {
      const row = place.slice(0, -1).join()
      rows.set(row, [...(rows.get(row) ?? []), formatNumber(value)])
    }
    const widest = Math.max(...[...rows.values()].flat().map(widthOf))
    const lines = [...rows.values()].map(row =>
      row.map(text => ' '.repeat(widest - widthOf(text)) + text).join('  '),
    )
    return lines.length === 1 ? [`${name}  ${lines[0]}`] : [name, ...lines.map(line => `  ${line}`)]
  })
}

/** The values as a table, a row for each phase and a column for each name; as a list where that is too wide. */
export function metricsTable(
  groups: readonly ValueGroup[],
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (groups.length === 0) return []
  const names = [...new Set(groups.flatMap(group => group.values.map(([name]) => name)))]
  const rows = groups.map(group => {
    const values = new Map(group.values)
    return [group.prefix, ...names.map(name => cell(values.get(name)))]
  })
  const table = aligned([['', ...names], ...rows])
  if (table.every(line => widthOf(line) <= width)) return table
  return aligned(
    groups.flatMap(({ prefix, values }) => values.map(([name, value]) => [`${prefix}.${name}`, cell(value)])),
  )
}

function cell(value: number | undefined): string {
  return value === undefined ? '–' : formatNumber(value)
}

/** Lines with all columns as wide as their widest cell; the first is flush left, numbers are flush right. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => widthOf(row[column] ?? ''))))
  return rows.map(row => row.map((text, column) => padded(text, widths[column]!, column)).join('  '))
}

function padded(text: string, width: number, column: number): string {
  const space = ' '.repeat(width - widthOf(text))
  return column === 0 ? text + space : space + text
}
