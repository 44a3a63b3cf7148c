import { dirname, join } from 'node:path'
import { changesSince, type Now, refuseChanges } from './changes.ts'
import { loadCheckpoint } from './checkpoint.ts'
import type { Snapshot } from './contracts.ts'
import { withoutCut } from './cutEpoch.ts'
import { RunError } from './errors.ts'
import type { Origin } from './folders.ts'
import { flagIn, memberOf } from './stored.ts'
import type { Training } from './training.ts'

/** What a run goes on from: a checkpoint, and what has been edited since, which has to be accepted. */
export async function originOf(
  now: Now & { readonly training: Training },
  snapshot: Snapshot,
  { acceptChanges = false }: { readonly acceptChanges?: boolean | undefined },
  path: string,
): Promise<Origin> {
  const found = changesSince(snapshot, now)
  const changes = found.map(({ text }) => text)
  const longer = found.every(({ lengthens }) => lengthens)
  if (!longer && !acceptChanges) throw refuseChanges(changes, path)
  const how = { changes, longer, instead: undefined }
  if (changes.length === 0) return { ...how, path, snapshot }
  if (!hasBestWeights(snapshot)) return { ...how, path, snapshot: withoutCut(snapshot, now.training) }
  const latest = join(dirname(path), 'latest')
  const last = await lastAt(latest, path)
  return { ...how, path: latest, snapshot: withoutCut(last, now.training), instead: path }
}

/** Whether it was saved when the best weights had been loaded back: its slots and clocks are those of the last ones. */
function hasBestWeights({ state }: Snapshot): boolean {
  return flagIn(memberOf(state, 'watch'), 'taken')
}

/** The newest state that was saved beside it before that. */
async function lastAt(latest: string, path: string): Promise<Snapshot> {
  const found = await loadCheckpoint(latest).catch((error: unknown) => {
    if (error instanceof RunError) return undefined
    throw error
  })
  if (found !== undefined && !hasBestWeights(found)) return found
  throw new RunError({
    code: 'LTM6308',
    message: `the checkpoint ${path} has the best weights of its run with the optimizers' state of the last ones, and no training goes on from that`,
    help: 'go on from another checkpoint of the run; `ltm checkpoint verify` lists those that are whole',
  })
}
