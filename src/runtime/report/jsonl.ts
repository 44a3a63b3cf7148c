import type { Reporter } from '../events.ts'
import { seldomSteps } from './steps.ts'
import type { ReportStream } from './stream.ts'

/**
 * One event a line, as JSON; numbers that aren't finite, which JSON lacks, are written as words (`"NaN"`). Of the `step`
 * events there are at most ten a second, of all others each one.
 */
export function jsonReporter(stream: ReportStream): Reporter {
  return seldomSteps(event => void stream.write(`${JSON.stringify(event, speltOut)}\n`))
}

function speltOut(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
