import type { Backend } from './backends.ts'
import type { RunClocks } from './clocks.ts'
import type { JsonValue, LoadedDataset } from './contracts.ts'
import type { EndReason, Reporter, RunMode } from './events.ts'
import type { Logbook } from './logbook.ts'
import type { OptimizerState } from './optimizer.ts'
import type { Key } from './random.ts'
import type { HookSpec, OptimizerHolder, ParameterState, Training } from './training.ts'

/** All that a run has while it lasts; its parts are handed this, and change only what is theirs. */
export interface Session {
  readonly mode: RunMode
  readonly training: Training
  readonly seed: number
  readonly rootKey: Key
  readonly backend: Backend
  readonly report: Reporter
  readonly signal: AbortSignal | undefined
  readonly data: ReadonlyMap<string, LoadedDataset>
  readonly parameters: ReadonlyMap<string, ParameterState>
  readonly optimizers: ReadonlyMap<OptimizerHolder, OptimizerState>
  readonly clocks: RunClocks
  readonly logbook: Logbook
  /** Where records and checkpoints go. */
  readonly folder: string | undefined
  readonly control: Control
  readonly watch: Watch
  readonly position: Position
  /** When the event loop last had its turn. */
  readonly pace: { last: number }
  /** How often each cadence hook has fired: its clock divided by its interval. */
  readonly cadences: Map<HookSpec, number>
  readonly predictions: Prediction[]
}

export type Prediction = { readonly [field: string]: JsonValue }

/** What steps and hooks ask of the trainer; it looks when they have ended. */
export interface Control {
  end: { readonly reason: EndReason; readonly detail?: string } | undefined
  checkpoints: string[]
}

/** What `keep` and `stop` have seen so far. */
export interface Watch {
  kept: readonly Kept[]
  /** The best value that `stop` has seen; NaN before there is one. */
  best: number
  /** Checks since it last improved. */
  waited: number
  /** The best weights have been loaded back. */
  taken: boolean
}

/** The training batch that comes next: what a run that goes on from here starts with. */
export interface Position {
  epoch: number
  /** Which of the train steps, in the order they are written in. */
  pass: number
  batch: number
}

/** A checkpoint that `keep` holds on to. */
export interface Kept {
  readonly name: string
  readonly path: string
  readonly value: number
  readonly epoch: number
}
