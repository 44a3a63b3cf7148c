import { lacksGraphs, surveyBackends } from '../runtime/backends.ts'
import { tryBatches } from '../runtime/batchTrial.ts'
import { surveyGraphCache } from '../runtime/engine/graphCache.ts'
import { type ExitCode, exitCodes, type RunError } from '../runtime/errors.ts'
import type { Reporter } from '../runtime/events.ts'
import { profiled } from '../runtime/profiled.ts'
import { predict, type RunResult, test, train, validate } from '../runtime/program.ts'
import { findRate, rateHypers } from '../runtime/rateFinder.ts'
import { readCounts } from '../runtime/readCounts.ts'
import type { RunOptions } from '../runtime/start.ts'
import type { Training } from '../runtime/training.ts'
import { type TrainedCheckpoint, trainedCheckpoint } from './checkpoints.ts'
import { trainingOf } from './modules.ts'
import type { CountRequest, RunRequest, Runtime } from './ports.ts'
import { jsonlOf, requireWritable, writePredictions } from './predictions.ts'

const modes = { train, validate, test, predict }

/** The runtime as commands use it. */
export const runtimePort: Runtime = {
  run,
  readCounts: async request => {
    const { mode, seed } = request
    const training = trainingOf(request.module)
    const checkpoint = (await checkpointFor(request, training.name))?.path
    return readCounts(mode, training, { seed, checkpoint })
  },
  rateHypers: module => rateHypers(trainingOf(module)),
  findRate: (module, search, options) => findRate(trainingOf(module), search, options),
  tryBatches: (module, steps, options) => tryBatches(trainingOf(module), steps, options),
  survey: surveyBackends,
  surveyCache: surveyGraphCache,
  lacksGraphs,
}

async function run(request: RunRequest): Promise<ExitCode> {
  const { module, mode, profile, reporter } = request
  const training = trainingOf(module)
  if (request.out !== undefined) requireWritable(request.out)
  const options = await optionsOf(request, training)
  const run = (report: Reporter) => modes[mode](training, { ...options, reporter: report })
  const result = await (profile ? profiled(run, reporter) : run(reporter))
  if (mode === 'predict') deliver(request, result)
  return result.reason === 'interrupted' ? exitCodes.interrupted : exitCodes.ok
}

async function optionsOf(request: RunRequest, training: Training): Promise<RunOptions> {
  const { backend, runs = 'runs', seed, signal, graphs, note, acceptChanges, program, reporter } = request
  const found = await checkpointFor(request, training.name)
  const checkpoint = found?.path
  tellSkipped(found?.skipped ?? [], checkpoint ?? '', reporter)
  const { detectAnomaly, trials } = request
  const watched = request.watched && (async () => trainingOf(await request.watched?.()))
  const text = program?.()
  const told = {
    backend,
    runs,
    seed,
    signal,
    checkpoint,
    acceptChanges,
    detectAnomaly,
    watched,
    graphs,
    note,
  }
  return { ...told, ...trials, program: text }
}

/** The checkpoint that is named or, where weights are needed and none is, that of the training. */
async function checkpointFor(
  {
    mode,
    runs = 'runs',
    checkpoint,
    skipped = [],
  }: Pick<RunRequest, 'mode' | 'skipped'> & Pick<CountRequest, 'runs' | 'checkpoint'>,
  name: string,
): Promise<TrainedCheckpoint | undefined> {
  if (checkpoint !== undefined) return { path: checkpoint, skipped }
  return mode === 'train' ? undefined : trainedCheckpoint(runs, name)
}

/** Tells which checkpoints were passed over: a person would take their results for those of the best. */
function tellSkipped(skipped: readonly RunError[], path: string, reporter: Reporter): void {
  for (const { code, message } of skipped) {
    reporter({ kind: 'warning', code, message: `${message}; ${path} is taken instead` })
  }
}

/** With `--json` the rows have been reported already. */
function deliver({ out, json, print }: RunRequest, { predictions, predicted }: RunResult): void {
  if (out !== undefined) writePredictions(out, predictions, predicted)
  else if (!json) print(jsonlOf(predictions))
}
