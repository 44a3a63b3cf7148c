import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import type { HookEvent } from '../base/hookEvents.ts'
import { describeWeights, takeBest } from './bestWeights.ts'
import { errorEvent, RunError } from './errors.ts'
import { evaluate, evaluationSteps } from './evaluate.ts'
import type { ClockValues, EndReason, RunMode } from './events.ts'
import { runHooks } from './hooks.ts'
import { batchesPerEpoch, updatesInAll, updatesInEpoch } from './horizon.ts'
import { cadencesInVain, monitorInVain } from './monitors.ts'
import { parametersOf } from './optimizer.ts'
import { originNotes } from './originNotes.ts'
import { isInterrupted } from './pace.ts'
import { predictAll } from './predict.ts'
import { part } from './probe.ts'
import { checkpointsOf, rest, writeWaiting } from './saving.ts'
import type { PredictedField, Prediction, Session } from './session.ts'
import { endSession, type RunOptions, type Started, startSession } from './start.ts'
import { fit } from './trainer.ts'
import { modelOf, type Numbers, type ParameterState, type Training } from './training.ts'
import { tried } from './trials.ts'

/** What a run came to. The weights stay in the program's models until its next run. */
export interface RunResult {
  readonly reason: EndReason
  /** In words, where there is more to say. */
  readonly detail: string | undefined
  /** Final values under their full names. */
  readonly metrics: Numbers
  readonly seconds: number
  readonly clocks: ClockValues
  readonly folder: string | undefined
  /** The checkpoint to use: the best where the program keeps it, else the latest. */
  readonly checkpoint: string | undefined
  /** Which weights the models hold, and the test steps saw. */
  readonly weights: 'final' | 'best' | 'loaded' | 'start'
  /** What predict steps returned, in the order of the data. */
  readonly predictions: readonly Prediction[]
  /** What kind of values their fields have. */
  readonly predicted: ReadonlyMap<string, PredictedField>
}

/** Trains the program, then tests it with the best weights it kept, or else with its final ones. */
export function train(training: Training, options: RunOptions = {}): Promise<RunResult> {
  return runProgram('train', training, options, async session => {
    session.clocks.totalUpdates = updatesInAll(session)
    session.clocks.updatesPerEpoch = updatesInEpoch(session, 0)
    checkMonitors(session, options)
    await within(session, 'fit', options.checkpoint, () => fit(session))
    if (isInterrupted(session) || evaluationSteps(session, 'test').length === 0) return
    const best = await takeBest(session)
    session.report({ kind: 'message', text: `testing with the ${describeWeights(best)}` })
    await within(session, 'test', undefined, () => evaluate(session, 'test'))
    await rest(session)
  })
}

/** A run that is cut short to be tried may end before its first validation. */
function checkMonitors(session: Session, { limit, overfit, fastDevRun }: RunOptions): void {
  const vain = monitorInVain(session)
  const isTried = limit !== undefined || overfit !== undefined || fastDevRun !== undefined
  if (vain !== undefined && !isTried) throw vain
  if (vain !== undefined) session.report({ kind: 'warning', code: vain.code, message: vain.message })
  if (isTried) return
  for (const { text, trace } of cadencesInVain(session))
    session.report({ kind: 'warning', code: 'LTM4205', message: text, ...(trace !== undefined && { trace }) })
}

/** What a run is for, between its first and its last hook. */
async function within(
  session: Session,
  stage: Stage,
  path: string | undefined,
  body: () => Promise<unknown>,
): Promise<void> {
  const scope = { phase: phases[stage] }
  await runHooks(session, 'setup', { scope, told: { stage } })
  if (path !== undefined) await runHooks(session, 'load_checkpoint', { scope, told: { path } })
  await body()
  if (!isInterrupted(session)) await runHooks(session, 'teardown', { scope, told: { stage } })
}

const phases = { fit: 'train', validate: 'val', test: 'test', predict: 'predict' } as const
type Stage = keyof typeof phases

/** Runs the test steps: on the weights of `options.checkpoint`, or on start values. */
export function test(training: Training, options: RunOptions = {}): Promise<RunResult> {
  return evaluateAlone('test', training, options)
}

/** Runs the validation steps, as `test` does those of tests. */
export function validate(training: Training, options: RunOptions = {}): Promise<RunResult> {
  return evaluateAlone('validate', training, options)
}

function evaluateAlone(
  mode: 'validate' | 'test',
  training: Training,
  options: RunOptions,
): Promise<RunResult> {
  const phase = phases[mode]
  return runProgram(mode, training, options, async session => {
    if (evaluationSteps(session, phase).length === 0) throw nothingToEvaluate(training.name, phase)
    await within(session, mode, options.checkpoint, () => evaluate(session, phase))
  })
}

/** Runs the predict steps and reports their rows. */
export function predict(training: Training, options: RunOptions = {}): Promise<RunResult> {
  return runProgram('predict', training, options, session =>
    within(session, 'predict', options.checkpoint, () => predictAll(session, options.split)),
  )
}

function nothingToEvaluate(name: string, phase: 'val' | 'test'): RunError {
  return new RunError({
    code: 'LTM6106',
    message: `\`${name}\` has no ${phase} step with examples to run on`,
    help: `write \`step ${phase}(batch) { … }\` in it, and give its dataset a split \`${phase}\``,
  })
}

async function runProgram(
  mode: RunMode,
  training: Training,
  options: RunOptions,
  body: (session: Session) => Promise<void>,
): Promise<RunResult> {
  const vars = { ...training.vars }
  const { training: own, keeps } = tried(training, options)
  const asked = keeps ? options : { ...options, runs: false as const }
  try {
    return await runSession(await part('start', () => startSession(mode, own, asked)), asked, body)
  } catch (error) {
    options.reporter?.(errorEvent(error))
    throw error
  } finally {
    // A second run of the program in this process begins where the first began.
    if (training.vars !== undefined) Object.assign(training.vars, vars)
  }
}

