import { openPass } from './passes.ts'
import type { Session } from './session.ts'
import type { StepSpec } from './training.ts'
import { windowSize } from './windowSize.ts'

export function trainSteps({ training }: Session): readonly StepSpec[] {
  return training.steps.filter(step => step.phase === 'train')
}

/** Training batches of the epoch that the clock shows. */
export function batchesPerEpoch(session: Session): number {
  return batchesOf(session).reduce((sum, count) => sum + count, 0)
}

/** Of each training step. */
function batchesOf(session: Session): readonly number[] {
  return trainSteps(session).map(step => openPass(session, step).batches)
}

/** Windows of an epoch: its updates by the first optimizer, where every batch minimises by it once. */
export function updatesInEpoch(session: Session, epoch: number): number {
  return windowsIn(session, batchesOf(session), epoch)
}

function windowsIn({ training }: Session, batches: readonly number[], epoch: number): number {
  const [first] = training.optimizers
  const size = windowSize(training.trainer, first?.spec, { epoch })
  return batches.reduce((sum, count) => sum + Math.ceil(count / size), 0)
}

/** Updates of the whole run, where its end is counted in updates or epochs; else Infinity. */
export function updatesInAll(session: Session): number {
  const { updates, epochs } = session.training.trainer
  if (updates !== undefined) return updates.count
  if (epochs === undefined) return Number.POSITIVE_INFINITY
  const batches = batchesOf(session)
  let sum = 0
  for (let epoch = 0; epoch < epochs; epoch++) sum += windowsIn(session, batches, epoch)
  return sum
}
