import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { constrainedValue } from './buffers.ts'
import { hasCheckpoint } from './checkpoint.ts'
import type { JsonValue, Snapshot, StoredTensor } from './contracts.ts'
import { RunError } from './errors.ts'
import type { ClockValues } from './events.ts'
import { checkFits, fitsOf } from './fits.ts'
import { readData } from './memory.ts'
import { variableOf } from './model.ts'
import type { OptimizerState } from './optimizer.ts'
import type { Kept, Session } from './session.ts'
import type { BufferState, ParameterState } from './training.ts'

/** The layout of `state`; raised when an older one can no longer be read. */
const format = 1

/** Everything that a run needs to go on from here. */
export async function takeSnapshot(session: Session): Promise<Snapshot> {
  const tensors = new Map<string, StoredTensor>()
  for (const [name, variable] of storedVariables(session)) tensors.set(name, await store(variable))
  for (const state of session.parameters.values()) await storeConstrained(tensors, state, session)
  return { tensors, state: stateOf(session) }
}

function* storedVariables(session: Session): Generator<readonly [name: string, variable: tf.Variable]> {
  for (const [path, state] of session.parameters) yield [`weights/${path}`, variableOf(state)]
  for (const [path, state] of session.buffers) yield [`weights/${path}`, variableOf(state)]
  for (const { spec, slots } of moversOf(session)) {
    for (const [slot, byPath] of slots) {
      for (const [path, variable] of byPath) yield [`slots/${spec.name}/${slot}/${path}`, variable]
    }
  }
}

