import type { JsonValue, Snapshot } from './contracts.ts'
import { RunError } from './errors.ts'
import type { Session } from './session.ts'
import { memberOf } from './stored.ts'

/** What every dataset has learned from its training split, as a checkpoint holds it. */
export function fitsOf({ data }: Pick<Session, 'data'>): JsonValue {
  return Object.fromEntries([...data].map(([name, { fits }]) => [name, fits]))
}

/**
 * A model means what it means only with the means and vocabularies that it was trained with: those of the data at hand
 * have to be those of the checkpoint. Numbers may differ by as much as another backend's rounding.
 */
export function checkFits(
  { data, seed }: Pick<Session, 'data' | 'seed'>,
  { state }: Pick<Snapshot, 'state'>,
  path: string,
): void {
  const stored = memberOf(state, 'fits')
  for (const [name, { fits }] of data) {
    for (const [fit, now] of Object.entries(fits)) {
      const was = memberOf(memberOf(stored, name), fit)
      if (!isList(was)) continue
      const at = now.findIndex((value, i) => !alike(value, was[i]))
      if (at < 0 && now.length === was.length) continue
      const then = memberOf(state, 'seed')
      throw new RunError({
        code: 'LTM5115',
        message: `\`${fit}\` of dataset \`${name}\` is not what it was when ${path} was saved: ${difference(now, was, at)}`,
        help:
          then === seed
            ? 'the data has changed since: bring it back, or train anew'
            : `the training split is another one: the checkpoint was made with --seed ${String(then)}`,
      })
    }
  }
}

function difference(now: readonly JsonValue[], was: readonly JsonValue[], at: number): string {
  const i = at < 0 ? now.length : at
  const shown = (value: JsonValue | undefined): string =>
    value === undefined ? 'nothing' : JSON.stringify(value)
  return `at ${i} it had ${shown(was[i])} and has ${shown(now[i])}`
}

function alike(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b
  return Math.abs(a - b) <= 1e-4 * Math.max(Math.abs(a), Math.abs(b), 1e-3)
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}
