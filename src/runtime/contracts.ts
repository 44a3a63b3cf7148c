import type { Batch } from './training.ts'

/** What the parts of the runtime hand to one another: loaded data and stored state. */

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue }

/** A tensor on the host, row-major; a bool has one byte an element. */
export interface StoredTensor {
  readonly dtype: 'float32' | 'int32' | 'bool'
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array
}

/**
 * Everything a checkpoint holds: tensors by name (weights raw under `weights/PATH`, slots under
 * `slots/OPTIMIZER/SLOT/PATH`) and one JSON value for the rest. Numbers in `state` are finite.
 */
export interface Snapshot {
  /** When it was taken, in milliseconds since 1970; later in a run is more. Where it is absent, when it is saved. */
  readonly time?: number
  readonly tensors: ReadonlyMap<string, StoredTensor>
  readonly state: JsonValue
}

/** A dataset in memory, split; the order is a pure function of (seed, epoch, index). */
export interface LoadedDataset {
  readonly name: string
  /** What was learned from the training split, by name: numbers, or the texts of a vocabulary in the order of their numbers. */
  readonly fits: Readonly<Record<string, readonly (number | string)[]>>
  /** The sizes that the program takes from it, by the name of what is counted. */
  readonly counts: Readonly<Record<string, number>>
  /** What is worth telling of how it was read: rows that a filter left out, examples that were cut. */
  readonly notes: readonly string[]
  /** Examples in each split. */
  readonly splits: ReadonlyMap<string, number>
  /** Batches of a split in this epoch. */
  batches(split: string, epoch: number, shuffled: boolean): number
  /** Uploads one batch; the caller disposes of its tensors. Only training has `augment` make others of its fields. */
  batch(split: string, epoch: number, index: number, shuffled: boolean, augmented?: boolean): Batch
}
