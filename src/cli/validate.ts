import type { Command } from 'commander'
import type { ExitCode } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { afterHelp } from './help.ts'
import { orderOf, type TrainingOptions, trainingCommand } from './trainingCommand.ts'

/** `ltm validate FILE`: runs the validation steps on trained weights. */
export function validateCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  const examples = [
    'ltm validate digits.ltm',
    'ltm validate digits.ltm --checkpoint runs/DigitClassifier/v1/checkpoints/latest',
  ]
  return trainingCommand('validate')
    .description('run the validation steps with the weights of a checkpoint')
    .usage('<file> [options] [--HYPER VALUE…]')
    .option('--checkpoint <path>', 'the checkpoint (default: the best or latest of the newest run)')
    .addHelpText('after', afterHelp(examples))
    .action(async (path: string, options: TrainingOptions, command: Command) =>
      finish(await cli.train(orderOf('validate', path, options, command))),
    )
}
