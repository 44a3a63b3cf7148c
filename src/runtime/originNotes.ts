import { hasEnded } from './ends.ts'
import type { Origin } from './folders.ts'
import type { Position, Session } from './session.ts'
import { memberOf, textIn } from './stored.ts'

/** What is to be said where a run goes on: where, with what that is another, and whether it is the same run. */
export function originNotes(session: Session, { snapshot, changes }: Origin): readonly string[] {
  const { position, backend, training } = session
  const failed = textIn(snapshot.state, 'failed')
  const where =
    memberOf(snapshot.state, 'moved') === true ? ', in the middle of a batch, parts of which come twice' : ''
  const before = textIn(snapshot.state, 'backend')
  const passes = training.steps.filter(({ phase }) => phase === 'train').length
  const notes = [
    `goes on at ${hasEnded(session) || isTrained(session) ? 'its end' : placeOf(position, passes)}`,
    ...changes.map(change => `changed since: ${change}`),
  ]
  if (failed !== undefined) notes.push(`it was saved as the run failed${where}: ${failed}`)
  if (before !== undefined && before !== backend.name)
    notes.push(`the run was on ${before} before, and ${backend.name} rounds otherwise`)
  return notes
}

/** Whether it is between two epochs, and none is to follow. */
function isTrained({ position, training }: Session): boolean {
  const { stage, epoch, pass, batch } = position
  const isBetween = stage === 'batches' && pass === 0 && batch === 0 && epoch > 0
  return isBetween && epoch >= (training.trainer.epochs ?? Number.POSITIVE_INFINITY)
}

/** People count from 1. */
function placeOf({ stage, epoch, pass, batch, evaluation }: Position, passes: number): string {
  if (stage === 'start') return 'its start'
  if (stage === 'ended') return 'its end'
  if (evaluation !== undefined) return `a validation in epoch ${epoch + 1}`
  if (stage === 'closing' || pass >= passes) return `the end of epoch ${epoch + 1}`
  return pass === 0 && batch === 0 ? `epoch ${epoch + 1}` : `epoch ${epoch + 1}, batch ${batch + 1}`
}
