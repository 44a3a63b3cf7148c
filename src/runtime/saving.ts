import { join } from 'node:path'
import { removeCheckpoint, saveCheckpoint } from './checkpoint.ts'
import type { Snapshot } from './contracts.ts'
import type { CheckpointSaved } from './events.ts'
import type { Kept, Saves, Session } from './session.ts'
import { takeSnapshot } from './snapshot.ts'
import type { TrainerOptions } from './training.ts'

/**
 * When a run is saved. Saving waits for the disk, and an epoch may be over in a millisecond, so not every epoch is
 * saved: `latest` is after the first, then after those that end ten seconds or more since the last save, every five
 * minutes between batches where epochs are long, and when the run ends or is interrupted. What `keep` wants waits in
 * memory and is written at the same moments, and also where the run fails. So a kill loses five minutes at most, and
 * what was under way: a batch, a validation, an accumulation window. Nothing leaves the disk before its successor is
 * there.
 */
const secondsBetweenSaves = 10

/** Within an epoch a run is saved so much more rarely than at the ends of epochs: going on there loses its means. */
const rarerWithinEpoch = 30

/** Saving takes at most one part in so many of a run's time. */
const shareOfTime = 20

/** `every` is in seconds; with 0 every batch and epoch is saved. */
export function startSaves(every: number = secondsBetweenSaves): Saves {
  return { every, count: 0, last: performance.now(), took: 0, waiting: new Map(), outdated: new Set() }
}

/** Saves the run at the end of an epoch, if its time has come or it is the `last`. */
export async function saveEpoch(session: Session, last: boolean): Promise<void> {
  const { saves } = session
  if (last || saves.count === 0 || isDue(saves, saves.every)) await save(session, 'latest', 'latest')
}

/** Saves the run between two batches if an epoch takes long. No checkpoint holds an open window, so that is waited for. */
export async function saveWithinEpoch(session: Session): Promise<void> {
  const { saves, optimizers } = session
  if (!isDue(saves, saves.every * rarerWithinEpoch)) return
  const open = [...optimizers.values()].some(({ windows }) => windows.keys().length > 0)
  if (!open) await save(session, 'latest', 'latest')
}

function isDue({ last, took }: Saves, seconds: number): boolean {
  const wait = seconds === 0 ? 0 : Math.max(seconds * 1000, took * shareOfTime)
  return performance.now() - last >= wait
}

/** Saves the run as it is now, after what it may refer to; nothing where it has no folder. */
export async function save(session: Session, name: string, reason: CheckpointSaved['reason']): Promise<void> {
  const { folder, saves } = session
  if (folder === undefined) return
  const started = performance.now()
  await writeWaiting(session)
  await write(session, name, await takeSnapshot(session), { reason })
  if (name !== 'latest') return
  saves.count += 1
  saves.last = performance.now()
  saves.took = saves.last - started
}

/** Writes what waits in memory: records, and what `keep` wants. */
export async function writeWaiting(session: Session): Promise<void> {
  session.records?.flush()
  const { waiting, outdated } = session.saves
  for (const [name, { snapshot, monitor }] of waiting) {
    await write(session, name, snapshot, { reason: 'best', monitor })
    waiting.delete(name)
  }
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

/** Saves what a step or hook asked for by `checkpoint "name"`. */
export async function saveAsked(session: Session): Promise<void> {
  const names = new Set(session.control.checkpoints.splice(0))
  for (const name of names) await save(session, name, 'asked')
}

// ── The best ────────────────────────────────────────────────────────────────────────────────────────────────────────

type Keep = NonNullable<TrainerOptions['keep']>

/** Keeps the run as it is now if it is among the best; says whether it is the best of all. */
export async function keepBest(session: Session, keep: Keep, value: number): Promise<boolean> {
  const { watch, clocks } = session
  if (!belongs(keep, watch.kept, value)) return false
  const best = watch.kept.every(kept => isBetter(keep.direction, value, kept.value))
  const name = keep.count === 1 ? 'best' : `best-epoch-${clocks.epoch + 1}-batch-${clocks.batches}`
  const path = session.folder === undefined ? '' : join(checkpointsOf(session.folder), name)
  const previous = watch.kept
  // The list is in the checkpoint itself, so it is right before the snapshot is taken.
  watch.kept = ranked(keep, [
    ...previous.filter(kept => kept.name !== name),
    { name, path, value, epoch: clocks.epoch },
  ])
  await hold(session, name, { name: keep.monitor, value })
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

/** Strictly better; NaN never is, and anything is better than NaN. */
export function isBetter(direction: 'min' | 'max', value: number, than: number, delta = 0): boolean {
  if (Number.isNaN(value)) return false
  if (Number.isNaN(than)) return true
  return direction === 'min' ? value < than - delta : value > than + delta
}

async function hold(
  session: Session,
  name: string,
  monitor: { readonly name: string; readonly value: number },
): Promise<void> {
  if (session.folder === undefined) return
  session.saves.waiting.set(name, { snapshot: await takeSnapshot(session), monitor })
}

function forget({ saves }: Session, kept: Kept): void {
  if (!saves.waiting.delete(kept.name) && kept.path !== '') saves.outdated.add(kept.path)
}
