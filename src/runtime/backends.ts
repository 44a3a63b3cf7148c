import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs-core'
import { type GraphProvider, graphBackends, graphProviders } from '../base/graphs.ts'
import type { GraphRunner } from './engine/runner.ts'
import { exitCodes, RunError } from './errors.ts'
import { isInstalled, tensorflowPackages, webgpuPackages } from './installed.ts'

type GraphBackendName = (typeof graphBackends)[GraphProvider]
export type BackendName = GraphBackendName | 'tensorflow' | 'webgpu' | 'wasm' | 'cpu'

export interface Probe {
  readonly available: boolean
  /** What it is, or why it is not there. */
  readonly detail: string
  /** The command that would bring it. */
  readonly install?: string
}

/** A set of kernels to run on; `start` makes it the engine's, and may be called again. */
export interface Backend {
  readonly name: BackendName
  /** It gives the same bits each time, on the same machine: nothing is added in an order that differs. */
  readonly deterministic: boolean
  /** Says whether it can start here. Asking for it by name also allows what is not worth choosing by itself. */
  probe(asked?: boolean): Promise<Probe>
  start(): Promise<void>
}

/** What runs programs operator by operator, in the order in which one is chosen. */
export const backends: readonly Backend[] = [
  { name: 'tensorflow', deterministic: false, probe: probeTensorflow, start: () => startNative() },
  {
    name: 'webgpu',
    deterministic: false,
    probe: probeWebgpu,
    start: () => startImported('webgpu', '@tensorflow/tfjs-backend-webgpu'),
  },
  {
    name: 'wasm',
    deterministic: true,
    probe: async () => ({ available: true, detail: 'WebAssembly with SIMD, one thread' }),
    start: () => startImported('wasm', '@tensorflow/tfjs-backend-wasm'),
  },
  {
    name: 'cpu',
    deterministic: true,
    probe: async () => ({ available: true, detail: 'plain JavaScript' }),
    start: () => startImported('cpu', '@tensorflow/tfjs-backend-cpu'),
  },
]

/** Starts the backend of this name; without one, or for `auto`, the first that can start. One asked for by name is never replaced by another. */
export async function startBackend(name?: string, deterministic = false): Promise<StartedBackend> {
  quieten()
  const allowed = backends.filter(backend => backend.deterministic || !deterministic)
  if (name === undefined || name === 'auto') return startFirst(allowed)
  const backend = backends.find(candidate => candidate.name === name)
  if (backend === undefined) throw unknownBackend(name)
  if (!allowed.includes(backend)) throw undetermined(backend, allowed)
  return startNamed(backend)
}

/** What runs compiled programs: their graphs on ONNX Runtime, and the little that is left by kernels of `host`. */
function graphBackend(provider: GraphProvider, host: 'cpu' | 'wasm'): Backend {
  return {
    name: graphBackends[provider],
    // A card adds up what is scattered in whatever order it comes.
    deterministic: provider === 'cpu',
    probe: () => probeGraphs(provider),
    start: () => startImported(host, `@tensorflow/tfjs-backend-${host}`),
  }
}

