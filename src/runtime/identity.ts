import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonValue } from './contracts.ts'
import { partsOf } from './programParts.ts'
import { dataPath } from './sources/open.ts'
import type { SourceSpec, Training } from './training.ts'

/** What was compiled: for the folder of a run, and to tell later what has been edited since. */
export interface ProgramText {
  /** Of ltm. */
  readonly version: string
  /** Values of hypers that were given, as they were typed. */
  readonly hypers: Readonly<Record<string, string>>
  /** The program's own files, by the path in which they were read. */
  readonly sources: ReadonlyMap<string, string>
  /** The intermediate representation as text. */
  readonly ir: string
}

/** What a run is made of, as its checkpoints remember it. */
export interface Identity {
  readonly name: string
  readonly file: string
  readonly hypers: Readonly<Record<string, string>>
  readonly settings: Training['settings']
  readonly trainer: JsonValue
  /** The parts of the program with a digest each: `step train`, `func Mlp.forward`. Absent where there is no text. */
  readonly parts?: Readonly<Record<string, string>>
  readonly reads: Training['reads']
  readonly data: Readonly<Record<string, DataDigest>>
}

/** A data file by the path that the program has for it. */
export interface DataDigest {
  readonly size: number
  readonly sha256: string
}

/** What the settings say is compared as settings. */
const apart = ['program', 'hyper', 'trainer']

/** Data files are read for it, so it is asked for only where a run is kept. */
export async function identityOf(training: Training, text: ProgramText | undefined): Promise<Identity> {
  const { name, file, settings, reads, trainer } = training
  return {
    ...{ name, file, settings, reads, hypers: text?.hypers ?? {} },
    trainer: { ...JSON.parse(JSON.stringify(trainer)), accumulate: accumulationOf(trainer, text) },
    ...(text !== undefined && { parts: partsOf(text.ir, apart) }),
    data: await dataOf(training),
  }
}

/** As a state holds it. */
export function identityState({ parts, data, settings, reads: _, ...rest }: Identity): JsonValue {
  const digests = Object.entries(data).map(([path, digest]) => [path, { ...digest }] as const)
  return {
    ...rest,
    settings: { ...settings },
    parts: parts ?? null,
    data: Object.fromEntries(digests),
  }
}

/** A schedule of accumulation as it reads in the program, or else in what was built of it. */
function accumulationOf({ accumulate }: Training['trainer'], text: ProgramText | undefined): number | string {
  if (typeof accumulate === 'number') return accumulate
  return /^trainer \{[^}]*?^ +accumulate ([^\n]*)$/m.exec(text?.ir ?? '')?.[1] ?? String(accumulate)
}

// ── Data files ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function dataOf({ data, directory }: Training): Promise<Identity['data']> {
  const written = new Set(data.flatMap(({ source }) => pathsOf(source)))
  const digests = await Promise.all(
    [...written].map(async path => [path, await digestAt(dataPath(directory, path))] as const),
  )
  // What can't be read is told by whoever reads it.
  return Object.fromEntries(digests.flatMap(([path, found]) => (found ? [[path, found] as const] : [])))
}

function pathsOf(source: SourceSpec): readonly string[] {
  if ('files' in source) return Object.values(source.files)
  return 'path' in source ? [source.path] : []
}

async function digestAt(path: string): Promise<DataDigest | undefined> {
  try {
    const found = await stat(path)
    return found.isDirectory() ? await digestOfFolder(path) : await digestOfFile(path, found.size)
  } catch {
    return undefined
  }
}

async function digestOfFile(path: string, size: number): Promise<DataDigest> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece)
  return { size, sha256: hash.digest('hex') }
}

/** Of a folder of pictures the names and sizes, as they are many. */
async function digestOfFolder(folder: string): Promise<DataDigest> {
  const paths = await readdir(folder, { recursive: true })
  const hash = createHash('sha256')
  let size = 0
  for (const path of paths.sort()) {
    const found = await stat(join(folder, path))
    if (!found.isFile()) continue
    size += found.size
    hash.update(`${path}\0${found.size}\0`)
  }
  return { size, sha256: hash.digest('hex') }
}
