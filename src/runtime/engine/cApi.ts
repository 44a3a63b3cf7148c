import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import koffi from 'koffi'

/**
 * ONNX Runtime's C API, as far as it is used here. The package's own binding for Node makes objects of all tensors and names at every
 * call, and copies outputs that have a place already, which takes longer than a step of a small model.
 */

/** The address of something of the library's. */
export type Pointer = bigint

/** Null where all went well; else the address of what went wrong. */
type Status = Pointer | null

/** Where a function leaves an address. */
type Place = BigUint64Array

/** The version of the table of functions that is asked for. */
const tableVersion = 24

/** Finds a function by its place in `OrtApi` (onnxruntime_c_api.h), where what has a place once keeps it. */
type At = <F>(place: number, result: 'void *' | 'str' | 'void', args: readonly string[]) => F

const functionsOf = (at: At) => ({
  createEnvironment: at<(logLevel: number, name: string, out: Place) => Status>(3, 'void *', [
    'int',
    'str',
    'void *',
  ]),
  createOptions: at<(out: Place) => Status>(10, 'void *', ['void *']),
  /** Has the model that a session makes of another one written to a file. */
  saveOptimized: at<(options: Pointer, path: Buffer) => Status>(11, 'void *', ['void *', 'void *']),
  setLogSeverity: at<(options: Pointer, level: number) => Status>(22, 'void *', ['void *', 'int']),
  setOptimization: at<(options: Pointer, level: number) => Status>(23, 'void *', ['void *', 'int']),
  setThreads: at<(options: Pointer, count: number) => Status>(24, 'void *', ['void *', 'int']),
  setEntry: at<(options: Pointer, key: string, value: string) => Status>(130, 'void *', [
    'void *',
    'str',
    'str',
  ]),
  releaseOptions: at<(options: Pointer) => void>(100, 'void', ['void *']),
  createSession: at<
    (environment: Pointer, model: Uint8Array, bytes: number, options: Pointer, out: Place) => Status
  >(8, 'void *', ['void *', 'void *', 'size_t', 'void *', 'void *']),
  releaseSession: at<(session: Pointer) => void>(95, 'void', ['void *']),
  processorMemory: at<(allocator: number, kind: number, out: Place) => Status>(69, 'void *', [
    'int',
    'int',
    'void *',
  ]),
  createTensor: at<
    (
      memory: Pointer,
      data: NodeJS.ArrayBufferView,
      bytes: number,
      shape: BigInt64Array,
      rank: number,
      type: number,
      out: Place,
    ) => Status
  >(49, 'void *', ['void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *']),
  releaseTensor: at<(tensor: Pointer) => void>(96, 'void', ['void *']),
  /** A provider that the library is built with, by its name there. */
  appendProvider: at<(options: Pointer, name: string, keys: null, values: null, count: number) => Status>(
    216,
    'void *',
    ['void *', 'str', 'void *', 'void *', 'size_t'],
  ),
  createCudaOptions: at<(out: Place) => Status>(205, 'void *', ['void *']),
  appendCuda: at<(options: Pointer, cuda: Pointer) => Status>(204, 'void *', ['void *', 'void *']),
  releaseCudaOptions: at<(cuda: Pointer) => void>(208, 'void', ['void *']),
  describeMemory: at<(name: string, allocator: number, device: number, kind: number, out: Place) => Status>(
    68,
    'void *',
    ['str', 'int', 'int', 'int', 'void *'],
  ),
  createAllocator: at<(session: Pointer, memory: Pointer, out: Place) => Status>(131, 'void *', [
    'void *',
    'void *',
    'void *',
  ]),
  allocateTensor: at<
    (allocator: Pointer, shape: BigInt64Array, rank: number, type: number, out: Place) => Status
  >(48, 'void *', ['void *', 'void *', 'size_t', 'int', 'void *']),
  /** Writes what each node took, and where it ran, to a file of JSON whose name begins so. */
  profile: at<(options: Pointer, prefix: Buffer) => Status>(14, 'void *', ['void *', 'void *']),
  /** Names and tensors are lists of addresses. */
  run: at<
    (
      session: Pointer,
      options: null,
      inputNames: BigUint64Array,
      inputs: BigUint64Array,
      inputCount: number,
      outputNames: BigUint64Array,
      outputCount: number,
      outputs: BigUint64Array,
    ) => Status
  >(9, 'void *', ['void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *']),
  messageOf: at<(status: Pointer) => string>(2, 'str', ['void *']),
  releaseStatus: at<(status: Pointer) => void>(93, 'void', ['void *']),
})

