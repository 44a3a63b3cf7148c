import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordsFile } from '../../runtime/records.ts'
import type { Objective } from './plan.ts'

/** One epoch's values, as a run records them. */
interface EpochRecord {
  readonly epoch: number
  readonly values: Readonly<Record<string, unknown>>
}

/** Whether a trial has a checkpoint to go on from. */
export function hasTrained(runs: string, name: string): boolean {
  return foldersOf(runs, name).some(folder => {
    const checkpoints = join(folder, 'checkpoints')
    return existsSync(checkpoints) && readdirSync(checkpoints).includes('latest')
  })
}

/** The epochs that a trial has trained, by its records. */
export function trainedEpochs(runs: string, name: string): number {
  return Math.max(0, ...recordsOf(runs, name).map(({ epoch }) => epoch + 1))
}

/** The best finite value that a trial has recorded in its first epochs. */
export function bestOf(
  runs: string,
  name: string,
  { metric, direction }: Objective,
  epochs = Number.POSITIVE_INFINITY,
): number | undefined {
  const found = recordsOf(runs, name).flatMap(({ epoch, values }) => {
    const value = values[metric]
    return epoch < epochs && typeof value === 'number' ? [value] : []
  })
  if (found.length === 0) return undefined
  return direction === 'min' ? Math.min(...found) : Math.max(...found)
}

/** The names of what a trial has recorded of its epochs. */
export function loggedNames(runs: string, name: string): ReadonlySet<string> {
  return new Set(recordsOf(runs, name).flatMap(({ values }) => Object.keys(values)))
}

function recordsOf(runs: string, name: string): readonly EpochRecord[] {
  return foldersOf(runs, name).flatMap(folder => {
    const path = join(folder, recordsFile)
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').flatMap(recordOf) : []
  })
}

function foldersOf(runs: string, name: string): readonly string[] {
  const parent = join(runs, name)
  if (!existsSync(parent)) return []
  return readdirSync(parent)
    .filter(entry => /^v\d+$/.test(entry))
    .map(entry => join(parent, entry))
}

function recordOf(line: string): readonly EpochRecord[] {
  if (!line.startsWith('{"level":"epoch"')) return []
  try {
    const { values, clocks } = JSON.parse(line)
    return [{ epoch: Number(clocks.epoch), values }]
  } catch {
    // The last line of a run that was killed.
    return []
  }
}
