import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A line of a process's output, and the seconds since it was started. */
export interface Line {
  readonly seconds: number
  readonly text: string
}

/** Resident memory in MB, at a moment. */
export interface Memory {
  readonly seconds: number
  readonly mb: number
}

/** What a process did, seen from outside. */
export interface Ended {
  readonly seconds: number
  readonly lines: readonly Line[]
  /** The largest resident memory in MB; undefined where the system does not tell. */
  readonly peakMb: number | undefined
  readonly memory: readonly Memory[]
}

const msBetweenLooks = 50

/** Runs a command to its end, and follows its lines and its memory. A failing command throws with what it said. */
export function follow(
  command: string,
  args: readonly string[],
  cwd: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  // What a start costs is what it costs the first time: no graphs of an earlier run are taken.
  const env = { ...process.env, LTM_CACHE: 'off', ...settings }
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: Line[] = []
  const memory: Memory[] = []
  let peakMb: number | undefined
  let unfinished = ''
  let complaints = ''
  const look = () => {
    const { now, peak } = residentMb(child.pid)
    peakMb = peak ?? peakMb
    if (now !== undefined) memory.push({ seconds: seconds(), mb: now })
  }
  const timer = setInterval(look, msBetweenLooks)
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    const texts = (unfinished + piece).split('\n')
    unfinished = texts.pop() ?? ''
    for (const text of texts) lines.push({ seconds: seconds(), text })
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    complaints += piece
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      clearInterval(timer)
      if (code === 0) return resolve({ seconds: seconds(), lines, peakMb, memory })
      reject(
        new Error(`${command} ${args.join(' ')} ended with ${code}:\n${complaints}${lines.at(-1)?.text}`),
      )
    })
  })
}

/** What Linux says of a process; nothing of one that has gone, and elsewhere. */
function residentMb(pid: number | undefined): { readonly now?: number; readonly peak?: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [now, peak] = ['VmRSS', 'VmHWM'].map(name => mbOf(status, name))
    return { ...(now !== undefined && { now }), ...(peak !== undefined && { peak }) }
  } catch {
    return {}
  }
}

function mbOf(status: string, name: string): number | undefined {
  const found = new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)
  return found?.[1] === undefined ? undefined : Number(found[1]) / 1024
}
