import { hasEnded } from './ends.ts'
import type { Origin } from './folders.ts'
import type { Position, Session } from './session.ts'
import { memberOf, textIn } from './stored.ts'

/** What is to be said where a run goes on: where, with what that is another, and whether it is the same run. */
export function originNotes(
  session: Session,
  { snapshot, changes, path, instead }: Origin,
): readonly string[] {
  const { position, backend, training, control } = session
  const failed = textIn(snapshot.state, 'failed')
  const where =
    memberOf(snapshot.state, 'moved') === true ? ', in the middle of a batch, parts of which come twice' : ''
  const before = textIn(snapshot.state, 'backend')
  const passes = training.steps.filter(({ phase }) => phase === 'train').length
  const { end } = control
  const isOver = hasEnded(session) || isTrained(session)
  const notes = [
    ...(instead === undefined
      ? []
      : [`${instead} has the best weights, which are not the last: the run goes on from ${path}`]),
    `goes on at ${isOver ? 'its end' : placeOf(position, passes)}`,
    ...changes.map(change => `changed since: ${change}`),
  ]
  if (changes.length > 0 && end?.detail !== undefined)
    notes.push(`it had ended before that, which stays so: ${end.detail}`)
  if (failed !== undefined) notes.push(`it was saved as the run failed${where}: ${failed}`)
  if (before !== undefined && before !== backend.name)
    notes.push(`the run was on ${before} before, and ${backend.name} rounds otherwise`)
  return notes
}

/** Whether it is between two epochs, and none is to follow. */
function isTrained({ position, training, control }: Session): boolean {
  const { stage, epoch, pass, batch } = position
  const isBetween = stage === 'batches' && pass === 0 && batch === 0 && epoch > 0
  const { epochs = Number.POSITIVE_INFINITY } = training.trainer
  return isBetween && (control.end !== undefined || epoch >= epochs)
}

/** People count from 1. */
function placeOf({ stage, epoch, pass, batch, evaluation }: Position, passes: number): string {
  if (stage === 'start') return 'its start'
  if (stage === 'ended') return 'its end'
  if (evaluation !== undefined) return `a validation in epoch ${epoch + 1}`
  if (stage === 'closing' || pass >= passes) return `the end of epoch ${epoch + 1}`
  return pass === 0 && batch === 0 ? `epoch ${epoch + 1}` : `epoch ${epoch + 1}, batch ${batch + 1}`
}
