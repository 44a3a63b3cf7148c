import { bug } from '../../base/bug.ts'
import type { GraphProvider, GraphTensor, LoweredGraph } from '../../base/graphs.ts'
import {
  check,
  loadFunctions,
  made,
  type OrtFunctions,
  type Pointer,
  pathOf,
  requireCuda,
  type Texts,
  textsOf,
} from './cApi.ts'
import { startFault } from './fault.ts'
import { nodesOnProcessor } from './placement.ts'
import { threadsAllowed } from './threads.ts'

/**
 * The one place that knows what ONNX Runtime is asked to do. The version of the package is pinned, and a self-test at the start sees to it
 * that what is relied upon here still holds.
 */

/** The numbers of a tensor as ONNX Runtime takes and gives them, row-major. */
export type Numbers = Float32Array | Int32Array | Uint8Array

type TensorType = Pick<GraphTensor, 'dtype' | 'shape'>

/** A tensor at hand for a session. */
export interface Feed {
  readonly shape: readonly number[]
  readonly address: Pointer
}

/** On the memory of its numbers. */
export interface HostFeed extends Feed {
  readonly numbers: Numbers
}

/** In the memory of the device that graphs run on. Whoever has it frees it. */
export interface DeviceTensor extends Feed, Pick<GraphTensor, 'dtype'> {
  dispose(): void
}

/** The model `y = x + x` over two floats. */
const doubling = Buffer.from(
  'CAoSA2x0bTo/ChEKAXgKAXgSAXkaAW4iA0FkZBIIZG91YmxpbmdaDwoBeBIKCggIARIECgIIAmIPCgF5EgoKCAgBEgQKAggCQgQKABAV',
  'base64',
)

const floats = { dtype: 'f32', shape: [2] } as const

/** Constants of onnxruntime_c_api.h. */
const elementTypes = { f32: 1, i32: 6, bool: 9 } as const
const [noOptimizations, allOptimizations] = [0, 99]
const [severityOfErrors, severityOfFatal] = [3, 4]
const [deviceAllocator, defaultMemory] = [0, 0]

/** What is to be run, and how its inputs and outputs are called. */
interface Model {
  readonly bytes: Uint8Array
  readonly inputs: readonly Pick<GraphTensor, 'name'>[]
  readonly outputs: readonly GraphTensor[]
  readonly multiplyAdds: number
}

const doublingModel: Model = {
  bytes: doubling,
  inputs: [{ name: 'x' }],
  outputs: [{ name: 'y', ...floats }],
  multiplyAdds: 0,
}

/** Whether the model has been optimised for this machine before; and if not, the file that it is to be written to when it is. */
export interface Optimization {
  readonly done?: boolean
  readonly saveTo?: string | undefined
}

/** What a session is asked for besides its results. */
export interface SessionRequest {
  /** Outputs that `runKeeping` leaves on the device. */
  readonly kept?: ReadonlySet<number>
  readonly optimization?: Optimization | undefined
  /** How a file begins that is to tell when each node ran, once the session has ended. */
  readonly times?: string | undefined
}

/**
 * A graph of which other threads could take over fewer products runs on the calling thread alone: handing out the work of each of its
 * nodes takes longer, and the others go on waiting for more beside the update (`bench/RESULTS.md`).
 */
const aloneBelow = 50_000_000

/** A graph that is ready to run. */
export class OrtSession {
  readonly #ort: Ort
  readonly #functions: OrtFunctions
  readonly #session: Pointer
  readonly #inputNames: Texts
  readonly #inputs: BigUint64Array
  readonly #outputNames: Texts
  readonly #outputs: BigUint64Array
  /** Where each output is written; of what is `own`, readers have copies. */
  readonly #written: { readonly feed: HostFeed; readonly own: boolean }[]
  /** Outputs that stay on the device, in new memory at each run. */
  readonly #kept: ReadonlyMap<number, GraphTensor>

