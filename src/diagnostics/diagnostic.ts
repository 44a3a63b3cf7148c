import type { Span } from '../base/source.ts'
import { type Code, catalogue, type Details } from './catalogue/index.ts'

export type Severity = 'error' | 'warning'

/** A second place that explains the first. */
export interface Label {
  readonly span: Span
  readonly text: string
}

/** A safe textual repair: replaces one span. */
export interface Fix {
  readonly title: string
  readonly span: Span
  readonly replacement: string
}

/** One thing that is wrong with the user's program, at its place, in the user's words. */
export interface Diagnostic {
  readonly code: Code
  readonly severity: Severity
  readonly message: string
  readonly span: Span
  /** What stands under the carets. */
  readonly note: string | undefined
  readonly labels: readonly Label[]
  readonly help: string | undefined
  readonly fix: Fix | undefined
  /** What is behind it: of several diagnostics with one cause the first is told. */
  readonly cause: string | undefined
}

export interface Extras {
  readonly cause?: string | undefined
  readonly note?: string | undefined
  readonly labels?: readonly Label[] | undefined
  readonly help?: string | undefined
  readonly fix?: Fix | undefined
}

/** Makes a diagnostic of the catalogue; details that the code's text does not ask for are type errors. */
export function diagnose<C extends Code>(
  code: C,
  span: Span,
  details: Details<C>,
  extras: Extras = {},
): Diagnostic {
  const entry = catalogue[code] as {
    readonly severity: Severity
    readonly text: (details: Details<C>) => string
    readonly help?: (details: Details<C>) => string | undefined
  }
  return {
    code,
    severity: entry.severity,
    message: entry.text(details),
    span,
    note: extras.note,
    labels: extras.labels ?? [],
    help: extras.help ?? entry.help?.(details),
    fix: extras.fix,
    cause: extras.cause,
  }
}

/** Gathers diagnostics; the same code at the same place is kept once, and so is what has the same cause. */
export class Diagnostics {
  readonly #list: Diagnostic[] = []
  readonly #seen = new Set<string>()
  readonly #causes = new Set<string>()

  readonly report = (diagnostic: Diagnostic): void => {
    const { code, span } = diagnostic
    const key = `${code} ${span.source.name} ${span.start} ${span.end}`
    const cause = diagnostic.cause && `${code} ${diagnostic.cause}`
    if (this.#seen.has(key) || (cause && this.#causes.has(cause))) return
    this.#seen.add(key)
    if (cause) this.#causes.add(cause)
    this.#list.push(diagnostic)
  }

  /** By file in order of first report, then by place. */
  get list(): readonly Diagnostic[] {
    const files = [...new Set(this.#list.map(d => d.span.source))]
    return [...this.#list].sort(
      (a, b) => files.indexOf(a.span.source) - files.indexOf(b.span.source) || a.span.start - b.span.start,
    )
  }

  get hasErrors(): boolean {
    return this.#list.some(d => d.severity === 'error')
  }
}

export type Report = Diagnostics['report']
