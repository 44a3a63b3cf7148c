import type { Entry } from './entry.ts'

/** LTM9xxx: what the language has and this version does not compile yet. */
export const pending = {} satisfies Record<string, Entry<never>>
