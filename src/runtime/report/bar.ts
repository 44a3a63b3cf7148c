import type { Numbers } from '../training.ts'
import { fitted, formatNumber, formatRate, formatTimeLeft, formatWait, widthOf } from './format.ts'

/** What a progress bar shows of a pass over the data. */
export interface Progress {
  /** `epoch  3/20`, with the phase where it isn't training. */
  readonly label: string
  readonly done: number
  readonly total: number
  /** Batches a second, once two are done. */
  readonly rate: number | undefined
  readonly values: Numbers
  /** Whole seconds for which nothing has been done. */
  readonly waited?: number
}

/** How the parts of a bar are painted; the identity where there are no colours. */
export interface Paint {
  readonly label: (text: string) => string
  readonly full: (text: string) => string
  readonly rest: (text: string) => string
}

const widest = 24
const narrowest = 6
const separator = ' · '

/**
 * The line of a bar, never wider than `width`. Where room is short, first the bar itself goes, then the rate and what is
 * left, and values are cut off last.
 */
export function barLine(progress: Progress, width: number, paint: Paint): string {
  const label = fitted(progress.label, width)
  const facts = factsThatFit(progress, width - widthOf(label) - 1)
  const room = width - widthOf(label) - widthOf(facts) - 2
  const bar = room >= narrowest ? `${drawBar(progress, Math.min(widest, room), paint)} ` : ''
  return facts === '' ? paint.label(label) : `${paint.label(label)} ${bar}${facts}`
}

function factsThatFit({ done, total, rate, values, waited = 0 }: Progress, width: number): string {
  const longer = waited > 0 && done < total ? ` (${formatWait(waited)})` : ''
  const count = `${done}/${total}${longer}`
  const speed = rate === undefined ? [] : [formatRate(rate)]
  const left =
    rate === undefined || done >= total ? [] : [formatTimeLeft(Math.max((total - done) / rate - waited, 0))]
  const shown = Object.entries(values).map(([name, value]) => `${name} ${formatNumber(value)}`)
  const choices = [
    [count, ...speed, ...left, ...shown],
    [count, ...left, ...shown],
    [count, ...shown],
  ]
  const lines = choices.map(parts => parts.join(separator))
  return lines.find(line => widthOf(line) <= width) ?? fitted(lines.at(-1)!, width)
}

function drawBar({ done, total }: Progress, width: number, paint: Paint): string {
  const full = total > 0 ? Math.min(width, Math.floor((done / total) * width)) : width
  return paint.full('━'.repeat(full)) + paint.rest('─'.repeat(width - full))
}
