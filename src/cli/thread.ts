import { setTimeout as wait } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { systemCode } from '../runtime/atomic.ts'
import { type ExitCode, errorEvent, exitCodes, RunError } from '../runtime/errors.ts'
import { type Interrupts, watchInterrupts } from '../runtime/interrupts.ts'
import { clearOwnLock } from '../runtime/lock.ts'
import { moduleUrl } from '../runtime/ownFiles.ts'
import type { ClosableReporter } from '../runtime/report/terminal.ts'
import type { Cli } from './cli.ts'
import type { ThreadMessage, ThreadOrder, ThreadStart } from './threadMessages.ts'
import type { TrainingOrder } from './trainingCommand.ts'

/** Milliseconds in which a thread has to have ended: where a person waits, and where nobody does. */
const patience = { person: 300, nobody: 5000 }

const mebibyte = 2 ** 20

/** Has a program run in a thread of its own, while this one keeps the terminal and the signals. */
export function startThread(order: TrainingOrder, cli: Cli): TrainingThread {
  const { port1: port, port2 } = new MessageChannel()
  const { version, runtimeUrl, terminal } = cli
  const { style, page } = terminal
  const start: ThreadStart = { order, version, runtimeUrl, style, page, port: port2 }
  const worker = new Worker(moduleUrl('cli/threadEntry'), {
    workerData: start,
    transferList: [port2],
    // Without it a thread has less room than a process.
    resourceLimits: { maxOldGenerationSizeMb: getHeapStatistics().heap_size_limit / mebibyte },
  })
  return new TrainingThread(worker, port, cli)
}

/** How a thread ended that did not say how. */
interface Sudden {
  readonly error: unknown
  readonly exitCode: number
}

/** The thread that trains, as the main one sees it. */
export class TrainingThread {
  readonly #port: MessagePort
  readonly #cli: Cli
  readonly #sudden: Promise<Sudden>
  /** Messages are taken one after the other: a reporter has to be loaded before it is told anything. */
  #taken: Promise<void> = Promise.resolve()
  #reporter: ClosableReporter | undefined
  #interrupts: Interrupts | undefined
  /** The folder of the run. */
  #folder: string | undefined
  #code: ExitCode | undefined

  constructor(worker: Worker, port: MessagePort, cli: Cli) {
    this.#port = port
    this.#cli = cli
    this.#sudden = endOf(worker, port)
    port.on('message', (message: ThreadMessage) => {
      this.#taken = this.#taken.then(() => this.#take(message))
    })
  }

  /** The exit code of the command, when the thread has ended and what it held is free. */
  async ended(): Promise<ExitCode> {
    const sudden = await this.#sudden
    try {
      await this.#taken
      if (this.#code !== undefined) return this.#code
      throw this.#tell(causeOf(sudden))
    } finally {
      this.#free()
    }
  }

  async #take(message: ThreadMessage): Promise<void> {
    switch (message.kind) {
      case 'out':
      case 'err':
        return this.#cli.terminal[message.kind](message.text)
      case 'reporter':
        this.#reporter = await this.#cli.terminal.reporter(message)
        return
      case 'event':
        if (message.event.kind === 'run_start') this.#folder = message.event.folder
        return this.#reporter?.(message.event)
      case 'closed':
        this.#reporter?.close()
        this.#reporter = undefined
        return
      case 'interrupts':
        return message.heard ? this.#hear() : this.#interrupts?.release()
      case 'done':
        this.#code = message.code
    }
  }

  #hear(): void {
    this.#interrupts = watchInterrupts(this.#cli.terminal.err, () => {
      this.#code = exitCodes.interrupted
      void this.stop('person')
    })
    this.#interrupts.signal.addEventListener('abort', () => this.#order('interrupt'))
  }

  /**
   * Has the thread end where it is. Inside of a kernel it hears of nothing, and a library that is torn down there crashes, so
   * only the system can end it then, and the process with it.
   */
  async stop(waiting: keyof typeof patience): Promise<void> {
    this.#interrupts?.release()
    this.#order('leave')
    if (await Promise.race([this.#sudden.then(() => true), wait(patience[waiting], false)])) return
    this.#free()
    process.kill(process.pid, 'SIGINT')
  }

  #order(order: ThreadOrder): void {
    this.#port.postMessage(order)
  }

  #free(): void {
    this.#interrupts?.release()
    this.#reporter?.close()
    if (this.#folder !== undefined) clearOwnLock(this.#folder)
  }

  #tell(error: unknown): unknown {
    this.#reporter?.(errorEvent(error))
    return error
  }
}

function endOf(worker: Worker, port: MessagePort): Promise<Sudden> {
  let error: unknown
  worker.on('error', thrown => {
    error = thrown
  })
  const closed = new Promise<void>(resolve => port.on('close', resolve))
  return new Promise(resolve =>
    worker.on('exit', async exitCode => {
      await closed
      resolve({ error, exitCode })
    }),
  )
}

/** What a thread died of that did not say so itself. */
function causeOf({ error, exitCode }: Sudden): unknown {
  if (error === undefined) {
    return new RunError({
      code: 'LTM6110',
      message: `a function that the program calls ended it by \`process.exit(${exitCode})\``,
      help: 'throw an error instead: it is told at the line that calls the function',
    })
  }
  if (systemCode(error) !== 'ERR_WORKER_OUT_OF_MEMORY') return error
  const limit = Math.round(getHeapStatistics().heap_size_limit / mebibyte)
  return new RunError({
    code: 'LTM6109',
    message: `memory is exhausted: JavaScript was given ${limit} MiB for its objects`,
    help: `a smaller batch needs less, and NODE_OPTIONS=--max-old-space-size=${2 * limit} allows more; what was saved is whole, and \`--resume\` goes on from it`,
    exitCode: exitCodes.training,
  })
}
