import type { Chance } from './chance.ts'
import type { Scope } from './scope.ts'

/** What a rule works with. */
export interface Growing {
  readonly scope: Scope
  readonly chance: Chance
}

/** Adds to a scope what its values allow; nothing where none fits. */
export type Rule = (growing: Growing) => void
