import * as tf from '@tensorflow/tfjs-core'
import { constrainedValue } from './buffers.ts'
import type { JsonValue, Snapshot, StoredTensor } from './contracts.ts'
import { sizesState } from './counts.ts'
import { type CutEpoch, storedCut } from './cutEpoch.ts'
import { fitsOf } from './fits.ts'
import { identityState } from './identity.ts'
import type { JsonObject } from './json.ts'
import type { LogContents } from './logbook.ts'
import { readData } from './memory.ts'
import { variableOf } from './model.ts'
import type { OptimizerState } from './optimizer.ts'
import type { Kept, Session } from './session.ts'
import type { ParameterState } from './training.ts'

/** The layout of `state`; raised when an older one can no longer be read. */
const format = 2

/** Everything that a run needs to go on from here. The clock may have been set back since the last one was taken. */
export async function takeSnapshot(session: Session): Promise<Snapshot> {
  const { saves } = session
  saves.taken = Math.max(Date.now(), saves.taken + 1)
  const tensors = new Map<string, StoredTensor>()
  for (const [name, tensor] of storedTensors(session)) tensors.set(name, await store(tensor))
  for (const state of session.parameters.values()) await storeConstrained(tensors, state, session)
  for (const [name, tensor] of session.cut ? storedCut(session.cut) : []) tensors.set(name, tensor)
  return { time: saves.taken, tensors, state: { ...stateOf(session), cut: session.cut?.state ?? null } }
}

/** What closing an epoch changes, as it is before that. */
export async function takeCut(session: Session): Promise<CutEpoch> {
  const tensors = new Map<string, StoredTensor>()
  for (const [name, tensor] of metricTensors(session)) tensors.set(name, await store(tensor))
  return { state: stateOf(session), tensors }
}

function* storedTensors(session: Session): Generator<readonly [name: string, tensor: tf.Tensor]> {
  yield* storedVariables(session)
  for (const [optimizer, { windows }] of namedOptimizers(session))
    for (const { key, terms } of windows.contents())
      for (const [i, { sums }] of terms.entries())
        for (const [path, sum] of sums) yield [windowName(optimizer, key, i, path), sum]
  yield* metricTensors(session)
}

function* metricTensors(session: Session): Generator<readonly [name: string, tensor: tf.Tensor]> {
  for (const { prefix, name, state } of session.logbook.contents().metrics)
    for (const [part, tensor] of Object.entries(state)) yield [metricName(prefix, name, part), tensor]
}

/** What is loaded back into a variable: weights, buffers, and the slots of what moves them. */
export function* storedVariables(
  session: Session,
): Generator<readonly [name: string, variable: tf.Variable]> {
  for (const [path, state] of session.parameters) yield [`weights/${path}`, variableOf(state)]
  for (const [path, state] of session.buffers) yield [`weights/${path}`, variableOf(state)]
  for (const { spec, slots } of moversOf(session)) {
    for (const [slot, byPath] of slots) {
      for (const [path, variable] of byPath) yield [`slots/${spec.name}/${slot}/${path}`, variable]
    }
  }
}

/** What has slots and counts: the optimizers, and the averages that move after them. */
export function moversOf({ optimizers, averages }: Session): readonly OptimizerState[] {
  return [...optimizers.values(), ...averages.map(({ state }) => state)]
}

export function namedOptimizers({ optimizers }: Session): readonly (readonly [string, OptimizerState])[] {
  return [...optimizers.values()].map(state => [state.spec.name, state] as const)
}

/** Under which name a checkpoint has the gradients that wait in a window. */
export function windowName(optimizer: string, key: string, term: number, path: string): string {
  return `windows/${optimizer}/${key}/${term}/${path}`
}

/** Under which name a checkpoint has a part of the state of a metric. */
export function metricName(prefix: string, name: string, part: string): string {
  return `metrics/${prefix}.${name}/${part}`
}

