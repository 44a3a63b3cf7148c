import type { Entry } from './entry.ts'
import { hooks } from './hooks.ts'
import { names } from './names.ts'
import { syntax } from './syntax.ts'
import { training } from './training.ts'
import { types } from './types.ts'

/** Every code of the compiler, by family. A code never changes its meaning. */
export const catalogue = {
  ...syntax,
  ...types,
  ...names,
  ...training,
  ...hooks,
} satisfies Record<string, Entry<never>>

export type Code = keyof typeof catalogue & string
/** What the text of a code asks for. */
export type Details<C extends Code> = (typeof catalogue)[C] extends Entry<infer D> ? D : never
