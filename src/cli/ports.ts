import type { BackendSurvey } from '../runtime/backends.ts'
import type { ExitCode } from '../runtime/errors.ts'

/** What commands ask of the compiler. */
export type Compiler = Pick<typeof import('../compiler.ts'), 'compile' | 'emitProgram' | 'summarize'>

/** What the person asked a run for. */
export interface RunRequest {
  readonly mode: 'train' | 'test' | 'predict'
  /** The generated module, imported. */
  readonly module: unknown
  readonly backend: string
  readonly runs: string | undefined
  readonly seed: number | undefined
  readonly json: boolean
  readonly checkpoint: string | undefined
  /** Where predictions go; a file name that says its format. */
  readonly out: string | undefined
  readonly signal: AbortSignal
}

/** What commands ask of the runtime. */
export interface Runtime {
  run(request: RunRequest): Promise<ExitCode>
  survey(): Promise<BackendSurvey>
}