async function probeGraphs(provider: GraphProvider): Promise<Probe> {
  try {
    const { Ort } = await import('./engine/ort.ts')
    return { available: true, detail: graphDetail(provider, Ort.load(provider).threads) }
  } catch (error) {
    const install = provider === 'cpu' ? 'npm install onnxruntime-node' : undefined
    const detail = messageOf(error).replace(/^the backend `\w+` can't start: /, '')
    return { available: false, detail, ...(install && { install }) }
  }
}

function graphDetail(provider: GraphProvider, threads: number): string {
  if (provider === 'webgpu') return 'ONNX Runtime on a graphics card, through Dawn'
  if (provider === 'cuda') return 'ONNX Runtime on a CUDA card'
  return `ONNX Runtime on ${threads === 1 ? 'one processor' : `${threads} processors`}`
}

/**
 * Starts what stands beside graphs. Plain JavaScript shares its memory with them, and can hold what lies on a card; where steps are left
 * to run by kernels beside graphs on the processor, these have to be fast.
 */
export async function startGraphHost(runner: GraphRunner, deterministic = false): Promise<StartedBackend> {
  quieten()
  const { provider, obstacles } = runner.source
  const backend = graphBackend(provider, provider !== 'cpu' || obstacles.length === 0 ? 'cpu' : 'wasm')
  if (deterministic && !backend.deterministic)
    throw undetermined(backend, [graphBackend('cpu', 'cpu'), ...backends.filter(each => each.deterministic)])
  await backend.start()
  return { backend, detail: graphDetail(provider, runner.threads) }
}

/** Why graphs can't run on the processor; undefined where they can. */
export async function lacksGraphs(): Promise<string | undefined> {
  const { available, detail } = await probeGraphs('cpu')
  return available ? undefined : detail
}

/** What each backend says of itself here, and which one would be taken. */
export interface BackendSurvey {
  readonly reports: readonly (Probe & { readonly name: BackendName })[]
  readonly chosen: BackendName
  readonly detail: string
}

/** Asks every backend, and starts the one that a run would start. */
export async function surveyBackends(): Promise<BackendSurvey> {
  quieten()
  const reports: BackendSurvey['reports'][number][] = []
  for (const backend of [...graphProviders.map(provider => graphBackend(provider, 'cpu')), ...backends])
    reports.push({ name: backend.name, ...(await probeSafely(backend)) })
  const [graphs] = reports
  if (graphs?.available === true) return { reports, chosen: graphs.name, detail: graphs.detail }
  const { backend, detail } = await startFirst(backends)
  return { reports, chosen: backend.name, detail }
}

async function probeSafely(backend: Backend): Promise<Probe> {
  return backend.probe().catch(error => ({ available: false, detail: messageOf(error) }))
}

/** A backend that has started and multiplied two matrices. */
export interface StartedBackend {
  readonly backend: Backend
  readonly detail: string
}

async function startNamed(backend: Backend): Promise<StartedBackend> {
  const probe = await backend.probe(true)
  if (!probe.available) throw unavailable(backend.name, probe.detail, probe.install)
  try {
    await backend.start()
    await selfTest(backend.name)
  } catch (error) {
    throw unavailable(backend.name, messageOf(error), probe.install)
  }
  return { backend, detail: probe.detail }
}

async function startFirst(allowed: readonly Backend[]): Promise<StartedBackend> {
  const reasons: string[] = []
  for (const backend of allowed) {
    try {
      const probe = await backend.probe()
      if (!probe.available) continue
      await backend.start()
      await selfTest(backend.name)
      return { backend, detail: probe.detail }
    } catch (error) {
      reasons.push(`${backend.name}: ${messageOf(error)}`)
    }
  }
  throw new RunError({ code: 'LTM6203', message: `no backend can start (${reasons.join('; ')})` })
}

function unknownBackend(name: string): RunError {
  const known = backends.map(backend => backend.name).join(', ')
  return new RunError({
    code: 'LTM6201',
    message: `there is no backend \`${name}\``,
    help: `the backends are ${known}; without a name the first that can start is taken`,
    exitCode: exitCodes.usage,
  })
}

function undetermined({ name }: Backend, allowed: readonly Backend[]): RunError {
  return new RunError({
    code: 'LTM6205',
    message: `the backend \`${name}\` adds in an order that may differ from run to run, so it is not deterministic`,
    help: `${allowed.map(backend => `\`${backend.name}\``).join(' and ')} are`,
    exitCode: exitCodes.usage,
  })
}

function unavailable(name: BackendName, why: string, install?: string): RunError {
  return new RunError({
    code: 'LTM6202',
    message: `the backend \`${name}\` can't start: ${why}`,
    help: `${install === undefined ? '' : `run \`${install}\`, or `}leave the backend out to take the best one that starts`,
    exitCode: exitCodes.usage,
  })
}

/** The library greets and warns on the terminal unless it is told that this is production. */
function quieten(): void {
  tf.env().set('PROD', true)
  // Read by the native library when it is loaded: errors only.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
}

// ── Plain packages ──────────────────────────────────────────────────────────────────────────────────────────────────

async function startImported(name: BackendName, specifier: string): Promise<void> {
  await importOptional(specifier)
  await activate(name)
}

async function activate(name: BackendName): Promise<void> {
  // A second copy of the core would register its backend with itself, and our tensors would never reach it.
  if (tf.findBackendFactory(name) === null && tf.findBackend(name) === null) throw new Error(otherCore(name))
  if (!(await tf.setBackend(name))) throw new Error('its initialisation failed')
  await tf.ready()
}

function otherCore(name: string): string {
  return (
    `its package registered \`${name}\` with another copy of @tensorflow/tfjs-core; ` +
    `all @tensorflow packages have to be of version ${tf.version_core} (\`npm ls @tensorflow/tfjs-core\` shows who differs)`
  )
}

