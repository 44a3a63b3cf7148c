import { createHash } from 'node:crypto'
import { existsSync, type Stats } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { type FileContent, nameOfPlace, placesOf, removeFolder, systemCode, writeFolder } from './atomic.ts'
import type { JsonValue, Snapshot, StoredTensor } from './contracts.ts'
import { exitCodes, RunError } from './errors.ts'
import { isJsonObject, isWhole, type JsonObject, lossInJson, parseJson, parseJsonObject } from './json.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

/**
 * A checkpoint is a folder: `weights.safetensors` (parameters by path), `optimizer.safetensors` (all other tensors),
 * `state.json`, and `manifest.json` with the size and hash of each. The manifest is written last, so a folder that has
 * one is complete. Loading reads tensors and JSON and executes nothing.
 */
const files = {
  weights: 'weights.safetensors',
  rest: 'optimizer.safetensors',
  state: 'state.json',
  manifest: 'manifest.json',
} as const

/** Raw values of parameters stand under this prefix in a snapshot, and under their bare paths in the file. */
const weightsPrefix = 'weights/'

const formatVersion = 1

/** What `newestCheckpoint` found. */
export interface FoundCheckpoints {
  readonly newest?: { readonly path: string; readonly snapshot: Snapshot }
  /** Newer ones that can't be used, and why: worth a warning each. */
  readonly skipped: readonly RunError[]
}

/** Saves a checkpoint, replacing one of the same name at once or not at all; returns its path. */
export async function saveCheckpoint(folder: string, name: string, snapshot: Snapshot): Promise<string> {
  checkName(name)
  const contents = contentsOf(snapshot)
  const time = new Date(snapshot.time ?? Date.now()).toISOString()
  try {
    return await writeFolder(folder, name, [...contents, manifestOf(contents, time)])
  } catch (error) {
    throw cannotSave(folder, name, error)
  }
}

/** Removes a checkpoint, all of it at once; one that isn't there is removed already. */
export async function removeCheckpoint(path: string): Promise<void> {
  const target = resolve(path)
  await removeFolder(dirname(target), basename(target))
}

/** Loads a checkpoint after checking every byte against its manifest. */
export async function loadCheckpoint(path: string): Promise<Snapshot> {
  const target = resolve(path)
  const places = placesOf(dirname(target), basename(target))
  for (const place of places) {
    if (await hasManifest(place)) return (await readCheckpoint(place, path)).snapshot
  }
  throw await noCheckpoint(path)
}

/** Whether there is one at this path, whole or not. */
export function hasCheckpoint(path: string): boolean {
  const target = resolve(path)
  return placesOf(dirname(target), basename(target)).some(place => existsSync(join(place, files.manifest)))
}

/** The paths of the checkpoints of a folder, the newest first, whole or not. */
export async function checkpointsIn(folder: string): Promise<readonly string[]> {
  return (await newestFirst(folder)).map(({ path }) => path)
}

/** Whether a folder has a checkpoint that is whole and of a later time than `time`. */
export async function hasNewer(folder: string, time: number): Promise<boolean> {
  for (const candidate of await newestFirst(folder)) {
    if (candidate.time <= time) return false
    const isWhole = await loadCheckpoint(candidate.path).then(
      () => true,
      () => false,
    )
    if (isWhole) return true
  }
  return false
}

/** Loads the newest checkpoint of a folder that is whole, passing over those that aren't. */
export async function newestCheckpoint(folder: string): Promise<FoundCheckpoints> {
  const skipped: RunError[] = []
  for (const { path } of await newestFirst(folder)) {
    try {
      return { newest: { path, snapshot: await loadCheckpoint(path) }, skipped }
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      skipped.push(error)
    }
  }
  return { skipped }
}

// ── Saving ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function contentsOf(snapshot: Snapshot): readonly FileContent[] {
  const loss = lossInJson(snapshot.state)
  if (loss !== undefined) throw new TypeError(`a checkpoint's state must be plain JSON; it has ${loss}`)
  const weights = new Map<string, StoredTensor>()
  const rest = new Map<string, StoredTensor>()
  for (const [name, tensor] of snapshot.tensors) {
    if (name.startsWith(weightsPrefix)) weights.set(name.slice(weightsPrefix.length), tensor)
    else rest.set(name, tensor)
  }
  const metadata = { format: 'ltm', version: String(formatVersion) }
  const state = Buffer.from(`${JSON.stringify(snapshot.state, undefined, 1)}\n`)
  return [
    { name: files.weights, pieces: encodeSafetensors(weights, metadata) },
    ...(rest.size > 0 ? [{ name: files.rest, pieces: encodeSafetensors(rest, metadata) }] : []),
    { name: files.state, pieces: [state] },
  ]
}

