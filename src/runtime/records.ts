import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClockValues, RecordEvent } from './events.ts'
import type { LogScope } from './logbook.ts'
import type { Session } from './session.ts'
import type { Numbers } from './training.ts'

/** The file in a run's folder with one record a line. */
export const recordsFile = 'records.jsonl'

/** Reports logged values with every clock, and appends them to the run's records. */
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
  if (session.folder === undefined) return
  const line = JSON.stringify({ ...record, values: speltOut(values) })
  appendFileSync(join(session.folder, recordsFile), `${line}\n`)
}

/** JSON has no numbers that aren't finite; they are written as words rather than lost. */
export function speltOut(values: Numbers): Readonly<Record<string, number | string>> {
  const entries = Object.entries(values)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Number.isFinite(value) ? value : `${value}`]),
  )
}