/** What has slots and counts: the optimizers, and the averages that move after them. */
function moversOf({ optimizers, averages }: Session): readonly OptimizerState[] {
  return [...optimizers.values(), ...averages.map(({ state }) => state)]
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

function stateOf(session: Session): JsonValue {
  const { training, seed, clocks, watch, backend } = session
  const { seconds, epoch, batchIndex, batches, examples, skipped, updates } = clocks.values()
  return {
    format,
    program: { name: training.name, file: training.file, settings: { ...training.settings } },
    backend: backend.name,
    seed,
    position: { ...session.position },
    clocks: { epoch, batchIndex, batches, examples, skipped, seconds, updates: { ...updates } },
    counts: Object.fromEntries(moversOf(session).map(o => [o.spec.name, Object.fromEntries(o.counts)])),
    constraints: constraintsOf(session),
    fits: fitsOf(session),
    watch: { kept: watch.kept.map(keptState), best: finiteOrNull(watch.best), waited: watch.waited },
    frozen: [...session.frozen.next],
    stalls: Object.fromEntries(
      [...session.stalls].map(([place, { best, waited, seen }]) => [
        place,
        { best: finiteOrNull(best), waited, seen },
      ]),
    ),
    logged: session.logbook.newestValues().map(([name, value, times]) => [name, hostValue(value), times]),
    vars: Object.fromEntries(
      Object.entries(training.vars ?? {}).map(([name, value]) => [name, hostValue(value)]),
    ),
    cadences: training.hooks.map(hook => session.cadences.get(hook) ?? 0),
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

function hostValue(value: number | boolean): JsonValue {
  return typeof value === 'boolean' || Number.isFinite(value) ? value : `${value}`
}

/** Gives every parameter and buffer its value from a checkpoint; what it lacks, or shapes otherwise, is an error before any changes. */
export function restoreWeights(session: Session, snapshot: Snapshot, path: string): void {
  const states = [...session.parameters.values(), ...session.buffers.values()]
  const faults = states.flatMap(state => fault(state, snapshot.tensors.get(`weights/${state.path}`)))
  if (faults.length > 0) throw misfit(path, faults)
  checkConstraints(session, snapshot, path)
  checkFits(session, snapshot, path)
  for (const state of states) assignStored(variableOf(state), snapshot.tensors.get(`weights/${state.path}`)!)
}

function fault(
  { path, spec }: ParameterState | BufferState,
  stored: StoredTensor | undefined,
): readonly string[] {
  if (stored === undefined) return [`\`${path}\` is not in it`]
  if (stored.shape.join() === spec.shape.join()) return []
  return [`\`${path}\` is [${stored.shape.join(', ')}] there and [${spec.shape.join(', ')}] here`]
}

function misfit(path: string, faults: readonly string[]): RunError {
  const shown = faults.slice(0, 3).join('; ')
  const more = faults.length > 3 ? `; and ${faults.length - 3} more` : ''
  return new RunError({
    code: 'LTM6301',
    message: `the checkpoint ${path} does not fit this program: ${shown}${more}`,
    help: 'it was made by another program, or the model has changed since',
  })
}

function checkConstraints(session: Session, snapshot: Snapshot, path: string): void {
  const stored = member(snapshot.state, 'constraints')
  for (const { path: name, spec } of session.parameters.values()) {
    const was = member(stored, name)
    const same =
      member(was, 'name') === spec.constraint?.name && member(was, 'version') === spec.constraint?.version
    if (stored === undefined || same) continue
    const message = `\`${name}\` was saved in ${path} under another constraint or another version of it`
    throw new RunError({
      code: 'LTM6302',
      message,
      trace: spec.trace,
      help: 'its raw values mean something else here',
    })
  }
}

function assignStored(variable: tf.Variable, stored: StoredTensor): void {
  tf.tidy(() => variable.assign(tf.tensor(stored.data, [...stored.shape], stored.dtype)))
}

/** Takes up slots, counts, clocks and what was being watched, so that the run goes on with the batch after. */
export function restoreProgress(session: Session, snapshot: Snapshot, path: string): void {
  for (const [name, variable] of storedVariables(session)) {
    const stored = snapshot.tensors.get(name)
    if (stored !== undefined) assignStored(variable, stored)
  }
  const { state } = snapshot
  session.clocks.restore(clocksFrom(member(state, 'clocks')))
  const position = member(state, 'position')
  session.position.epoch = numberIn(position, 'epoch')
  session.position.pass = numberIn(position, 'pass')
  session.position.batch = numberIn(position, 'batch')
  session.clocks.epoch = session.position.epoch
  for (const { spec, counts } of moversOf(session)) {
    const stored = member(member(state, 'counts'), spec.name)
    for (const path of counts.keys()) counts.set(path, numberIn(stored, path))
  }
  restoreVars(session, member(state, 'vars'))
  restoreWatch(session, member(state, 'watch'), path)
  restoreLogged(session, state)
  restoreFrozen(session, member(state, 'frozen'))
  const cadences = member(state, 'cadences')
  for (const [index, hook] of session.training.hooks.entries()) {
    session.cadences.set(hook, numberIn(cadences, `${index}`))
  }
}

function clocksFrom(state: JsonValue | undefined): ClockValues {
  const updates = member(state, 'updates')
  return {
    epoch: numberIn(state, 'epoch'),
    batchIndex: numberIn(state, 'batchIndex'),
    batches: numberIn(state, 'batches'),
    examples: numberIn(state, 'examples'),
    seconds: numberIn(state, 'seconds'),
    skipped: numberIn(state, 'skipped'),
    updates: Object.fromEntries(membersOf(updates).map(([name]) => [name, numberIn(updates, name)])),
  }
}

function restoreVars(session: Session, stored: JsonValue | undefined): void {
  const { vars } = session.training
  if (vars === undefined) return
  for (const name of Object.keys(vars)) {
    const value = member(stored, name)
    if (typeof value === 'string') vars[name] = Number(value)
    else if (typeof value === 'number' || typeof value === 'boolean') vars[name] = value
  }
}

/** What hooks have seen: the newest values, and how long those they watch have stalled. */
function restoreLogged({ logbook, stalls }: Session, state: JsonValue): void {
  for (const [, entry] of membersOf(member(state, 'logged'))) {
    const name = member(entry, '0')
    if (typeof name === 'string') logbook.restore(name, Number(member(entry, '1')), numberIn(entry, '2'))
  }
  for (const [place, stored] of membersOf(member(state, 'stalls'))) {
    const best = member(stored, 'best')
    stalls.set(place, {
      best: typeof best === 'number' ? best : Number.NaN,
      waited: numberIn(stored, 'waited'),
      seen: numberIn(stored, 'seen'),
    })
  }
}

function restoreFrozen({ frozen }: Session, stored: JsonValue | undefined): void {
  if (stored === undefined) return
  const paths = membersOf(stored).flatMap(([, path]) => (typeof path === 'string' ? [path] : []))
  frozen.next.clear()
  for (const path of paths) frozen.next.add(path)
}

function restoreWatch({ watch }: Session, stored: JsonValue | undefined, loaded: string): void {
  const best = member(stored, 'best')
  watch.best = typeof best === 'number' ? best : Number.NaN
  watch.waited = numberIn(stored, 'waited')
  watch.kept = membersOf(member(stored, 'kept')).flatMap(([, kept]) => {
    const name = member(kept, 'name')
    const told = member(kept, 'path')
    if (typeof name !== 'string' || typeof told !== 'string') return []
    // A folder of runs may have moved, or the run goes on from another directory: kept ones lie beside what was loaded.
    const beside = join(dirname(loaded), name)
    const path = told !== '' && hasCheckpoint(beside) ? beside : told
    if (!isStillThere(path)) return []
    return [{ name, path, value: numberIn(kept, 'value'), epoch: numberIn(kept, 'epoch') }]
  })
}

/** A run that kept nothing on disk still remembers its best value. */
function isStillThere(path: string): boolean {
  return path === '' || hasCheckpoint(path)
}

function membersOf(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return membersOf(value).find(([key]) => key === name)?.[1]
}

function numberIn(value: JsonValue | undefined, name: string): number {
  const number = member(value, name)
  return typeof number === 'number' ? number : 0
}