interface Manifest {
  /** When its run was as it says, ISO 8601 in UTC. */
  readonly time: string
  readonly files: readonly FileRecord[]
}
interface FileRecord {
  readonly name: string
  readonly size: number
  readonly sha256: string
}

function manifestOf(contents: readonly FileContent[], time: string): FileContent {
  const records = contents.map(({ name, pieces }) => ({ name, ...sizeAndHash(pieces) }))
  const text = manifestText({ time, files: records })
  return { name: files.manifest, pieces: [Buffer.from(text)] }
}

/** One text for one manifest, with a hash of its own, so that a changed byte shows wherever it is. */
function manifestText(manifest: Manifest): string {
  const content = {
    format: 'ltm-checkpoint',
    version: formatVersion,
    time: manifest.time,
    files: manifest.files,
  }
  const { sha256 } = sizeAndHash([Buffer.from(JSON.stringify(content))])
  return `${JSON.stringify({ ...content, sha256 }, undefined, 2)}\n`
}

function sizeAndHash(pieces: readonly Uint8Array[]): { readonly size: number; readonly sha256: string } {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return { size: pieces.reduce((sum, piece) => sum + piece.length, 0), sha256: hash.digest('hex') }
}

function checkName(name: string): void {
  if (/^[^\s./\\:*?"<>|][^/\\:*?"<>|\p{Cc}]{0,119}$/u.test(name)) return
  throw new RunError({
    message: `“${name}” can't be the name of a checkpoint: it becomes the name of a folder`,
    code: 'LTM6506',
    help: 'use letters, digits, `-`, `_` and `.`, up to 120 of them',
  })
}

// ── Loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads the folder at `place`, which messages call `shown`. */
async function readCheckpoint(place: string, shown: string): Promise<{ readonly snapshot: Snapshot }> {
  const manifest = readManifest(await readBytes(place, files.manifest, shown), shown)
  const bytes = new Map<string, Buffer>()
  for (const record of manifest.files) bytes.set(record.name, await readChecked(place, record, shown))
  const tensors = new Map([
    ...tensorsIn(bytes, files.weights, weightsPrefix, shown),
    ...tensorsIn(bytes, files.rest, '', shown),
  ])
  return { snapshot: { time: Date.parse(manifest.time), tensors, state: stateIn(bytes, shown) } }
}

function tensorsIn(
  bytes: ReadonlyMap<string, Buffer>,
  file: string,
  prefix: string,
  shown: string,
): readonly (readonly [string, StoredTensor])[] {
  const content = bytes.get(file)
  if (content === undefined) return []
  const { tensors } = decodeSafetensors(content, join(shown, file))
  return [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const)
}

function stateIn(bytes: ReadonlyMap<string, Buffer>, shown: string): JsonValue {
  const content = bytes.get(files.state)
  const state = content === undefined ? undefined : parseJson(content)
  if (state === undefined) throw damaged(shown, `${files.state} is not valid JSON`)
  return state
}

async function readChecked(place: string, record: FileRecord, shown: string): Promise<Buffer> {
  const bytes = await readBytes(place, record.name, shown)
  if (bytes.length < record.size) {
    throw damaged(
      shown,
      `${record.name} is cut off: ${record.size - bytes.length} of its ${record.size} bytes are missing`,
    )
  }
  if (bytes.length > record.size) {
    throw damaged(shown, `${record.name} has ${bytes.length - record.size} bytes more than were saved`)
  }
  if (sizeAndHash([bytes]).sha256 !== record.sha256) {
    throw damaged(shown, `${record.name} has changed since it was saved: its hash is another`)
  }
  return bytes
}

async function readBytes(place: string, file: string, shown: string): Promise<Buffer> {
  try {
    return await readFile(join(place, file))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') throw damaged(shown, `${file} is missing`)
    throw damaged(shown, `${file} can't be read (${systemWords[code] ?? code})`)
  }
}

function readManifest(bytes: Buffer, shown: string): Manifest {
  const json = parseJsonObject(bytes)
  if (json === undefined || json.format !== 'ltm-checkpoint') {
    throw damaged(shown, `${files.manifest} is not the manifest of a checkpoint`)
  }
  if (isWhole(json.version) && json.version > formatVersion) throw tooNew(shown, json.version)
  const records = readRecords(json)
  const { time } = json
  const manifest = records !== undefined && typeof time === 'string' ? { time, files: records } : undefined
  if (manifest === undefined || manifestText(manifest) !== bytes.toString()) {
    throw damaged(shown, `${files.manifest} has changed since it was saved`)
  }
  return manifest
}

