import type { Command } from 'commander'
import type { ExitCode } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { afterHelp } from './help.ts'
import { orderOf, type TrainingOptions, trainingCommand } from './trainingCommand.ts'

/** `ltm test FILE`: runs the test steps on trained weights. */
export function testCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  const examples = [
    'ltm test digits.ltm',
    'ltm test digits.ltm --checkpoint runs/DigitClassifier/v1/checkpoints/best',
  ]
  return trainingCommand('test')
    .description('run the test steps with the weights of a checkpoint')
    .usage('<file> [options] [--HYPER VALUE…]')
    .option('--checkpoint <path>', 'the checkpoint (default: the best or latest of the newest run)')
    .addHelpText('after', afterHelp(examples))
    .action(async (path: string, options: TrainingOptions, command: Command) =>
      finish(await cli.train(orderOf('test', path, options, command))),
    )
}
