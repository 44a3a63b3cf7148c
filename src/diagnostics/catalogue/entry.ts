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

/** Some paths of parameters, the first two by name. */
export function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, 2).map(path => `\`${path}\``)
  const others = paths.length - shown.length
  return others > 0 ? `${shown.join(', ')} and ${others} more` : shown.join(' and ')
}
