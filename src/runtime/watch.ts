import { RunError } from './errors.ts'
import { isBetter, keepBest } from './saving.ts'
import type { Session } from './session.ts'
import type { TrainerOptions } from './training.ts'

/** Phases whose values are new since the last look. */
export type Fresh = readonly ('train' | 'val')[]

/** Looks at what `stop` and `keep` watch, where it is new; says whether the run is at its best. */
export function watchValues(session: Session, fresh: Fresh): boolean {
  const { stop, keep } = session.training.trainer
  const isFresh = (monitor: string) => fresh.some(phase => monitor.startsWith(`${phase}.`))
  if (stop !== undefined && isFresh(stop.monitor)) lookForProgress(session, stop)
  if (keep === undefined || !isFresh(keep.monitor)) return false
  return keepBest(session, keep, watched(session, keep.monitor, 'keep'))
}

/** Improved means better than the best by more than the least difference; patience counts looks. */
function lookForProgress(session: Session, stop: NonNullable<TrainerOptions['stop']>): void {
  const { watch, control } = session
  const value = watched(session, stop.monitor, 'stop')
  if (isBetter(stop.direction, value, watch.best, stop.minDelta)) {
    watch.best = value
    watch.waited = 0
    return
  }
  watch.waited += 1
  if (watch.waited < stop.patience) return
  const detail = `\`${stop.monitor}\` has not improved on ${watch.best} in ${watch.waited} checks`
  control.end ??= { reason: 'stalled', detail }
}

function watched(session: Session, monitor: string, reader: 'keep' | 'stop'): number {
  if (session.logbook.has(monitor)) return session.logbook.latest(monitor)
  const known = Object.keys(session.logbook.finalValues()).join(', ')
  throw new RunError({
    code: 'LTM6102',
    message: `\`${reader}\` watches \`${monitor}\`, which no step has logged`,
    help: known === '' ? 'nothing has been logged at all' : `logged so far: ${known}`,
  })
}
