import type { Command } from 'commander'
import type { ExitCode } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { afterHelp } from './help.ts'
import { batchesOf, orderOf, type TrainingOptions, trainingCommand } from './trainingCommand.ts'

/** `ltm run FILE`: trains. */
export function runCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  const examples = [
    'ltm run digits.ltm',
    'ltm run digits.ltm --lr 3e-4 --seed 2',
    'ltm run digits.ltm --backend tensorflow',
    'ltm run digits.ltm --resume',
    'ltm run digits.ltm --fast-dev-run',
    'ltm run digits.ltm --profile --epochs 2',
  ]
  return trainingCommand('run')
    .description('train the models of a program')
    .usage('<file> [options] [--HYPER VALUE…]')
    .option(
      '--resume [what]',
      'go on where a run ended: `latest` (or nothing), `best`, a checkpoint, or the folder of a run',
    )
    .option(
      '--accept-changes',
      'with --resume: go on although the program, its settings or its data have changed',
    )
    .option(
      '--fast-dev-run [batches]',
      'try one epoch of so many batches of each phase (1), and keep nothing',
      batchesOf,
    )
    .option('--overfit <batches>', 'train on the first batches alone, in the order of the data', batchesOf)
    .option('--profile', 'tell where the time went, by part and by line, and write a trace for a viewer')
    .option('--detect-anomaly', 'find the operator that first makes a NaN or an infinity, and stop there')
    .addHelpText('after', afterHelp(examples))
    .action(async (path: string, options: TrainingOptions, command: Command) =>
      finish(await cli.train(orderOf('train', path, options, command))),
    )
}
