import { Command, CommanderError } from 'commander'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { explain } from './ends.ts'
import { afterHelp } from './help.ts'
import { hyperFlags } from './hypers.ts'

type Finish = (code: ExitCode) => void

/** Declares a command; its exit code goes to `finish`. */
type Declare = (cli: Cli, finish: Finish) => Command

/** Each command by its name; one is loaded when it is called, and all for what speaks of all. */
const commands: ReadonlyMap<string, () => Promise<Declare>> = new Map([
  ['check', async () => (await import('./check.ts')).checkCommand],
  ['run', async () => (await import('./run.ts')).runCommand],
  ['validate', async () => (await import('./validate.ts')).validateCommand],
  ['test', async () => (await import('./test.ts')).testCommand],
  ['test-constraints', async () => (await import('./testConstraints.ts')).testConstraintsCommand],
  ['predict', async () => (await import('./predict.ts')).predictCommand],
  ['summary', async () => (await import('./summary.ts')).summaryCommand],
  ['tune', async () => (await import('./tune/tune.ts')).tuneCommand],
  ['sweep', async () => (await import('./sweep/sweep.ts')).sweepCommand],
  ['ir', async () => (await import('./ir.ts')).irCommand],
  ['build', async () => (await import('./build.ts')).buildCommand],
  ['checkpoint', async () => (await import('./checkpoint.ts')).checkpointCommand],
  ['explain', async () => (await import('./explain.ts')).explainCommand],
  ['fmt', async () => (await import('./fmt.ts')).fmtCommand],
  ['doctor', async () => (await import('./doctor.ts')).doctorCommand],
])

/** The whole command line: arguments in, exit code out. Nothing is thrown. */
export async function runCli(args: readonly string[], cli: Cli): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const named = commands.get(args[0] ?? '')
  const loaded = await Promise.all((named ? [named] : [...commands.values()]).map(load => load()))
  const program = declare(loaded, cli, given => {
    code = given
  })
  try {
    await program.parseAsync(withHypers(args, program), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return explain(error, cli)
  }
}

function declare(loaded: readonly Declare[], cli: Cli, finish: Finish): Command {
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
  for (const make of loaded) program.addCommand(make(cli, finish).copyInheritedSettings(program))
  return program
}

/** For the commands that take hypers, flags that they don't know become `--set`. */
function withHypers(args: readonly string[], program: Command): readonly string[] {
  const [name = '', ...rest] = args
  if (!['run', 'validate', 'test', 'predict', 'summary', 'tune', 'sweep'].includes(name)) return args
  const command = program.commands.find(one => one.name() === name)
  const help = { long: '--help', short: '-h', required: false, optional: false }
  return [name, ...hyperFlags(rest, [...(command?.options ?? []), help])]
}
