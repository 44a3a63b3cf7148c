import type { Renderable, RenderOptions } from '../diagnostics/render.ts'
import type { ExitCode } from '../runtime/errors.ts'
import type { Interrupts } from '../runtime/interrupts.ts'
import type { ClosableReporter } from '../runtime/report/terminal.ts'
import type { Checker, Compiler, Runtime } from './ports.ts'
import type { TrainingOrder } from './trainingCommand.ts'

/** Where a command writes. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** How diagnostics are shown on the error stream. */
  readonly style: RenderOptions
  /** How pages are shown on the output stream. */
  readonly page: RenderOptions
  /** What tells of a run while it goes on: on the output stream, or beside it. */
  readonly reporter: (options: {
    readonly json: boolean
    readonly beside: boolean
  }) => Promise<ClosableReporter>
  /** Listens for Ctrl-C, and for being told to terminate. */
  readonly interrupts: () => Interrupts
}

/** Everything that a command needs from outside; tests put fakes in its place. */
export interface Cli {
  readonly version: string
  readonly terminal: Terminal
  /** Loaded when a command needs them: `--help` waits for neither. */
  readonly checker: () => Promise<Checker>
  readonly compiler: () => Promise<Compiler>
  readonly runtime: () => Promise<Runtime>
  /** What generated programs import the runtime by when they run at once. */
  readonly runtimeUrl: string
  /** Has a program trained, tested or asked for predictions: in a thread of its own, where it can be. */
  readonly train: (order: TrainingOrder) => Promise<ExitCode>
}

/** What ends a command without being a bug: something to show, and the exit code that goes with it. */
export class Stop extends Error {
  readonly code: ExitCode
  readonly shown: readonly Renderable[]

  constructor(code: ExitCode, message: string, shown: readonly Renderable[] = []) {
    super(message)
    this.name = 'Stop'
    this.code = code
    this.shown = shown
  }
}

/** Ends a command that was called in a way it can't be. */
export function badUsage(message: string, help?: string): Stop {
  return new Stop(2, help === undefined ? message : `${message}\n${help}`)
}