  constructor(ort: Ort, session: Pointer, { inputs, outputs }: Model, kept: ReadonlySet<number>) {
    this.#ort = ort
    this.#functions = ort.functions
    this.#kept = new Map([...kept].map(i => [i, outputs[i]!]))
    this.#session = session
    this.#inputNames = textsOf(inputs.map(({ name }) => name))
    this.#inputs = new BigUint64Array(inputs.length)
    this.#outputNames = textsOf(outputs.map(({ name }) => name))
    this.#written = outputs.map((output, i) => {
      const place = kept.has(i) ? { dtype: output.dtype, shape: [0] } : output
      return { feed: ort.feed(place, zeros(place)), own: true }
    })
    this.#outputs = BigUint64Array.from(this.#written, ({ feed }) => feed.address)
  }

  /** Has an output written into this memory from now on. */
  bind(output: number, feed: HostFeed): void {
    this.#written[output] = { feed, own: false }
    this.#outputs[output] = feed.address
  }

  /** Runs the graph and keeps some outputs on the device; the others are awaited. */
  runKeeping(inputs: readonly Feed[]): readonly (Numbers | DeviceTensor)[] {
    const made = new Map<number, DeviceTensor>()
    try {
      for (const [i, output] of this.#kept) {
        const tensor = this.#ort.allocate(output)
        made.set(i, tensor)
        this.#outputs[i] = tensor.address
      }
      return this.run(inputs).map((numbers, i) => made.get(i) ?? numbers)
    } catch (error) {
      for (const tensor of made.values()) tensor.dispose()
      throw error
    }
  }

  /** Runs the graph on the calling thread; inputs and outputs are in the order of the model's. */
  run(inputs: readonly Feed[]): readonly Numbers[] {
    for (let i = 0; i < inputs.length; i++) this.#inputs[i] = inputs[i]!.address
    const status = this.#functions.run(
      this.#session,
      null,
      this.#inputNames.addresses,
      this.#inputs,
      this.#inputs.length,
      this.#outputNames.addresses,
      this.#outputs.length,
      this.#outputs,
    )
    check(this.#functions, status)
    return this.#written.map(({ feed, own }) => (own ? feed.numbers.slice() : feed.numbers))
  }

  /** What makes room in a memory of its provider. */
  allocator(memory: Pointer): Pointer {
    return made(this.#functions, out => this.#functions.createAllocator(this.#session, memory, out))
  }

  dispose(): void {
    this.#ort.release(this.#session)
  }
}

/** How the library knows a provider, and its memory. */
interface Device {
  readonly memory: string
  append(functions: OrtFunctions, options: Pointer): void
}

const devices: Readonly<Record<Exclude<GraphProvider, 'cpu'>, Device>> = {
  webgpu: {
    memory: 'WebGPU_Buf',
    append: (functions, options) =>
      check(functions, functions.appendProvider(options, 'WebGPU', null, null, 0)),
  },
  cuda: {
    memory: 'Cuda',
    append: (functions, options) => {
      requireCuda()
      const cuda = made(functions, functions.createCudaOptions)
      try {
        check(functions, functions.appendCuda(options, cuda))
      } finally {
        functions.releaseCudaOptions(cuda)
      }
    },
  },
}

/** ONNX Runtime, loaded and tested. */
export class Ort {
  readonly threads = threadsAllowed()
  readonly functions: OrtFunctions
  readonly provider: GraphProvider
  readonly #environment: Pointer
  readonly #memory: Pointer
  /** Tensors of the library that nobody has a feed for any more. */
  readonly #left: FinalizationRegistry<Pointer>

  /** Those that are there: a device's library crashes where the process ends with one. */
  readonly #sessions = new Set<Pointer>()
  /** Memory of the device, and the session that it comes by. */
  #device: { readonly allocator: Pointer; readonly session: OrtSession } | undefined

  private constructor(provider: GraphProvider) {
    this.provider = provider
    this.functions = loadFunctions()
    const { createEnvironment, processorMemory, releaseTensor } = this.functions
    this.#environment = made(this.functions, out => createEnvironment(severityOfErrors, 'ltm', out))
    this.#memory = made(this.functions, out => processorMemory(deviceAllocator, defaultMemory, out))
    this.#left = new FinalizationRegistry(releaseTensor)
    if (provider === 'cpu') this.#selfTest()
    else {
      process.once('exit', () => this.#releaseAll())
      this.#startDevice(devices[provider])
    }
  }

  static readonly #loaded = new Map<GraphProvider, Ort>()

  /** Loads the library, once a thread for each provider. Throws a {@link RunError} that says why it can't be used. */
  static load(provider: GraphProvider = 'cpu'): Ort {
    try {
      const ort = Ort.#loaded.get(provider) ?? new Ort(provider)
      Ort.#loaded.set(provider, ort)
      return ort
    } catch (error) {
      throw startFault(provider, error instanceof Error ? error.message : String(error))
    }
  }

  session(model: Model, { kept = new Set(), optimization, times }: SessionRequest = {}): OrtSession {
    const left = model.multiplyAdds * (1 - 1 / this.threads)
    const options = this.#options(left < aloneBelow ? 1 : this.threads, optimization)
    if (times !== undefined) check(this.functions, this.functions.profile(options, pathOf(times)))
    return this.#session(model, kept, options)
  }

  #session(model: Model, kept: ReadonlySet<number>, options: Pointer): OrtSession {
    const { functions } = this
    const { bytes } = model
    try {
      const session = made(functions, out =>
        functions.createSession(this.#environment, bytes, bytes.length, options, out),
      )
      this.#sessions.add(session)
      return new OrtSession(this, session, model, kept)
    } finally {
      functions.releaseOptions(options)
    }
  }

  #options(threads: number, { done = false, saveTo }: Optimization = {}): Pointer {
    const { functions } = this
    const options = made(functions, functions.createOptions)
    check(functions, functions.setLogSeverity(options, severityOfErrors))
    check(functions, functions.setOptimization(options, done ? noOptimizations : allOptimizations))
    if (saveTo !== undefined) check(functions, functions.saveOptimized(options, pathOf(saveTo)))
    check(functions, functions.setThreads(options, threads))
    // The thread that makes the first session of the process flushes denormals from then on, and all others with it:
    // without that, weights that have converged slow training down several times.
    check(functions, functions.setEntry(options, 'session.set_denormal_as_zero', '1'))
    if (this.provider === 'cpu') return options
    devices[this.provider].append(functions, options)
    // What goes wrong is thrown, and told by whoever catches it.
    check(functions, functions.setLogSeverity(options, severityOfFatal))
    // What a device has no kernel for would be done on the processor without a word, and copied there and back.
    check(functions, functions.setEntry(options, 'session.disable_cpu_ep_fallback', '1'))
    return options
  }

