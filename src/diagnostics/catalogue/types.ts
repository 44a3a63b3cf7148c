import type { Entry } from './entry.ts'

/** LTM2xxx: types and shapes. */
export const types = {} satisfies Record<string, Entry<never>>
