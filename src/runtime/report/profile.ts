import type { ProfileEvent } from '../events.ts'
import type { PartTime } from '../profiler.ts'
import { fitted, formatCount, formatDuration, widthOf } from './format.ts'

/** Lines that are worth looking at: a longer table hides them. */
const mostLines = 20

/** Where the time went: a row for each part and a column for each phase, then the longest operators by line. */
export function profileLines(event: ProfileEvent, width = Number.POSITIVE_INFINITY): readonly string[] {
  const { operators, path } = event
  const shown = operators.slice(0, mostLines)
  const left = operators.length - shown.length
  const tables = [
    `where the time went, ${formatDuration(event.seconds)} in all`,
    ...partLines(event),
    ...(shown.length === 0 ? [] : ['', ...operatorLines(shown, event.seconds)]),
    ...(left > 0 ? [`… and ${formatCount(left)} more, shorter ones`] : []),
  ]
  const note = event.parts.some(({ part }) => part === 'graph') ? ['', graphNote] : []
  const trace = path === undefined ? [] : [`trace: ${path} (open it in ui.perfetto.dev or about:tracing)`]
  // What a terminal can't show of a row is cut off; sentences wrap.
  return [...tables.map(line => fitted(line, width)), ...note, ...trace, '']
}

/** Where graphs run, the two directions can't be told apart. */
const graphNote = 'a graph computes losses and gradients as one: its operators stand under forward, by both'

const order: readonly PartTime['part'][] = [
  ...(['start', 'data', 'graph', 'forward', 'backward', 'update', 'metrics'] as const),
  ...(['hooks', 'logging', 'saving', 'reporting', 'batch'] as const),
]
const names: Readonly<Partial<Record<PartTime['part'], string>>> = {
  batch: 'rest of a batch',
  graph: 'graphs',
}
const phases = ['train', 'val', 'test', 'predict', 'between']

function partLines({ parts, seconds }: ProfileEvent): readonly string[] {
  const columns = phases.filter(phase => parts.some(each => each.phase === phase))
  const of = (part: string, phase: string) =>
    parts.find(each => each.part === part && each.phase === phase)?.seconds
  const rows = order
    .filter(part => parts.some(each => each.part === part))
    .map(part => {
      const times = columns.map(phase => of(part, phase))
      const total = times.reduce<number>((sum, time) => sum + (time ?? 0), 0)
      return [names[part] ?? part, ...times.map(duration), share(total, seconds)]
    })
  const told = parts.reduce((sum, each) => sum + each.seconds, 0)
  const rest = ['everything else', ...columns.map(() => ''), share(seconds - told, seconds)]
  return aligned([['', ...columns, 'share'], ...rows, rest], 1)
}

function operatorLines(operators: ProfileEvent['operators'], seconds: number): readonly string[] {
  const rows = operators.map(({ line, operator, calls, forward, backward }) => [
    ...[line, operator, formatCount(calls), duration(forward)],
    ...[backward === 0 ? '' : duration(backward), share(forward + backward, seconds)],
  ])
  return aligned([['line', 'operator', 'calls', 'forward', 'backward', 'share'], ...rows], 2)
}

function duration(seconds: number | undefined): string {
  return seconds === undefined ? '' : formatDuration(seconds)
}

function share(part: number, whole: number): string {
  return whole <= 0 ? '' : `${((100 * Math.max(part, 0)) / whole).toFixed(1)}%`
}

/** Columns as wide as their widest cell; the first `texts` of them are flush left. */
function aligned(rows: readonly (readonly string[])[], texts: number): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => widthOf(row[i] ?? ''))))
  return rows.map(row =>
    row
      .map((text, i) => {
        const space = ' '.repeat((widths[i] ?? 0) - widthOf(text))
        return i < texts ? text + space : space + text
      })
      .join('  ')
      .trimEnd(),
  )
}