/** The constrained value is there for readers of the file; what is loaded is the raw one. */
async function storeConstrained(
  tensors: Map<string, StoredTensor>,
  state: ParameterState,
  { buffers }: Session,
): Promise<void> {
  if (state.spec.constraint === undefined) return
  const value = tf.tidy(() => tf.clone(constrainedValue(state, buffers)))
  tensors.set(`values/${state.path}`, await store(value))
  value.dispose()
}

async function store(tensor: tf.Tensor): Promise<StoredTensor> {
  const { dtype } = tensor
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') throw new Error(`cannot store ${dtype}`)
  // A copy: what a backend hands out may be the memory that it goes on using.
  return { dtype, shape: [...tensor.shape], data: (await readData(tensor)).slice() }
}

function stateOf(session: Session): JsonObject {
  const { training, seed, clocks, watch, backend, control, position, saves } = session
  const { epoch } = position
  const { seconds, batchIndex, batches, examples, skipped, updates } = clocks.values()
  return {
    format,
    program: session.identity === undefined ? null : identityState(session.identity),
    backend: backend.name,
    seed,
    position: { ...position, evaluation: position.evaluation ? { ...position.evaluation } : null },
    end: control.end === undefined ? null : { ...control.end },
    failed: control.failed ?? null,
    moved: control.moved,
    clocks: { epoch, batchIndex, batches, examples, skipped, seconds, updates: { ...updates } },
    places: { ...clocks.places() },
    counts: Object.fromEntries(moversOf(session).map(o => [o.spec.name, Object.fromEntries(o.counts)])),
    windows: namedOptimizers(session).flatMap(([optimizer, { windows }]) =>
      windows.contents().map(({ key, calls, terms }) => ({
        ...{ optimizer, key, calls },
        terms: terms.map(({ weight, sums }) => ({ weight: hostValue(weight), paths: [...sums.keys()] })),
      })),
    ),
    constraints: constraintsOf(session),
    fits: fitsOf(session),
    sizes: sizesState(session.data),
    watch: { kept: watch.kept.map(keptState), outdated: [...saves.outdated], taken: watch.taken },
    frozen: [...session.frozen.next],
    still: [...session.frozen.now],
    stalls: Object.fromEntries(
      [...session.stalls].map(([place, { best, waited, cooling, seen }]) => [
        place,
        { best: finiteOrNull(best), waited, cooling, seen },
      ]),
    ),
    log: logState(session.logbook.contents()),
    records: session.records?.size ?? 0,
    periods: saves.periods,
    vars: Object.fromEntries(
      Object.entries(training.vars ?? {}).map(([name, value]) => [name, hostValue(value)]),
    ),
    cadences: training.hooks.map(hook => session.cadences.get(hook) ?? 0),
  }
}

/** The tensors of metrics lie beside it. */
function logState({ means, metrics, newest, results }: LogContents): JsonValue {
  return {
    means: means.map(({ prefix, name, levels, sum, weight }) => ({
      ...{ prefix, name, levels: { ...levels } },
      ...{ sum: hostValue(sum), weight: hostValue(weight) },
    })),
    metrics: metrics.map(({ prefix, name, levels, metric, state }) => ({
      ...{ prefix, name, levels: { ...levels } },
      ...{ metric, parts: Object.keys(state) },
    })),
    newest: newest.map(({ name, value, times }) => ({ name, value: hostValue(value), times })),
    results: results.map(({ name, value }) => ({ name, value: hostValue(value) })),
  }
}

function keptState({ name, path, value, epoch }: Kept): JsonValue {
  return { name, path, value, epoch }
}

/** A version that differs tells whoever loads the weights that they would mean something else. */
function constraintsOf(session: Session): JsonValue {
  const constrained = [...session.parameters.values()].flatMap(({ path, spec: { constraint } }) =>
    constraint === undefined ? [] : [[path, { name: constraint.name, version: constraint.version }] as const],
  )
  return Object.fromEntries(constrained)
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/** JSON has no numbers that are not finite: they become words. */
function hostValue(value: number | boolean): JsonValue {
  return typeof value === 'boolean' || Number.isFinite(value) ? value : `${value}`
}
