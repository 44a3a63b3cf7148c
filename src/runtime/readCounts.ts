import { startBackend } from './backends.ts'
import { loadCheckpoint } from './checkpoint.ts'
import { loadDataset } from './data.ts'
import type { RunMode } from './events.ts'
import { type RunOptions, seedOf } from './start.ts'
import { readTableAhead } from './tablesAhead.ts'
import type { Training } from './training.ts'

/**
 * The sizes that a program asks of its data, by `data.field`. Splits are dealt by the seed that the run will have, since
 * vocabularies are those of the training split.
 */
export async function readCounts(
  mode: RunMode,
  training: Training,
  { seed, checkpoint }: Pick<RunOptions, 'seed' | 'checkpoint'>,
): Promise<ReadonlyMap<string, number>> {
  const stored = checkpoint === undefined ? undefined : await loadCheckpoint(checkpoint)
  // Any backend would do; this one is always there.
  await startBackend('cpu')
  const counts = new Map<string, number>()
  for (const spec of training.data) {
    if (spec.counts === undefined) continue
    const dealt = seed ?? seedOf(mode, training, stored)
    const read = await loadDataset(spec, training.directory, dealt, readTableAhead)
    for (const [of, count] of Object.entries(read.counts)) counts.set(`${spec.name}.${of}`, count)
  }
  return counts
}
