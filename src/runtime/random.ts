/**
 * The key of a counter-based generator: two 32-bit words. Draws are pure functions of a key and an index, so the same
 * program gives the same numbers on every engine, in any order, and after a resume.
 */
export interface Key {
  readonly high: number
  readonly low: number
  /** The key of a named or numbered place below this one (a module's path, a call, a loop index). */
  at(place: string | number): Key
}
