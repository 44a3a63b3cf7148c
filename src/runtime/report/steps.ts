import type { Reporter, StepDone } from '../events.ts'

/** Nobody follows single steps more closely than this; what they log is in the records. */
const secondsBetweenSteps = 0.1

/** Tells of at most ten steps a second and of those to `keep`; of everything else always. */
export function seldomSteps(reporter: Reporter, keep: (step: StepDone) => boolean = () => false): Reporter {
  let told = Number.NEGATIVE_INFINITY
  return event => {
    if (event.kind === 'step' && !keep(event)) {
      if (event.clocks.seconds - told < secondsBetweenSteps) return
      told = event.clocks.seconds
    }
    reporter(event)
  }
}

/** Between the first and the last step of a pass lies the time by which its pace is told. */
export function boundsPass({ clocks: { batchIndex }, batches }: StepDone): boolean {
  return batches > 1 && (batchIndex === 0 || batchIndex === batches - 1)
}