  /** The names of nodes of a model that the device has no kernels for. It is run once, on zeros. */
  leftToProcessor(model: LoweredGraph): readonly string[] {
    const { functions } = this
    return nodesOnProcessor(prefix => {
      const options = this.#options(1)
      check(functions, functions.setEntry(options, 'session.disable_cpu_ep_fallback', '0'))
      check(functions, functions.profile(options, pathOf(prefix)))
      const session = this.#session(model, new Set(), options)
      session.run(model.inputs.map(input => this.feed(input, zeros(input))))
      session.dispose()
    })
  }

  /** Room for a tensor on the device. */
  allocate({ dtype, shape }: TensorType): DeviceTensor {
    const { functions } = this
    const { allocator } = this.#device ?? bug('a tensor for no device')
    const sizes = BigInt64Array.from(shape, BigInt)
    const address = made(functions, out =>
      functions.allocateTensor(allocator, sizes, sizes.length, elementTypes[dtype], out),
    )
    const dispose = (): void => {
      this.#left.unregister(tensor)
      functions.releaseTensor(address)
    }
    const tensor: DeviceTensor = { dtype, shape, address, dispose }
    this.#left.register(tensor, address, tensor)
    return tensor
  }

  release(session: Pointer): void {
    if (this.#sessions.delete(session)) this.functions.releaseSession(session)
  }

  #releaseAll(): void {
    for (const session of this.#sessions) this.release(session)
  }

  /** Adds a vector to itself on the device twice, without a look at what the first time gave. */
  #startDevice({ memory }: Device): void {
    const { functions } = this
    const session = this.session(doublingModel, { kept: new Set([0]) })
    const place = made(functions, out =>
      functions.describeMemory(memory, deviceAllocator, 0, defaultMemory, out),
    )
    const allocator = session.allocator(place)
    this.#device = { allocator, session }
    const [once] = session.runKeeping([this.feed(floats, Float32Array.of(1.5, -2))])
    const reading = this.session(doublingModel)
    const [twice] = once !== undefined && 'dispose' in once ? reading.run([once]) : []
    if (once !== undefined && 'dispose' in once) once.dispose()
    reading.dispose()
    if (twice?.join() !== '6,-8') throw new Error('it does not compute as expected')
  }

  /** A tensor over these very numbers: nothing is copied. */
  feed({ dtype, shape }: TensorType, numbers: Numbers): HostFeed {
    const sizes = BigInt64Array.from(shape, BigInt)
    const address = made(this.functions, out =>
      this.functions.createTensor(
        this.#memory,
        numbers,
        numbers.byteLength,
        sizes,
        sizes.length,
        elementTypes[dtype],
        out,
      ),
    )
    const feed = { shape, address, numbers }
    this.#left.register(feed, address)
    return feed
  }

  /** What a {@link GraphSource.blockProbe} tells: undefined where the processor has no layout of blocks of channels. */
  channelBlock(probe: Uint8Array): number | undefined {
    try {
      const x = { name: 'x', dtype: 'f32', shape: [1, 1, 1, 1] } as const
      const session = this.session({
        bytes: probe,
        inputs: [x],
        outputs: [{ name: 'sizes', dtype: 'i32', shape: [4] }],
        multiplyAdds: 0,
      })
      const [sizes] = session.run([this.feed(x, new Float32Array(1))])
      session.dispose()
      const block = Number(sizes?.[1] ?? 1)
      return block > 1 ? block : undefined
    } catch {
      return undefined
    }
  }

  /** Adds a vector to itself, from and into memory of ours. */
  #selfTest(): void {
    const session = this.session(doublingModel)
    const memory = new ArrayBuffer(128)
    const [x, y] = [new Float32Array(memory, 0, 2), new Float32Array(memory, 64, 2)]
    x.set([1.5, -2])
    session.bind(0, this.feed(floats, y))
    session.run([this.feed(floats, x)])
    session.dispose()
    if (y.join() !== '3,-4') throw new Error('it does not compute as expected')
  }
}

function zeros({ dtype, shape }: TensorType): Numbers {
  const count = shape.reduce((product, size) => product * size, 1)
  switch (dtype) {
    case 'f32':
      return new Float32Array(count)
    case 'i32':
      return new Int32Array(count)
    case 'bool':
      return new Uint8Array(count)
  }
}
