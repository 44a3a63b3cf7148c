import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { nearest } from '../../base/names.ts'
import { systemCode } from '../atomic.ts'
import { RunError } from '../errors.ts'
import { type DataFile, damaged } from './problem.ts'

/**
 * Where a path of a program leads: from the program's folder, or from the home folder after `~`. What is not there is
 * looked for in the folder that the environment variable `LTM_DATA` names.
 */
export function dataPath(directory: string, written: string): string {
  const path = resolve(directory, fromHome(written))
  const { LTM_DATA: shared } = process.env
  if (shared === undefined || existsSync(path)) return path
  const there = [join(shared, written), join(shared, basename(written))]
  return there.find(existsSync) ?? path
}

/** A path with the home folder in the place of the `~` that it begins with. */
export function fromHome(written: string): string {
  return written.replace(/^~(?=[/\\])/, homedir())
}

/** The bytes of a file, unpacked where it is in gzip format. */
export async function openFile(file: DataFile, directory: string): Promise<Buffer> {
  const path = dataPath(directory, file.name)
  return unpacked(await readBytes(file, path), file)
}

async function readBytes(file: DataFile, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw await unreadable(file, path, error)
  }
}

async function unreadable(file: DataFile, path: string, error: unknown): Promise<RunError> {
  const fail = (why: string, help?: string) =>
    new RunError({
      code: 'LTM5101',
      message: `${file.kind ?? 'data file'} ${file.name} ${why}`,
      trace: file.trace,
      help,
    })
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return fail(`does not exist: ${path}`, await suggestion(file.name, path))
  if (code === 'EISDIR') return fail(`is a folder: ${path}`, 'name one file in it')
  if (code === 'EACCES' || code === 'EPERM') return fail(`can't be read: permission denied for ${path}`)
  if (code === 'ERR_FS_FILE_TOO_LARGE')
    return fail('is larger than 2 GiB, the most that is read from one file', 'split it up')
  return fail(`can't be read (${code || String(error)}): ${path}`)
}

async function suggestion(written: string, path: string): Promise<string> {
  const folder = dirname(path)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined)
    return `the folder ${folder} does not exist either; paths start from the folder of the .ltm file`
  const names = entries.filter(entry => !entry.isDirectory()).map(entry => entry.name)
  const name = basename(path)
  const near = nearFile(name, names)
  if (near !== undefined) return `did you mean ${written.slice(0, written.length - name.length)}${near}?`
  const data = names
    .filter(other => /\.(csv|tsv|txt|gz|jsonl|npy|npz|parquet|safetensors)$/.test(other))
    .sort()
  return data.length === 0 ? `${folder} has no data files` : `there are ${data.slice(0, 8).join(', ')}`
}

/** Endings are often what was forgotten, and too alike to tell files apart by. */
function nearFile(name: string, names: readonly string[]): string | undefined {
  const byStem = new Map(names.toSorted().map(other => [stemOf(other), other]))
  const stem = stemOf(name)
  return byStem.get(stem) ?? byStem.get(nearest(stem, [...byStem.keys()]) ?? '')
}

function stemOf(name: string): string {
  return name.split('.', 1)[0] ?? name
}

/** Files in gzip format are recognised by their first bytes too, with which no other format that is read begins. */
async function unpacked(bytes: Buffer, file: DataFile): Promise<Buffer> {
  const marked = bytes[0] === 0x1f && bytes[1] === 0x8b
  if (!marked && extname(file.name) !== '.gz') return bytes
  const fail = (why: string, help: string) =>
    new RunError({ code: 'LTM5103', message: `${file.name} ${why}`, trace: file.trace, help })
  if (!marked)
    throw fail('is not in gzip format, as its name says', 'take `.gz` off its name, or compress it')
  try {
    return await promisify(gunzip)(bytes)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw damaged(file, 'unpacks to more than the 4 GiB that are read from one file', 'split it up')
    throw fail(
      code === 'Z_BUF_ERROR' ? 'is cut off: its gzip data ends early' : 'has damaged gzip data',
      'fetch the file anew',
    )
  }
}
