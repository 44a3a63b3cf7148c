import type { Control, Session } from './session.ts'
import type { Clocks, Training, UpdateCount } from './training.ts'

/** Ends the run after the batch under way, unless the program asks for more first; then it says that it goes on. */
export function stopRun(session: Session, end: NonNullable<Control['end']>): void {
  const { control, report } = session
  if (control.end !== undefined) return
  const missing = missingOf(session)
  if (missing === undefined) control.end = end
  else report({ kind: 'message', text: `the run goes on although it was to stop: ${missing}` })
}

/** What has to be done before the run may stop. */
function missingOf({ training, clocks, position }: Session): string | undefined {
  const { minEpochs = 0, minUpdates } = training.trainer
  const trained = clocks.epoch + (position.stage === 'closing' ? 1 : 0)
  if (trained < minEpochs) return `\`min_epochs\` is ${minEpochs}`
  if (minUpdates === undefined || clocks.updates(minUpdates.of) >= minUpdates.count) return undefined
  return `\`min_updates\` is ${countText(minUpdates)}`
}

function countText({ count, of }: UpdateCount): string {
  return of === undefined ? `${count}` : `${count} of ${of}`
}

interface Timed {
  readonly training: Pick<Training, 'trainer'>
  readonly clocks: Pick<Clocks, 'seconds' | 'updates'>
}

/** Whether the program's own end has come: its updates are made, or its time is over. */
export function hasEnded({ training, clocks }: Timed): boolean {
  const { updates, time } = training.trainer
  return (
    (updates !== undefined && clocks.updates(updates.of) >= updates.count) ||
    (time !== undefined && clocks.seconds >= time)
  )
}
