import { type Command, InvalidArgumentError } from 'commander'
import type { ExitCode } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { afterHelp } from './help.ts'
import { orderOf, type TrainingOptions, trainingCommand } from './trainingCommand.ts'

/** `ltm predict FILE`: runs the predict steps and writes what they return. */
export function predictCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return trainingCommand('predict')
    .description('run the predict steps and write their results, one line an example')
    .usage('<file> [options] [--HYPER VALUE…]')
    .option('--checkpoint <path>', 'the checkpoint (default: the best or latest of the newest run)')
    .option(
      '--out <file>',
      'where to write: a .jsonl, .csv or .npz file (default: JSON lines to the terminal)',
      outOf,
    )
    .addHelpText(
      'after',
      afterHelp(['ltm predict digits.ltm', 'ltm predict digits.ltm --out predictions.csv']),
    )
    .action(async (path: string, options: TrainingOptions, command: Command) =>
      finish(await cli.train(orderOf('predict', path, options, command))),
    )
}

function outOf(text: string): string {
  if (/\.(jsonl|csv|npz)$/.test(text)) return text
  throw new InvalidArgumentError('Its ending says the format: .jsonl, .csv or .npz.')
}
