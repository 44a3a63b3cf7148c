#!/usr/bin/env node
import type { ExitCode } from '../runtime/errors.ts'
import { mayBeNative } from '../runtime/installed.ts'
import { isBuilt, moduleUrl } from '../runtime/ownFiles.ts'
import type { Cli } from './cli.ts'
import { explain } from './ends.ts'
import { readVersion } from './package.ts'
import { runCli } from './program.ts'
import { flush, openTerminal } from './terminal.ts'
import type { TrainingThread } from './thread.ts'
import { optimizeLate } from './tiering.ts'
import type { TrainingOptions } from './trainingCommand.ts'

optimizeLate(process.argv[2])

let thread: TrainingThread | undefined

const cli: Cli = {
  version: readVersion(),
  terminal: openTerminal(code => void leave(code)),
  checker: () => import('../checker.ts'),
  compiler: () => import('../compiler.ts'),
  runtime: async () => (await import('./runtimePort.ts')).runtimePort,
  runtimeUrl: moduleUrl('runtime/index').href,
  train: async order => {
    if (needsMainThread(order.options)) return (await import('./training.ts')).runTraining(order, cli)
    const { startThread } = await import('./thread.ts')
    thread = startThread(order, cli)
    return thread.ended()
  },
}

/** Native libraries of eager backends do not live in a thread, nor does what loads the sources as they are. */
function needsMainThread({ engine, backend }: TrainingOptions): boolean {
  return !isBuilt || (engine !== 'compiled' && mayBeNative(backend))
}

/** What is at work is stopped first. */
async function leave(code: ExitCode): Promise<void> {
  await thread?.stop('nobody')
  process.exit(code)
}

process.on('uncaughtException', error => void leave(explain(error, cli)))
const code = await runCli(process.argv.slice(2), cli)
await flush()
process.exit(code)
