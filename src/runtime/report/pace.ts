import type { StepDone, TrainingEvent } from '../events.ts'

interface Count {
  steps: number
  seconds: number
}

/** After so many steps, older ones count half. */
const memory = 64

/**
 * How fast the batches of each phase go: the time between neighbouring steps of one pass, so that a validation in
 * between or a start in mid-epoch doesn't count.
 */
export class Pace {
  private readonly counts = new Map<string, Count>()
  private last: { readonly seconds: number; readonly batch: number } | undefined

  follow(event: TrainingEvent): void {
    if (event.kind === 'phase_start' || event.kind === 'phase_end' || event.kind === 'epoch_end')
      this.last = undefined
    if (event.kind !== 'step') return
    const { seconds, batchIndex: batch } = event.clocks
    if (this.last !== undefined) this.count(event, batch - this.last.batch, seconds - this.last.seconds)
    this.last = { seconds, batch }
  }

  /** Batches a second; undefined before anything is known. */
  rateOf(event: StepDone): number | undefined {
    const count = this.counts.get(keyOf(event))
    return count === undefined || count.seconds <= 0 ? undefined : count.steps / count.seconds
  }

  private count(event: StepDone, batches: number, seconds: number): void {
    const { steps, seconds: before } = this.counts.get(keyOf(event)) ?? { steps: 0, seconds: 0 }
    const kept = steps >= memory ? 0.5 : 1
    this.counts.set(keyOf(event), { steps: steps * kept + batches, seconds: before * kept + seconds })
  }
}

function keyOf({ phase, step }: StepDone): string {
  return step === undefined ? phase : `${phase}.${step}`
}
