import { dirname, join } from 'node:path'
import { lineStarts, lineText, type Span } from '../base/source.ts'
import type { Renderable } from '../diagnostics/render.ts'
import { type ExitCode, RunError } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { isProblem, readSource } from './files.ts'
import { showAll } from './show.ts'

/** Shows a fault of a run at its `.ltm` line; nothing for errors of another kind. */
export function showRunError(error: unknown, cli: Cli): ExitCode | undefined {
  if (!(error instanceof RunError)) return undefined
  showAll([asDiagnostic(error)], cli)
  cli.terminal.err(`\`ltm explain ${error.code}\` tells more\n`)
  return error.exitCode
}

/** The traces of a program begin in its folder; a fault of a run is told by the path that leads to its file from here. */
export function seenFromHere(error: unknown, program: string): unknown {
  if (!(error instanceof RunError) || error.trace === undefined) return error
  const { code, message, help, exitCode } = error
  const trace = join(dirname(program), error.trace)
  return spanOfTrace(trace) ? new RunError({ code, message, trace, help, exitCode }) : error
}

/** Where the file of the trace can't be read any more, its place goes into the message. */
function asDiagnostic(error: RunError): Renderable {
  const span = error.trace === undefined ? undefined : spanOfTrace(error.trace)
  const place = span || error.trace === undefined ? '' : ` (${error.trace})`
  return {
    ...{ code: error.code, severity: 'error', message: `${error.message}${place}`, span },
    ...{ note: undefined, labels: [], help: error.help, fix: undefined },
  }
}

/** The line, or the rest of it from a column, that `digits.ltm:12` or `digits.ltm:12:5` means. */
export function spanOfTrace(trace: string): Span | undefined {
  const [, path = '', lineNumber = '', column] = /^(.*?):(\d+)(?::(\d+))?$/.exec(trace) ?? []
  const line = Number(lineNumber)
  const source = path === '' ? undefined : readSource(path)
  if (!source || isProblem(source)) return undefined
  const lineStart = lineStarts(source)[line - 1]
  if (lineStart === undefined) return undefined
  const text = lineText(source, line)
  const skipped = column === undefined ? text.length - text.trimStart().length : Number(column) - 1
  return { source, start: lineStart + skipped, end: lineStart + Math.max(skipped, text.trimEnd().length) }
}
