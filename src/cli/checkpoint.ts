import { Command } from 'commander'
import { loadCheckpoint } from '../runtime/checkpoint.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { diffCheckpoints, diffText, isSame } from './checkpointDiff.ts'
import { checkpointJson, showCheckpoint } from './checkpointShow.ts'
import { verdictSummary, verdictText, verifyAll } from './checkpointVerify.ts'
import { type Cli, Stop } from './cli.ts'
import { fileProblem } from './fileProblems.ts'
import { afterHelp } from './help.ts'
import { newestAt } from './resume.ts'
import { showJson } from './show.ts'

interface CheckpointOptions {
  readonly json?: true
}

type Finish = (code: ExitCode) => void

/** `ltm checkpoint show | diff | verify`: what checkpoints hold, without the program that they are of. */
export function checkpointCommand(cli: Cli, finish: Finish): Command {
  const command = new Command('checkpoint')
    .description('look at checkpoints: what they hold, what two differ in, whether they are whole')
    .helpCommand(false)
    .addHelpText(
      'after',
      afterHelp([
        'ltm checkpoint show runs/DigitClassifier/v1',
        'ltm checkpoint diff runs/DigitClassifier/v1 runs/DigitClassifier/v2',
        'ltm checkpoint verify runs',
      ]),
    )
  for (const make of [showCommand, diffCommand, verifyCommand])
    command.addCommand(make(cli, finish).copyInheritedSettings(command))
  return command
}

/** A path may be the folder of a run, which stands for its newest checkpoint. */
function showCommand(cli: Cli, finish: Finish): Command {
  return new Command('show')
    .description('tell what a checkpoint holds: where its run was, tensors, what was logged')
    .argument('<path>', 'a checkpoint, or a run, whose newest is taken')
    .option('--json', 'print all of it as JSON')
    .action(async (path: string, { json }: CheckpointOptions) => {
      const { path: found } = await newestAt(path)
      const snapshot = await loadCheckpoint(found)
      if (json) showJson(checkpointJson(found, snapshot), cli)
      else cli.terminal.out(showCheckpoint(found, snapshot))
      finish(exitCodes.ok)
    })
}

function diffCommand(cli: Cli, finish: Finish): Command {
  return new Command('diff')
    .description('tell what two checkpoints differ in; exit code 1 where they do')
    .argument('<first>', 'a checkpoint, or a run, whose newest is taken')
    .argument('<second>', 'another one')
    .option('--json', 'print all of it as JSON')
    .action(async (first: string, second: string, { json }: CheckpointOptions) => {
      const snapshots = await Promise.all(
        [first, second].map(newestAt).map(async found => loadCheckpoint((await found).path)),
      )
      const [one, other] = snapshots
      const diff = diffCheckpoints(one!, other!)
      if (json) showJson(diff, cli)
      else cli.terminal.out(diffText(diff))
      finish(isSame(diff) ? exitCodes.ok : exitCodes.program)
    })
}

function verifyCommand(cli: Cli, finish: Finish): Command {
  return new Command('verify')
    .description('hold every byte of the checkpoints at or below a path against their manifests')
    .argument('<path>', 'a checkpoint, a run, or a folder of runs')
    .option('--json', 'print what was found as JSON')
    .action(async (path: string, { json }: CheckpointOptions) => {
      const verdicts = await verifyAll(path)
      if (verdicts.length === 0) throw nothingAt(path)
      if (json) showJson(verdicts, cli)
      else
        for (const text of [...verdicts.map(verdictText), verdictSummary(verdicts)])
          cli.terminal.out(`${text}\n`)
      finish(verdicts.some(({ damage }) => damage !== undefined) ? exitCodes.program : exitCodes.ok)
    })
}

function nothingAt(path: string): Stop {
  const problem = fileProblem('LTM0008', path, 'name a checkpoint, the folder of a run, or a folder of runs')
  return new Stop(exitCodes.program, problem.message, [problem])
}
