import type { Entry } from './entry.ts'

/** LTM4xxx: what a training means: steps, losses, monitors, data declarations. */
export const training = {} satisfies Record<string, Entry<never>>
