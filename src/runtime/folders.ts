import { copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { makeFolder, systemCode, writeFileWhole } from './atomic.ts'
import { hasNewer, systemWords } from './checkpoint.ts'
import type { JsonValue, Snapshot } from './contracts.ts'
import { exitCodes, RunError } from './errors.ts'
import { type Identity, identityState, type ProgramText } from './identity.ts'
import { type JsonObject, parseJsonObject } from './json.ts'
import { type Lock, lockFolder } from './lock.ts'
import { recordsFile } from './records.ts'
import { listIn, numberIn } from './stored.ts'

/** The folder of a run, which this process alone writes to. */
export interface RunFolder {
  readonly folder: string
  /** `v3`. */
  readonly version: string
  readonly lock: Lock
}

/** The checkpoint that a run goes on from, and what has been edited since it was saved. */
export interface Origin {
  readonly path: string
  readonly snapshot: Snapshot
  readonly changes: readonly string[]
  /** All that has changed is that the end is further away. */
  readonly longer: boolean
  /** The checkpoint that was named, where the run can't go on from it and does so from another. */
  readonly instead: string | undefined
}

/** What is to be known of a run later. */
export interface RunFacts {
  readonly identity: Identity
  readonly text: ProgramText | undefined
  readonly seed: number
  readonly backend: string
  readonly device: string
}

/**
 * The folder that a run writes to. A run goes on in its own, from its newest state and unchanged; else in a new one, so
 * that nothing is overwritten. Its records are those up to the checkpoint.
 */
export async function openRunFolder(
  runs: string,
  name: string,
  facts: RunFacts,
  origin: Origin | undefined,
): Promise<RunFolder> {
  const parent = join(runs, name)
  try {
    const own = origin && (await ownFolder(parent, origin))
    const found = own ?? (await makeRunFolder(parent))
    try {
      if (origin !== undefined) await takeRecords(found.folder, origin)
      await describe(found, facts, origin)
      return found
    } catch (error) {
      found.lock.release()
      throw error
    }
  } catch (error) {
    throw cannotOpen(parent, error)
  }
}

/** The folder that a checkpoint lies in, if the run may go on there. */
async function ownFolder(parent: string, origin: Origin): Promise<RunFolder | undefined> {
  const folder = dirname(dirname(resolve(origin.path)))
  if (dirname(folder) !== resolve(parent) || !/^v\d+$/.test(basename(folder))) return undefined
  if (origin.changes.length > 0) return undefined
  const version = basename(folder)
  const lock = lockFolder(folder)
  // Only now, since up to here another process may have saved.
  if (!(await hasNewer(dirname(resolve(origin.path)), origin.snapshot.time ?? 0)))
    return { folder: join(parent, version), version, lock }
  lock.release()
  return undefined
}

/** Makes the folder of a new run, `runs/NAME/v3`; two runs that start at once get two. */
async function makeRunFolder(parent: string): Promise<RunFolder> {
  await makeFolder(resolve(parent))
  for (let number = (await newestVersion(parent)) + 1; ; number++) {
    const version = `v${number}`
    const folder = join(parent, version)
    if (await madeBy(() => mkdir(folder))) return { folder, version, lock: lockFolder(folder) }
  }
}

async function newestVersion(parent: string): Promise<number> {
  const versions = (await readdir(parent)).map(entry => Number(/^v(\d+)$/.exec(entry)?.[1] ?? 0))
  return Math.max(0, ...versions)
}

/** Making a folder is atomic: whoever finds it made by another takes the next number. */
async function madeBy(make: () => Promise<unknown>): Promise<boolean> {
  try {
    await make()
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

function cannotOpen(parent: string, error: unknown): unknown {
  const code = systemCode(error)
  if (code === '' || error instanceof RunError) return error
  return new RunError({
    code: 'LTM6303',
    message: `can't write a folder for this run in ${parent}: ${systemWords[code] ?? code}`,
    help: 'name another place by --runs',
    exitCode: exitCodes.training,
  })
}

// ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What was recorded after the checkpoint will be recorded again. */
async function takeRecords(folder: string, { path, snapshot }: Origin): Promise<void> {
  const before = join(dirname(dirname(resolve(path))), recordsFile)
  const own = join(folder, recordsFile)
  const length = numberIn(snapshot.state, 'records')
  if (resolve(own) !== before) {
    const copied = await copyFile(before, own).then(() => true, isMissing)
    if (!copied) return
  }
  const found = await stat(own).catch(isMissing)
  if (found !== false && found.size > length) await truncate(own, length)
}

function isMissing(error: unknown): false {
  if (systemCode(error) === 'ENOENT') return false
  throw error
}

// ── What a folder says of its run ───────────────────────────────────────────────────────────────────────────────────

const factsFile = 'run.json'

/** `run.json`, and the program with its intermediate representation beside it. */
async function describe(
  { folder }: RunFolder,
  { identity, text, seed, backend, device }: RunFacts,
  origin: Origin | undefined,
): Promise<void> {
  const path = join(folder, factsFile)
  const before = parseJsonObject(await readFile(path).catch(() => Buffer.alloc(0)))
  const started = { time: new Date().toISOString(), environment: environmentOf(text, backend, device) }
  if (before !== undefined && origin !== undefined) {
    const resumed = [...listIn(before, 'resumed'), { ...started, ...originState(origin) }]
    return writeFileWhole(path, textOf({ ...before, resumed }))
  }
  const sources = text === undefined ? [] : await writeProgram(folder, identity.name, text)
  const facts = {
    ...{ format: 'ltm-run', version: 1, ...started, seed, program: identityState(identity), sources },
    resumed: origin === undefined ? [] : [{ ...started, ...originState(origin) }],
  }
  await writeFileWhole(path, textOf(facts))
}

function originState({ path, snapshot, changes }: Origin): JsonObject {
  return { from: path, saved: new Date(snapshot.time ?? 0).toISOString(), changes }
}

function environmentOf(text: ProgramText | undefined, backend: string, device: string): JsonObject {
  return {
    ltm: text?.version ?? null,
    node: process.version,
    system: `${platform()} ${arch()}`,
    backend,
    device,
    'tfjs-core': tf.version_core,
  }
}

function textOf(value: JsonValue): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** The files of the program as they were; those of one name get a number. */
async function writeProgram(folder: string, name: string, text: ProgramText): Promise<JsonValue> {
  const place = join(folder, 'program')
  await mkdir(place, { recursive: true })
  const taken = new Set<string>()
  const written: { readonly path: string; readonly copy: string }[] = []
  for (const [path, content] of text.sources) {
    const copy = freeName(basename(path), taken)
    await writeFile(join(place, copy), content)
    written.push({ path, copy: `program/${copy}` })
  }
  await writeFile(join(place, freeName(`${name}.ir`, taken)), text.ir)
  return written.map(each => ({ ...each }))
}

function freeName(name: string, taken: Set<string>): string {
  let free = name
  for (let number = 2; taken.has(free); number++) free = `${number}-${name}`
  taken.add(free)
  return free
}
