import { positionAt } from '../base/source.ts'
import type { Renderable } from '../diagnostics/render.ts'
import type { ExitCode } from '../runtime/errors.ts'
import type { RunErrorEvent } from '../runtime/events.ts'
import type { Cli, Stop } from './cli.ts'

/** With `--json` a run that never started ends as one that failed does: with an event for each thing that is wrong. */
export function tellStop(stop: Stop, cli: Cli): void {
  for (const event of eventsOf(stop)) cli.terminal.out(`${JSON.stringify(event)}\n`)
}

function eventsOf({ shown, message, code: exitCode }: Stop): readonly RunErrorEvent[] {
  if (shown.length > 0) {
    return shown.flatMap(each => (each.severity === 'error' ? [eventOf(each, exitCode)] : []))
  }
  const [headline = message, ...help] = message.split('\n')
  const rest = help.length > 0 ? { help: help.join('\n') } : {}
  return [{ kind: 'run_error', message: headline, ...rest, exitCode }]
}

function eventOf({ code, message, span, help }: Renderable, exitCode: ExitCode): RunErrorEvent {
  const place = span && positionAt(span.source, span.start)
  return {
    kind: 'run_error',
    code,
    message,
    ...(span && place && { trace: `${span.source.name}:${place.line}:${place.column}` }),
    ...(help !== undefined && { help }),
    exitCode,
  }
}
