import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

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

/** The name whose folder this is, or was meant to be: `.latest.saving` is of `latest`; what is on its way out has none. */
export function nameOfPlace(entry: string): string | undefined {
  const [, name, place] = /^\.(.+)\.(saving|previous|removed)$/.exec(entry) ?? []
  return place === 'removed' ? undefined : (name ?? entry)
}

/** The end of the name of a file that is being written. */
const unfinished = '.part'

/**
 * Writes a folder so that a reader sees either the old one or the new one, whatever happens meanwhile. The last file
 * marks the folder as complete, so it must not be there before it has all its bytes. Where it fails, the old folder stands as before and nothing is left over.
 */
export async function writeFolder(
  parent: string,
  name: string,
  files: readonly FileContent[],
): Promise<string> {
  const [target, saving, previous] = placesOf(parent, name)
  await mkdir(parent, { recursive: true })
  await finishInterrupted(parent, files.at(-1)!.name)
  try {
    await mkdir(saving)
    for (const file of files) await writeDurably(join(saving, `${file.name}${unfinished}`), file.pieces)
    for (const { name } of files) await rename(join(saving, `${name}${unfinished}`), join(saving, name))
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

/**
 * Makes a folder and those above it. Node's own way tries for ever where a file system has no folder and lets none be made,
 * as `/proc` does.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    // Another process may have been sooner.
    await mkdir(path).catch((again: unknown) => {
      if (systemCode(again) !== 'EEXIST') throw again
    })
  }
}

/** Writes a file so that a reader sees the old one or the new one, whatever happens meanwhile. */
export async function writeFileWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.saving`
  await rm(draft, { force: true })
  try {
    await writeDurably(draft, [Buffer.from(text)])
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
}

/** Removes a folder so that no reader sees a part of it, whatever happens meanwhile. */
export async function removeFolder(parent: string, name: string): Promise<void> {
  const removed = join(parent, `.${name}.removed`)
  await rm(removed, { recursive: true, force: true })
  await rename(join(parent, name), removed).catch(ignoreMissing)
  await rm(removed, { recursive: true, force: true })
}

/** Ends what a crash interrupted, whichever folder it was about. */
async function finishInterrupted(parent: string, lastFile: string): Promise<void> {
  const hidden = (await readdir(parent)).filter(entry => /^\..+\.(saving|previous|removed)$/.test(entry))
  for (const name of new Set(hidden.map(nameOfPlace))) {
    if (name !== undefined) await settle(parent, name, lastFile)
  }
  for (const entry of hidden) await rm(join(parent, entry), { recursive: true, force: true })
}

/** Brings a folder back into place after a crash between the moves. */
async function settle(parent: string, name: string, lastFile: string): Promise<void> {
  const [target, saving, previous] = placesOf(parent, name)
  if (await exists(target)) return
  if (await exists(join(saving, lastFile))) await rename(saving, target)
  else await rename(previous, target).catch(ignoreMissing)
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error
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
