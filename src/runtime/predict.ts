import type * as tf from '@tensorflow/tfjs-core'
import type { JsonValue } from './contracts.ts'
import { RunError } from './errors.ts'
import { runHooks } from './hooks.ts'
import { breathe, isInterrupted } from './pace.ts'
import { type BatchDone, openPass, runBatch } from './passes.ts'
import type { Prediction, Session } from './session.ts'
import type { StepSpec } from './training.ts'

/** Runs the predict steps in the order of the data and reports what they return. */
export async function predictAll(session: Session, split: string | undefined): Promise<void> {
  const steps = session.training.steps.filter(step => step.phase === 'predict')
  if (steps.length === 0) throw nothingToPredict(session.training.name)
  await runHooks(session, 'predict_start')
  await runHooks(session, 'predict_epoch_start')
  for (const step of steps) {
    for (const each of splitsOf(session, step, split)) await predictSplit(session, step, each)
  }
  if (isInterrupted(session)) return
  await runHooks(session, 'predict_epoch_end')
  await runHooks(session, 'predict_end')
}

function nothingToPredict(name: string): RunError {
  return new RunError({
    code: 'LTM6106',
    message: `\`${name}\` has no predict step`,
    help: 'write `step predict(batch) { return { … } }` in it',
  })
}

/** Examples that training has not seen, where there are some: `test`, else `val`, else everything. */
function splitsOf(
  session: Session,
  step: StepSpec,
  asked: string | undefined,
): readonly (string | undefined)[] {
  const [stream] = step.streams
  if (stream === undefined) return [undefined]
  const splits = session.data.get(stream.data)?.splits ?? new Map<string, number>()
  const filled = [...splits].flatMap(([name, examples]) => (examples > 0 ? [name] : []))
  const wanted = asked ?? filled.find(name => name === 'test') ?? filled.find(name => name === 'val')
  if (wanted === undefined) return filled
  if (filled.includes(wanted)) return [wanted]
  throw new RunError({
    code: 'LTM6107',
    message: `\`${stream.data}\` has no split \`${wanted}\` with examples in it`,
    trace: step.trace,
    help: `its splits are ${filled.join(', ')}`,
  })
}

async function predictSplit(session: Session, step: StepSpec, split: string | undefined): Promise<void> {
  const pass = openPass(session, step, split)
  const place = step.name === undefined ? {} : { step: step.name }
  session.report({ kind: 'phase_start', phase: 'predict', ...place, batches: pass.batches })
  let offset = 0
  for (let index = 0; index < pass.batches && !isInterrupted(session); index++) {
    await runBatch(session, pass, index, async done => {
      await reportRows(session, step, split, offset, done)
      offset += done.examples ?? 0
      const clocks = session.clocks.values()
      const { batches } = pass
      session.report({ kind: 'step', phase: 'predict', ...place, clocks, batches, values: done.logged.bar })
    })
    await breathe(session)
  }
}

async function reportRows(
  session: Session,
  step: StepSpec,
  split: string | undefined,
  offset: number,
  { outputs = {}, examples }: BatchDone,
): Promise<void> {
  const source = { data: step.streams[0]?.data, split, step: step.name }
  const place = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined))
  for (const { each, rows } of await rowsOf(Object.entries(outputs), examples)) {
    session.predictions.push(...rows)
    session.report({ kind: 'prediction', ...place, offset, each, rows })
  }
}

interface Rows {
  readonly each: boolean
  readonly rows: readonly Prediction[]
}

/** Fields as long as the batch become one row an example; the others one row a call. */
async function rowsOf(
  outputs: readonly (readonly [string, tf.Tensor])[],
  examples: number | undefined,
): Promise<readonly Rows[]> {
  const isEach = (tensor: tf.Tensor) =>
    examples !== undefined && tensor.rank > 0 && tensor.shape[0] === examples
  const fields = await Promise.all(
    outputs.map(async ([name, value]) => ({ name, value, json: await toJson(value) })),
  )
  const perExample = fields.filter(({ value }) => isEach(value))
  const perCall = fields.filter(({ value }) => !isEach(value))
  const found: Rows[] = []
  if (perExample.length > 0) {
    const row = (index: number) => perExample.map(({ name, json }) => [name, elementAt(json, index)] as const)
    const rows = Array.from({ length: examples ?? 0 }, (_, index) => Object.fromEntries(row(index)))
    found.push({ each: true, rows })
  }
  if (perCall.length > 0) {
    found.push({ each: false, rows: [Object.fromEntries(perCall.map(({ name, json }) => [name, json]))] })
  }
  return found
}

async function toJson(tensor: tf.Tensor): Promise<JsonValue> {
  const values: JsonValue = await tensor.array()
  return tensor.dtype === 'bool' ? truths(values) : values
}

/** The library reads booleans as 0 and 1. */
function truths(value: JsonValue): JsonValue {
  return isList(value) ? value.map(truths) : value === 1 || value === true
}

function elementAt(value: JsonValue, index: number): JsonValue {
  return isList(value) ? (value[index] ?? null) : null
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
