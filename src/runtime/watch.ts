import { isBetter } from './better.ts'
import { stopRun } from './ends.ts'
import { RunError } from './errors.ts'
import { keepBest } from './saving.ts'
import type { Control, Session } from './session.ts'
import { lookAgain, type StallState } from './stalls.ts'
import type { StopRule } from './training.ts'

/** Phases whose values are new since the last look. */
export type Fresh = readonly ('train' | 'val')[]

/** Looks at what `stop` and `keep` watch, where it is new; says whether the run is at its best. */
export function watchValues(session: Session, fresh: Fresh): boolean {
  const { stop = [], keep } = session.training.trainer
  const isFresh = (monitor: string) => fresh.some(phase => monitor.startsWith(`${phase}.`))
  for (const [index, rule] of stop.entries())
    if (isFresh(rule.monitor)) lookForProgress(session, rule, `trainer.stop.${index}`)
  if (keep === undefined || !isFresh(keep.monitor)) return false
  return keepBest(session, keep, watched(session, keep.monitor, 'keep'))
}

function lookForProgress(session: Session, rule: StopRule, place: string): void {
  const value = watched(session, rule.monitor, 'stop')
  const state = lookAgain(session, place, rule)
  const end = state && endFor(rule, value, state)
  if (end) stopRun(session, end)
}

/**
 * In the order of Lightning's EarlyStopping: a value that is not finite, one that is good enough, one past recovery, and
 * last whether patience has run out. Improved means better than the best by more than the least difference; patience counts
 * looks.
 */
function endFor(rule: StopRule, value: number, { best, waited }: StallState): Control['end'] {
  const { monitor, direction, stoppingThreshold, divergenceThreshold } = rule
  if (rule.checkFinite && !Number.isFinite(value))
    return { reason: 'diverged', detail: `\`${monitor}\` is ${value}` }
  if (stoppingThreshold !== undefined && isBetter(direction, value, stoppingThreshold)) {
    const better = direction === 'min' ? 'below' : 'above'
    return { reason: 'reached', detail: `\`${monitor}\` is ${value}, ${better} ${stoppingThreshold}` }
  }
  const opposite = direction === 'min' ? 'max' : 'min'
  if (divergenceThreshold !== undefined && isBetter(opposite, value, divergenceThreshold)) {
    const worse = direction === 'min' ? 'above' : 'below'
    return { reason: 'diverged', detail: `\`${monitor}\` is ${value}, ${worse} ${divergenceThreshold}` }
  }
  if (waited === 0 || waited < rule.patience) return undefined
  return {
    reason: 'stalled',
    detail: `\`${monitor}\` has not improved on ${best} in ${waited} ${waited === 1 ? 'check' : 'checks'}`,
  }
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
