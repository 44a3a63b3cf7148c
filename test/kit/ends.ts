import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCheckpoint } from '../../src/runtime/checkpoint.ts'
import { train } from '../../src/runtime/program.ts'
import type { RunOptions } from '../../src/runtime/start.ts'
import type { Engined } from './engines.ts'
import { lastingRecords, lastingState } from './everything.ts'

/** What a run has left when it ended. */
export interface End {
  readonly folder: string
  /** All that its last checkpoint holds but times and paths. */
  readonly state: unknown
  /** Its records without seconds. */
  readonly records: readonly string[]
}

const backend = process.env.LTM_TEST_BACKEND ?? 'cpu'

export async function runToEnd({ training, graphs }: Engined, options: RunOptions): Promise<End> {
  const { folder = '' } = await train(training, { backend, graphs, ...options })
  const state = lastingState(await loadCheckpoint(join(folder, 'checkpoints', 'latest')))
  return { folder, state, records: lastingRecords(readFileSync(join(folder, 'records.jsonl'), 'utf8')) }
}

/** What the runs of two engines have to agree in: all but the name of the engine. */
export function comparable({ state, records }: End): unknown {
  const named = JSON.stringify(state, (name, value: unknown) => (name === 'backend' ? undefined : value))
  return { state: JSON.parse(named), records: records.map(record => JSON.parse(record)) }
}
