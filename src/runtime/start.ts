import * as tf from '@tensorflow/tfjs-core'
import type { GraphSource } from '../base/graphs.ts'
import { startAverage } from './averages.ts'
import { type StartedBackend, startBackend, startGraphHost } from './backends.ts'
import { constrainedValue } from './buffers.ts'
import { loadCheckpoint } from './checkpoint.ts'
import { RunClocks } from './clocks.ts'
import type { LoadedDataset, Snapshot } from './contracts.ts'
import { checkCounts } from './counts.ts'
import { loadDataset } from './data.ts'
import type { GraphRunner } from './engine/runner.ts'
import type { Updating } from './engine/updating.ts'
import { RunError } from './errors.ts'
import type { Reporter, RunMode } from './events.ts'
import { checkFits } from './fits.ts'
import { type Origin, openRunFolder, type RunFolder } from './folders.ts'
import { registerGradients } from './gradients.ts'
import { type Identity, identityOf, type ProgramText } from './identity.ts'
import { Logbook } from './logbook.ts'
import { readScalars } from './memory.ts'
import { disposeOptimizer, startOptimizer } from './optimizer.ts'
import { originOf } from './origin.ts'
import { type Key, rootKey } from './random.ts'
import { RecordFile } from './records.ts'
import { assignWeights, checkShapes, restoreProgress, restoreWeights } from './restore.ts'
import { startSaves } from './saving.ts'
import type { Session } from './session.ts'
import { memberOf, textIn } from './stored.ts'
import { type BufferState, modelOf, type ParameterState, type Phase, type Training } from './training.ts'
import type { Trials } from './trials.ts'
import { loadWeights } from './weights.ts'

/** How to run a training; everything may be left out. */
export interface RunOptions extends Trials {
  /** `tensorflow`, `webgpu`, `wasm`, `cpu`; else the first of them that starts. */
  readonly backend?: string | undefined
  readonly reporter?: Reporter | undefined
  /** Where runs are kept, `runs` unless said otherwise; false keeps nothing. */
  readonly runs?: string | false | undefined
  /** Instead of the program's own seed. */
  readonly seed?: number | undefined
  /** Asks the run to finish its batch, save and end. */
  readonly signal?: AbortSignal | undefined
  /** The folder of a checkpoint: to go on from in `train`, for its weights elsewhere. */
  readonly checkpoint?: string | undefined
  /** Goes on although the program, its settings or its data have been edited since the checkpoint was saved. */
  readonly acceptChanges?: boolean | undefined
  /** What was compiled, for the run's folder. */
  readonly program?: ProgramText | undefined
  /**
   * Seconds between two saves of `latest` at the ends of epochs, 10 unless said otherwise; between batches it is 6 times
   * as long. With 0 every batch and epoch is saved.
   */
  readonly saveEvery?: number | undefined
  /** The graphs of a program that was compiled for them: ONNX Runtime runs them. */
  readonly graphs?: GraphSource | undefined
  /** Finds the operator that first made a loss that is not finite; the program has to be emitted to be watched. */
  readonly detectAnomaly?: boolean | undefined
  /** Of a compiled program: the same one, emitted to run operator by operator and to be watched. */
  readonly watched?: (() => Promise<Training>) | undefined
  /** Only a backend whose numbers are the same bits each time, on the same machine. */
  readonly deterministic?: boolean | undefined
  /** What is worth telling at the start. */
  readonly note?: string | undefined
  /** The split to predict on. */
  readonly split?: string | undefined
}

/** A session, and what has to be said at its start. */
export interface Started {
  readonly session: Session
  readonly device: string
  readonly version: string | undefined
  readonly origin: Origin | undefined
}

