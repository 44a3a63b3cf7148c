import { Command, InvalidArgumentError } from 'commander'
import type { Limit } from '../runtime/training.ts'
import { batchesIn, limitIn } from '../runtime/trials.ts'
import type { engines } from './engine.ts'
import { backendOption, engineOption } from './engineOptions.ts'
import { type Flag, type Hypers, setOption } from './hypers.ts'
import type { Mode } from './ports.ts'

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
export function trainingCommand(name: Mode | 'run'): Command {
  return new Command(name)
    .argument('<file>', 'an ltm file')
    .addOption(engineOption())
    .addOption(backendOption())
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
  const batches = batchesIn(text)
  if (batches !== undefined) return batches
  throw new InvalidArgumentError('It is a whole number of batches, 1 or more.')
}

function limitOf(text: string): Limit {
  const limit = limitIn(text)
  if (limit !== undefined) return limit
  throw new InvalidArgumentError('It is a number of batches, 1 or more, or a share of them, as in 0.1.')
}

/** What the person asked for, as the thread takes it that trains. */
export interface TrainingOrder {
  readonly mode: Mode
  /** The `.ltm` file. */
  readonly path: string
  readonly options: TrainingOptions
  /** Those that the command has, for what was meant by another. */
  readonly flags: readonly Flag[]
}

/** The order that a command and its arguments make. */
export function orderOf(mode: Mode, path: string, options: TrainingOptions, command: Command): TrainingOrder {
  const flags = command.options.map(({ long, short, required, optional }) => ({
    long,
    short,
    required,
    optional,
  }))
  return { mode, path, options, flags }
}
