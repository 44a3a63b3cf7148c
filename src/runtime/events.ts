import type { JsonValue } from './contracts.ts'
import type { ExitCode } from './errors.ts'
import type { Profile } from './profiler.ts'
import type { Numbers, Phase, Trace } from './training.ts'

/** What a run tells whoever watches it; a reporter turns these into lines, a bar or JSON. */
export type TrainingEvent =
  | RunStart
  | EpochStart
  | PhaseStart
  | StepDone
  | RecordEvent
  | PhaseEnd
  | EpochEnd
  | CheckpointSaved
  | MessageEvent
  | WarningEvent
  | PredictionEvent
  | ProfileEvent
  | RunEnd
  | RunErrorEvent

/** A reporter must not keep a run waiting: it is called synchronously, between steps. */
export interface Reporter {
  (event: TrainingEvent): void
  /** Whether it tells of a step: what only the step's event shows is not computed otherwise. All, where it has no say. */
  readonly tellsOf?: (step: Pick<StepDone, 'clocks' | 'batches'>) => boolean
}

export type RunMode = 'train' | 'validate' | 'test' | 'predict'

/** All clocks at one moment; a record carries every one of them. */
export interface ClockValues {
  readonly epoch: number
  readonly batchIndex: number
  readonly batches: number
  readonly examples: number
  readonly seconds: number
  /** Updates by optimizer. */
  readonly updates: Numbers
  /** Training batches left out by `skip`. */
  readonly skipped: number
}

export interface RunStart {
  readonly kind: 'run_start'
  readonly mode: RunMode
  readonly name: string
  /** `v3`; absent where the run writes no folder. */
  readonly version?: string
  readonly folder?: string
  readonly backend: string
  /** What the backend says of itself: `Intel UHD, WebGPU`. */
  readonly device: string
  readonly seed: number
  /** Elements of all parameters, and of those that an optimizer moves. */
  readonly parameters: number
  readonly trained: number
  readonly models: readonly { readonly name: string; readonly parameters: number }[]
  readonly data: readonly { readonly name: string; readonly splits: Readonly<Record<string, number>> }[]
  readonly settings: Readonly<Record<string, number | boolean | string>>
  /** Its steps, whose names values are logged under. */
  readonly steps: readonly { readonly phase: Phase; readonly step?: string }[]
  readonly epochs?: number
  /** Where the program counts updates instead: the epochs that this takes if every batch makes one. */
  readonly expectedEpochs?: number
  /** Training batches of the first epoch. */
  readonly batchesPerEpoch?: number
  /** Updates in all, where known. */
  readonly totalUpdates?: number
  /** The checkpoint that the weights come from. */
  readonly checkpoint?: string
}
/** `epoch` counts from 0 everywhere in events; reporters may show it from 1. */
export interface EpochStart {
  readonly kind: 'epoch_start'
  readonly epoch: number
  readonly epochs?: number
  readonly batches: number
}
/** One step of one phase begins its pass over a split; training has one a epoch. */
export interface PhaseStart {
  readonly kind: 'phase_start'
  readonly phase: Phase
  readonly step?: string
  readonly batches: number
}
/** A batch is done. `values` are those marked `bar`, by the name to show (`loss`, `accuracy`). */
export interface StepDone {
  readonly kind: 'step'
  readonly phase: Phase
  readonly step?: string
  readonly clocks: ClockValues
  /** Batches of this pass. */
  readonly batches: number
  readonly values: Numbers
}
/** Logged values under their full names (`train.loss`, `val.abroad.accuracy`), as `records.jsonl` has them. */
export interface RecordEvent {
  readonly kind: 'record'
  readonly level: 'step' | 'epoch'
  readonly phase: Phase
  readonly step?: string
  readonly values: Numbers
  readonly clocks: ClockValues
}
export interface PhaseEnd {
  readonly kind: 'phase_end'
  readonly phase: Phase
  readonly step?: string
  readonly seconds: number
}
/** An epoch is over, validation included; `values` are its means under their full names. */
export interface EpochEnd {
  readonly kind: 'epoch_end'
  readonly epoch: number
  readonly epochs?: number
  readonly seconds: number
  readonly values: Numbers
  readonly clocks: ClockValues
  /** The monitored value of `keep` is the best so far. */
  readonly best: boolean
  /** No epoch follows. */
  readonly last: boolean
}
export interface CheckpointSaved {
  readonly kind: 'checkpoint_saved'
  readonly name: string
  readonly path: string
  readonly reason: 'latest' | 'best' | 'asked' | 'interrupted' | 'failed'
  readonly monitor?: { readonly name: string; readonly value: number }
}
/** A `print` of the program, or a note of the trainer. */
export interface MessageEvent {
  readonly kind: 'message'
  readonly text: string
}
export interface WarningEvent {
  readonly kind: 'warning'
  readonly code?: string
  readonly message: string
  readonly trace?: Trace
  readonly help?: string
}
/** Rows of a predict step, one an example; `each` is false for a call whose results are not one row an example. */
export interface PredictionEvent {
  readonly kind: 'prediction'
  readonly step?: string
  readonly data?: string
  readonly split?: string
  /** Position of the first row within the split, in dataset order. */
  readonly offset: number
  readonly each: boolean
  readonly rows: readonly { readonly [field: string]: JsonValue }[]
}

/** Where the time of a run went, once it has ended, in whatever way. */
export interface ProfileEvent extends Profile {
  readonly kind: 'profile'
  /** The file with the events, for a viewer. */
  readonly path?: string
}

/** Why a run ended. */
export const endReasons = ['finished', 'stalled', 'reached', 'diverged', 'stopped', 'interrupted'] as const
export type EndReason = (typeof endReasons)[number]

export interface RunEnd {
  readonly kind: 'run_end'
  readonly mode: RunMode
  readonly reason: EndReason
  /** In words: `val.loss has not improved for 5 checks`. */
  readonly detail?: string
  /** Final values under their full names, test included. */
  readonly metrics: Numbers
  readonly seconds: number
  readonly clocks: ClockValues
  /** The checkpoint to go on with: the best where `keep` was given, else the latest. */
  readonly checkpoint?: string
}

/** A run failed: the last event of such a run, in place of `run_end`; one for each fault where it could not begin. */
export interface RunErrorEvent {
  readonly kind: 'run_error'
  /** Absent for a bug of ltm, and for options that can't be. */
  readonly code?: string
  readonly message: string
  readonly trace?: Trace
  readonly help?: string
  /** What the process will exit with. */
  readonly exitCode: ExitCode
}
