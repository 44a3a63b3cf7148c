import { createColors } from 'picocolors'
import { type DiffLine, diffLines } from '../base/lineDiff.ts'

/** Lines around a change that are shown to find it by. */
const around = 3

const marks = { both: ' ', old: '-', new: '+' } as const

/** What differs between two texts as a unified diff; empty where nothing does. */
export function showDiff(
  before: string,
  after: string,
  names: readonly [string, string],
  color: boolean,
): string {
  const lines = diffLines(before.split('\n'), after.split('\n'))
  const hunks = hunksOf(lines)
  if (hunks.length === 0) return ''
  const paint = createColors(color)
  const colors = { both: (text: string) => text, old: paint.red, new: paint.green }
  const shown = hunks.flatMap(([from, to]) => [
    paint.cyan(headOf(lines, from, to)),
    ...lines.slice(from, to).map(({ kind, text }) => colors[kind](`${marks[kind]}${text}`.trimEnd())),
  ])
  return `${[paint.red(`--- ${names[0]}`), paint.green(`+++ ${names[1]}`), ...shown].join('\n')}\n`
}

/** Where the changes are, with what is around them; neighbours that would touch are one. */
function hunksOf(lines: readonly DiffLine[]): readonly (readonly [from: number, to: number])[] {
  const hunks: [number, number][] = []
  lines.forEach(({ kind }, i) => {
    if (kind === 'both') return
    const last = hunks.at(-1)
    const to = Math.min(lines.length, i + 1 + around)
    if (last && i - around <= last[1]) last[1] = to
    else hunks.push([Math.max(0, i - around), to])
  })
  return hunks
}

/** `@@ -12,7 +12,8 @@`: from which line on, and how many, in the old and in the new text. */
function headOf(lines: readonly DiffLine[], from: number, to: number): string {
  const range = (without: DiffLine['kind']) => {
    const count = (some: readonly DiffLine[]) => some.filter(({ kind }) => kind !== without).length
    const length = count(lines.slice(from, to))
    return `${count(lines.slice(0, from)) + (length === 0 ? 0 : 1)},${length}`
  }
  return `@@ -${range('new')} +${range('old')} @@`
}