async function runSession(
  started: Started,
  options: RunOptions,
  body: (session: Session) => Promise<void>,
): Promise<RunResult> {
  const { session } = started
  try {
    reportStart(started, options)
    if (options.note !== undefined) session.report({ kind: 'message', text: options.note })
    warnOfStart(session, options)
    if (started.origin !== undefined)
      for (const text of originNotes(session, started.origin)) session.report({ kind: 'message', text })
    for (const { notes } of session.data.values())
      for (const text of notes) session.report({ kind: 'message', text })
    await body(session)
    session.records?.flush()
    // Only then is it known how long each of their nodes took.
    session.graphs?.dispose()
    return finish(session, weightsOf(session, options))
  } catch (error) {
    await mourn(session, error)
    throw error
  } finally {
    endSession(session)
  }
}

/**
 * What was kept is saved, and the run itself unless a step has moved some of what it moves and not the rest. That and the
 * hooks of `exception` may fail too; what went wrong first is what is told.
 */
async function mourn(session: Session, failure: unknown): Promise<void> {
  session.logbook.drop()
  const error = failure instanceof Error ? failure.message : String(failure)
  session.control.failed = error
  session.saves.due.clear()
  const scope = { phase: 'train' } as const
  await runHooks(session, 'exception' satisfies HookEvent, { scope, told: { error } }).catch(() => undefined)
  await writeWaiting(session).catch(() => undefined)
  const isWhole = session.mode === 'train' && session.clocks.batches > 0 && !session.control.moved
  await rest(session, isWhole ? 'failed' : undefined).catch(() => undefined)
}

function weightsOf({ mode, watch }: Session, { checkpoint }: RunOptions): RunResult['weights'] {
  if (mode === 'train') return watch.taken ? 'best' : 'final'
  return checkpoint === undefined ? 'start' : 'loaded'
}

function finish(session: Session, weights: RunResult['weights']): RunResult {
  const { control, logbook, clocks, folder, mode, predictions, predicted } = session
  const { reason, detail = undefined } = control.interrupted
    ? { reason: 'interrupted' as const }
    : (control.end ?? { reason: 'finished' as const })
  const result = {
    reason,
    detail,
    metrics: logbook.finalValues(),
    seconds: clocks.seconds,
    clocks: clocks.values(),
    folder,
    checkpoint: checkpointOf(session),
    weights,
    predictions,
    predicted,
  } as const
  const { metrics, seconds, checkpoint } = result
  session.report({
    kind: 'run_end',
    mode,
    reason,
    ...(detail !== undefined && { detail }),
    metrics,
    seconds,
    clocks: result.clocks,
    ...(checkpoint !== undefined && { checkpoint }),
  })
  return result
}

function checkpointOf({ folder, watch, clocks }: Session): string | undefined {
  if (folder === undefined || clocks.batches === 0) return undefined
  return watch.kept[0]?.path ?? join(checkpointsOf(folder), 'latest')
}

// ── What is said at the start ───────────────────────────────────────────────────────────────────────────────────────

/** The epochs that a count of updates will take. */
function expectedEpochs(session: Session): { expectedEpochs?: number } {
  const { updates, epochs } = session.training.trainer
  if (session.mode !== 'train' || updates === undefined || epochs !== undefined) return {}
  return { expectedEpochs: Math.ceil(updates.count / Math.max(updatesInEpoch(session, 0), 1)) }
}

function reportStart({ session, device, version }: Started, options: RunOptions): void {
  const { mode, training, backend, seed, parameters, folder, data } = session
  const { epochs } = training.trainer
  const total = mode === 'train' ? updatesInAll(session) : Number.POSITIVE_INFINITY
  const moved = new Set(training.optimizers.flatMap(({ spec }) => parametersOf(spec)))
  const states = [...parameters.values()]
  session.report({
    kind: 'run_start',
    mode,
    name: training.name,
    ...(version !== undefined && { version }),
    ...(folder !== undefined && { folder }),
    backend: backend.name,
    device,
    seed,
    parameters: elements(states),
    trained: elements(states.filter(({ path, spec }) => moved.has(path) && spec.frozen !== true)),
    models: training.models.map(holder => ({
      name: holder[modelOf].name,
      parameters: elements(holder[modelOf].parameters),
    })),
    data: [...data.values()].map(({ name, splits }) => ({ name, splits: Object.fromEntries(splits) })),
    settings: training.settings,
    steps: training.steps.map(({ phase, name }) => ({ phase, ...(name !== undefined && { step: name }) })),
    ...(epochs !== undefined && { epochs }),
    ...expectedEpochs(session),
    ...(mode === 'train' && { batchesPerEpoch: batchesPerEpoch(session) }),
    ...(Number.isFinite(total) && { totalUpdates: total }),
    ...(options.checkpoint !== undefined && { checkpoint: options.checkpoint }),
  })
}

/** What a reader of the results would otherwise have to guess. */
function warnOfStart({ mode, report }: Session, { checkpoint }: RunOptions): void {
  if (mode !== 'train' && checkpoint === undefined) {
    const message = 'no checkpoint was named, so the parameters have their start values'
    report({ kind: 'warning', code: 'LTM6304', message })
  }
}

function elements(states: readonly ParameterState[]): number {
  return states.reduce((sum, { spec }) => sum + tf.util.sizeFromShape([...spec.shape]), 0)
}
