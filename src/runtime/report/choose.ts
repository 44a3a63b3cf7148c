import { env } from 'node:process'
import { jsonReporter } from './jsonl.ts'
import { plainReporter } from './plain.ts'
import type { ReportStream } from './stream.ts'
import { type ClosableReporter, terminalReporter } from './terminal.ts'

/** The reporter for where a run's output goes: JSON when asked for, a bar on a terminal that can redraw, else lines. */
export function chooseReporter(options: {
  readonly json: boolean
  readonly stream: ReportStream
}): ClosableReporter {
  const { json, stream } = options
  if (!json && stream.isTTY === true && env.TERM !== 'dumb') return terminalReporter(stream)
  const reporter = json ? jsonReporter(stream) : plainReporter(stream)
  return Object.assign(reporter, { wait: () => undefined, close: () => undefined })
}
