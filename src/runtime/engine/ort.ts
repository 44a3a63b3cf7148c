import { availableParallelism } from 'node:os'
import type { GraphTensor } from '../../base/graphs.ts'
import { RunError } from '../errors.ts'
import { check, loadFunctions, made, type OrtFunctions, type Pointer, type Texts, textsOf } from './cApi.ts'

/**
 * The one place that knows what ONNX Runtime is asked to do. The version of the package is pinned, and a self-test at the start sees to it
 * that what is relied upon here still holds.
 */

/** The numbers of a tensor as ONNX Runtime takes and gives them, row-major. */
export type Numbers = Float32Array | Int32Array | Uint8Array

type TensorType = Pick<GraphTensor, 'dtype' | 'shape'>

/** A tensor at hand for a session, on the memory of its numbers. */
export interface Feed {
  readonly shape: readonly number[]
  readonly address: Pointer
  readonly numbers: Numbers
}

/** The model `y = x + x` over two floats. */
const doubling = Buffer.from(
  'CAoSA2x0bTo/ChEKAXgKAXgSAXkaAW4iA0FkZBIIZG91YmxpbmdaDwoBeBIKCggIARIECgIIAmIPCgF5EgoKCAgBEgQKAggCQgQKABAV',
  'base64',
)

/** Constants of onnxruntime_c_api.h. */
const elementTypes = { f32: 1, i32: 6, bool: 9 } as const
const allOptimizations = 99
const severityOfErrors = 3
const [deviceAllocator, defaultMemory] = [0, 0]

/** What is to be run, and how its inputs and outputs are called. */
interface Model {
  readonly bytes: Uint8Array
  readonly inputs: readonly Pick<GraphTensor, 'name'>[]
  readonly outputs: readonly GraphTensor[]
  readonly multiplyAdds: number
}

/**
 * A graph that adds up fewer products runs on the calling thread alone. It is done before others could be of much help, which then
 * go on waiting for work and are in the way of the update (`bench/RESULTS.md`).
 */
const aloneBelow = 10_000_000

/** A graph that is ready to run. */
export class OrtSession {
  readonly #functions: OrtFunctions
  readonly #session: Pointer
  readonly #inputNames: Texts
  readonly #inputs: BigUint64Array
  readonly #outputNames: Texts
  readonly #outputs: BigUint64Array
  /** Where each output is written; of what is `own`, readers have copies. */
  readonly #written: { readonly feed: Feed; readonly own: boolean }[]

  constructor(ort: Ort, session: Pointer, { inputs, outputs }: Model) {
    this.#functions = ort.functions
    this.#session = session
    this.#inputNames = textsOf(inputs.map(({ name }) => name))
    this.#inputs = new BigUint64Array(inputs.length)
    this.#outputNames = textsOf(outputs.map(({ name }) => name))
    this.#written = outputs.map(output => ({ feed: ort.feed(output, zeros(output)), own: true }))
    this.#outputs = BigUint64Array.from(this.#written, ({ feed }) => feed.address)
  }

  /** Has an output written into this memory from now on. */
  bind(output: number, feed: Feed): void {
    this.#written[output] = { feed, own: false }
    this.#outputs[output] = feed.address
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

  dispose(): void {
    this.#functions.releaseSession(this.#session)
  }
}

/** ONNX Runtime, loaded and tested. */
export class Ort {
  readonly threads = availableParallelism()
  readonly functions: OrtFunctions
  readonly #environment: Pointer
  readonly #memory: Pointer
  /** Tensors of the library that nobody has a feed for any more. */
  readonly #left: FinalizationRegistry<Pointer>

  private constructor() {
    this.functions = loadFunctions()
    const { createEnvironment, processorMemory, releaseTensor } = this.functions
    this.#environment = made(this.functions, out => createEnvironment(severityOfErrors, 'ltm', out))
    this.#memory = made(this.functions, out => processorMemory(deviceAllocator, defaultMemory, out))
    this.#left = new FinalizationRegistry(releaseTensor)
    this.#selfTest()
  }

  static #loaded: Ort | undefined

  /** Loads the library, once a thread. Throws a {@link RunError} that says why it can't be used. */
  static load(): Ort {
    try {
      Ort.#loaded ??= new Ort()
      return Ort.#loaded
    } catch (error) {
      throw new RunError({
        code: 'LTM6204',
        message: `ONNX Runtime, which runs compiled steps, can't start: ${error instanceof Error ? error.message : String(error)}`,
        help: '`--engine eager` trains without it',
      })
    }
  }

  session(model: Model): OrtSession {
    const { functions } = this
    const { bytes, multiplyAdds } = model
    const options = this.#options(multiplyAdds < aloneBelow ? 1 : this.threads)
    try {
      const session = made(functions, out =>
        functions.createSession(this.#environment, bytes, bytes.length, options, out),
      )
      return new OrtSession(this, session, model)
    } finally {
      functions.releaseOptions(options)
    }
  }

  #options(threads: number): Pointer {
    const { functions } = this
    const options = made(functions, functions.createOptions)
    check(functions, functions.setLogSeverity(options, severityOfErrors))
    check(functions, functions.setOptimization(options, allOptimizations))
    check(functions, functions.setThreads(options, threads))
    // The thread that makes the first session of the process flushes denormals from then on, and all others with it:
    // without that, weights that have converged slow training down several times.
    check(functions, functions.setEntry(options, 'session.set_denormal_as_zero', '1'))
    return options
  }

  /** A tensor over these very numbers: nothing is copied. */
  feed({ dtype, shape }: TensorType, numbers: Numbers): Feed {
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
    const floats = { dtype: 'f32', shape: [2] } as const
    const session = this.session({
      bytes: doubling,
      inputs: [{ name: 'x' }],
      outputs: [{ name: 'y', ...floats }],
      multiplyAdds: 0,
    })
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
