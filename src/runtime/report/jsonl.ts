import type { Reporter, TrainingEvent } from '../events.ts'
import type { ReportStream } from './stream.ts'

/** Nobody follows single steps more closely than this; what they log is in the records. */
const secondsBetweenSteps = 0.1

/**
 * One event a line, as JSON; numbers that aren't finite, which JSON lacks, are written as words (`"NaN"`). Of the `step`
 * events there are at most ten a second, of all others each one.
 */
export function jsonReporter(stream: ReportStream): Reporter {
  let told = Number.NEGATIVE_INFINITY
  const isTooSoon = (event: TrainingEvent) => {
    if (event.kind !== 'step') return false
    if (event.clocks.seconds - told < secondsBetweenSteps) return true
    told = event.clocks.seconds
    return false
  }
  return event => {
    if (!isTooSoon(event)) stream.write(`${JSON.stringify(event, speltOut)}\n`)
  }
}

function speltOut(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