/** Starts a backend, reads the data, gives every parameter its value. */
export async function startSession(mode: RunMode, training: Training, options: RunOptions): Promise<Started> {
  const stored = options.checkpoint === undefined ? undefined : await loadCheckpoint(options.checkpoint)
  const graphs = options.graphs && (await startGraphs(options.graphs))
  const started =
    graphs === undefined
      ? await startAsBefore(mode, options, stored)
      : await startGraphHost(graphs, options.deterministic)
  // After the backend: the package of tfjs-node brings gradients of its own, of which some are wrong.
  registerGradients()
  if (stored !== undefined) checkCounts(training, stored, options.checkpoint ?? '')
  const seed = options.seed ?? seedOf(mode, training, stored)
  const start = rootKey(seed).at('start')
  const parameters = await startParameters(training, start)
  const buffers = startBuffers(training, start)
  if (stored === undefined) {
    await checkStarts(parameters, buffers, start)
    await loadWeights(training)
  }
  await checkConstraints(parameters, buffers)
  if (stored !== undefined) checkShapes({ parameters, buffers }, stored, options.checkpoint ?? '')
  const identity = mode === 'train' ? await identityOf(training, options.program) : undefined
  const origin =
    identity &&
    stored &&
    (await originOf({ training, identity, seed, parameters }, stored, options, options.checkpoint ?? ''))
  const data = await loadData(mode, training, seed)
  if (stored !== undefined) checkFits({ data, seed }, stored, options.checkpoint ?? '')
  const { runs = 'runs', program: text } = options
  const facts = { text, seed, backend: started.backend.name, device: started.detail }
  const place =
    identity && runs !== false
      ? await openRunFolder(runs, training.name, { identity, ...facts }, origin)
      : undefined
  const session = assemble({
    mode,
    training,
    options,
    started,
    graphs,
    seed,
    parameters,
    buffers,
    data,
    identity,
    place,
  })
  try {
    if (origin !== undefined) restore(session, origin)
    else if (stored !== undefined) restoreWeights(session, stored, options.checkpoint ?? '')
    session.updating = await placeTensors(session)
  } catch (error) {
    endSession(session)
    throw error
  }
  return { session, device: started.detail, version: place?.version, origin }
}

/** A run that goes on does so on the backend that it began on, unless another is named: only there is it the same run. */
async function startAsBefore(
  mode: RunMode,
  { backend, deterministic }: RunOptions,
  stored: Snapshot | undefined,
): Promise<StartedBackend> {
  const before = mode === 'train' ? textIn(stored?.state, 'backend') : undefined
  if ((backend !== undefined && backend !== 'auto') || before === undefined)
    return startBackend(backend, deterministic)
  return startBackend(before, deterministic).catch(() => startBackend(backend, deterministic))
}

/**
 * A run that goes on keeps its seed, unless the program has been given another. Tests and predictions split the data as
 * the training did whose weights they load, and so fit what it fitted.
 */
export function seedOf(mode: RunMode, { trainer }: Training, stored: Snapshot | undefined): number {
  const seed = memberOf(stored?.state, 'seed')
  if (typeof seed !== 'number') return trainer.seed
  const before = memberOf(memberOf(memberOf(stored?.state, 'program'), 'trainer'), 'seed')
  return mode === 'train' && before !== undefined && before !== trainer.seed ? trainer.seed : seed
}

interface Parts {
  readonly mode: RunMode
  readonly training: Training
  readonly options: RunOptions
  readonly started: StartedBackend
  readonly graphs: GraphRunner | undefined
  readonly seed: number
  readonly parameters: ReadonlyMap<string, ParameterState>
  readonly buffers: ReadonlyMap<string, BufferState>
  readonly data: ReadonlyMap<string, LoadedDataset>
  readonly identity: Identity | undefined
  readonly place: RunFolder | undefined
}

