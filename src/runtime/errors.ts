import type { RunErrorEvent } from './events.ts'
import type { Trace } from './training.ts'

/** What the process exits with. */
export const exitCodes = {
  ok: 0,
  /** The program or its data is wrong. */
  program: 1,
  /** The command was asked for something that does not exist. */
  usage: 2,
  /** Training failed: a loss that is not finite, memory exhausted. */
  training: 3,
  /** A bug of ltm itself. */
  internal: 4,
  /** Interrupted, and saved. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export interface RunErrorDetails {
  /** `LTM6xxx` for the run, `LTM5xxx` for data. */
  readonly code: string
  readonly message: string
  readonly trace?: Trace | undefined
  readonly help?: string | undefined
  readonly exitCode?: ExitCode
}

/** A fault of a run that its author can act on: it speaks of the `.ltm` file and never shows a stack. */
export class RunError extends Error {
  readonly code: string
  readonly trace: Trace | undefined
  readonly help: string | undefined
  readonly exitCode: ExitCode

  constructor(details: RunErrorDetails) {
    super(details.message)
    this.name = 'RunError'
    this.code = details.code
    this.trace = details.trace
    this.help = details.help
    this.exitCode = details.exitCode ?? exitCodes.program
  }
}

/** The same fault, said of another place: what was found there goes before what was done about it. */
export function withPlace(error: RunError, found: string, trace: Trace | undefined): RunError {
  const { code, message, help, exitCode } = error
  const [first = message, ...rest] = message.split('; ')
  return new RunError({ code, message: [`${first}: ${found}`, ...rest].join('; '), trace, help, exitCode })
}

/** What is told of a run that failed. An error of another kind is a bug, which has no code. */
export function errorEvent(error: unknown): RunErrorEvent {
  if (!(error instanceof RunError)) {
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'run_error', message, exitCode: exitCodes.internal }
  }
  const { code, message, trace, help, exitCode } = error
  const known = Object.entries({ trace, help }).filter(([, text]) => text !== undefined)
  return { kind: 'run_error', code, message, ...Object.fromEntries(known), exitCode }
}

/** How a run error reads on a terminal without colours. */
export function describeRunError(error: RunError): string {
  const place = error.trace === undefined ? '' : `\n  --> ${error.trace}`
  const help = error.help === undefined ? '' : `\n  = help: ${error.help}`
  return `error[${error.code}]: ${error.message}${place}${help}`
}

/** What a step throws to leave its batch out; the trainer catches it. */
export class SkipBatch extends Error {
  constructor() {
    super('`skip` was called outside a step that the trainer runs')
    this.name = 'SkipBatch'
  }
}
