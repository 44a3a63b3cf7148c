import type { Renderable, RenderOptions } from '../diagnostics/render.ts'
import type { ExitCode } from '../runtime/errors.ts'
import type { Compiler, Runtime } from './ports.ts'

/** Where a command writes. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** How diagnostics are shown on the error stream. */
  readonly style: RenderOptions
  /** How pages are shown on the output stream. */
  readonly page: RenderOptions
}

/** Everything that a command needs from outside; tests put fakes in its place. */
export interface Cli {
  readonly version: string
  readonly terminal: Terminal
  /** Loaded when a command needs them: `--help` waits for neither. */
  readonly compiler: () => Promise<Compiler>
  readonly runtime: () => Promise<Runtime>
  /** What generated programs import the runtime by when they run at once. */
  readonly runtimeUrl: string
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
