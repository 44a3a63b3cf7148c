import { closeSync, constants, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from './atomic.ts'
import { systemWords } from './checkpoint.ts'
import { exitCodes, RunError } from './errors.ts'
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
  /** Bytes of the lines on disk. */
  private flushed: number
  /** Bytes of all lines, of those that wait too. */
  size: number

  /** Goes on behind what is there. */
  constructor(folder: string) {
    this.path = join(folder, recordsFile)
    this.flushed = this.withFile(file => fstatSync(file).size)
    this.size = this.flushed
  }

  add(line: string): void {
    this.lines.push(`${line}\n`)
    this.size += Buffer.byteLength(line) + 1
    if (performance.now() - this.written >= longestWait) this.flush()
  }

  /**
   * Writes what waits: before each save, so that no checkpoint is ahead of its records, and at the end. Where it fails, a
   * later call writes the same to the same place.
   */
  flush(): void {
    if (this.lines.length === 0) return
    const bytes = Buffer.from(this.lines.join(''))
    this.withFile(file => {
      let at = 0
      while (at < bytes.length) at += writeSync(file, bytes, at, bytes.length - at, this.flushed + at)
      fsyncSync(file)
    })
    this.lines = []
    this.flushed += bytes.length
    this.written = performance.now()
  }

  private withFile<T>(use: (file: number) => T): T {
    try {
      const file = openSync(this.path, constants.O_RDWR | constants.O_CREAT)
      try {
        return use(file)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      throw cannotRecord(this.path, error)
    }
  }
}

function cannotRecord(path: string, error: unknown): unknown {
  const code = systemCode(error)
  if (code === '' || error instanceof RunError) return error
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  return new RunError({
    code: 'LTM6307',
    message: `the records of the run can't be written to ${path}: ${systemWords[code] ?? code}`,
    help: `${full ? 'free some space there' : 'check the folder'}, then go on with --resume; checkpoints saved before are untouched`,
    exitCode: exitCodes.training,
  })
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
