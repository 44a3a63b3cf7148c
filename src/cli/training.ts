import { Command, InvalidArgumentError, Option } from 'commander'
import { printProgram } from '../ir/print.ts'
import type { ExitCode } from '../runtime/errors.ts'
import type { ProgramText } from '../runtime/identity.ts'
import type { Limit } from '../runtime/training.ts'
import { badUsage, type Cli, Stop } from './cli.ts'
import { chooseProgram, compileFile, compilePrograms } from './compileFile.ts'
import { chooseEngine, engines } from './engine.ts'
import { execute } from './execute.ts'
import { openFiles } from './files.ts'
import { checkHyperNames, type Hypers, setOption } from './hypers.ts'
import type { RunRequest } from './ports.ts'
import { type Resumed, resumedCheckpoint } from './resume.ts'
import { tellStop } from './stopEvents.ts'

/** What `run`, `test` and `predict` are told alike. */
export interface TrainingOptions {
  readonly engine: (typeof engines)[number]
  readonly backend: string
  readonly set?: Hypers
  readonly train?: string
  readonly runs?: string
  readonly seed?: number
  readonly json?: true
  readonly checkpoint?: string
  /** What to go on from: a checkpoint, a run, `latest` or `best`. */
  readonly resume?: string | true
  readonly acceptChanges?: true
  readonly out?: string
  readonly profile?: true
  readonly detectAnomaly?: true
  readonly fastDevRun?: number | true
  readonly overfit?: number
  readonly limit?: Limit
  readonly deterministic?: true
}

/** A command that takes a program to the trainer; flags it does not know are hypers. */
export function trainingCommand(name: RunRequest['mode'] | 'run'): Command {
  return new Command(name)
    .argument('<file>', 'an ltm file')
    .addOption(
      new Option('--engine <name>', 'whether steps run as compiled graphs, or operator by operator')
        .choices([...engines])
        .default('auto'),
    )
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .addOption(setOption('set a hyper; `--NAME VALUE` says the same'))
    .option('--train <name>', 'the train declaration, where there are several')
    .option('--runs <directory>', 'where runs are kept (default: runs)')
    .option('--seed <number>', 'the seed, instead of the one in the program', seedOf)
    .option('--limit <count>', 'see so many batches of each phase, or a share of them such as 0.1', limitOf)
    .option('--deterministic', 'compute on a backend that gives the same bits each time')
    .option('--json', 'print nothing but events, one JSON object a line')
}

/** A seed as it is typed. */
export function seedOf(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new InvalidArgumentError('It is a whole number from 0.')
}

/** Batches as they are typed. */
export function batchesOf(text: string): number {
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new InvalidArgumentError('It is a whole number of batches, 1 or more.')
}

function limitOf(text: string): Limit {
  const share = Number(text)
  if (/[.e]/.test(text) && share > 0 && share <= 1) return { share }
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(share)) return { batches: share }
  throw new InvalidArgumentError('It is a number of batches, 1 or more, or a share of them, as in 0.1.')
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
  const resumed = await resumedFor(path, options, cli)
  const hypers = new Map([...(resumed?.hypers ?? []), ...(options.set ?? [])])
  const files = openFiles()
  const program = chooseProgram(await compilePrograms(path, cli, { hypers }, files), options.train)
  checkHyperNames(options.set, [program], command.options)
  const { backend, runs, seed, out, acceptChanges = false, json = false } = options
  const { profile = false, detectAnomaly = false } = options
  const checkpoint = options.checkpoint ?? resumed?.path
  const before = options.engine === 'auto' ? resumed?.backend : undefined
  const chosen = await chooseEngine(program, { engine: engineOf(options), backend, before }, cli)
  const { graphs, note } = chosen
  const asked = { mode, graphs, note, backend, runs, seed, json, checkpoint, out, acceptChanges }
  const { fastDevRun, overfit, limit, deterministic = false } = options
  const trials = { fastDevRun: fastDevRun === true ? 1 : fastDevRun, overfit, limit, deterministic }
  const request = { ...asked, profile, detectAnomaly, trials }
  const text = (): ProgramText => ({
    version: cli.version,
    hypers: Object.fromEntries(hypers),
    sources: files.sources(),
    ir: printProgram(program),
  })
  return execute(chosen.program, path, { ...request, skipped: resumed?.skipped ?? [], program: text }, cli)
}

/** Single operators are looked at where they run one by one. */
function engineOf({ engine, detectAnomaly }: TrainingOptions): TrainingOptions['engine'] {
  if (!detectAnomaly) return engine
  if (engine !== 'compiled') return 'eager'
  throw badUsage(
    '`--detect-anomaly` looks at single operators, and a compiled graph has none',
    'Leave `--engine compiled` out.',
  )
}

/**
 * Where a run goes on, with the hypers that it was given when it began: they count again, but for those that are given
 * anew. The program is compiled for its name alone; what is wrong with it is told when it is compiled for the run.
 */
async function resumedFor(path: string, options: TrainingOptions, cli: Cli): Promise<Resumed | undefined> {
  const { resume, runs = 'runs', set = new Map(), train } = options
  if (resume === undefined) return undefined
  const { programs } = await compileFile(path, cli, { hypers: set })
  if (programs.length === 0) return undefined
  const { name, hypers: known } = chooseProgram(programs, train)
  const resumed = await resumedCheckpoint(runs, name, resume)
  const hypers = [...resumed.hypers].filter(([name]) => known.some(hyper => hyper.name === name))
  return { ...resumed, hypers: new Map(hypers) }
}
