import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClockValues, RecordEvent } from './events.ts'
import type { LogScope } from './logbook.ts'
import type { Session } from './session.ts'
import type { Numbers } from './training.ts'

/** The file in a run's folder with one record a line. */
export const recordsFile = 'records.jsonl'

/** How long a line may wait for others to be written with, in milliseconds. */
const longestWait = 1000

/** The records of a run. Lines are gathered, since short epochs make thousands of them a second. */
export class RecordFile {
  private readonly path: string
  private lines: string[] = []
  private written = Number.NEGATIVE_INFINITY
  /** Bytes of all lines, of those that wait too. */
  size = 0

  constructor(folder: string) {
    this.path = join(folder, recordsFile)
  }

  add(line: string): void {
    this.lines.push(`${line}\n`)
    this.size += Buffer.byteLength(line) + 1
    if (performance.now() - this.written >= longestWait) this.flush()
  }

  /** Writes what waits: before each save, so that no checkpoint is ahead of its records, and at the end. */
  flush(): void {
    if (this.lines.length === 0) return
    appendFileSync(this.path, this.lines.join(''))
    this.lines = []
    this.written = performance.now()
  }
}

/** Reports logged values with every clock, and adds them to the run's records. */
export function writeRecord(
  session: Session,
  level: RecordEvent['level'],
  { phase, step }: LogScope,
  values: Numbers,
  clocks: ClockValues = session.clocks.values(),
): void {
  if (Object.keys(values).length === 0) return
  const record = { level, phase, ...(step !== undefined && { step }), values, clocks }
  session.report({ kind: 'record', ...record })
  session.records?.add(JSON.stringify({ ...record, values: speltOut(values) }))
}

/** JSON has no numbers that aren't finite; they are written as words rather than lost. */
export function speltOut(values: Numbers): Readonly<Record<string, number | string>> {
  const entries = Object.entries(values)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Number.isFinite(value) ? value : `${value}`]),
  )
}
