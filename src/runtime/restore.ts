import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { hasCheckpoint } from './checkpoint.ts'
import type { JsonValue, Snapshot, StoredTensor } from './contracts.ts'
import { RunError } from './errors.ts'
import type { ClockValues } from './events.ts'
import { checkFits } from './fits.ts'
import type { Levels, LogContents } from './logbook.ts'
import { variableOf } from './model.ts'
import { type Cursor, type Position, type Session, stages } from './session.ts'
import { metricName, moversOf, namedOptimizers, storedVariables, windowName } from './snapshot.ts'
import { flagIn, listIn, memberOf, membersOf, numberIn, textIn, textsIn } from './stored.ts'
import type { BufferState, ParameterState } from './training.ts'
import type { OpenWindow } from './windows.ts'

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
  const stored = memberOf(snapshot.state, 'constraints')
  for (const { path: name, spec } of session.parameters.values()) {
    const was = memberOf(stored, name)
    const same =
      memberOf(was, 'name') === spec.constraint?.name && memberOf(was, 'version') === spec.constraint?.version
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
  tf.tidy(() => variable.assign(tensorOf(stored)))
}

function tensorOf({ data, shape, dtype }: StoredTensor): tf.Tensor {
  return tf.tensor(data, [...shape], dtype)
}

/** Takes up all else that a run has, so that it goes on as if it had never ended. */
export function restoreProgress(session: Session, snapshot: Snapshot, path: string): void {
  for (const [name, variable] of storedVariables(session)) {
    const stored = snapshot.tensors.get(name)
    if (stored !== undefined) assignStored(variable, stored)
  }
  const { state } = snapshot
  const { clocks, frozen } = session
  Object.assign(session.position, positionFrom(memberOf(state, 'position')))
  clocks.restore(clocksFrom(memberOf(state, 'clocks')), placesFrom(memberOf(state, 'places')))
  clocks.epoch = session.position.epoch
  session.saves.taken = snapshot.time ?? 0
  restoreEnd(session, memberOf(state, 'end'))
  for (const { spec, counts } of moversOf(session)) {
    const stored = memberOf(memberOf(state, 'counts'), spec.name)
    for (const path of counts.keys()) counts.set(path, numberIn(stored, path))
  }
  restoreVars(session, memberOf(state, 'vars'))
  restoreWatch(session, memberOf(state, 'watch'), path)
  restoreStalls(session, memberOf(state, 'stalls'))
  frozen.next.clear()
  for (const path of textsIn(state, 'frozen')) frozen.next.add(path)
  frozen.now = new Set(textsIn(state, 'still'))
  const cadences = memberOf(state, 'cadences')
  for (const [index, hook] of session.training.hooks.entries()) {
    session.cadences.set(hook, numberIn(cadences, `${index}`))
  }
  // What these take are copies: the tensors made here are freed.
  tf.tidy(() => {
    restoreWindows(session, snapshot)
    session.logbook.restore(logFrom(snapshot), session.training.metrics)
  })
}

function positionFrom(stored: JsonValue | undefined): Position {
  const begun = memberOf(stored, 'begun')
  return {
    stage: stages.find(stage => stage === textIn(stored, 'stage')) ?? 'batches',
    epoch: numberIn(stored, 'epoch'),
    pass: numberIn(stored, 'pass'),
    batch: numberIn(stored, 'batch'),
    evaluation: cursorFrom(memberOf(stored, 'evaluation')),
    begun: { seconds: numberIn(begun, 'seconds'), updates: numberIn(begun, 'updates') },
    validated: numberIn(stored, 'validated'),
  }
}

function cursorFrom(stored: JsonValue | undefined): Cursor | undefined {
  if (stored === undefined || stored === null) return undefined
  return { step: numberIn(stored, 'step'), batch: numberIn(stored, 'batch') }
}

