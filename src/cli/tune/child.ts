import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { BatchTrial } from '../../runtime/batchTrial.ts'
import { bytes } from '../summaryText.ts'
import type { Attempt } from './sizes.ts'

/** Milliseconds between two looks at the memory of a process. */
const glance = 20

/** How a process of Node ends that has no room left in its heap. */
const aborted = 134

/**
 * Runs the command line in a process of its own that may take so much memory, so that one that takes more is ended and
 * nothing else is. What it prints is the trial.
 */
export function tryInChild(args: readonly string[], limit: number, signal: AbortSignal): Promise<Attempt> {
  const main = process.argv[1] ?? ''
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own, so that Ctrl-C in a terminal reaches it by this process alone.
    detached: true,
  })
  const { pid = 0 } = child
  let over = false
  const end = () => void child.kill('SIGKILL')
  sacrifice(pid)
  const timer = setInterval(() => {
    over ||= heldBy(pid) > limit
    if (over) end()
  }, glance)
  signal.addEventListener('abort', end, { once: true })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, killed) => {
      clearInterval(timer)
      signal.removeEventListener('abort', end)
      if (over) resolve({ kind: 'too large', why: `took more than ${bytes(limit)}` })
      else resolve(attemptOf(code, killed, out, err.trim(), limit))
    })
  })
}

function attemptOf(
  code: number | null,
  killed: NodeJS.Signals | null,
  out: string,
  err: string,
  limit: number,
): Attempt {
  if (code === 0) {
    const trial: BatchTrial = JSON.parse(out)
    if (trial.memory <= limit) return { kind: 'fits', ...trial }
    return { kind: 'too large', why: `took ${bytes(trial.memory)}` }
  }
  if (code === aborted || killed === 'SIGABRT')
    return { kind: 'too large', why: 'filled the heap of JavaScript' }
  if (killed !== null) return { kind: 'too large', why: `was ended by ${killed}` }
  if (isLackOfMemory(err)) return { kind: 'too large', why: firstLine(err) }
  return { kind: 'failed', why: firstLine(err) || `it ended with exit code ${code}`, said: err }
}

/** As V8, WebAssembly, ONNX Runtime and drivers say it. */
function isLackOfMemory(text: string): boolean {
  return /out of memory|memory is exhausted|allocation failed|failed to allocate|bad_alloc|Invalid (typed )?array length|could not allocate/i.test(
    text,
  )
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/^(internal )?error(\[\w+\])?: /, '')
}

/** Where memory runs out, Linux ends this process first. */
function sacrifice(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  } catch {
    // Other systems choose by themselves.
  }
}

/** The bytes of memory that a process holds; 0 where the system does not tell. */
function heldBy(pid: number): number {
  try {
    const [, kibibytes = 0] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kibibytes) * 1024
  } catch {
    return 0
  }
}
