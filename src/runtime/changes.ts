import type { JsonValue, Snapshot } from './contracts.ts'
import { RunError } from './errors.ts'
import { type Identity, identityState } from './identity.ts'
import { memberOf, membersOf, numberIn, textIn } from './stored.ts'
import type { ParameterState, Reads } from './training.ts'

/** What a run that goes on is now. */
export interface Now {
  readonly identity: Identity
  readonly seed: number
  readonly parameters: ReadonlyMap<string, ParameterState>
}

/** Something that has been edited since a checkpoint was saved, in words. */
export interface Change {
  readonly text: string
  /** It makes the run longer and nothing else: what was trained so far would have been the same. */
  readonly lengthens: boolean
}

/** What has been edited since a checkpoint was saved, one thing a line. */
export function changesSince({ state }: Snapshot, now: Now): readonly Change[] {
  const was = memberOf(state, 'program')
  const is = identityState(now.identity)
  const others = [
    ...renamed(textIn(was, 'name'), now.identity.name),
    ...different('the seed', numberIn(state, 'seed'), now.seed),
    ...constraintChanges(memberOf(state, 'constraints'), now.parameters),
    ...partChanges(memberOf(was, 'parts'), memberOf(is, 'parts')),
    ...dataChanges(memberOf(was, 'data'), memberOf(is, 'data')),
  ]
  return [
    ...settingChanges(memberOf(was, 'settings'), memberOf(is, 'settings'), now.identity.reads),
    ...trainerChanges(memberOf(was, 'trainer'), memberOf(is, 'trainer'), now.identity.reads),
    ...others.map(text => ({ text, lengthens: false })),
  ]
}

/** What a hyper decides that is compiled in shows elsewhere: in the trainer, or in a part of the program. */
function settingChanges(
  was: JsonValue | undefined,
  is: JsonValue | undefined,
  reads: Reads | undefined,
): readonly Change[] {
  return differences(was, is, name => `\`${name}\``).map(({ name, text }) => ({
    text,
    lengthens: reads !== undefined && !reads.settings.includes(name),
  }))
}

/** The seed of the run is compared, wherever it was given. */
function trainerChanges(
  was: JsonValue | undefined,
  is: JsonValue | undefined,
  reads: Reads | undefined,
): readonly Change[] {
  const changed = differences(was, is, name => `\`${name}\` of the trainer`)
  return changed
    .filter(({ name }) => name !== 'seed')
    .map(({ name, text }) => {
      const grows = hasGrown(name, memberOf(was, name), memberOf(is, name))
      const felt = name !== 'time' && reads?.end !== false
      const why = grows && felt && reads !== undefined ? ', and `total_updates` with it' : ''
      return { text: `${text}${why}`, lengthens: grows && !felt }
    })
}

/** Whether the end of a run has only moved further away. */
function hasGrown(name: string, was: JsonValue | undefined, is: JsonValue | undefined): boolean {
  if (name === 'updates')
    return textIn(was, 'of') === textIn(is, 'of') && numberIn(is, 'count') > numberIn(was, 'count')
  const isEnd = name === 'epochs' || name === 'time'
  return isEnd && typeof was === 'number' && typeof is === 'number' && is > was
}

interface Difference {
  readonly name: string
  readonly text: string
}

/** An older checkpoint may not say what it was: then nothing is known to have changed. */
function differences(
  was: JsonValue | undefined,
  is: JsonValue | undefined,
  shown: (name: string) => string,
): readonly Difference[] {
  if (was === undefined) return []
  const names = new Set([...membersOf(was), ...membersOf(is)].map(([name]) => name))
  return [...names].flatMap(name =>
    different(shown(name), memberOf(was, name), memberOf(is, name)).map(text => ({ name, text })),
  )
}

function different(what: string, was: JsonValue | undefined, is: JsonValue | undefined): readonly string[] {
  if (JSON.stringify(was) === JSON.stringify(is)) return []
  if (was === undefined) return [`${what} is ${spelt(is)}, and was not there`]
  return [
    is === undefined
      ? `${what} was ${spelt(was)}, and is gone`
      : `${what} was ${spelt(was)} and is ${spelt(is)}`,
  ]
}

function spelt(value: JsonValue | undefined): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'nothing'
  if (Array.isArray(value)) return `[${value.map(spelt).join(', ')}]`
  return membersOf(value)
    .map(([name, member]) => `${name} ${typeof member === 'string' ? member : spelt(member)}`)
    .join(', ')
}

function renamed(was: string | undefined, is: string): readonly string[] {
  return was === undefined || was === is ? [] : [`it was \`train ${was}\` and is \`train ${is}\``]
}

function constraintChanges(
  stored: JsonValue | undefined,
  parameters: ReadonlyMap<string, ParameterState>,
): readonly string[] {
  if (stored === undefined) return []
  return [...parameters].flatMap(([path, { spec }]) => {
    const was = memberOf(stored, path)
    const [before, after] = [
      constraintText(textIn(was, 'name'), memberOf(was, 'version')),
      constraintText(spec.constraint?.name, spec.constraint?.version),
    ]
    return before === after
      ? []
      : [`\`${path}\` was saved ${before} and is ${after}: its raw values mean something else`]
  })
}

function constraintText(name: string | undefined, version: JsonValue | undefined): string {
  return name === undefined ? 'without a constraint' : `in \`${name}\`, version ${spelt(version)}`
}

const mostParts = 8

/** Which parts of a program are others than they were, a line each. */
export function partChanges(was: JsonValue | undefined, is: JsonValue | undefined): readonly string[] {
  if (membersOf(was).length === 0 || membersOf(is).length === 0) return []
  const names = new Set([...membersOf(was), ...membersOf(is)].map(([name]) => name))
  const lines = [...names].flatMap(name => partChange(name, memberOf(was, name), memberOf(is, name)))
  const more = lines.length - mostParts
  return more > 1 ? [...lines.slice(0, mostParts), `and ${more} more parts of the program`] : lines
}

function partChange(name: string, was: JsonValue | undefined, is: JsonValue | undefined): readonly string[] {
  if (was === is) return []
  if (was === undefined) return [`\`${name}\` is new`]
  return [is === undefined ? `\`${name}\` is gone` : `\`${name}\` is another`]
}

function dataChanges(was: JsonValue | undefined, is: JsonValue | undefined): readonly string[] {
  if (was === undefined) return []
  const paths = new Set([...membersOf(was), ...membersOf(is)].map(([path]) => path))
  return [...paths].flatMap(path => {
    const [before, after] = [memberOf(was, path), memberOf(is, path)]
    if (textIn(before, 'sha256') === textIn(after, 'sha256')) return []
    if (before === undefined) return [`the data file ${path} is new`]
    if (after === undefined) return [`the data file ${path} is no longer read`]
    const [then, now] = [numberIn(before, 'size'), numberIn(after, 'size')]
    const sizes = then === now ? '' : `: it had ${then} bytes and has ${now}`
    return [`the data file ${path} has changed${sizes}`]
  })
}

/** Changes have to be accepted: they make another run of it. */
export function refuseChanges(changes: readonly string[], path: string): RunError {
  const lines = changes.map(change => `\n  ${change}`).join('')
  return new RunError({
    code: 'LTM6306',
    message: `since ${path} was saved, this has changed:${lines}`,
    help: '`--accept-changes` goes on with what is here now, in a new folder; with what was there before, the run goes on bit for bit',
  })
}
