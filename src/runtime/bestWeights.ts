import { loadCheckpoint } from './checkpoint.ts'
import type { Snapshot } from './contracts.ts'
import { RunError } from './errors.ts'
import { restoreWeights } from './restore.ts'
import type { Kept, Session } from './session.ts'

/** Loads the best weights that can be loaded; what was passed over is told. */
export async function takeBest(session: Session): Promise<Kept | undefined> {
  for (const kept of session.watch.kept) {
    try {
      const snapshot = await snapshotOf(session, kept)
      if (snapshot === undefined) continue
      restoreWeights(session, snapshot, kept.path)
      session.watch.taken = true
      return kept
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      const { code, message } = error
      session.report({ kind: 'warning', code, message: `${message}; the next best weights are taken` })
      session.watch.kept = session.watch.kept.filter(other => other !== kept)
    }
  }
  return undefined
}

/** What was kept waits in memory until it is written; a run without a folder has it nowhere else. */
async function snapshotOf({ saves }: Session, { name, path }: Kept): Promise<Snapshot | undefined> {
  const waiting = saves.waiting.get(name)
  if (waiting !== undefined) return waiting.snapshot
  return path === '' ? undefined : await loadCheckpoint(path)
}

export function describeWeights(best: Kept | undefined): string {
  return best === undefined ? 'final weights' : `best weights kept, those of epoch ${best.epoch + 1}`
}
