import { Command, InvalidArgumentError, Option } from 'commander'
import type { ExitCode } from '../runtime/errors.ts'
import { type Cli, Stop } from './cli.ts'
import { chooseProgram, compilePrograms } from './compileFile.ts'
import { execute } from './execute.ts'
import { checkHyperNames, type Hypers, setOption } from './hypers.ts'
import type { RunRequest } from './ports.ts'
import { tellStop } from './stopEvents.ts'

/** What `run`, `test` and `predict` are told alike. */
export interface TrainingOptions {
  readonly backend: string
  readonly set?: Hypers
  readonly train?: string
  readonly runs?: string
  readonly seed?: number
  readonly json?: true
  readonly checkpoint?: string
  /** The checkpoint to go on from. */
  readonly resume?: string
  readonly out?: string
}

/** A command that takes a program to the trainer; flags it does not know are hypers. */
export function trainingCommand(name: RunRequest['mode'] | 'run'): Command {
  return new Command(name)
    .argument('<file>', 'an ltm file')
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .addOption(setOption('set a hyper; `--NAME VALUE` says the same'))
    .option('--train <name>', 'the train declaration, where there are several')
    .option('--runs <directory>', 'where runs are kept (default: runs)')
    .option('--seed <number>', 'the seed, instead of the one in the program', seedOf)
    .option('--json', 'print nothing but events, one JSON object a line')
}

/** A seed as it is typed. */
export function seedOf(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new InvalidArgumentError('It is a whole number from 0.')
}

/** Compiles the file and lets the trainer run it. */
export async function runTraining(
  mode: RunRequest['mode'],
  path: string,
  options: TrainingOptions,
  command: Command,
  cli: Cli,
): Promise<ExitCode> {
  try {
    return await compileAndRun(mode, path, options, command, cli)
  } catch (error) {
    if (options.json && error instanceof Stop) tellStop(error, cli)
    throw error
  }
}

async function compileAndRun(
  mode: RunRequest['mode'],
  path: string,
  options: TrainingOptions,
  command: Command,
  cli: Cli,
): Promise<ExitCode> {
  const programs = await compilePrograms(path, cli, { hypers: options.set ?? new Map() })
  const program = chooseProgram(programs, options.train)
  checkHyperNames(options.set, [program], command.options)
  const { backend, runs, seed, out } = options
  const checkpoint = options.checkpoint ?? options.resume
  return execute(
    program,
    path,
    { mode, backend, runs, seed, json: options.json ?? false, checkpoint, out },
    cli,
  )
}
