import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { codeFolder, isBuilt } from '../ownFiles.ts'

/** Goes up with what a file of the cache says. */
const format = 1

/** What a graph is lowered from. */
export interface GraphRequest {
  /** What {@link GraphSource.fingerprint} tells of the graph. */
  readonly fingerprint: string
  readonly shapes: readonly (readonly number[] | undefined)[]
  readonly channelBlock: number | undefined
}

/** The name of a graph in the cache: two that may differ have two names. */
export function graphKey(makers: string, { fingerprint, shapes, channelBlock }: GraphRequest): string {
  return hashOf([makers, fingerprint, JSON.stringify([shapes, channelBlock])])
}

let known: string | undefined

/**
 * What makes graphs: the compiler, ONNX Runtime, and the processor that it optimises them for. The compiler is told by the bytes of its
 * files, so that someone who works on it never gets a graph of an older one. Throws where they can't be read.
 */
export function makersOfGraphs(): string {
  known ??= hashOf([String(format), ...compilerFiles(), readEngineVersion(), processor()])
  return known
}

/** The parts of the compiler that a graph passes through. */
const compilerParts = ['base', 'emit', 'ir', 'ops', 'passes', 'types']

function compilerFiles(): readonly string[] {
  const sources = codeFolder()
  // What is built is cut into chunks that are named by their content.
  if (isBuilt) return readdirSync(new URL('chunks', sources)).sort()
  const within = compilerParts.flatMap(part =>
    readdirSync(new URL(part, sources), { recursive: true, encoding: 'utf8' }).map(
      name => `${part}/${name.replaceAll('\\', '/')}`,
    ),
  )
  const files = within.filter(name => name.endsWith('.ts')).sort()
  return ['graphs.ts', ...files].flatMap(name => [name, readFileSync(new URL(name, sources), 'utf8')])
}

function readEngineVersion(): string {
  return readFileSync(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'), 'utf8')
}

function processor(): string {
  return JSON.stringify([process.platform, process.arch, cpus()[0]?.model])
}

/** Lengths go before texts, so that no two lists read alike. */
function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${text.length}:`).update(text)
  return hash.digest('hex')
}
