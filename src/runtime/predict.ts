import type * as tf from '@tensorflow/tfjs-core'
import type { JsonValue } from './contracts.ts'
import { RunError } from './errors.ts'
import { runHooks } from './hooks.ts'
import { breathe, isInterrupted } from './pace.ts'
import { type BatchDone, openPass, reportStep, runBatch, stepPlace } from './passes.ts'
import type { PredictedField, Prediction, Session } from './session.ts'
import type { Batch, StepSpec, TextOutput } from './training.ts'

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
  session.report({ kind: 'phase_start', ...stepPlace(step), batches: pass.batches })
  let offset = 0
  for (let index = 0; index < pass.batches && !isInterrupted(session); index++) {
    await runBatch(session, pass, index, async done => {
      await reportRows(session, step, split, offset, done)
      offset += done.examples ?? 0
      await reportStep(session, pass, done.logged)
    })
    await breathe(session)
  }
}

async function reportRows(
  session: Session,
  step: StepSpec,
  split: string | undefined,
  offset: number,
  { outputs = {}, examples, batches: [batch] }: BatchDone,
): Promise<void> {
  const source = { data: step.streams[0]?.data, split, step: step.name }
  const place = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined))
  const fields = await Promise.all(
    Object.entries(outputs).map(([name, value]) => fieldOf(session, step, batch, name, value)),
  )
  for (const field of fields) notePredicted(session, field.name, kindOf(step, field))
  for (const { each, rows } of rowsOf(fields, examples)) {
    session.predictions.push(...rows)
    session.report({ kind: 'prediction', ...place, offset, each, rows })
  }
}

/** What a step returned under a name. */
interface Field {
  readonly name: string
  readonly dtype: PredictedField['dtype']
  readonly rank: number
  /** One value an example. */
  readonly each: boolean
  readonly cuts: readonly Cut[]
  readonly json: JsonValue
}

/** How many places each example has on an axis. */
interface Cut {
  readonly axis: number
  readonly lengths: Int32Array
}

async function fieldOf(
  session: Session,
  step: StepSpec,
  batch: Batch | undefined,
  name: string,
  value: tf.Tensor,
): Promise<Field> {
  const { rank, dtype } = value
  const each = batch !== undefined && rank > 0 && value.shape[0] === batch.size
  const wanted = each ? (step.ragged ?? []).filter(({ output }) => output === name) : []
  const cuts = await Promise.all(wanted.map(({ axis, length }) => cutOf(batch, axis, length)))
  const json = await toJson(value)
  const text = step.texts?.find(({ output }) => output === name)
  if (text === undefined) return { name, dtype: kindOfNumber(dtype), rank, each, cuts, json }
  return { name, dtype: 'text', rank, each, cuts, json: textsOf(json, vocabularyOf(session, text)) }
}

/** The checkpoint has the same one: other data is refused when its weights are loaded. */
function vocabularyOf({ data }: Session, text: TextOutput): readonly JsonValue[] {
  const fits = data.get(text.data)?.fits[text.vocabulary]
  if (fits === undefined) throw new Error(`\`${text.data}\` has no vocabulary ${text.vocabulary}`)
  return fits
}

/** A number that no text has, because there are fewer than the model could tell, becomes `null`. */
function textsOf(json: JsonValue, vocabulary: readonly JsonValue[]): JsonValue {
  if (isList(json)) return json.map(each => textsOf(each, vocabulary))
  return vocabulary[Number(json)] ?? null
}

async function cutOf(batch: Batch | undefined, axis: number, length: string): Promise<Cut> {
  const lengths = await batch?.fields[length]?.data<'int32'>()
  if (lengths === undefined) throw new Error(`a batch lacks \`${length}\``)
  return { axis, lengths: Int32Array.from(lengths) }
}

function kindOfNumber(dtype: tf.DataType): PredictedField['dtype'] {
  return dtype === 'int32' || dtype === 'bool' ? dtype : 'float32'
}

function kindOf({ streams }: StepSpec, { dtype, rank, each, cuts }: Field): PredictedField {
  return {
    dtype,
    rank: each ? rank - 1 : rank,
    ragged: cuts.some(({ axis }) => axis === 1),
    many: streams.length > 0,
  }
}

/** Steps may return fields of one name. */
function notePredicted({ predicted }: Session, name: string, found: PredictedField): void {
  const known = predicted.get(name) ?? found
  const text = known.dtype === 'text' || found.dtype === 'text'
  const dtype = known.dtype === found.dtype ? found.dtype : text ? 'text' : 'float32'
  const ragged = known.ragged || found.ragged
  predicted.set(name, { dtype, rank: found.rank, ragged, many: known.many || found.many })
}

interface Rows {
  readonly each: boolean
  readonly rows: readonly Prediction[]
}

/** Fields as long as the batch become one row an example; the others one row a call. */
function rowsOf(fields: readonly Field[], examples: number | undefined): readonly Rows[] {
  const perExample = fields.filter(({ each }) => each)
  const perCall = fields.filter(({ each }) => !each)
  const found: Rows[] = []
  if (perExample.length > 0) {
    const row = (index: number) => perExample.map(field => [field.name, exampleAt(field, index)] as const)
    const rows = Array.from({ length: examples ?? 0 }, (_, index) => Object.fromEntries(row(index)))
    found.push({ each: true, rows })
  }
  if (perCall.length > 0) {
    found.push({ each: false, rows: [Object.fromEntries(perCall.map(({ name, json }) => [name, json]))] })
  }
  return found
}

/** One example's value, without the places that only longer examples of the batch have. */
function exampleAt({ json, cuts }: Field, index: number): JsonValue {
  const whole = elementAt(json, index)
  return cuts.reduce((value, { axis, lengths }) => cutAt(value, axis - 1, lengths[index] ?? 0), whole)
}

function cutAt(value: JsonValue, depth: number, length: number): JsonValue {
  if (!isList(value)) return value
  return depth === 0 ? value.slice(0, length) : value.map(inner => cutAt(inner, depth - 1, length))
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
