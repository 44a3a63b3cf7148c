import { join } from 'node:path'
import { removeCheckpoint, saveCheckpoint } from './checkpoint.ts'
import type { CheckpointSaved } from './events.ts'
import type { Kept, Session } from './session.ts'
import { takeSnapshot } from './snapshot.ts'
import type { TrainerOptions } from './training.ts'

/** Saves the run as it is now; undefined where the run has no folder. */
export async function save(
  session: Session,
  name: string,
  reason: CheckpointSaved['reason'],
  monitor?: CheckpointSaved['monitor'],
): Promise<string | undefined> {
  if (session.folder === undefined) return undefined
  const path = await saveCheckpoint(checkpointsOf(session.folder), name, await takeSnapshot(session))
  session.report({ kind: 'checkpoint_saved', name, path, reason, ...(monitor !== undefined && { monitor }) })
  return path
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

type Keep = NonNullable<TrainerOptions['keep']>

/** Keeps the run as it is now if it is among the best; says whether it is the best of all. */
export async function keepBest(session: Session, keep: Keep, value: number): Promise<boolean> {
  const { watch, clocks } = session
  if (!belongs(keep, watch.kept, value)) return false
  const best = watch.kept.every(kept => isBetter(keep.direction, value, kept.value))
  const name = keep.count === 1 ? 'best' : `best-epoch-${clocks.epoch}-batch-${clocks.batches}`
  const path = session.folder === undefined ? '' : join(checkpointsOf(session.folder), name)
  const previous = watch.kept
  // The list is in the checkpoint itself, so it is right before the checkpoint is written.
  watch.kept = ranked(keep, [
    ...previous.filter(kept => kept.name !== name),
    { name, path, value, epoch: clocks.epoch },
  ])
  await save(session, name, 'best', { name: keep.monitor, value })
  for (const kept of previous) if (!watch.kept.some(({ name }) => name === kept.name)) await forget(kept)
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

/** The new one is safe on disk before an old one goes. */
async function forget(kept: Kept): Promise<void> {
  if (kept.path !== '') await removeCheckpoint(kept.path)
}
