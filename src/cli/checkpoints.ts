import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { newestCheckpoint } from '../runtime/checkpoint.ts'
import type { JsonValue } from '../runtime/contracts.ts'
import { exitCodes } from '../runtime/errors.ts'
import { Stop } from './cli.ts'
import { fileProblem } from './fileProblems.ts'

/** The checkpoint of a program to go by where none is named: the best of its newest run, or else the latest. */
export async function trainedCheckpoint(runs: string, name: string): Promise<string> {
  for (const version of newestVersions(join(runs, name))) {
    const folder = join(runs, name, version, 'checkpoints')
    const { newest } = await newestCheckpoint(folder)
    if (newest) return bestOf(folder, newest.snapshot.state) ?? newest.path
  }
  const help = 'train it first with `ltm run`, or name a checkpoint with --checkpoint'
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
function bestOf(folder: string, state: JsonValue): string | undefined {
  const name = member(member(member(member(state, 'watch'), 'kept'), '0'), 'name')
  const path = typeof name === 'string' ? join(folder, name) : undefined
  return path !== undefined && existsSync(path) ? path : undefined
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
