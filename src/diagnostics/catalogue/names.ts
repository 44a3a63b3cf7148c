import type { Entry } from './entry.ts'

/** LTM3xxx: names, declarations and imports. */
export const names = {} satisfies Record<string, Entry<never>>