export type OrtFunctions = ReturnType<typeof functionsOf>

/** The file of the library in the package, by platform. */
const libraries: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: 'libonnxruntime.1.dylib',
  linux: 'libonnxruntime.so.1',
  win32: 'onnxruntime.dll',
}

/** Calls have a stack of their own, and what builds a session goes deep. */
const stackBytes = 2 ** 23

function libraryFolder(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  return join(folder, 'bin', 'napi-v6', process.platform, process.arch)
}

/** Throws where the package has no libraries for CUDA: ONNX Runtime itself would write of it on the terminal. */
export function requireCuda(): void {
  const file = { linux: 'libonnxruntime_providers_cuda.so', win32: 'onnxruntime_providers_cuda.dll' }
  const name =
    process.platform === 'linux' || process.platform === 'win32' ? file[process.platform] : undefined
  if (name === undefined) throw new Error(`there is no CUDA for ${process.platform}`)
  if (!existsSync(join(libraryFolder(), name))) throw new Error('its libraries are not installed')
}

/** The path of a file as the library reads it. */
export function pathOf(path: string): Buffer {
  return Buffer.from(`${path}\0`, process.platform === 'win32' ? 'utf16le' : 'utf8')
}

let loaded: OrtFunctions | undefined

/** Loads the library, once a thread. Throws where the package has none for this machine. */
export function loadFunctions(): OrtFunctions {
  loaded ??= readFunctions()
  return loaded
}

function readFunctions(): OrtFunctions {
  const file = libraries[process.platform]
  if (file === undefined) throw new Error(`it has no library for ${process.platform}`)
  koffi.config({ sync_stack_size: stackBytes })
  const path = join(libraryFolder(), file)
  const library = koffi.load(path)
  keepLoaded(path)
  // `OrtApiBase` begins with the function that gives the table of a version.
  const base: Pointer = library.func('OrtGetApiBase', 'void *', [])()
  const tableAt: Pointer = koffi.decode(base, 'void *')
  const table: Pointer | null = koffi.call(tableAt, koffi.proto('void *', ['uint32_t']), tableVersion)
  if (table === null) throw new Error(`the library is older than version 1.${tableVersion}`)
  return functionsOf((place, result, args) =>
    koffi.decode(koffi.decode(table, place * pointerBytes, 'void *'), koffi.proto(result, [...args])),
  )
}

const pointerBytes = 8

/**
 * Loads the library once more, for good: Koffi unloads it with the last object that knows it, at the latest when a thread of JavaScript
 * ends, but the library has threads of its own, and finalizers that come later.
 */
function keepLoaded(path: string): void {
  if (process.platform === 'win32') koffi.load('kernel32.dll').func('LoadLibraryW', 'void *', ['str16'])(path)
  else koffi.load(null).func('dlopen', 'void *', ['str', 'int'])(path, resolveNow)
}

/** `RTLD_NOW` of Linux and macOS. */
const resolveNow = 2

/** Throws what a status tells, in the library's words. */
export function check(functions: OrtFunctions, status: Status): void {
  if (status === null) return
  const message = functions.messageOf(status)
  functions.releaseStatus(status)
  throw new Error(message)
}

/** The address that a function leaves. Throws where it gives an error. */
export function made(functions: OrtFunctions, make: (out: Place) => Status): Pointer {
  const out = new BigUint64Array(1)
  check(functions, make(out))
  return out[0]!
}

/** Texts as the library reads them, with the address of each; they stay where they are as long as `bytes` is held. */
export interface Texts {
  readonly bytes: Uint8Array
  readonly addresses: BigUint64Array
}

export function textsOf(texts: readonly string[]): Texts {
  const parts = texts.map(text => Buffer.from(`${text}\0`))
  const bytes = new Uint8Array(Buffer.concat(parts))
  const addresses = new BigUint64Array(parts.length)
  let address = koffi.address(bytes)
  for (const [i, { length }] of parts.entries()) {
    addresses[i] = address
    address += BigInt(length)
  }
  return { bytes, addresses }
}
