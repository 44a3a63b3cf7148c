import { printProgram } from '../ir/print.ts'
import type { ExitCode } from '../runtime/errors.ts'
import type { ProgramText } from '../runtime/identity.ts'
import { type Cli, Stop } from './cli.ts'
import { chooseProgram, compileFile, compileProgram } from './compileFile.ts'
import { chooseEngine } from './engine.ts'
import { execute, importProgram } from './execute.ts'
import { openFiles } from './files.ts'
import { checkHyperNames } from './hypers.ts'
import { type Resumed, resumedCheckpoint } from './resume.ts'
import { tellStop } from './stopEvents.ts'
import type { TrainingOptions, TrainingOrder } from './trainingCommand.ts'

/** Compiles the file and lets the trainer run it. */
export async function runTraining(order: TrainingOrder, cli: Cli): Promise<ExitCode> {
  try {
    return await compileAndRun(order, cli)
  } catch (error) {
    if (order.options.json && error instanceof Stop) tellStop(error, cli)
    throw error
  }
}

async function compileAndRun({ mode, path, options, flags }: TrainingOrder, cli: Cli): Promise<ExitCode> {
  const resumed = await resumedFor(path, options, cli)
  const hypers = new Map([...(resumed?.hypers ?? []), ...(options.set ?? [])])
  const files = openFiles()
  const { backend, runs, seed, out, acceptChanges = false, json = false } = options
  const { profile = false, detectAnomaly = false } = options
  const checkpoint = options.checkpoint ?? resumed?.path
  const reading = { mode, runs, seed, checkpoint }
  const program = await compileProgram(path, cli, options.train, { hypers, files, reading })
  checkHyperNames(options.set, [program], flags)
  const before = options.engine === 'auto' ? resumed?.backend : undefined
  const chosen = await chooseEngine(program, { engine: options.engine, backend, before }, cli)
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
  // Single operators are looked at where they run one by one.
  const watched = graphs && detectAnomaly ? () => importProgram(program, path, true, cli) : undefined
  const skipped = resumed?.skipped ?? []
  return execute(chosen.program, path, { ...request, watched, skipped, program: text }, cli)
}

/**
 * Where a run goes on, with the hypers that it was given when it began: they count again, but for those that are given
 * anew. The program is compiled for its name alone; what is wrong with it is told when it is compiled for the run.
 */
async function resumedFor(path: string, options: TrainingOptions, cli: Cli): Promise<Resumed | undefined> {
  const { resume, runs = 'runs', set = new Map(), train } = options
  if (resume === undefined) return undefined
  const { programs, open } = await compileFile(path, cli, { hypers: set })
  if (programs.length + open.length === 0) return undefined
  const { name, hypers: known } = chooseProgram([...programs, ...open], train)
  const resumed = await resumedCheckpoint(runs, name, resume)
  const hypers = [...resumed.hypers].filter(([name]) => known.some(hyper => hyper.name === name))
  return { ...resumed, hypers: new Map(hypers) }
}
