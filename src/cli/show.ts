import { type Renderable, renderDiagnostic, summarize } from '../diagnostics/render.ts'
import type { Cli } from './cli.ts'

/** Writes diagnostics to the error stream, a blank line between them. */
export function showAll(diagnostics: readonly Renderable[], cli: Cli): void {
  const { err, style } = cli.terminal
  for (const diagnostic of diagnostics) err(`${renderDiagnostic(diagnostic, style)}\n\n`)
}

/** The same, their number, and where more is told of the first. */
export function showWithSummary(diagnostics: readonly Renderable[], cli: Cli): void {
  showAll(diagnostics, cli)
  const [first] = diagnostics
  if (first) cli.terminal.err(`${summarize(diagnostics)}; \`ltm explain ${first.code}\` tells more\n`)
}

/** A value for programs to read, indented for people who look over their shoulder. */
export function showJson(value: unknown, cli: Cli): void {
  cli.terminal.out(jsonText(value))
}

/** The text of {@link showJson}. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
