import type { GraphSource } from '../base/graphs.ts'
import type { BackendSurvey } from '../runtime/backends.ts'
import type { BatchTrial } from '../runtime/batchTrial.ts'
import type { CacheSurvey } from '../runtime/engine/graphCache.ts'
import type { ExitCode, RunError } from '../runtime/errors.ts'
import type { Reporter } from '../runtime/events.ts'
import type { ProgramText } from '../runtime/identity.ts'
import type { RateSearch, RatesFound } from '../runtime/rateFinder.ts'
import type { RunOptions } from '../runtime/start.ts'
import type { Trials } from '../runtime/trials.ts'

/** What commands ask of the part of the compiler that finds mistakes: it loads in half the time of the whole. */
export type Checker = Pick<typeof import('../checker.ts'), 'check'>

/** What commands ask of the compiler. */
export type Compiler = Pick<
  typeof import('../compiler.ts'),
  'compile' | 'emitProgram' | 'formGraphs' | 'graphsOf' | 'summarize'
>

/** What is done with a program. */
export type Mode = 'train' | 'validate' | 'test' | 'predict'

/** What the person asked a run for. */
export interface RunRequest {
  readonly mode: Mode
  /** The generated module, imported. */
  readonly module: unknown
  readonly backend: string
  /** The graphs of a program that was compiled for them. */
  readonly graphs: GraphSource | undefined
  /** What is worth telling at the start. */
  readonly note: string | undefined
  readonly runs: string | undefined
  readonly seed: number | undefined
  readonly json: boolean
  readonly checkpoint: string | undefined
  /** Goes on from the checkpoint although something has been edited since. */
  readonly acceptChanges?: boolean
  /** Damaged checkpoints that were passed over on the way to this one. */
  readonly skipped?: readonly RunError[]
  /** What was compiled, for the run's folder. */
  readonly program?: () => ProgramText
  /** Where predictions go; a file name that says its format. */
  readonly out: string | undefined
  /** Measures where the time goes; the module is emitted to be watched. */
  readonly profile: boolean
  /** Finds the operator that first made a loss that is not finite; the module is emitted to be watched, or `watched` is. */
  readonly detectAnomaly: boolean
  /** Where the module is compiled, one of the same program that is emitted to be watched. */
  readonly watched?: (() => Promise<unknown>) | undefined
  /** What of the training is tried, and how surely it repeats. */
  readonly trials?: Trials & { readonly deterministic: boolean }
  readonly signal: AbortSignal
  readonly reporter: Reporter
  /** Writes what the run gives to the output stream. */
  readonly print: (text: string) => void
}

/** Whose sizes are asked for, and by which splits. */
export interface CountRequest {
  /** The generated module of data alone, imported. */
  readonly module: unknown
  readonly mode: Mode
  readonly runs?: string | undefined
  readonly seed?: number | undefined
  readonly checkpoint?: string | undefined
}

export type TuneOptions = Pick<RunOptions, 'backend' | 'seed' | 'signal' | 'graphs'>

/** What commands ask of the runtime. */
export interface Runtime {
  run(request: RunRequest): Promise<ExitCode>
  /** The sizes that a program asks of its data, by `data.field`. */
  readCounts(request: CountRequest): Promise<ReadonlyMap<string, number>>
  /** Hypers that decide the learning rate of an optimizer. */
  rateHypers(module: unknown): readonly string[]
  findRate(module: unknown, search: RateSearch, options: TuneOptions): Promise<RatesFound>
  tryBatches(module: unknown, steps: number, options: TuneOptions): Promise<BatchTrial>
  survey(): Promise<BackendSurvey>
  /** Which compiled graphs are kept; undefined where none are to be. */
  surveyCache(): CacheSurvey | undefined
  /** Why graphs can't run here; undefined where they can. */
  lacksGraphs(): Promise<string | undefined>
}
