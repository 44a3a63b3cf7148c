import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { checkpointsIn, hasCheckpoint, loadCheckpoint } from '../runtime/checkpoint.ts'
import { RunError } from '../runtime/errors.ts'

/** A checkpoint, and what is wrong with it. */
export interface Verdict {
  readonly path: string
  readonly tensors?: number
  readonly damage?: string
}

/** How deep below a folder of runs the checkpoints lie: `NAME/v1/checkpoints`. */
const deepest = 4

/** Every checkpoint at or below a path, each byte held against its manifest. */
export async function verifyAll(path: string): Promise<readonly Verdict[]> {
  return Promise.all((await pathsBelow(path, deepest)).map(verify))
}

async function pathsBelow(path: string, depth: number): Promise<readonly string[]> {
  if (hasCheckpoint(path)) return [path]
  const own = await checkpointsIn(path)
  if (own.length > 0 || depth === 0) return own.toSorted()
  const inner = await Promise.all(foldersIn(path).map(name => pathsBelow(join(path, name), depth - 1)))
  return inner.flat()
}

function foldersIn(path: string): readonly string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
  } catch {
    return []
  }
}

async function verify(path: string): Promise<Verdict> {
  try {
    const { tensors } = await loadCheckpoint(path)
    return { path, tensors: tensors.size }
  } catch (error) {
    if (error instanceof RunError) return { path, damage: error.message }
    throw error
  }
}

export function verdictText({ path, tensors, damage }: Verdict): string {
  return damage === undefined
    ? `whole    ${path}: ${tensors} tensors`
    : `damaged  ${damage.replace(/^checkpoint /, '')}`
}

/** The last line. */
export function verdictSummary(verdicts: readonly Verdict[]): string {
  const damaged = verdicts.filter(({ damage }) => damage !== undefined)
  const all = `${verdicts.length} checkpoint${verdicts.length === 1 ? '' : 's'}`
  if (damaged.length === 0) return `${all}, every byte as it was saved`
  return `${damaged.length} of ${all} damaged: ${damaged.map(({ path }) => basename(path)).join(', ')}`
}
