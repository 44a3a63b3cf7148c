import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { systemCode } from './atomic.ts'
import { exitCodes, RunError } from './errors.ts'
import { parseJsonObject } from './json.ts'

/** The file in a run's folder that says which process writes to it. */
const lockFile = 'lock'

/** A folder that this process alone writes to. */
export interface Lock {
  release(): void
}

/** Who holds a lock. The start tells a process from a later one that was given its number. */
interface Holder {
  readonly pid: number
  readonly host: string
  readonly start: string | null
  readonly time: string
}

/** Takes the lock of a folder, also from a process that is no more; one that lives keeps it, which is an error. */
export function lockFolder(folder: string): Lock {
  const path = join(folder, lockFile)
  const start = startOf(process.pid) ?? null
  const own: Holder = { pid: process.pid, host: hostname(), start, time: new Date().toISOString() }
  const text = `${JSON.stringify(own)}\n`
  while (!isTaken(path, text)) takeFromDead(folder, path)
  const release = () => {
    process.off('exit', release)
    if (readText(path) === text) rmSync(path, { force: true })
  }
  // A second Ctrl-C leaves at once.
  process.on('exit', release)
  return { release }
}

/** Takes away the lock that this process has on a folder, if it has: a thread of it that held one has ended before its time. */
export function clearOwnLock(folder: string): void {
  const path = join(folder, lockFile)
  const holder = holderIn(readText(path) ?? '')
  if (holder?.pid === process.pid && holder.host === hostname()) rmSync(path, { force: true })
}

/** The file appears with all its text, or not at all. */
function isTaken(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, text, { flag: 'wx' })
  try {
    return (
      isMade(() => linkSync(draft, path)) ?? isMade(() => writeFileSync(path, text, { flag: 'wx' })) ?? false
    )
  } finally {
    rmSync(draft, { force: true })
  }
}

/** False where the lock is there already; undefined where this file system has no links. */
function isMade(make: () => void): boolean | undefined {
  try {
    make()
    return true
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return false
    if (['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(code)) return undefined
    throw error
  }
}

/** Clears away the lock of a process that is no more. Another one may do the same at this moment, and be the first. */
function takeFromDead(folder: string, path: string): void {
  const found = readText(path)
  if (found === undefined) return
  const holder = holderIn(found)
  if (holder !== undefined && isAlive(holder)) throw inUse(folder, path, holder)
  const away = `${path}.${randomUUID()}`
  try {
    renameSync(path, away)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  if (readText(away) !== found) isMade(() => linkSync(away, path))
  rmSync(away, { force: true })
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined where the machine stopped before the text had reached the disk. */
function holderIn(text: string): Holder | undefined {
  const { pid, host, start, time } = parseJsonObject(Buffer.from(text)) ?? {}
  if (typeof pid !== 'number' || typeof host !== 'string' || typeof time !== 'string') return undefined
  return { pid, host, start: typeof start === 'string' ? start : null, time }
}

/** Of another machine's processes nothing is known, so they live. */
function isAlive({ pid, host, start }: Holder): boolean {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false
  }
  const now = startOf(pid)
  return start === null || now === undefined || now === start
}

/** When a process started, in the units of the system; undefined where it does not tell, or there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    // The name of the program, which stands in parentheses before it, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function inUse(folder: string, path: string, { pid, host, time }: Holder): RunError {
  const elsewhere = host === hostname() ? '' : ` on ${host}`
  const gone = host === hostname() ? '' : `; if that process is no more, delete ${path}`
  return new RunError({
    code: 'LTM6305',
    message: `process ${pid}${elsewhere} writes to ${folder}, since ${time}`,
    help: `wait until it has ended, or stop it${gone}; a run without --resume gets a folder of its own`,
    exitCode: exitCodes.training,
  })
}
