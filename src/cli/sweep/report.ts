import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDuration, formatNumber, widthOf } from '../../runtime/report/format.ts'
import { type Plot, svgOf } from '../plot.ts'
import { runCommand } from '../runCommand.ts'
import { ranked, type Sweep } from './plan.ts'
import type { Outcome } from './trials.ts'

/** The trials as a table, the best first, then how to train with the best one's values. */
export function resultLines(
  { file, space, fixed, train, objective, program }: Sweep,
  outcomes: readonly Outcome[],
  plots: readonly string[],
): readonly string[] {
  const best = ranked(outcomes, objective)
  const head = ['trial', ...space.map(({ name }) => name), 'epochs', objective.metric, 'time']
  const rows = best.map(({ trial, hypers, epochs, value, seconds }) => [
    ...[String(trial + 1), ...space.map(({ name }) => hypers[name] ?? '')],
    ...[String(epochs), value === undefined ? 'failed' : formatNumber(value), formatDuration(seconds)],
  ])
  const failed = best.filter(({ failure }) => failure !== undefined)
  const [first] = best
  const hypers = [...fixed, ...Object.entries(first?.hypers ?? {})]
  return [
    ...['', ...aligned([head, ...rows]), ''],
    ...(failed.length === 0
      ? []
      : [...failed.map(({ trial, failure }) => `trial ${trial + 1} failed: ${failure}`), '']),
    ...(first?.value === undefined
      ? [`no trial of ${program.name} came to a value`]
      : [`best: trial ${first.trial + 1}`, `  ${runCommand(file, train, hypers)}`]),
    ...plots.map(path => `plot: ${path}`),
  ]
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => widthOf(row[i] ?? ''))))
  return rows.map(row => row.map((text, i) => ' '.repeat((widths[i] ?? 0) - widthOf(text)) + text).join('  '))
}

/** The objective by trial, and by each hyper that is a number; gives the files. */
export function writePlots(planned: Sweep, outcomes: readonly Outcome[]): readonly string[] {
  const { folder, space, objective, program } = planned
  const valued = outcomes.flatMap(outcome =>
    outcome.value === undefined ? [] : [{ ...outcome, value: outcome.value }],
  )
  if (valued.length === 0) return []
  const [best] = ranked(valued, objective)
  const plotBy = (label: string, scale: 'linear' | 'log', at: (outcome: Outcome) => number): Plot => ({
    title: `${program.name}: ${objective.metric} by ${label}`,
    x: { label, scale },
    y: { label: objective.metric, scale: 'linear' },
    series: [{ kind: 'points', points: valued.map(outcome => [at(outcome), outcome.value]) }],
    marks: best?.value === undefined ? [] : [{ at: [at(best), best.value], text: `trial ${best.trial + 1}` }],
  })
  const numbers = space.filter(({ type }) => type === 'float' || type === 'int')
  const plots = [
    { name: 'by-trial', plot: plotBy('trial', 'linear', ({ trial }) => trial + 1) },
    ...numbers.map(({ name, domain }) => ({
      name: `by-${name}`,
      plot: plotBy(name, domain.kind === 'log_range' ? 'log' : 'linear', ({ hypers }) =>
        Number(hypers[name]),
      ),
    })),
  ]
  return plots.map(({ name, plot }) => {
    const path = join(folder, `${name}.svg`)
    writeFileSync(path, svgOf(plot))
    return path
  })
}
