import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { TrainingEvent } from '../../runtime/events.ts'
import type { Choice } from './space.ts'

/** One trial's way to a rung. */
export interface TrialRun {
  readonly file: string
  readonly hypers: Choice
  /** Where its own runs are. */
  readonly runs: string
  /** It goes on from where it is. */
  readonly resume: boolean
  /** Epochs to train in all; to its end where it is not said. */
  readonly epochs: number | undefined
  readonly options: readonly string[]
  /** Processors that it may take. */
  readonly threads: number
}

export interface TrialEnd {
  readonly failure: string | undefined
  readonly interrupted: boolean
}

/** What was seen of a trial so far. */
interface Seen {
  failure: string | undefined
  /** It was asked to stop at its rung. */
  asked: boolean
}

/**
 * Runs a trial in a process of its own. At its rung it is asked to stop as a person would ask, so that it saves and can go
 * on from there bit for bit.
 */
export function runTrial(trial: TrialRun, signal: AbortSignal): Promise<TrialEnd> {
  const { file, hypers, runs, resume, options } = trial
  const given = Object.entries(hypers).map(([name, value]) => `--set=${name}=${value}`)
  const main = process.argv[1] ?? ''
  const args = ['run', file, '--json', '--runs', runs, ...options, ...given, ...(resume ? ['--resume'] : [])]
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own: Ctrl-C in a terminal would reach it a second time, and it would leave without saving.
    detached: true,
    env: { ...limits(trial.threads), ...process.env },
  })
  const stop = () => void child.kill('SIGINT')
  signal.addEventListener('abort', stop, { once: true })
  const seen: Seen = { failure: undefined, asked: false }
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => follow(JSON.parse(line), trial.epochs, seen, stop))
  return new Promise(resolve => {
    child.on('error', error => resolve({ failure: error.message, interrupted: false }))
    child.on('close', (code, killed) => {
      signal.removeEventListener('abort', stop)
      const well = code === 0 || (code === 130 && (seen.asked || signal.aborted))
      const reason = seen.failure ?? said.trim().split('\n')[0] ?? ''
      const why =
        reason !== ''
          ? reason
          : killed === null
            ? `it ended with exit code ${code}`
            : `it was ended by ${killed}`
      resolve({ failure: well ? undefined : why, interrupted: signal.aborted && !seen.asked })
    })
  })
}

/** What libraries take as their number of threads: that of compiled graphs, and TensorFlow's. Whoever has said it himself is heeded. */
function limits(threads: number): Readonly<Record<string, string>> {
  const names = ['LTM_THREADS', 'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'OMP_NUM_THREADS']
  return Object.fromEntries(names.map(name => [name, String(threads)]))
}

function follow(event: TrainingEvent, epochs: number | undefined, seen: Seen, stop: () => void): void {
  if (event.kind === 'run_error') seen.failure = event.message
  if (event.kind !== 'epoch_end' || epochs === undefined) return
  if (event.epoch + 1 < epochs || event.last || seen.asked) return
  seen.asked = true
  stop()
}
