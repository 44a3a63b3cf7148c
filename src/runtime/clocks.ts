import type { ClockValues } from './events.ts'
import type { Clocks, Phase } from './training.ts'

/** The clocks of a run: each counts one thing, exactly, and only the trainer moves them. */
export class RunClocks implements Clocks {
  epoch = 0
  batches = 0
  examples = 0
  skipped = 0
  totalUpdates = Number.POSITIVE_INFINITY
  updatesPerEpoch = Number.NaN
  /** Where each phase is within its pass over the data. */
  private readonly indices: Record<Phase, number> = { train: 0, val: 0, test: 0, predict: 0 }
  private readonly updatesOf: Map<string, number>
  private phase: Phase = 'train'
  private started = performance.now()
  private before = 0

  constructor(optimizers: readonly string[]) {
    this.updatesOf = new Map(optimizers.map(name => [name, 0]))
  }

  get batchIndex(): number {
    return this.indices[this.phase]
  }

  get seconds(): number {
    return this.before + (performance.now() - this.started) / 1000
  }

  updates(optimizer?: string): number {
    const name = optimizer ?? this.updatesOf.keys().next().value
    return name === undefined ? 0 : (this.updatesOf.get(name) ?? 0)
  }

  countUpdate(optimizer: string): void {
    this.updatesOf.set(optimizer, this.updates(optimizer) + 1)
  }

  /** Remembers the updates made so far; what it gives puts them back. */
  hold(): () => void {
    const updates = new Map(this.updatesOf)
    return () => {
      for (const [name, count] of updates) this.updatesOf.set(name, count)
    }
  }

  /** Says which phase runs and at which batch of its pass. */
  place(phase: Phase, batchIndex: number): void {
    this.phase = phase
    this.indices[phase] = batchIndex
  }

  /** Shows a phase again, at the batch it was at. */
  show(phase: Phase): void {
    this.phase = phase
  }

  /** A training batch of this size is done. */
  countBatch(size: number): void {
    this.batches += 1
    this.examples += size
  }

  values(): ClockValues {
    const { epoch, batchIndex, batches, examples, seconds, skipped } = this
    return {
      epoch,
      batchIndex,
      batches,
      examples,
      seconds,
      updates: Object.fromEntries(this.updatesOf),
      skipped,
    }
  }

  /** At which batch of its pass each phase is. */
  places(): Readonly<Record<Phase, number>> {
    return { ...this.indices }
  }

  /** Goes on from where a checkpoint was made. */
  restore(values: ClockValues, places: Readonly<Record<Phase, number>>): void {
    Object.assign(this.indices, places)
    this.epoch = values.epoch
    this.batches = values.batches
    this.examples = values.examples
    this.skipped = values.skipped
    this.before = values.seconds
    this.started = performance.now()
    for (const [name, count] of Object.entries(values.updates)) this.updatesOf.set(name, count)
  }
}
