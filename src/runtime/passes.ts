import { type Held, holdState, located } from './anomaly.ts'
import { disposeBatchTensor } from './arrays.ts'
import { followBuffers } from './averages.ts'
import { commitBuffers, dropWrites } from './buffers.ts'
import type { LoadedDataset } from './contracts.ts'
import { dropShown, tellShown } from './debug.ts'
import { RunError, SkipBatch } from './errors.ts'
import type { ClockValues } from './events.ts'
import { eventNames, runHooks } from './hooks.ts'
import { limited } from './limits.ts'
import type { LogScope, StepValues } from './logbook.ts'
import { scoped } from './memory.ts'
import { part } from './probe.ts'
import { type RunPlace, StepRun } from './run.ts'
import type { Session } from './session.ts'
import type { Batch, StepSpec, Tensors } from './training.ts'
import { watchedStep } from './twin.ts'

/** One step's way through its data. */
export interface Pass {
  readonly step: StepSpec
  readonly scope: LogScope
  readonly batches: number
  /** Uploads the batches of one call, one a stream. */
  load(index: number): readonly Batch[]
}

/** Opens the pass of a step in the epoch that the clock shows; `split` replaces those its streams name. */
export function openPass(session: Session, step: StepSpec, split?: string): Pass {
  const streams = step.streams.map(stream =>
    openStream(session, step, { ...stream, split: split ?? stream.split }),
  )
  const [first] = streams
  const all = limited(session.training.trainer.limits, step, first?.batches ?? 1)
  const batches = Math.min(all, session.rehearsal ?? all)
  for (const stream of streams) checkLength(step, stream, batches)
  return {
    step,
    scope: scopeOf(step),
    batches,
    load: index => streams.map(stream => stream.load(index, batches)),
  }
}

/** Whether every split that a step reads has examples. */
export function hasData(session: Session, step: StepSpec): boolean {
  return step.streams.every(({ data, split }) => (datasetOf(session, data).splits.get(split) ?? 0) > 0)
}

export function scopeOf({ phase, name }: StepSpec): LogScope {
  return { phase, step: name }
}

interface Stream {
  readonly name: string
  readonly batches: number
  readonly cycle: boolean
  load(index: number, total: number): Batch
}

function openStream(session: Session, step: StepSpec, spec: StepSpec['streams'][number]): Stream {
  const data = datasetOf(session, spec.data)
  const declared = session.training.data.find(({ name }) => name === spec.data)
  const shuffled = step.phase === 'train' && declared?.shuffle === true
  const epoch = step.phase === 'train' ? session.clocks.epoch : 0
  const batches = data.splits.has(spec.split) ? data.batches(spec.split, epoch, shuffled) : 0
  if (batches === 0) throw noExamples(step, spec)
  const load = (index: number, total: number) => {
    // A stream that cycles is in an epoch of its own, so that each time round has another order.
    const rounds = Math.ceil(total / batches)
    const round = epoch * rounds + Math.floor(index / batches)
    return data.batch(spec.split, round, index % batches, shuffled, step.phase === 'train')
  }
  return { name: `${spec.data}.${spec.split}`, batches, cycle: spec.cycle === true, load }
}

function datasetOf(session: Session, name: string): LoadedDataset {
  const data = session.data.get(name)
  if (data === undefined) throw new Error(`a step reads \`${name}\`, which is not among the datasets`)
  return data
}

function noExamples(step: StepSpec, { data, split }: StepSpec['streams'][number]): RunError {
  return new RunError({
    code: 'LTM6103',
    message: `\`${data}\` has no batch in its split \`${split}\`, which step ${step.phase} reads`,
    trace: step.trace,
    help: 'give the split a larger share, or make the batch smaller where `drop_last` is on',
  })
}

function checkLength(step: StepSpec, stream: Stream, batches: number): void {
  if (stream.cycle || stream.batches >= batches) return
  throw new RunError({
    code: 'LTM6104',
    message: `\`${stream.name}\` ends after ${stream.batches} batches, but the first stream of the step has ${batches}`,
    trace: step.trace,
    help: 'write `cycle` after it to begin again, or put the shorter stream first',
  })
}

/** What a batch came to, while its tensors live. */
export interface BatchDone {
  readonly size: number
  /** Examples, where the step reads data at all. */
  readonly examples: number | undefined
  readonly batches: readonly Batch[]
  readonly outputs: Tensors | undefined
  readonly logged: StepValues
}

