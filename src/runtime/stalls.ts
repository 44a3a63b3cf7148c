import { isBetter } from './better.ts'
import type { Session } from './session.ts'
import type { StallSpec } from './training.ts'

/** What one place that watches a value has seen so far. */
export interface StallState {
  /** NaN before there is a value. */
  best: number
  /** Looks since it last improved. */
  waited: number
  /** Looks that still count for nothing, after a stall. */
  cooling: number
  /** How many values there were at the last look: each is looked at once. */
  seen: number
}

/**
 * Whether patience has run out with the newest value; counting then begins anew, so that what a plateau sets off happens
 * once a plateau. The best value stays, as in PyTorch's ReduceLROnPlateau.
 */
export function hasStalled(session: Session, place: string, spec: StallSpec): boolean {
  const state = lookAgain(session, place, spec)
  if (state === undefined) return false
  if (state.cooling > 0) {
    state.cooling -= 1
    state.waited = 0
  }
  if (state.waited === 0 || state.waited < spec.patience) return false
  state.waited = 0
  state.cooling = spec.cooldown ?? 0
  return true
}

/** Counts the newest value of what is watched, unless it was there at the last look. */
export function lookAgain(session: Session, place: string, spec: StallSpec): StallState | undefined {
  const { logbook, stalls } = session
  const count = logbook.timesLogged(spec.monitor)
  const state = stalls.get(place) ?? { best: Number.NaN, waited: 0, cooling: 0, seen: 0 }
  stalls.set(place, state)
  if (count === state.seen) return undefined
  state.seen = count
  const value = logbook.latest(spec.monitor)
  const { minDelta = 0, minShare = 0 } = spec
  const least = Number.isNaN(state.best) ? 0 : Math.max(minDelta, minShare * Math.abs(state.best))
  if (isBetter(spec.direction, value, state.best, least)) {
    state.best = value
    state.waited = 0
  } else state.waited += 1
  return state
}
