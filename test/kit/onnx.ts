import { Tensor } from 'onnxruntime-node'
import { type Binding, binding, initOrt } from 'onnxruntime-node/dist/binding.js'
import { graphProviders as providers } from '../../src/base/graphs.ts'
import { channelBlockProbe } from '../../src/emit/onnx/channelBlock.ts'
import type { OnnxFunction } from '../../src/emit/onnx/graph.ts'
import type { OnnxProvider } from '../../src/ops/onnx.ts'
import type { DType } from '../../src/types/tensor.ts'

/** Numbers of a tensor, row by row. */
export interface Numbers {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

const dtypes: Readonly<Record<string, DType>> = { float32: 'f32', int32: 'i32', bool: 'bool' }

function given(
  { dtype, shape }: Pick<OnnxFunction['inputs'][number], 'dtype' | 'shape'>,
  values: ArrayLike<number>,
): Tensor {
  if (dtype === 'f32') return new Tensor('float32', Float32Array.from(values), shape)
  if (dtype === 'i32') return new Tensor('int32', Int32Array.from(values), shape)
  return new Tensor('bool', Uint8Array.from(values), shape)
}

function numbersOf({ type, dims, data }: Tensor): Numbers {
  const dtype = dtypes[type]
  if (dtype === undefined) throw new Error(`an output is of type ${type}`)
  return { dtype, shape: [...dims], values: Array.from(data, Number) }
}

/** How many channels lie side by side in the processor's layout for convolutions; undefined where there is none. */
export function channelBlock(): number | undefined {
  try {
    const inputs = [{ name: 'x', dtype: 'f32', shape: [1, 1, 1, 1] }] as const
    const session = load(channelBlockProbe())
    const { sizes } = session.run({ x: given(inputs[0], [0]) }, { sizes: null }, {})
    session.dispose()
    const block = sizes !== undefined && 'dims' in sizes ? Number(sizes.data[1]) : 1
    return block > 1 ? block : undefined
  } catch {
    return undefined
  }
}

/** The provider that the tests are asked to try beside the processor: `LTM_TEST_PROVIDER=webgpu npm test`. */
const asked = process.env.LTM_TEST_PROVIDER

export const askedProviders: readonly OnnxProvider[] = providers.filter(name => name === asked)
if (asked !== undefined && askedProviders.length === 0)
  throw new Error(`LTM_TEST_PROVIDER is ${asked}, not one of ${providers.join(', ')}`)

/**
 * A session, on one thread unless more are asked for, which don't wait for work between runs. On another provider than the processor
 * nothing may be left to the processor.
 */
export function load(
  bytes: Uint8Array,
  provider: OnnxProvider = 'cpu',
  threads = 1,
): Binding.InferenceSession {
  initOrt()
  const session = new binding.InferenceSession()
  const buffer = new ArrayBuffer(bytes.length)
  new Uint8Array(buffer).set(bytes)
  session.loadModel(buffer, 0, bytes.length, {
    intraOpNumThreads: threads,
    executionMode: 'sequential',
    logSeverityLevel: 4,
    executionProviders: [provider],
    extra: {
      session: {
        set_denormal_as_zero: '1',
        force_spinning_stop: '1',
        ...(provider === 'cpu' ? {} : { disable_cpu_ep_fallback: '1' }),
      },
    },
  })
  return session
}

/** A model that is ready to run. The first one of a process makes denormal numbers count as 0. */
export function sessionOf(
  { bytes, inputs, outputs }: Pick<OnnxFunction, 'bytes' | 'inputs' | 'outputs'>,
  provider: OnnxProvider = 'cpu',
): {
  run(values: readonly ArrayLike<number>[]): readonly Numbers[]
  dispose(): void
} {
  const session = load(bytes, provider)
  return {
    run: values => {
      const feeds = Object.fromEntries(inputs.map((input, i) => [input.name, given(input, values[i]!)]))
      const results = session.run(feeds, Object.fromEntries(outputs.map(({ name }) => [name, null])), {})
      return outputs.map(({ name }) => {
        const result = results[name]
        if (result !== undefined && 'dims' in result) return numbersOf(result)
        throw new Error(`${name} is no tensor`)
      })
    },
    dispose: () => session.dispose(),
  }
}

/** Runs a model once. */
export function runOnnx(
  model: OnnxFunction,
  values: readonly ArrayLike<number>[],
  provider: OnnxProvider = 'cpu',
): readonly Numbers[] {
  const session = sessionOf(model, provider)
  try {
    return session.run(values)
  } finally {
    session.dispose()
  }
}

/**
 * What ONNX Runtime's WebGPU (1.30) leaves to the processor without a word, copying there and back, or refuses; of MaxPool the second
 * output.
 */
const leavesWebgpu = new Set(
  'Sign Round Mod Selu Softsign LogSoftmax OneHot FusedMatMul SpaceToDepth MaxUnpool ConstantOfShape Range Dropout BitwiseXor IsNaN Or Xor ArgMax ArgMin'.split(
    ' ',
  ),
)

/** The names of nodes that WebGPU has no kernel for. */
export function notOnWebgpu({ nodes }: OnnxFunction['model']): readonly string[] {
  return nodes
    .filter(({ type, outputs }) => leavesWebgpu.has(type) || (type === 'MaxPool' && outputs.length > 1))
    .map(({ name }) => name)
}