/** A wrong product would train on without a word, so the first one is checked. */
async function selfTest(name: BackendName): Promise<void> {
  const product = tf.tidy(() =>
    tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])),
  )
  const values = await product.data()
  product.dispose()
  if (values.join() !== '19,22,43,50')
    throw new Error(`${name} multiplies matrices wrongly: ${values.join()}`)
}

// ── TensorFlow's own library ────────────────────────────────────────────────────────────────────────────────────────

async function probeTensorflow(): Promise<Probe> {
  const found = tensorflowPackages.find(isInstalled)
  if (found !== undefined) return { available: true, detail: found }
  const install = `npm install @tensorflow/tfjs-node@${tf.version_core}`
  return { available: false, detail: 'neither tfjs-node-gpu nor tfjs-node is installed', install }
}

async function startNative(): Promise<void> {
  restoreUtil()
  const failures: string[] = []
  for (const specifier of tensorflowPackages.filter(isInstalled)) {
    try {
      return await startImported('tensorflow', specifier)
    } catch (error) {
      failures.push(`${specifier}: ${messageOf(error)}`)
    }
  }
  throw new Error(failures.join('; '))
}

/** tfjs-node 4.22 calls two functions that Node 23 has removed from `util`. */
function restoreUtil(): void {
  const util: Record<string, unknown> = createRequire(import.meta.url)('node:util')
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
  util.isArray ??= Array.isArray
}

// ── WebGPU ──────────────────────────────────────────────────────────────────────────────────────────────────────────

async function probeWebgpu(asked = false): Promise<Probe> {
  const missing = webgpuPackages.filter(specifier => !isInstalled(specifier))
  if (missing.length > 0) {
    const install = `npm install webgpu @tensorflow/tfjs-backend-webgpu@${tf.version_core}`
    const are = missing.length === 1 ? 'is' : 'are'
    return { available: false, detail: `${missing.join(' and ')} ${are} not installed`, install }
  }
  const adapter = await requestAdapter()
  if (adapter === undefined) return { available: false, detail: 'WebGPU finds no graphics adapter' }
  const { software, detail } = describeAdapter(adapter)
  if (software && !asked) return { available: false, detail: `${detail} is software, slower than wasm` }
  return { available: true, detail }
}

async function requestAdapter(): Promise<unknown> {
  const gpu = await provideGpu()
  return (await call(gpu, 'requestAdapter', { powerPreference: 'high-performance' })) ?? undefined
}

/** Puts Dawn's `gpu` where browsers have it, and the constants of WebGPU with the globals. */
async function provideGpu(): Promise<unknown> {
  const present = read(globalThis, 'navigator')
  const existing = read(present, 'gpu')
  if (existing !== undefined) return existing
  const dawn = await importOptional('webgpu')
  Object.assign(globalThis, read(dawn, 'globals'))
  const gpu = call(dawn, 'create', [])
  // From Node 21 on there is a `navigator`, without `gpu` and not to be assigned to.
  const navigator = Object.create(Object(present), { gpu: { value: gpu, enumerable: true } })
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true })
  return gpu
}

function describeAdapter(adapter: unknown): { software: boolean; detail: string } {
  const info = read(adapter, 'info')
  const words = ['vendor', 'architecture', 'device', 'description'].map(part => read(info, part))
  const text = words.filter(word => typeof word === 'string' && word !== '').join(' ')
  const fallback = read(adapter, 'isFallbackAdapter') === true || read(info, 'isFallbackAdapter') === true
  return {
    software: fallback || /swiftshader|llvmpipe|lavapipe|software/i.test(text),
    detail: text || 'WebGPU',
  }
}

// ── Packages that may be absent have no types here ──────────────────────────────────────────────────────────────────

/** The specifier is a value, so that neither the type checker nor a bundler looks for the package. */
async function importOptional(specifier: string): Promise<unknown> {
  const module: unknown = await import(specifier)
  return read(module, 'create') === undefined ? (read(module, 'default') ?? module) : module
}

function read(value: unknown, member: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return Reflect.get(value, member)
}

function call(value: unknown, method: string, ...args: readonly unknown[]): unknown {
  const member = read(value, method)
  if (typeof member !== 'function') throw new Error(`${method} is missing`)
  return Reflect.apply(member, value, args)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}
