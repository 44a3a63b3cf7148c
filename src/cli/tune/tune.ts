import { Command, InvalidArgumentError, Option } from 'commander'
import type { ExitCode } from '../../runtime/errors.ts'
import type { Cli } from '../cli.ts'
import type { engines } from '../engine.ts'
import { backendOption, engineOption } from '../engineOptions.ts'
import { afterHelp } from '../help.ts'
import { type Hypers, setOption } from '../hypers.ts'
import { batchesOf, seedOf } from '../trainingCommand.ts'
import { tryBatch, tuneBatch } from './batch.ts'
import { tuneRate } from './rate.ts'

/** What is found, and how. */
export interface TuneOptions {
  readonly find: 'rate' | 'batch'
  readonly hyper?: string
  readonly from?: number
  readonly to?: number
  readonly steps?: number
  readonly stopAt: number
  readonly method: 'power' | 'binary'
  readonly memory?: number
  /** It is one of the processes that try a batch size each. */
  readonly trial?: true
  readonly engine: (typeof engines)[number]
  readonly backend: string
  readonly runs: string
  readonly train?: string
  readonly seed?: number
  readonly set?: Hypers
  readonly json?: true
}

/** `ltm tune FILE`: a learning rate to begin with, or how large a batch may be. */
export function tuneCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('tune')
    .description('find a learning rate to begin with, or how large a batch may be')
    .argument('<file>', 'an ltm file')
    .usage('<file> [options] [--HYPER VALUE…]')
    .addOption(
      new Option('--find <what>', 'a learning rate, or the size of a batch')
        .choices(['rate', 'batch'])
        .default('rate'),
    )
    .option('--hyper <name>', 'the hyper that holds it, where there are several')
    .option('--from <number>', 'the first that is tried (rates: 1e-8, batches: 2)', positive)
    .option('--to <number>', 'the last (rates: 1, batches: 8192)', positive)
    .option('--steps <number>', 'how many rates (100), or batches of each size (5)', batchesOf)
    .option('--stop-at <factor>', 'rates: stop where the loss is so many times its least', positive, 4)
    .addOption(
      new Option('--method <name>', 'batches: double the size, or then halve the gap as well')
        .choices(['power', 'binary'])
        .default('power'),
    )
    .option(
      '--memory <size>',
      'batches: what the process may take, such as 2GiB (default: 0.8 of what is free)',
      bytesOf,
    )
    .addOption(engineOption())
    .addOption(backendOption())
    .addOption(setOption('set another hyper; `--NAME VALUE` says the same'))
    .option('--train <name>', 'the train declaration, where there are several')
    .option('--runs <directory>', 'where the plot of rates goes, beside the runs', 'runs')
    .option('--seed <number>', 'the seed, instead of the one in the program', seedOf)
    .option('--json', 'print the trials as JSON')
    .addOption(new Option('--trial').hideHelp())
    .addHelpText(
      'after',
      afterHelp([
        'ltm tune digits.ltm',
        'ltm tune gan.ltm --hyper critic_lr --to 0.1 --steps 200',
        'ltm tune digits.ltm --find batch --memory 2GiB',
      ]),
    )
    .action(async (path: string, options: TuneOptions, command: Command) => {
      const tune = options.trial ? tryBatch : options.find === 'batch' ? tuneBatch : tuneRate
      finish(await tune(path, options, command, cli))
    })
}

function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It is a number above 0.')
}

const units: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** `2GiB`, `500M`: in powers of 1024. */
function bytesOf(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt])i?b?$/i.exec(text) ?? []
  const value = Number(number) * (units[unit.toLowerCase()] ?? 0)
  if (value > 0) return value
  throw new InvalidArgumentError('It is a size such as 500MiB or 2GiB.')
}
