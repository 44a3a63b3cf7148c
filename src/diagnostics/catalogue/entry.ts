import type { Severity } from '../diagnostic.ts'

/** One code: how bad it is, its sentence from typed details, and the next step where every case has the same one. */
export interface Entry<D> {
  readonly severity: Severity
  readonly text: (details: D) => string
  readonly help?: (details: D) => string | undefined
}

export function error<D>(text: (details: D) => string, help?: (details: D) => string | undefined): Entry<D> {
  return help ? { severity: 'error', text, help } : { severity: 'error', text }
}

export function warning<D>(
  text: (details: D) => string,
  help?: (details: D) => string | undefined,
): Entry<D> {
  return help ? { severity: 'warning', text, help } : { severity: 'warning', text }
}
