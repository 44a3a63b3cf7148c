import { randomUUID } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { LoweredGraph } from '../../base/graphs.ts'
import { cacheFolder } from '../cacheFolder.ts'
import { decodeGraph, encodeGraph } from './graphFile.ts'
import { type GraphRequest, graphKey, makersOfGraphs } from './graphKey.ts'

/** How much is kept. */
export interface CacheLimits {
  readonly files: number
  readonly bytes: number
}

const usualLimits: CacheLimits = { files: 500, bytes: 256 * 2 ** 20 }

/** The ends of the names of graphs, and of files that are being written. */
const [graphEnding, draftEnding] = ['.graph', '.part']

/** Nobody has been writing a file for so long. */
const draftLifeMs = 60 * 60 * 1000

/**
 * Graphs that were lowered and optimised before, a file each. Nothing of it is ever needed: what can't be read counts as absent, and where
 * nothing can be written nothing is. Any number of processes share a folder, for files come whole, by a rename, and go whole.
 */
export class GraphCache {
  readonly #folder: string
  readonly #limits: CacheLimits
  readonly #makers: string

  constructor(folder: string, limits: CacheLimits = usualLimits, makers: string = makersOfGraphs()) {
    this.#folder = folder
    this.#limits = limits
    this.#makers = makers
  }

  /** The cache that the environment names; undefined where there is none. */
  static open(): GraphCache | undefined {
    const folder = graphFolder()
    return folder === undefined ? undefined : quietly(() => new GraphCache(folder))
  }

  key(request: GraphRequest): string {
    return graphKey(this.#makers, request)
  }

  /** The graph of this key, its model optimised for this machine. */
  read(key: string): LoweredGraph | undefined {
    const path = this.#pathOf(key)
    const graph = quietly(() => decodeGraph(key, readFileSync(path)))
    const now = new Date()
    if (graph !== undefined) quietly(() => utimesSync(path, now, now))
    return graph
  }

  /** A path that ONNX Runtime can write an optimised model to; undefined where it can't. */
  draft(key: string): string | undefined {
    return quietly(() => {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      const path = join(this.#folder, `${key}.${randomUUID()}${draftEnding}`)
      writeFileSync(path, '', { flag: 'wx' })
      return path
    })
  }

  /** Takes over the optimised model that was written to a draft. */
  keep(key: string, lowered: LoweredGraph, draft: string): void {
    quietly(() => {
      const bytes = readFileSync(draft)
      const file = encodeGraph(key, { ...lowered, bytes })
      const size = file?.reduce((sum, piece) => sum + piece.length, 0) ?? 0
      if (file === undefined || bytes.length === 0 || size > this.#limits.bytes) return
      writeFileSync(draft, Buffer.concat(file))
      renameSync(draft, this.#pathOf(key))
    })
    quietly(() => rmSync(draft, { force: true }))
    quietly(() => this.#sweep())
  }

  /** Removes what has not been used for longest, until the rest is within the limits, and what others left half written. */
  #sweep(): void {
    const { graphs, drafts } = filesIn(this.#folder)
    const tooOld = Date.now() - draftLifeMs
    for (const { path, used } of drafts) if (used < tooOld) remove(path)
    let [files, bytes] = [graphs.length, sizeOf(graphs)]
    for (const { path, size } of [...graphs].sort((a, b) => a.used - b.used)) {
      if (files <= this.#limits.files && bytes <= this.#limits.bytes) return
      remove(path)
      files -= 1
      bytes -= size
    }
  }

  #pathOf(key: string): string {
    return join(this.#folder, `${key}${graphEnding}`)
  }
}

/** What is kept now, for a person to know. */
export interface CacheSurvey {
  readonly folder: string
  readonly graphs: number
  readonly bytes: number
}

export function surveyGraphCache(): CacheSurvey | undefined {
  const folder = graphFolder()
  if (folder === undefined) return undefined
  const graphs = quietly(() => filesIn(folder).graphs) ?? []
  return { folder, graphs: graphs.length, bytes: sizeOf(graphs) }
}

function graphFolder(): string | undefined {
  const folder = cacheFolder()
  return folder === undefined ? undefined : join(folder, 'graphs')
}

interface CacheFile {
  readonly path: string
  readonly size: number
  /** When it was last read or written, in milliseconds. */
  readonly used: number
}

function filesIn(folder: string): Readonly<Record<'graphs' | 'drafts', readonly CacheFile[]>> {
  const names = readdirSync(folder)
  const ending = (end: string) =>
    names.filter(name => name.endsWith(end)).flatMap(name => fileAt(join(folder, name)) ?? [])
  return { graphs: ending(graphEnding), drafts: ending(draftEnding) }
}

/** Another process may have removed it. */
function fileAt(path: string): CacheFile | undefined {
  return quietly(() => {
    const { size, mtimeMs } = statSync(path)
    return { path, size, used: mtimeMs }
  })
}

/** Another process may have removed it, or be reading it where that forbids it. */
function remove(path: string): void {
  quietly(() => rmSync(path, { force: true }))
}

function sizeOf(files: readonly CacheFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

/** What fails here costs time and nothing else. */
function quietly<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
