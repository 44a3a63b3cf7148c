import type { Entry } from './entry.ts'

/** LTM1xxx: what the lexer and the parser find. */
export const syntax = {} satisfies Record<string, Entry<never>>
