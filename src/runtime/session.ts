import type { AverageState } from './averages.ts'
import type { Backend } from './backends.ts'
import type { RunClocks } from './clocks.ts'
import type { JsonValue, LoadedDataset, Snapshot } from './contracts.ts'
import type { CutEpoch } from './cutEpoch.ts'
import type { GraphRunner } from './engine/runner.ts'
import type { Updating } from './engine/updating.ts'
import type { EndReason, Reporter, RunMode } from './events.ts'
import type { Identity } from './identity.ts'
import type { Lock } from './lock.ts'
import type { Logbook } from './logbook.ts'
import type { OptimizerState } from './optimizer.ts'
import type { Key } from './random.ts'
import type { RecordFile } from './records.ts'
import type { StallState } from './stalls.ts'
import type { BufferState, HookSpec, OptimizerHolder, ParameterState, Training } from './training.ts'

/** All that a run has while it lasts; its parts are handed this, and change only what is theirs. */
export interface Session {
  readonly mode: RunMode
  readonly training: Training
  readonly seed: number
  readonly rootKey: Key
  readonly backend: Backend
  /** What runs the graphs of a compiled program. */
  readonly graphs: GraphRunner | undefined
  /** How a compiled engine moves parameters. */
  updating: Updating | undefined
  readonly report: Reporter
  readonly signal: AbortSignal | undefined
  /** A step whose loss is not finite runs again, to find where that came from. */
  readonly detectAnomaly: boolean
  /** The program as it runs operator by operator and is watched, where this one is compiled. */
  readonly watched: (() => Promise<Training>) | undefined
  readonly data: ReadonlyMap<string, LoadedDataset>
  readonly parameters: ReadonlyMap<string, ParameterState>
  readonly buffers: ReadonlyMap<string, BufferState>
  readonly optimizers: ReadonlyMap<OptimizerHolder, OptimizerState>
  readonly averages: readonly AverageState[]
  readonly clocks: RunClocks
  readonly logbook: Logbook
  /** What the run is made of; only of one that trains. */
  readonly identity: Identity | undefined
  readonly lock: Lock | undefined
  /** Where records and checkpoints go. */
  readonly folder: string | undefined
  readonly control: Control
  readonly watch: Watch
  readonly frozen: Frozen
  /** What the places that ask `stalled` have seen. */
  readonly stalls: Map<string, StallState>
  readonly saves: Saves
  readonly records: RecordFile | undefined
  readonly position: Position
  /** Where the run's end came within an epoch. */
  cut: CutEpoch | undefined
  /** Batches of each validation step that the check before training tries: what happens then leaves no trace. */
  readonly rehearsal: number | undefined
  /** When the event loop last had its turn. */
  readonly pace: { last: number }
  /** How often each cadence hook has fired: its clock divided by its interval. */
  readonly cadences: Map<HookSpec, number>
  readonly predictions: Prediction[]
  /** What kind of values the predicted fields have. */
  readonly predicted: Map<string, PredictedField>
}

export interface PredictedField {
  readonly dtype: 'float32' | 'int32' | 'bool' | 'text'
  /** Axes of the value in a row. */
  readonly rank: number
  /** Rows have as many places on the first axis as their example has. */
  readonly ragged: boolean
  /** The step reads data, so that its values are one of many. */
  readonly many: boolean
}

export type Prediction = { readonly [field: string]: JsonValue }

/** What steps and hooks ask of the trainer; it looks when they have ended. */
export interface Control {
  /** The run is to end after this batch, to go on another time. */
  interrupted: boolean
  /** What went wrong, where something did. */
  failed: string | undefined
  /** The step under way has moved parameters or filled windows: what is saved now lies in the middle of a batch. */
  moved: boolean
  end: { readonly reason: EndReason; readonly detail?: string } | undefined
  checkpoints: string[]
}

/** The paths of parameters that stand still: in the batch under way, and from the next one on. */
export interface Frozen {
  now: ReadonlySet<string>
  readonly next: Set<string>
}

/** What `keep` has seen so far. */
export interface Watch {
  kept: readonly Kept[]
  /** The best weights have been loaded back. */
  taken: boolean
}

/** When the run was last saved, and what waits to be. */
export interface Saves {
  /** What `keep` wants of the run as it will be at the next moment it can go on from, by name. */
  readonly due: Map<string, Monitored>
  /** Seconds that lie between two saves of a run that goes on. */
  readonly every: number
  /** How often `latest` has been saved. */
  count: number
  /** When it was last, or when the run began, by `performance.now()`. */
  last: number
  /** How long it took, in milliseconds. */
  took: number
  /** How often the clock of each `keepEvery` has passed its interval. */
  periods: number[]
  /** When the newest snapshot was taken, in milliseconds since 1970. */
  taken: number
  /** Checkpoints that `keep` wants and that are not on disk yet, by name. */
  readonly waiting: Map<string, WaitingCheckpoint>
  /** Checkpoints on disk that `keep` no longer wants; they go once their better ones are there. */
  readonly outdated: Set<string>
}

/** The run as it was when it was at its best. */
export interface WaitingCheckpoint {
  readonly snapshot: Snapshot
  readonly monitor: Monitored
}

/** The value for which a checkpoint is kept. */
export interface Monitored {
  readonly name: string
  readonly value: number
}

/** What a run does next: all that it needs to go on from here as if it had never ended. */
export interface Position {
  /** Before its first hooks; among the batches of an epoch; at the epoch's end, its means closed; all over. */
  stage: Stage
  epoch: number
  /** Which of the train steps, in the order they are written in. */
  pass: number
  /** The training batch that comes next. */
  batch: number
  /** The validation that comes before it. */
  evaluation: Cursor | undefined
  /** Seconds and updates when the epoch began. */
  begun: { readonly seconds: number; readonly updates: number }
  /** Seconds at which the last validation ended. */
  validated: number
}

export const stages = ['start', 'batches', 'closing', 'ended'] as const
export type Stage = (typeof stages)[number]

/** How far a pass over evaluation sets has come: which step is under way, and its next batch. */
export interface Cursor {
  step: number
  batch: number
}

/** A checkpoint that `keep` holds on to. */
export interface Kept {
  readonly name: string
  readonly path: string
  readonly value: number
  readonly epoch: number
}
