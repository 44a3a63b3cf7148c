import { join } from 'node:path'
import { isBetter } from './better.ts'
import { removeCheckpoint, saveCheckpoint } from './checkpoint.ts'
import type { Snapshot } from './contracts.ts'
import type { CheckpointSaved } from './events.ts'
import { runHooks } from './hooks.ts'
import { part } from './probe.ts'
import type { Kept, Saves, Session } from './session.ts'
import { takeSnapshot } from './snapshot.ts'
import type { Cadence, TrainerOptions } from './training.ts'

/**
 * When a run is saved. It can go on exactly from the moments between two batches, of training or of validation, and
 * between two epochs; what hooks and `keep` ask for waits for the next of them. Saving waits for the disk, and an epoch
 * may be over in a millisecond, so not every moment is saved: `latest` is after the first epoch, then after those that
 * end ten seconds or more since the last save, every minute between batches where epochs are long, and when the run ends
 * or is interrupted. What `keep` wants waits in memory and is written at the same moments, and also where the run fails.
 * So a kill loses a minute at most. Nothing leaves the disk before what comes in its place is there, and is what
 * `latest` speaks of.
 */
const secondsBetweenSaves = 10

/** Within an epoch a run is saved so much more rarely than at the ends of epochs. */
const rarerWithinEpoch = 6

/** Saving takes at most one part in so many of a run's time. */
const shareOfTime = 20

/** `every` is in seconds; with 0 every batch and epoch is saved. */
export function startSaves(every: number = secondsBetweenSaves): Saves {
  return {
    ...{ every, count: 0, last: performance.now(), took: 0, taken: 0, periods: [] },
    ...{ due: new Map(), waiting: new Map(), outdated: new Set() },
  }
}

/** Between two batches: saves what was asked for, and the run itself if its time has come. */
export async function restWithinEpoch(session: Session): Promise<void> {
  const { saves } = session
  await rest(session, isDue(saves, saves.every * rarerWithinEpoch) ? 'latest' : undefined)
}

/** The same between two epochs; after the first one and the `last` its time has always come. */
export async function restAfterEpoch(session: Session, last: boolean): Promise<void> {
  const { saves } = session
  await rest(session, last || saves.count === 0 || isDue(saves, saves.every) ? 'latest' : undefined)
}

/** Saves a run that ends before its end. */
export function restInterrupted(session: Session): Promise<void> {
  return rest(session, 'interrupted')
}

function isDue({ last, took }: Saves, seconds: number): boolean {
  const wait = seconds === 0 ? 0 : Math.max(seconds * 1000, took * shareOfTime)
  return performance.now() - last >= wait
}

/** A moment that the run can go on from; `latest` is saved for the reason given, if there is one. */
export async function rest(session: Session, latest?: 'latest' | 'interrupted' | 'failed'): Promise<void> {
  const { folder, saves, control } = session
  const asked = new Set([...control.checkpoints.splice(0), ...periodic(session)])
  const { restore } = session.training.trainer
  if (folder === undefined && restore === undefined) saves.due.clear()
  if (saves.due.size === 0 && (folder === undefined || (asked.size === 0 && latest === undefined))) return
  // Where the run has failed, its hooks may be what failed.
  if (control.failed === undefined) await runHooks(session, 'save_checkpoint')
  await part('saving', () => save(session, asked, latest))
}

async function save(
  session: Session,
  asked: ReadonlySet<string>,
  latest: CheckpointSaved['reason'] | undefined,
): Promise<void> {
  const { folder, saves } = session
  const started = performance.now()
  const snapshot = await takeSnapshot(session)
  for (const [name, monitor] of saves.due) saves.waiting.set(name, { snapshot, monitor })
  saves.due.clear()
  if (folder === undefined || (asked.size === 0 && latest === undefined)) return
  await writeWaiting(session)
  for (const name of asked) await write(session, name, snapshot, { reason: 'asked' })
  if (latest === undefined) return
  await write(session, 'latest', snapshot, { reason: latest })
  await removeOutdated(saves)
  saves.count += 1
  saves.last = performance.now()
  saves.took = saves.last - started
}

