import type { Func, Program } from './ir.ts'

/**
 * The JSON form of a program: the program itself. JSON has no infinities, no NaN and no negative zero; they are written
 * `{ "$number": "-inf" }`.
 */
export function programToJson(program: Program): string {
  return `${JSON.stringify(program, (_, value: unknown) => encode(value), 2)}\n`
}

/** The same of functions alone: two texts are equal where all is equal, places in the source as well. */
export function functionsToJson(functions: readonly Func[]): string {
  return JSON.stringify(functions, (_, value: unknown) => encode(value))
}

/** Numbers that JSON lacks, and how they are written. */
export const specialNumbers: readonly (readonly [string, number])[] = [
  ['inf', Infinity],
  ['-inf', -Infinity],
  ['nan', Number.NaN],
  ['-0', -0],
]

function encode(value: unknown): unknown {
  const found = specialNumbers.find(([, number]) => Object.is(number, value))
  return found ? { $number: found[0] } : value
}
