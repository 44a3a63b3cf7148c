import type { Reporter } from '../events.ts'
import type { ReportStream } from './stream.ts'

/** One event a line, as JSON; numbers that aren't finite, which JSON lacks, are written as words (`"NaN"`). */
export function jsonReporter(stream: ReportStream): Reporter {
  return event => void stream.write(`${JSON.stringify(event, speltOut)}\n`)
}

function speltOut(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
