import type { Source } from '../base/source.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Program } from '../ir/ir.ts'
import type { BackendSurvey } from '../runtime/backends.ts'
import type { ExitCode } from '../runtime/errors.ts'

export interface FileSystem {
  read(path: string): Source | undefined
  resolve(from: string, relative: string): string
}
export interface CompileOptions {
  readonly hypers?: ReadonlyMap<string, string>
  readonly observe?: (pass: string, program: Program) => void
}
export interface Compilation {
  readonly diagnostics: readonly Diagnostic[]
  readonly programs: readonly Program[]
}
export interface EmitOptions {
  readonly target: 'typescript' | 'javascript'
  readonly runtime: string
  /** An expression for the directory that data paths start from. */
  readonly directory: string
}

/** What commands ask of the compiler. */
export interface Compiler {
  compile(path: string, files: FileSystem, options?: CompileOptions): Compilation
  emitProgram(program: Program, options: EmitOptions): string
}

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
