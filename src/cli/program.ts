import { Command, CommanderError } from 'commander'
import { Bug } from '../base/bug.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { buildCommand } from './build.ts'
import { checkCommand } from './check.ts'
import { checkpointCommand } from './checkpoint.ts'
import { type Cli, Stop } from './cli.ts'
import { doctorCommand } from './doctor.ts'
import { explainCommand } from './explain.ts'
import { fmtCommand } from './fmt.ts'
import { afterHelp } from './help.ts'
import { hyperFlags } from './hypers.ts'
import { irCommand } from './ir.ts'
import { predictCommand } from './predict.ts'
import { runCommand } from './run.ts'
import { showRunError } from './runErrors.ts'
import { showWithSummary } from './show.ts'
import { summaryCommand } from './summary.ts'
import { sweepCommand } from './sweep/sweep.ts'
import { testCommand } from './test.ts'
import { testConstraintsCommand } from './testConstraints.ts'
import { tuneCommand } from './tune.ts'

/** The whole command line: arguments in, exit code out. Nothing is thrown. */
export async function runCli(args: readonly string[], cli: Cli): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const program = declare(cli, given => {
    code = given
  })
  try {
    await program.parseAsync(withHypers(args, program), { from: 'user' })
    return code
  } catch (error) {
    return explain(error, cli)
  }
}

function declare(cli: Cli, finish: (code: ExitCode) => void): Command {
  const program = new Command('ltm')
    .description('A language for training models.')
    .version(cli.version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureOutput({ writeOut: cli.terminal.out, writeErr: cli.terminal.err })
    .exitOverride()
    .showHelpAfterError('See --help.')
    .addHelpText(
      'after',
      afterHelp(['ltm check digits.ltm', 'ltm run digits.ltm --lr 3e-4', 'ltm run --help']),
    )
  const commands = [
    checkCommand,
    runCommand,
    testCommand,
    testConstraintsCommand,
    predictCommand,
    summaryCommand,
    checkpointCommand,
    tuneCommand,
    sweepCommand,
    irCommand,
    buildCommand,
    explainCommand,
    fmtCommand,
    doctorCommand,
  ]
  for (const make of commands) program.addCommand(make(cli, finish).copyInheritedSettings(program))
  return program
}

/** For the commands that take hypers, flags that they don't know become `--set`. */
function withHypers(args: readonly string[], program: Command): readonly string[] {
  const [name = '', ...rest] = args
  if (!['run', 'test', 'predict', 'summary', 'tune', 'sweep'].includes(name)) return args
  const command = program.commands.find(one => one.name() === name)
  const help = { long: '--help', short: '-h', required: false, optional: false }
  return [name, ...hyperFlags(rest, [...(command?.options ?? []), help])]
}

// ── Ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Says what went wrong, in the way that fits its kind, and with which code to leave. */
export function explain(error: unknown, cli: Cli): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
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
