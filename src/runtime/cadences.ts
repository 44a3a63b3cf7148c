import { evaluationSteps } from './evaluate.ts'
import { batchesPerEpoch, trainSteps } from './horizon.ts'
import { openPass } from './passes.ts'
import type { Session } from './session.ts'
import type { Cadence } from './training.ts'

/** What the clocks of training showed at one moment. */
export type ClockReadings = (cadence: Pick<Cadence, 'unit' | 'of'>) => number

/** Takes down the clocks before a batch. */
export function clockReadings({ clocks }: Session): ClockReadings {
  const { batches, examples, updates } = clocks.values()
  const [first] = Object.keys(updates)
  return ({ unit, of = first }) => {
    if (unit === 'updates') return of === undefined ? 0 : (updates[of] ?? 0)
    return unit === 'batches' ? batches : examples
  }
}

/** Whether validation falls between this batch and the next; after an epoch it is asked for by itself. */
export function isValidationDue(session: Session, before: ClockReadings): boolean {
  const { validate } = session.training.trainer
  if (validate === undefined || evaluationSteps(session, 'val').length === 0) return false
  const { count, unit } = validate
  if (unit === 'epochs') return count < 1 && isPartDone(session, count)
  if (unit === 'seconds') return session.clocks.seconds - session.position.validated >= count
  const passed = (readings: ClockReadings) => Math.floor(readings(validate) / count)
  return passed(clockReadings(session)) > passed(before)
}

/** Every so many batches of the epoch, those that were left out included. */
function isPartDone(session: Session, part: number): boolean {
  const { pass, batch } = session.position
  const passes = trainSteps(session).slice(0, pass)
  const done = passes.reduce((sum, step) => sum + openPass(session, step).batches, batch)
  return done % Math.max(Math.floor(batchesPerEpoch(session) * part), 1) === 0
}

/** Unless said otherwise every epoch is validated. */
export function isDueAfterEpoch(session: Session): boolean {
  if (evaluationSteps(session, 'val').length === 0) return false
  const { count, unit } = session.training.trainer.validate ?? { count: 1, unit: 'epochs' }
  return unit === 'epochs' && (session.clocks.epoch + 1) % count === 0 && count >= 1
}
