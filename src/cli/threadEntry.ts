import { Writable } from 'node:stream'
import { workerData } from 'node:worker_threads'
import type { Reporter } from '../runtime/events.ts'
import type { Interrupts } from '../runtime/interrupts.ts'
import { boundsPass, seldomSteps } from '../runtime/report/steps.ts'
import type { ClosableReporter } from '../runtime/report/terminal.ts'
import type { Cli, Terminal } from './cli.ts'
import { explain } from './ends.ts'
import type { ThreadMessage, ThreadOrder, ThreadStart } from './threadMessages.ts'
import { runTraining } from './training.ts'

/** The thread that trains: it knows of the terminal and of signals only what the main thread tells. */

const { order, style, page, port, version, runtimeUrl }: ThreadStart = workerData

const interruption = new AbortController()

const tell = (message: ThreadMessage): void => port.postMessage(message)

const terminal: Terminal = {
  out: text => tell({ kind: 'out', text }),
  err: text => tell({ kind: 'err', text }),
  style,
  page,
  reporter: async options => {
    tell({ kind: 'reporter', ...options })
    return toldOn(options.json)
  },
  interrupts: hearInterrupts,
}

const cli: Cli = {
  version,
  terminal,
  checker: () => import('../checker.ts'),
  compiler: () => import('../compiler.ts'),
  runtime: async () => (await import('./runtimePort.ts')).runtimePort,
  runtimeUrl,
  train: order => runTraining(order, cli),
}

/** Passes events on, but for those that nobody would be shown. */
function toldOn(json: boolean): ClosableReporter {
  const report: Reporter = event => {
    if (json || (event.kind !== 'record' && event.kind !== 'prediction')) tell({ kind: 'event', event })
  }
  const close = () => tell({ kind: 'closed' })
  return Object.assign(seldomSteps(report, boundsPass), { wait: () => undefined, close })
}

function hearInterrupts(): Interrupts {
  tell({ kind: 'interrupts', heard: true })
  return { signal: interruption.signal, release: () => tell({ kind: 'interrupts', heard: false }) }
}

port.on('message', (order: ThreadOrder) => {
  if (order === 'leave') process.exit()
  interruption.abort()
})
// What listens would keep the thread alive.
port.unref()
/** What functions of the program write stands where it was written, between what is told of the run. */
function streamTo(kind: 'out' | 'err'): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Uint8Array, _, done) => {
      tell({ kind, text: typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk) })
      done()
    },
  })
}

Object.defineProperty(process, 'stdout', { value: streamTo('out') })
Object.defineProperty(process, 'stderr', { value: streamTo('err') })

process.on('uncaughtException', error => {
  tell({ kind: 'done', code: explain(error, cli) })
  process.exit()
})
const code = await cli.train(order).catch((error: unknown) => explain(error, cli))
tell({ kind: 'done', code })
// Something of the program may wait for ever.
process.exit()
