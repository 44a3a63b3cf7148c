import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A file to write: its name within the folder, and its bytes in pieces. */
export interface FileContent {
  readonly name: string
  readonly pieces: readonly Uint8Array[]
}

/**
 * The places that a folder can be found at, best first. Saving fills the second, moves the first to the third, the
 * second to the first, and deletes the third: at every moment at least one of them is complete.
 */
export function placesOf(parent: string, name: string): readonly [string, string, string] {
  return [join(parent, name), join(parent, `.${name}.saving`), join(parent, `.${name}.previous`)]
}

/** The name whose folder this is, or was meant to be: `.latest.saving` is of `latest`. */
export function nameOfPlace(entry: string): string {
  return /^\.(.+)\.(saving|previous)$/.exec(entry)?.[1] ?? entry
}

/**
 * Writes a folder so that a reader sees either the old one or the new one, whatever happens meanwhile. The last file
 * marks the folder as complete. Where it fails, the old folder stands as before and nothing is left over.
 */
export async function writeFolder(
  parent: string,
  name: string,
  files: readonly FileContent[],
): Promise<string> {
  const [target, saving, previous] = placesOf(parent, name)
  await mkdir(parent, { recursive: true })
  await finishInterrupted(parent, name, files.at(-1)!.name)
  try {
    await mkdir(saving)
    for (const file of files) await writeDurably(join(saving, file.name), file.pieces)
    await syncFolder(saving)
    await replace(target, saving, previous)
    await syncFolder(parent)
  } catch (error) {
    await rm(saving, { recursive: true, force: true }).catch(() => undefined)
    throw error
  }
  await rm(previous, { recursive: true, force: true })
  return target
}

/** Brings the folder back into place after a crash between the moves, and removes what was left half-written. */
async function finishInterrupted(parent: string, name: string, lastFile: string): Promise<void> {
  const [target, saving, previous] = placesOf(parent, name)
  if (!(await exists(target))) {
    if (await exists(join(saving, lastFile))) await rename(saving, target)
    else if (await exists(previous)) await rename(previous, target)
  }
  await rm(saving, { recursive: true, force: true })
  if (await exists(target)) await rm(previous, { recursive: true, force: true })
}

async function replace(target: string, saving: string, previous: string): Promise<void> {
  const replacing = await exists(target)
  if (replacing) await rename(target, previous)
  try {
    await rename(saving, target)
  } catch (error) {
    if (replacing) await rename(previous, target)
    throw error
  }
}

/** Without the sync, a file may be renamed into place before its bytes have reached the disk. */
async function writeDurably(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx')
  try {
    for (const piece of pieces) await file.writeFile(piece)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Windows and some network file systems can't sync a folder; their renames are as durable as they get. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r')
    await folder.sync().finally(() => folder.close())
  } catch (error) {
    const unsupported = ['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP', 'EBADF']
    if (!unsupported.includes(systemCode(error))) throw error
  }
}

/** The operating system's word for what went wrong: `ENOSPC`; empty where it wasn't the system. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