/** Only files that a checkpoint is known to have, so that a manifest can't name others. */
function readRecords({ files: list }: JsonObject): readonly FileRecord[] | undefined {
  if (!Array.isArray(list)) return undefined
  const known: readonly JsonValue[] = [files.weights, files.rest, files.state]
  const records = list.flatMap((record: JsonValue) => {
    if (!isJsonObject(record)) return []
    const { name, size, sha256 } = record
    const valid =
      typeof name === 'string' && known.includes(name) && isWhole(size) && typeof sha256 === 'string'
    return valid ? [{ name, size, sha256 }] : []
  })
  return records.length === list.length ? records : undefined
}

// ── Finding ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Candidate {
  readonly path: string
  /** Milliseconds; from the manifest, or the folder's own where that can't be read. */
  readonly time: number
}

async function newestFirst(folder: string): Promise<readonly Candidate[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = new Set(entries.filter(entry => entry.isDirectory()).map(entry => nameOfPlace(entry.name)))
  const candidates: Candidate[] = []
  for (const name of names) if (name !== undefined) candidates.push(...(await candidateOf(folder, name)))
  return candidates.sort((a, b) => b.time - a.time || (a.path < b.path ? 1 : -1))
}

async function candidateOf(folder: string, name: string): Promise<readonly Candidate[]> {
  for (const place of placesOf(folder, name)) {
    const mark = (await statOf(place, files.manifest)) ?? (await statOf(place, files.state))
    const abandoned = place !== join(folder, name) && !(await hasManifest(place))
    if (mark === undefined || abandoned) continue
    return [{ path: join(folder, name), time: (await savedAt(place)) ?? mark.mtimeMs }]
  }
  return []
}

async function savedAt(place: string): Promise<number | undefined> {
  const json = parseJsonObject(await readFile(join(place, files.manifest)).catch(() => Buffer.alloc(0)))
  const time = typeof json?.time === 'string' ? Date.parse(json.time) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

async function hasManifest(place: string): Promise<boolean> {
  return (await statOf(place, files.manifest)) !== undefined
}

async function statOf(place: string, file: string): Promise<Stats | undefined> {
  return stat(join(place, file)).catch(() => undefined)
}

// ── What can be wrong ───────────────────────────────────────────────────────────────────────────────────────────────

/** What the operating system's words for a fault mean to people. */
export const systemWords: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'your disk quota is used up',
  EFBIG: 'the file is larger than this disk allows',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOENT: 'there is no such place',
  ENOTDIR: 'part of the path is a file, not a folder',
  EEXIST: 'part of the path is a file, not a folder',
  EMFILE: 'too many files are open',
  EIO: 'the disk reports an error',
}

function cannotSave(folder: string, name: string, error: unknown): unknown {
  const code = systemCode(error)
  if (code === '') return error
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  const next = full ? 'free some space there' : 'check the folder'
  return new RunError({
    message: `checkpoint \`${name}\` could not be saved in ${folder}: ${systemWords[code] ?? code}`,
    code: 'LTM6504',
    help: `${next}, or save elsewhere; checkpoints saved before are untouched`,
    exitCode: exitCodes.training,
  })
}

function damaged(shown: string, what: string): RunError {
  return new RunError({
    message: `checkpoint ${shown} is damaged: ${what}`,
    code: 'LTM6502',
    help: 'load another checkpoint of the run; this one can be deleted',
  })
}

function tooNew(shown: string, version: number): RunError {
  return new RunError({
    message: `checkpoint ${shown} has format ${version}; this ltm reads up to ${formatVersion}`,
    code: 'LTM6505',
    help: 'update ltm',
  })
}

async function noCheckpoint(path: string): Promise<RunError> {
  const below = await newestFirst(join(resolve(path), 'checkpoints'))
  const inside = [...(await newestFirst(resolve(path))), ...below]
  const incomplete = await statOf(path, files.state)
  if (incomplete !== undefined) return damaged(path, `${files.manifest} is missing`)
  const names = inside.map(candidate => relative(resolve(path), candidate.path))
  const beside =
    names.length > 0 ? names : (await newestFirst(dirname(resolve(path)))).map(c => basename(c.path))
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  const known = `${names.length > 0 ? 'in it are' : 'there are'}: ${beside.join(', ')}`
  return new RunError({
    message: isThere
      ? `${path} is not a checkpoint: it has no ${files.manifest}`
      : `there is no checkpoint ${path}`,
    code: 'LTM6501',
    help: beside.length > 0 ? known : 'name the folder of a run, or that of one of its checkpoints',
  })
}
