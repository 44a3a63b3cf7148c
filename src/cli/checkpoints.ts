import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hasCheckpoint, loadCheckpoint, newestCheckpoint } from '../runtime/checkpoint.ts'
import type { JsonValue } from '../runtime/contracts.ts'
import { exitCodes, RunError } from '../runtime/errors.ts'
import { Stop } from './cli.ts'
import { fileProblem } from './fileProblems.ts'

/** A checkpoint that is whole, and why those that would have come before it were passed over. */
export interface TrainedCheckpoint {
  readonly path: string
  readonly skipped: readonly RunError[]
}

/** The checkpoint of a program to go by where none is named: the best of its newest run, or else the latest. */
export async function trainedCheckpoint(runs: string, name: string): Promise<TrainedCheckpoint> {
  const { path, skipped, state } = await newestTrained(runs, name)
  const known = [...skipped]
  const best = await firstWhole(bestOf(dirname(path), state), known)
  return { path: best ?? path, skipped: known }
}

/** The newest checkpoint of a program's newest run that has one. */
export async function newestTrained(
  runs: string,
  name: string,
): Promise<TrainedCheckpoint & { readonly state: JsonValue }> {
  const skipped: RunError[] = []
  for (const version of newestVersions(join(runs, name))) {
    const { newest, skipped: damaged } = await newestCheckpoint(join(runs, name, version, 'checkpoints'))
    skipped.push(...damaged)
    if (newest !== undefined) return { path: newest.path, skipped, state: newest.snapshot.state }
  }
  const help = skipped[0]?.message ?? 'train it first with `ltm run`, or name a checkpoint with --checkpoint'
  const problem = fileProblem('LTM0007', join(runs, name), help)
  throw new Stop(exitCodes.program, problem.message, [problem])
}

function newestVersions(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  const number = (version: string) => Number(version.slice(1))
  const versions = readdirSync(folder).filter(name => /^v\d+$/.test(name))
  return versions.sort((a, b) => number(b) - number(a))
}

/** A run tells in each checkpoint which ones it keeps, the best first. */
function bestOf(folder: string, state: JsonValue): readonly string[] {
  const kept = member(member(state, 'watch'), 'kept')
  return Array.isArray(kept) ? kept.flatMap(each => placeOf(folder, each)) : []
}

/** A run that goes on from another may still keep what lies in the folder of that one, which is beside its own. */
function placeOf(folder: string, kept: JsonValue): readonly string[] {
  const [name, path] = [member(kept, 'name'), member(kept, 'path')]
  if (typeof name !== 'string') return []
  const here = join(folder, name)
  if (typeof path !== 'string') return [here]
  const version = basename(dirname(dirname(path)))
  const there = join(dirname(dirname(folder)), version, basename(folder), name)
  return [[here, there, path].find(hasCheckpoint) ?? here]
}

async function firstWhole(paths: readonly string[], skipped: RunError[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await loadCheckpoint(path)
      return path
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      if (!skipped.some(({ message }) => message === error.message)) skipped.push(error)
    }
  }
  return undefined
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
