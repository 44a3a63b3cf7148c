import { isUtf8 } from 'node:buffer'
import { readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { nearest } from '../base/names.ts'
import type { Source } from '../base/source.ts'
import type { FileSystem } from '../compiler.ts'
import type { Renderable } from '../diagnostics/render.ts'
import { exitCodes } from '../runtime/errors.ts'
import { fromHome } from '../runtime/sources/open.ts'
import { Stop } from './cli.ts'
import { fileProblem } from './fileProblems.ts'
import { readLibrary } from './package.ts'

/** Reads one source. The name that the user gave is its name in diagnostics. */
export function readSource(path: string): Source | Renderable {
  const bytes = readBytes(path)
  if (!(bytes instanceof Uint8Array)) return bytes
  if (!isUtf8(bytes)) return fileProblem('LTM0003', path, encodingHelp(bytes))
  return { name: path, text: new TextDecoder().decode(bytes) }
}

/** Whether a reading went wrong. */
export function isProblem(read: Source | Renderable): read is Renderable {
  return 'code' in read
}

/** The files of this machine as the compiler sees them, each read once. */
export function openFiles(): OpenFiles {
  const known = new Map<string, Source | Renderable>()
  const read = (path: string) => {
    const found = known.get(path) ?? readSource(path)
    known.set(path, found)
    if (!isProblem(found)) return found
    if (found.code === 'LTM0001') return undefined
    throw new Stop(exitCodes.program, found.message, [found])
  }
  const sources = () =>
    new Map([...known].flatMap(([path, read]) => (isProblem(read) ? [] : [[path, read.text] as const])))
  return { read, resolve: imported, library: readLibrary, sources }
}

/** Where an import leads: from the folder of the file that says it, or from the home folder after `~`. */
function imported(from: string, written: string): string {
  const path = fromHome(written)
  return isAbsolute(path) ? path : join(dirname(from), path)
}

/** The files, and what has been read of them. */
export interface OpenFiles extends FileSystem {
  sources(): ReadonlyMap<string, string>
}

/** The program that a command was asked for, or a clear end: it must be there and say something. */
export function requireProgram(path: string): Source {
  const read = readSource(path)
  if (isProblem(read)) throw new Stop(exitCodes.program, read.message, [read])
  const problem = emptyProblem(read)
  if (problem) throw new Stop(exitCodes.program, problem.message, [problem])
  return read
}

function emptyProblem(source: Source): Renderable | undefined {
  if (source.text.trim() !== '') return undefined
  return fileProblem('LTM0004', source.name, 'a program declares what it trains: `train NAME { … }`')
}

/** Gives a file another text: whatever happens meanwhile, it holds the old one or the new one. */
export function replaceFile(path: string, text: string): void {
  const target = realpathSync(path)
  const written = `${target}.new`
  try {
    writeFileSync(written, text, { mode: statSync(target).mode })
    renameSync(written, target)
  } catch (error) {
    rmSync(written, { force: true })
    const errno = error instanceof Error && 'code' in error ? String(error.code) : 'an error'
    throw new Stop(exitCodes.program, `${path} can't be written: the system says ${errno}`)
  }
}

function readBytes(path: string): Uint8Array | Renderable {
  try {
    return readFileSync(path)
  } catch (error) {
    return readingProblem(path, error instanceof Error && 'code' in error ? String(error.code) : '')
  }
}

function readingProblem(path: string, errno: string): Renderable {
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return fileProblem('LTM0001', path, missingHelp(path))
  if (errno === 'EISDIR') return fileProblem('LTM0002', path, directoryHelp(path))
  const reason =
    errno === 'EACCES' || errno === 'EPERM' ? 'you have no permission to read it' : `the system says ${errno}`
  return fileProblem('LTM0005', path, reason)
}

function missingHelp(path: string): string {
  const near = nearest(basename(path), namesIn(dirname(path))) ?? withExtension(path)
  return near === undefined
    ? `paths start from ${process.cwd()}`
    : `did you mean \`${join(dirname(path), near)}\`?`
}

function withExtension(path: string): string | undefined {
  return namesIn(dirname(path)).find(name => name === `${basename(path)}.ltm`)
}

function directoryHelp(path: string): string {
  const programs = namesIn(path).filter(name => name.endsWith('.ltm'))
  if (programs.length === 0) return 'name the `.ltm` file'
  return `name the file: ${programs
    .slice(0, 5)
    .map(name => `\`${join(path, name)}\``)
    .join(', ')}`
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** The first line that is not UTF-8, since that is where one has to look. */
function encodingHelp(bytes: Uint8Array): string {
  const mark = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)
  if (mark === 0xfffe || mark === 0xfeff) return 'it looks like UTF-16; save it as UTF-8'
  if (mark === 0x1f8b) return 'it is compressed with gzip; unpack it first'
  let start = 0
  for (let line = 1; start <= bytes.length; line++) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline
    if (!isUtf8(bytes.subarray(start, end)))
      return `line ${line} has bytes that mean nothing in UTF-8; save it as UTF-8`
    start = end + 1
  }
  return 'save it as UTF-8'
}
