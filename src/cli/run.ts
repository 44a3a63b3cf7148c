import type { Command } from 'commander'
import type { ExitCode } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { afterHelp } from './help.ts'
import { runTraining, type TrainingOptions, trainingCommand } from './training.ts'

/** `ltm run FILE`: trains. */
export function runCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  const examples = [
    'ltm run digits.ltm',
    'ltm run digits.ltm --lr 3e-4 --seed 2',
    'ltm run digits.ltm --backend tensorflow',
  ]
  return trainingCommand('run')
    .description('train the models of a program')
    .usage('<file> [options] [--HYPER VALUE…]')
    .option('--resume <path>', 'go on from this checkpoint')
    .addHelpText('after', afterHelp(examples))
    .action(async (path: string, options: TrainingOptions, command: Command) =>
      finish(await runTraining('train', path, options, command, cli)),
    )
}