/** The names of the checkpoints that `keepEvery` wants now: by the clock, once it has passed another multiple. */
function periodic(session: Session): readonly string[] {
  const { saves, training, position } = session
  // What a validation between two batches says is to be in it.
  if (position.evaluation !== undefined) return []
  const before = saves.periods
  saves.periods = periodsPassed(session)
  const due = (training.trainer.keepEvery ?? []).filter((_, i) => (saves.periods[i] ?? 0) > (before[i] ?? 0))
  return due.map(cadence => periodName(cadence, clockOf(session, cadence)))
}

/** How often the clock of each `keepEvery` has passed its interval by now. */
export function periodsPassed(session: Session): number[] {
  const { keepEvery = [] } = session.training.trainer
  return keepEvery.map(cadence => Math.floor(clockOf(session, cadence) / cadence.count))
}

function clockOf({ clocks, position }: Session, { unit, of }: Cadence): number {
  if (unit === 'updates') return clocks.updates(of)
  return unit === 'epochs' ? position.epoch : clocks[unit]
}

const singular: Readonly<Record<Cadence['unit'], string>> = {
  epochs: 'epoch',
  batches: 'batch',
  updates: 'update',
  examples: 'example',
  seconds: 'second',
}

/** `epoch-5`, `update-1000-of-d`, `second-600`. */
function periodName({ unit, of, count }: Cadence, clock: number): string {
  const number = unit === 'seconds' ? Math.floor(clock / count) * count : clock
  return `${singular[unit]}-${number}${of === undefined ? '' : `-of-${of}`}`
}

/** Writes what waits in memory: records, and what `keep` wants. */
export async function writeWaiting(session: Session): Promise<void> {
  session.records?.flush()
  const { waiting } = session.saves
  for (const [name, { snapshot, monitor }] of waiting) {
    await write(session, name, snapshot, { reason: 'best', monitor })
    waiting.delete(name)
  }
}

/** Only now, since until it was saved again the `latest` on disk spoke of them. */
async function removeOutdated({ outdated }: Saves): Promise<void> {
  for (const path of outdated) await removeCheckpoint(path)
  outdated.clear()
}

async function write(
  session: Session,
  name: string,
  snapshot: Snapshot,
  why: Pick<CheckpointSaved, 'reason' | 'monitor'>,
): Promise<void> {
  if (session.folder === undefined) return
  const path = await saveCheckpoint(checkpointsOf(session.folder), name, snapshot)
  session.report({ kind: 'checkpoint_saved', name, path, ...why })
}

/** Where a run's checkpoints are. */
export function checkpointsOf(folder: string): string {
  return join(folder, 'checkpoints')
}

// ── The best ────────────────────────────────────────────────────────────────────────────────────────────────────────

type Keep = NonNullable<TrainerOptions['keep']>

/** Keeps the run as it will rest next if it is among the best; says whether it is the best of all. */
export function keepBest(session: Session, keep: Keep, value: number): boolean {
  const { watch, clocks, saves } = session
  if (!belongs(keep, watch.kept, value)) return false
  const best = watch.kept.every(kept => isBetter(keep.direction, value, kept.value))
  const name = keep.count === 1 ? 'best' : `best-epoch-${clocks.epoch + 1}-batch-${clocks.batches}`
  const path = session.folder === undefined ? '' : join(checkpointsOf(session.folder), name)
  const previous = watch.kept
  watch.kept = ranked(keep, [
    ...previous.filter(kept => kept.name !== name),
    { name, path, value, epoch: clocks.epoch },
  ])
  saves.due.set(name, { name: keep.monitor, value })
  saves.outdated.delete(path)
  for (const kept of previous) if (!watch.kept.some(({ name }) => name === kept.name)) forget(session, kept)
  return best
}

function belongs(keep: Keep, kept: readonly Kept[], value: number): boolean {
  if (!Number.isFinite(value)) return false
  return kept.length < keep.count || kept.some(other => isBetter(keep.direction, value, other.value))
}

function ranked({ direction, count }: Keep, kept: readonly Kept[]): readonly Kept[] {
  const sign = direction === 'min' ? 1 : -1
  return kept.toSorted((a, b) => sign * (a.value - b.value)).slice(0, count)
}

/** What another run keeps, which this one goes on from, is not this one's to remove. */
function forget({ saves, folder }: Session, { name, path }: Kept): void {
  const waited = saves.waiting.delete(name) || saves.due.delete(name)
  if (!waited && folder !== undefined && path === join(checkpointsOf(folder), name)) saves.outdated.add(path)
}
