import { Bug } from '../base/bug.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { type Cli, Stop } from './cli.ts'
import { showRunError } from './runErrors.ts'
import { showWithSummary } from './show.ts'

/** Says what went wrong, in the way that fits its kind, and with which code to leave. */
export function explain(error: unknown, cli: Cli): ExitCode {
  if (error instanceof Stop) return showStop(error, cli)
  return showRunError(error, cli) ?? showBug(error, cli)
}

function showStop(stop: Stop, cli: Cli): ExitCode {
  if (stop.shown.length > 0) showWithSummary(stop.shown, cli)
  else cli.terminal.err(`error: ${stop.message}\n`)
  return stop.code
}

/** An error of ours. The stack goes into a report, so it is shown only to who asks for it. */
function showBug(error: unknown, cli: Cli): ExitCode {
  const message = error instanceof Error ? error.message : String(error)
  const bug = error instanceof Bug ? message : new Bug(message).message
  cli.terminal.err(`internal error: ${bug}\n`)
  if (process.env.LTM_DEBUG && error instanceof Error) cli.terminal.err(`${error.stack}\n`)
  else cli.terminal.err('With LTM_DEBUG=1 in the environment the report can say where it happened.\n')
  return exitCodes.internal
}
