import { isBetter } from './saving.ts'
import type { Session } from './session.ts'
import type { StallSpec } from './training.ts'

/** What one place that asks `stalled` has seen so far. */
export interface StallState {
  /** NaN before there is a value. */
  best: number
  /** Looks since it last improved. */
  waited: number
  /** How many values there were at the last look: each is looked at once. */
  seen: number
}

/**
 * Whether patience has run out with the newest value; counting then begins anew, so that what a plateau sets off happens
 * once a plateau. The best value stays, as in PyTorch's ReduceLROnPlateau.
 */
export function hasStalled(session: Session, place: string, spec: StallSpec): boolean {
  const count = session.logbook.timesLogged(spec.monitor)
  const state = session.stalls.get(place) ?? { best: Number.NaN, waited: 0, seen: 0 }
  session.stalls.set(place, state)
  if (count === state.seen) return false
  state.seen = count
  const value = session.logbook.latest(spec.monitor)
  if (isBetter(spec.direction, value, state.best, spec.minDelta)) {
    state.best = value
    state.waited = 0
    return false
  }
  state.waited += 1
  if (state.waited < spec.patience) return false
  state.waited = 0
  return true
}
