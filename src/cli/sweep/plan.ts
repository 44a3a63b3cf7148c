import type { Program } from '../../ir/ir.ts'
import type { Hypers } from '../hypers.ts'
import type { Choice, Varied } from './space.ts'
import type { Outcome } from './trials.ts'

/** A sweep while it runs. */
export interface Sweep {
  readonly program: Program
  readonly file: string
  readonly folder: string
  readonly space: readonly Varied[]
  /** What was given to all trials, and the train declaration where it was named. */
  readonly fixed: Hypers
  readonly train: string | undefined
  readonly objective: Objective
  readonly choices: readonly Choice[]
  /** Epochs up to which each rung trains; the last one trains to the end. */
  readonly rungs: readonly (number | undefined)[]
}
export interface Objective {
  readonly metric: string
  readonly direction: 'min' | 'max'
}

/** The best first; of equal ones the earlier; those without a value last. */
export function ranked(outcomes: readonly Outcome[], { direction }: Objective): readonly Outcome[] {
  const sign = direction === 'min' ? 1 : -1
  const key = ({ value }: Outcome) => (value === undefined ? Number.POSITIVE_INFINITY : sign * value)
  return outcomes.toSorted((a, b) => (key(a) === key(b) ? a.trial - b.trial : key(a) - key(b)))
}