function assemble({
  mode,
  training,
  options,
  started,
  graphs,
  seed,
  parameters,
  buffers,
  data,
  identity,
  place,
}: Parts): Session {
  const folder = place?.folder
  const frozen = new Set([...parameters.values()].flatMap(({ path, spec }) => (spec.frozen ? [path] : [])))
  const own = mode === 'train' ? training.optimizers : []
  return {
    mode,
    training,
    seed,
    rootKey: rootKey(seed),
    backend: started.backend,
    graphs,
    updating: undefined,
    report: options.reporter ?? (() => undefined),
    signal: options.signal,
    detectAnomaly: options.detectAnomaly ?? false,
    watched: options.watched,
    data,
    parameters,
    buffers,
    optimizers: new Map(
      own.map(holder => [holder, startOptimizer(holder.spec, parameters, graphs?.windows(holder.spec.name))]),
    ),
    averages: (mode === 'train' ? (training.averages ?? []) : []).map(({ spec }) =>
      startAverage(spec, parameters, buffers),
    ),
    clocks: new RunClocks(training.optimizers.map(({ spec }) => spec.name)),
    logbook: new Logbook(),
    identity,
    folder,
    lock: place?.lock,
    control: { interrupted: false, failed: undefined, moved: false, end: undefined, checkpoints: [] },
    saves: startSaves(options.saveEvery),
    records: folder === undefined ? undefined : new RecordFile(folder),
    watch: { kept: [], taken: false },
    frozen: { now: frozen, next: new Set(frozen) },
    stalls: new Map(),
    position: {
      ...{ stage: 'start', epoch: 0, pass: 0, batch: 0, evaluation: undefined },
      begun: { seconds: 0, updates: 0 },
      validated: 0,
    },
    cut: undefined,
    rehearsal: undefined,
    pace: { last: performance.now() },
    cadences: new Map(),
    predictions: [],
    predicted: new Map(),
  }
}

function restore(session: Session, origin: Origin): void {
  assignWeights(session, origin.snapshot)
  restoreProgress(session, origin)
}

/** Frees everything but the weights, which stay readable until the next run of the program. */
export function endSession(session: Session): void {
  for (const optimizer of session.optimizers.values()) disposeOptimizer(optimizer)
  for (const { state } of session.averages) disposeOptimizer(state)
  session.logbook.dispose()
  session.lock?.release()
  session.graphs?.dispose()
}

/** Parameters, slots and gradients of a compiled training lie side by side, where its updates work on them; or graphs move them. */
async function placeTensors(session: Session): Promise<Updating | undefined> {
  const { graphs, mode } = session
  if (graphs?.source.moves === true && mode === 'train') {
    const { GraphUpdates } = await import('./engine/graphUpdates.ts')
    return new GraphUpdates(graphs)
  }
  // Other kernels keep numbers where graphs can't see them.
  if (graphs === undefined || mode !== 'train' || tf.getBackend() !== 'cpu') return undefined
  const { InPlaceUpdates } = await import('./engine/inPlace.ts')
  return InPlaceUpdates.of(graphs, [
    ...session.optimizers.values(),
    ...session.averages.map(({ state }) => state),
  ])
}

/** Loaded only by runs that have graphs. */
async function startGraphs(source: GraphSource): Promise<GraphRunner> {
  const { GraphRunner } = await import('./engine/runner.ts')
  return GraphRunner.start(source)
}

// ── Data ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The steps that a run may come to. */
const phasesOf: Readonly<Record<RunMode, readonly Phase[]>> = {
  train: ['train', 'val', 'test'],
  validate: ['val'],
  test: ['test'],
  predict: ['predict'],
}

/** Only what the steps of this run read is loaded. */
async function loadData(
  mode: RunMode,
  training: Training,
  seed: number,
): Promise<ReadonlyMap<string, LoadedDataset>> {
  const steps = training.steps.filter(({ phase }) => phasesOf[mode].includes(phase))
  const needed = new Set(steps.flatMap(step => step.streams.map(stream => stream.data)))
  const loaded = new Map<string, LoadedDataset>()
  for (const spec of training.data) {
    if (needed.has(spec.name)) loaded.set(spec.name, await loadDataset(spec, training.directory, seed))
  }
  return loaded
}

// ── Parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A start value depends on the seed and the path alone, whatever else the program declares. */
async function startParameters(training: Training, key: Key): Promise<ReadonlyMap<string, ParameterState>> {
  const states = training.models.flatMap(holder => holder[modelOf].parameters)
  for (const state of states) {
    state.variable?.dispose()
    state.variable = tf.tidy(() =>
      tf.variable(state.spec.init(key.at(state.path)), state.spec.frozen !== true),
    )
    checkShape(state, state.variable)
  }
  return new Map(states.map(state => [state.path, state]))
}

function startBuffers(training: Training, key: Key): ReadonlyMap<string, BufferState> {
  const states = training.models.flatMap(holder => holder[modelOf].buffers)
  for (const state of states) {
    state.variable?.dispose()
    state.variable = tf.tidy(() => tf.variable(state.spec.init(key.at(state.path)), false))
    checkShape(state, state.variable)
  }
  return new Map(states.map(state => [state.path, state]))
}

function checkShape({ path, spec }: ParameterState | BufferState, variable: tf.Variable): void {
  if (variable.shape.join() === spec.shape.join()) return
  throw new RunError({
    code: 'LTM6002',
    message: `the start value of \`${path}\` is [${variable.shape.join(', ')}], but it is declared [${spec.shape.join(', ')}]`,
    trace: spec.trace,
  })
}

/** Start values that only now are known: the constraint holds for them, and gives each of them back. */
async function checkStarts(
  parameters: ReadonlyMap<string, ParameterState>,
  buffers: ReadonlyMap<string, BufferState>,
  key: Key,
): Promise<void> {
  const started = [...parameters.values()].flatMap(state => {
    const { constraint } = state.spec
    return constraint?.start === undefined ? [] : [{ state, constraint, start: constraint.start }]
  })
  const findings = started.flatMap(({ state, constraint, start }) =>
    tf.tidy(() => {
      const given = start(key.at(state.path))
      const holds = tf.cast(tf.all(tf.cast(constraint.check?.(given) ?? true, 'bool')), 'float32')
      const apart = tf.max(tf.abs(tf.sub(constrainedValue(state, buffers), given)))
      return [holds, apart, tf.max(tf.abs(given))]
    }),
  )
  const numbers = await readScalars(findings)
  tf.dispose(findings)
  for (const [i, { state, constraint }] of started.entries()) {
    const [holds = 0, apart = 0, size = 0] = numbers.slice(3 * i)
    if (holds !== 1) throw startsOutside(state, constraint.text)
    if (!(apart <= farthest * Math.max(1, size))) throw startsElsewhere(state, constraint.text)
  }
}

/** How far from its start value, in parts of the largest number in it, a parameter may start: rounding is nearer. */
const farthest = 1e-2

function startsElsewhere({ path, spec }: ParameterState, constraint: string): RunError {
  return new RunError({
    code: 'LTM6004',
    message: `\`${path}\` cannot start at the value it is given: ${constraint} makes another one of it`,
    trace: spec.trace,
    help: 'start it at a value that the constraint reaches, or at a raw one with `= raw …`',
  })
}

function startsOutside({ path, spec }: ParameterState, constraint: string): RunError {
  return new RunError({
    code: 'LTM6003',
    message: `\`${path}\` starts outside ${constraint}`,
    trace: spec.trace,
    help: 'start it at a value that satisfies the constraint, or leave the start value out',
  })
}

/** All constraints at once: one read however many there are. */
async function checkConstraints(
  parameters: ReadonlyMap<string, ParameterState>,
  buffers: ReadonlyMap<string, BufferState>,
): Promise<void> {
  const checked = [...parameters.values()].flatMap(state => {
    const { constraint } = state.spec
    const check = constraint?.check
    return constraint === undefined || check === undefined ? [] : [{ state, constraint, check }]
  })
  const verdicts = checked.map(({ state, check }) =>
    tf.tidy(() => tf.all(tf.cast(check(constrainedValue(state, buffers)), 'bool'))),
  )
  const satisfied = await readScalars(verdicts)
  tf.dispose(verdicts)
  const wrong = checked.find((_, index) => satisfied[index] !== 1)
  if (wrong === undefined) return
  const { state, constraint } = wrong
  throw startsOutside(state, constraint.text)
}
