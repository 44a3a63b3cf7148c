import type { Reporter, StepDone } from '../events.ts'

/** Nobody follows single steps more closely than this; what they log is in the records. */
const secondsBetweenSteps = 0.1

type StepPlace = Pick<StepDone, 'clocks' | 'batches'>

/** Tells of at most ten steps a second and of those to `keep`; of everything else always. */
export function seldomSteps(reporter: Reporter, keep: (step: StepPlace) => boolean = () => false): Reporter {
  let told = Number.NEGATIVE_INFINITY
  const tellsOf = (step: StepPlace): boolean =>
    keep(step) || step.clocks.seconds - told >= secondsBetweenSteps
  const seldom: Reporter = event => {
    if (event.kind === 'step') {
      if (!tellsOf(event)) return
      if (!keep(event)) told = event.clocks.seconds
    }
    reporter(event)
  }
  return Object.assign(seldom, { tellsOf })
}

/** Between the first and the last step of a pass lies the time by which its pace is told. */
export function boundsPass({ clocks: { batchIndex }, batches }: StepPlace): boolean {
  return batches > 1 && (batchIndex === 0 || batchIndex === batches - 1)
}
