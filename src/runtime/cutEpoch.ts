import type { JsonValue, Snapshot, StoredTensor } from './contracts.ts'
import { hasEnded } from './ends.ts'
import { memberOf, membersOf, numberIn } from './stored.ts'
import type { Training } from './training.ts'

/**
 * The run as it was when its end came within an epoch, before that epoch was closed. A run that is made longer goes on
 * from there, as if its end had never been in that place. Weights, slots and windows are those of the end: only what
 * closing an epoch changes is here.
 */
export interface CutEpoch {
  readonly state: JsonValue
  /** The states of metrics under their names in a checkpoint. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
}

const prefix = 'cut/'
const metrics = 'metrics/'

/** How a checkpoint names the tensors. */
export function storedCut({ tensors }: CutEpoch): readonly (readonly [string, StoredTensor])[] {
  return [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const)
}

export function cutIn({ state, tensors }: Snapshot): CutEpoch | undefined {
  const cut = memberOf(state, 'cut')
  if (cut === undefined || cut === null) return undefined
  const own = [...tensors].filter(([name]) => name.startsWith(prefix))
  return { state: cut, tensors: new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])) }
}

/**
 * Where a run goes on whose program has been edited: in the middle of the epoch that its end cut short, unless the run
 * ends there again. What `keep` found as the epoch was closed is on disk, and stays known.
 */
export function withoutCut(snapshot: Snapshot, training: Training): Snapshot {
  const cut = cutIn(snapshot)
  if (cut === undefined || endsAgain(training, memberOf(cut.state, 'clocks'))) return snapshot
  const others = [...snapshot.tensors].filter(
    ([name]) => !name.startsWith(prefix) && !name.startsWith(metrics),
  )
  const watch = memberOf(snapshot.state, 'watch') ?? null
  const state = { ...Object.fromEntries(membersOf(cut.state)), watch }
  return { ...snapshot, tensors: new Map([...others, ...cut.tensors]), state }
}

function endsAgain(training: Training, clocks: JsonValue | undefined): boolean {
  const [first] = training.optimizers
  const made = memberOf(clocks, 'updates')
  const seconds = numberIn(clocks, 'seconds')
  const updates = (of = first?.spec.name ?? '') => numberIn(made, of)
  return hasEnded({ training, clocks: { seconds, updates } })
}