/** Which step of a program this is: its phase, and its name where it has one. */
export function stepPlace({ phase, name }: StepSpec): { phase: StepSpec['phase']; step?: string } {
  return { phase, ...(name !== undefined && { step: name }) }
}

/** Tells of a batch that is done, where that is told at all; gives what the clocks show. */
export async function reportStep(session: Session, pass: Pass, logged: StepValues): Promise<ClockValues> {
  const { report } = session
  const { batches } = pass
  const clocks = session.clocks.values()
  if (report.tellsOf?.({ clocks, batches }) ?? true)
    report({ kind: 'step', ...stepPlace(pass.step), clocks, batches, values: await logged.bar() })
  return clocks
}

/** Runs a step on one batch between its hooks; false where the batch was left out. */
export async function runBatch(
  session: Session,
  pass: Pass,
  index: number,
  done: (result: BatchDone) => Promise<void>,
): Promise<boolean> {
  const { phase } = pass.step
  session.clocks.place(phase, index)
  const run = async () => {
    const batches = part('data', () => pass.load(index))
    try {
      return await runOn(session, pass, index, batches, done)
    } finally {
      for (const batch of batches) for (const field of Object.values(batch.fields)) disposeBatchTensor(field)
    }
  }
  return part('batch', () => scoped(run), phase)
}

async function runOn(
  session: Session,
  pass: Pass,
  index: number,
  batches: readonly Batch[],
  done: (result: BatchDone) => Promise<void>,
): Promise<boolean> {
  const { scope, step } = pass
  const examples = batches[0]?.size
  const size = examples ?? 1
  const event = eventNames[step.phase]
  if (await runHooks(session, `${event}_batch_start`, { scope, size, batches })) return false
  const place = { scope, size, key: keyOf(session, step, index), last: index === pass.batches - 1 }
  const held = session.detectAnomaly && step.phase === 'train' ? holdState(session) : undefined
  const run = new StepRun(session, {
    ...place,
    announce: (event, told) => runHooks(session, event, { scope, size, batches, told, within: true }),
    nonfinite: error =>
      runHooks(session, 'nonfinite', { scope, size, batches, told: { error }, within: true }),
  })
  try {
    const outputs = (await part('forward', () => step.run(run, ...batches))) ?? undefined
    commitBuffers(session.buffers)
    if (step.phase === 'train')
      followBuffers(session.averages, session.buffers, session.clocks, session.updating)
    const logged = await part('logging', () => session.logbook.commit())
    await done({ size, examples, batches, outputs, logged })
    session.control.moved = false
    await runHooks(session, `${event}_batch_end`, { scope, size, outputs, batches })
    return true
  } catch (error) {
    if (held !== undefined && error instanceof RunError && error.code === 'LTM6101')
      throw await locatedBy(session, pass, batches, place, held, error)
    if (!(error instanceof SkipBatch)) throw error
    session.logbook.drop()
    session.control.moved = false
    return false
  } finally {
    await tellShown(session)
    dropWrites(session.buffers)
    held?.dispose()
    run.dispose()
  }
}

/** The fault of a step that has failed, at the operator that made it. */
async function locatedBy(
  own: Session,
  pass: Pass,
  batches: readonly Batch[],
  place: RunPlace,
  held: Held,
  fault: RunError,
): Promise<RunError> {
  const { session, step } = await watchedStep(own, pass.step)
  return located(session, fault, batches, () => repeat(session, step, batches, place, held))
}

/** Runs a step that has failed once more: the same batch, keys, parameters and slots, and nothing comes of it. */
async function repeat(
  session: Session,
  step: StepSpec,
  batches: readonly Batch[],
  place: RunPlace,
  held: Held,
): Promise<void> {
  held.restore()
  await tellShown(session)
  session.logbook.drop()
  dropWrites(session.buffers)
  const run = new StepRun(session, { ...place, repeated: true })
  try {
    await step.run(run, ...batches)
  } catch (error) {
    if (!(error instanceof RunError || error instanceof SkipBatch)) throw error
  } finally {
    dropShown()
    run.dispose()
  }
}

/** Outside training the epoch is left out, so that epochs can be compared. */
function keyOf(session: Session, { phase, name }: StepSpec, index: number) {
  const key = session.rootKey.at(phase).at(name ?? '')
  return phase === 'train' ? key.at(session.clocks.epoch).at(index) : key.at(index)
}
