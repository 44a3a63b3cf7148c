import { join } from 'node:path'
import { hasCheckpoint, loadCheckpoint, newestCheckpoint } from '../runtime/checkpoint.ts'
import type { JsonValue } from '../runtime/contracts.ts'
import { exitCodes, RunError } from '../runtime/errors.ts'
import { memberOf, membersOf, textIn } from '../runtime/stored.ts'
import { newestTrained, type TrainedCheckpoint, trainedCheckpoint } from './checkpoints.ts'
import { Stop } from './cli.ts'
import { fileProblem } from './fileProblems.ts'
import type { Hypers } from './hypers.ts'

/** The checkpoint that a run goes on from, and the hypers that it was given when it began. */
export interface Resumed extends TrainedCheckpoint {
  readonly hypers: Hypers
  /** What it has been computed with. */
  readonly backend: string | undefined
}

/** What `--resume` means: `latest` or nothing, `best`, a checkpoint, or the folder of a run. */
export async function resumedCheckpoint(runs: string, name: string, asked: string | true): Promise<Resumed> {
  const found = await foundFor(runs, name, asked)
  // One that can't be loaded is told of by the run.
  const state = await loadCheckpoint(found.path).then(({ state }) => state, ifRunError)
  return {
    ...found,
    backend: textIn(state, 'backend'),
    hypers: hypersIn(memberOf(memberOf(state, 'program'), 'hypers')),
  }
}

async function foundFor(runs: string, name: string, asked: string | true): Promise<TrainedCheckpoint> {
  if (asked === true || asked === 'latest') return newestTrained(runs, name)
  if (asked === 'best') return trainedCheckpoint(runs, name)
  return newestAt(asked)
}

/** A checkpoint, or the newest one of a run's folder, or of that of its checkpoints. */
export async function newestAt(folder: string): Promise<TrainedCheckpoint> {
  if (hasCheckpoint(folder)) return { path: folder, skipped: [] }
  const skipped: RunError[] = []
  for (const place of [join(folder, 'checkpoints'), folder]) {
    const found = await newestCheckpoint(place)
    skipped.push(...found.skipped)
    if (found.newest !== undefined) return { path: found.newest.path, skipped }
  }
  if (skipped.length === 0) return { path: folder, skipped }
  const problem = fileProblem('LTM0007', folder, skipped[0]?.message ?? '')
  throw new Stop(exitCodes.program, problem.message, [problem])
}

function ifRunError(error: unknown): undefined {
  if (!(error instanceof RunError)) throw error
}

function hypersIn(stored: JsonValue | undefined): Hypers {
  return new Map(
    membersOf(stored).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}
