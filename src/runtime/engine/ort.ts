import { availableParallelism } from 'node:os'
import { Tensor, type TypedTensor } from 'onnxruntime-common'
import type { GraphTensor } from '../../base/graphs.ts'
import { RunError } from '../errors.ts'

/**
 * The one place that knows ONNX Runtime. It takes the package's synchronous binding, since the public `run` gives the
 * event loop a turn first, which is longer than a step of a small model; the version is pinned, and a self-test at the start
 * sees to it that what is relied upon here still holds.
 */

/** The numbers of a tensor as ONNX Runtime takes and gives them, row-major. */
export type Numbers = Float32Array | Int32Array | Uint8Array

/** A tensor at hand for a session; it stands on the memory of its numbers. */
export type Feed = Tensor

type Binding = typeof import('onnxruntime-node/dist/binding.js')
type Session = InstanceType<Binding['binding']['InferenceSession']>

/** The model `y = x + x` over two floats. */
const doubling = Buffer.from(
  'CAoSA2x0bTo/ChEKAXgKAXgSAXkaAW4iA0FkZBIIZG91YmxpbmdaDwoBeBIKCggIARIECgIIAmIPCgF5EgoKCAgBEgQKAggCQgQKABAV',
  'base64',
)

/** A tensor over these very numbers: nothing is copied. */
export function feedOf(dtype: GraphTensor['dtype'], shape: readonly number[], numbers: Numbers): Feed {
  switch (dtype) {
    case 'f32':
      return new Tensor('float32', numbers as Float32Array, shape)
    case 'i32':
      return new Tensor('int32', numbers as Int32Array, shape)
    case 'bool':
      return new Tensor('bool', numbers as Uint8Array, shape)
  }
}

/** A graph that is ready to run. */
export class OrtSession {
  readonly #session: Session
  readonly #feeds: Record<string, Feed> = {}
  readonly #fetches: Record<string, Feed | null> = {}
  readonly #inputs: readonly string[]
  readonly #outputs: readonly string[]

  constructor(session: Session, inputs: readonly string[], outputs: readonly string[]) {
    this.#session = session
    this.#inputs = inputs
    this.#outputs = outputs
    for (const name of outputs) this.#fetches[name] = null
  }

  /** Has an output written into this memory from now on. */
  bind(output: number, feed: Feed): void {
    this.#fetches[this.#outputs[output] ?? ''] = feed
  }

  /** Runs the graph on the calling thread; inputs and outputs are in the order of the model's. */
  run(inputs: readonly Feed[]): readonly Numbers[] {
    for (let i = 0; i < inputs.length; i++) this.#feeds[this.#inputs[i]!] = inputs[i]!
    const results = this.#session.run(this.#feeds, this.#fetches, {})
    return this.#outputs.map(name => (results[name] as TypedTensor<'float32' | 'int32' | 'bool'>).data)
  }

  dispose(): void {
    this.#session.dispose()
  }
}

/** ONNX Runtime, loaded and tested. */
export class Ort {
  readonly threads = availableParallelism()
  readonly #binding: Binding

  private constructor(binding: Binding) {
    this.#binding = binding
  }

  /** Loads the library. Throws a {@link RunError} that says why it can't be used. */
  static async load(): Promise<Ort> {
    try {
      const module: { default?: Binding } & Binding = await import('onnxruntime-node/dist/binding.js')
      const binding = module.default ?? module
      binding.initOrt()
      const ort = new Ort(binding)
      ort.#selfTest()
      return ort
    } catch (error) {
      throw new RunError({
        code: 'LTM6204',
        message: `ONNX Runtime, which runs compiled steps, can't start: ${error instanceof Error ? error.message : String(error)}`,
        help: '`--engine eager` trains without it',
      })
    }
  }

  session(model: Uint8Array, inputs: readonly string[], outputs: readonly string[]): OrtSession {
    const { InferenceSession } = this.#binding.binding
    const session = new InferenceSession()
    session.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      intraOpNumThreads: this.threads,
      // The thread that makes the first session of the process flushes denormals from then on, and all others with it:
      // without that, weights that have converged slow training down several times.
      extra: { session: { set_denormal_as_zero: '1' } },
      logSeverityLevel: 3,
    })
    return new OrtSession(session, inputs, outputs)
  }

  /** What a {@link GraphSource.blockProbe} tells: undefined where the processor has no layout of blocks of channels. */
  channelBlock(probe: Uint8Array): number | undefined {
    try {
      const session = this.session(probe, ['x'], ['sizes'])
      const [sizes] = session.run([feedOf('f32', [1, 1, 1, 1], new Float32Array(1))])
      session.dispose()
      const block = Number(sizes?.[1] ?? 1)
      return block > 1 ? block : undefined
    } catch {
      return undefined
    }
  }

  /** Adds a vector to itself, from and into memory of ours. */
  #selfTest(): void {
    const session = this.session(doubling, ['x'], ['y'])
    const memory = new ArrayBuffer(128)
    const [x, y] = [new Float32Array(memory, 0, 2), new Float32Array(memory, 64, 2)]
    x.set([1.5, -2])
    session.bind(0, feedOf('f32', [2], y))
    const [result] = session.run([feedOf('f32', [2], x)])
    session.dispose()
    if (result?.join() !== '3,-4' || y.join() !== '3,-4') throw new Error('it does not compute as expected')
  }
}
