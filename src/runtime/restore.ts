import { basename, dirname, join, resolve } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { hasCheckpoint } from './checkpoint.ts'
import type { JsonValue, Snapshot, StoredTensor } from './contracts.ts'
import { cutIn } from './cutEpoch.ts'
import { RunError } from './errors.ts'
import { type ClockValues, endReasons } from './events.ts'
import { checkFits } from './fits.ts'
import type { Origin } from './folders.ts'
import { timesPassed } from './hooks.ts'
import type { Levels, LogContents } from './logbook.ts'
import { variableOf } from './model.ts'
import { periodsPassed } from './saving.ts'
import { type Cursor, type Position, type Session, stages } from './session.ts'
import { metricName, moversOf, namedOptimizers, storedVariables, windowName } from './snapshot.ts'
import { flagIn, listIn, memberOf, membersOf, numberIn, textIn, textsIn } from './stored.ts'
import type { BufferState, ParameterState } from './training.ts'
import type { OpenWindow } from './windows.ts'

/** Gives every parameter and buffer its value from a checkpoint; what does not fit is an error before any changes. */
export function restoreWeights(session: Session, snapshot: Snapshot, path: string): void {
  checkShapes(session, snapshot, path)
  checkConstraints(session, snapshot, path)
  checkFits(session, snapshot, path)
  assignWeights(session, snapshot)
}

/** The same of one that is known to fit. */
export function assignWeights(session: Session, { tensors }: Snapshot): void {
  for (const state of statesOf(session)) {
    const stored = tensors.get(`weights/${state.path}`)
    if (stored !== undefined) assignStored(variableOf(state), stored)
  }
}

type Holders = Pick<Session, 'parameters' | 'buffers'>

function statesOf({ parameters, buffers }: Holders): readonly (ParameterState | BufferState)[] {
  return [...parameters.values(), ...buffers.values()]
}

/** Each parameter and buffer has to be in the checkpoint, in its shape, and nothing else. */
export function checkShapes(holders: Holders, { tensors, state }: Snapshot, path: string): void {
  const states = statesOf(holders)
  const own = new Set(states.map(({ path }) => `weights/${path}`))
  const surplus = [...tensors].filter(([name]) => name.startsWith('weights/') && !own.has(name))
  const faults = [
    ...states.flatMap(state => fault(state, tensors.get(`weights/${state.path}`))),
    ...surplus.map(
      ([name, { shape }]) => `\`${name.slice(8)}\` is ${shapeText(shape)} there and not in this program`,
    ),
  ]
  if (faults.length > 0) throw misfit(path, faults, textIn(memberOf(state, 'program'), 'name'))
}

function fault(
  { path, spec }: ParameterState | BufferState,
  stored: StoredTensor | undefined,
): readonly string[] {
  const here = shapeText(spec.shape)
  if (stored === undefined) return [`\`${path}\` is ${here} here and not in it`]
  return shapeText(stored.shape) === here
    ? []
    : [`\`${path}\` is ${shapeText(stored.shape)} there and ${here} here`]
}

function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'a number' : `[${shape.join(', ')}]`
}

const mostFaults = 12

function misfit(path: string, faults: readonly string[], name: string | undefined): RunError {
  const shown = faults.slice(0, mostFaults).map(fault => `\n  ${fault}`)
  const more = faults.length > mostFaults ? `\n  and ${faults.length - mostFaults} more` : ''
  const of = name === undefined ? '' : ` of \`train ${name}\``
  return new RunError({
    code: 'LTM6301',
    message: `the checkpoint ${path}${of} does not fit this program:${shown.join('')}${more}`,
    help: 'it was made by another program, or the model has changed since; `ltm checkpoint show` tells what it holds',
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
export function restoreProgress(session: Session, { snapshot, path, changes, longer }: Origin): void {
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
  session.cut = cutIn(snapshot)
  restoreEnd(session, memberOf(state, 'end'), { changed: changes.length > 0, longer })
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
    const times = changes.length === 0 ? numberIn(cadences, `${index}`) : timesPassed(session, hook)
    session.cadences.set(hook, times)
  }
  session.saves.periods = changes.length === 0 ? listIn(state, 'periods').map(Number) : periodsPassed(session)
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

/**
 * A hook or `stop` may have ended the run. What has been edited may be what ended it; an end that is only further away leaves what
 * stopped the run before.
 */
function restoreEnd(
  { control, position }: Session,
  stored: JsonValue | undefined,
  { changed, longer }: { readonly changed: boolean; readonly longer: boolean },
): void {
  const reason = endReasons.find(one => one === textIn(stored, 'reason'))
  const stays = !changed || (longer && reason !== 'finished')
  const detail = textIn(stored, 'detail')
  if (reason !== undefined && stays) control.end = { reason, ...(detail !== undefined && { detail }) }
  else if (changed && position.stage === 'ended') position.stage = 'batches'
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
      cooling: numberIn(stall, 'cooling'),
      seen: numberIn(stall, 'seen'),
    })
  }
}

function restoreWatch(
  { watch, saves, folder }: Session,
  stored: JsonValue | undefined,
  loaded: string,
): void {
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
  // Those of another run are its own.
  if (folder === undefined || resolve(folder) !== dirname(dirname(resolve(loaded)))) return
  for (const path of textsIn(stored, 'outdated'))
    saves.outdated.add(join(folder, 'checkpoints', basename(path)))
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
