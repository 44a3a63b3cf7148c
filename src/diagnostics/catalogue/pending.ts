import { type Entry, error } from './entry.ts'

/** LTM9xxx: what the language has and this version does not compile yet. */
export const pending = {
  LTM9001: error(
    (d: { what: string }) => `${d.what} cannot be compiled yet`,
    () => 'it is part of the language and will come; the program is checked as far as it goes',
  ),
} satisfies Record<string, Entry<never>>