function clocksFrom(state: JsonValue | undefined): ClockValues {
  const updates = memberOf(state, 'updates')
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

function placesFrom(stored: JsonValue | undefined) {
  return {
    train: numberIn(stored, 'train'),
    val: numberIn(stored, 'val'),
    test: numberIn(stored, 'test'),
    predict: numberIn(stored, 'predict'),
  }
}

/** A hook or `stop` may have ended the run in the middle of its last epoch. */
function restoreEnd({ control }: Session, stored: JsonValue | undefined): void {
  const reason = (['finished', 'stalled', 'stopped'] as const).find(one => one === textIn(stored, 'reason'))
  const detail = textIn(stored, 'detail')
  if (reason !== undefined) control.end = { reason, ...(detail !== undefined && { detail }) }
}

function restoreVars(session: Session, stored: JsonValue | undefined): void {
  const { vars } = session.training
  if (vars === undefined) return
  for (const name of Object.keys(vars)) {
    const value = memberOf(stored, name)
    if (typeof value === 'string') vars[name] = Number(value)
    else if (typeof value === 'number' || typeof value === 'boolean') vars[name] = value
  }
}

/** How long what the places that ask `stalled` watch has stalled. */
function restoreStalls({ stalls }: Session, stored: JsonValue | undefined): void {
  for (const [place, stall] of membersOf(stored)) {
    const best = memberOf(stall, 'best')
    stalls.set(place, {
      best: typeof best === 'number' ? best : Number.NaN,
      waited: numberIn(stall, 'waited'),
      seen: numberIn(stall, 'seen'),
    })
  }
}

function restoreWatch({ watch, saves }: Session, stored: JsonValue | undefined, loaded: string): void {
  watch.kept = listIn(stored, 'kept').flatMap(kept => {
    const name = textIn(kept, 'name')
    const told = textIn(kept, 'path')
    if (name === undefined || told === undefined) return []
    // A folder of runs may have moved, or the run goes on from another directory: kept ones lie beside what was loaded.
    const beside = join(dirname(loaded), name)
    const path = told !== '' && hasCheckpoint(beside) ? beside : told
    if (!isStillThere(path)) return []
    return [{ name, path, value: numberIn(kept, 'value'), epoch: numberIn(kept, 'epoch') }]
  })
  for (const path of textsIn(stored, 'outdated')) saves.outdated.add(path)
}

/** A run that kept nothing on disk still remembers its best value. */
function isStillThere(path: string): boolean {
  return path === '' || hasCheckpoint(path)
}

/** Windows that were open; of an optimizer that is no more, and of parameters that it has no longer, nothing is taken. */
function restoreWindows(session: Session, { state, tensors }: Snapshot): void {
  for (const [name, { windows, parameters }] of namedOptimizers(session)) {
    const own = listIn(state, 'windows').filter(window => textIn(window, 'optimizer') === name)
    windows.restore(own.map(window => windowFrom(name, window, tensors, path => parameters.has(path))))
  }
}

function windowFrom(
  optimizer: string,
  stored: JsonValue,
  tensors: Snapshot['tensors'],
  isKnown: (path: string) => boolean,
): OpenWindow {
  const key = textIn(stored, 'key') ?? ''
  const terms = listIn(stored, 'terms').map((term, i) => {
    const sums = textsIn(term, 'paths').flatMap(path => {
      const sum = tensors.get(windowName(optimizer, key, i, path))
      return sum === undefined || !isKnown(path) ? [] : [[path, tensorOf(sum)] as const]
    })
    return { weight: numberIn(term, 'weight'), sums: new Map(sums) }
  })
  return { key, calls: numberIn(stored, 'calls'), terms }
}

function logFrom({ state, tensors }: Snapshot): LogContents {
  const log = memberOf(state, 'log')
  const named = (stored: JsonValue) => ({
    name: textIn(stored, 'name') ?? '',
    value: numberIn(stored, 'value'),
  })
  return {
    means: listIn(log, 'means').map(stored => ({
      ...placeFrom(stored),
      ...{ sum: numberIn(stored, 'sum'), weight: numberIn(stored, 'weight') },
    })),
    metrics: listIn(log, 'metrics').map(stored => {
      const place = placeFrom(stored)
      const parts = textsIn(stored, 'parts').flatMap(part => {
        const tensor = tensors.get(metricName(place.prefix, place.name, part))
        return tensor === undefined ? [] : [[part, tensorOf(tensor)] as const]
      })
      return { ...place, metric: textIn(stored, 'metric') ?? '', state: Object.fromEntries(parts) }
    }),
    newest: listIn(log, 'newest').map(stored => ({ ...named(stored), times: numberIn(stored, 'times') })),
    results: listIn(log, 'results').map(named),
  }
}

function placeFrom(stored: JsonValue): { prefix: string; name: string; levels: Levels } {
  const levels = memberOf(stored, 'levels')
  return {
    prefix: textIn(stored, 'prefix') ?? '',
    name: textIn(stored, 'name') ?? '',
    levels: { step: flagIn(levels, 'step'), epoch: flagIn(levels, 'epoch'), bar: flagIn(levels, 'bar') },
  }
}
