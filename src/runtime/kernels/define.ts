import * as tf from '@tensorflow/tfjs-core'
import { apart } from '../gradients/apart.ts'

/** A function of tensors with a gradient of its own, made of other operations. */
export interface KernelDefinition<A extends tf.NamedAttrMap> {
  readonly name: string
  readonly run: (inputs: readonly tf.Tensor[], attrs: A) => tf.Tensor
  /** One thunk per input, called only where that input's gradient is wanted. `output` is there only if `usesOutput` says so. */
  readonly gradients: (
    dy: tf.Tensor,
    inputs: readonly tf.Tensor[],
    attrs: A,
    output: tf.Tensor | undefined,
  ) => readonly (() => tf.Tensor)[]
  readonly usesOutput?: boolean
}

export interface Kernel<A extends tf.NamedAttrMap> {
  (inputs: readonly tf.Tensor[], attrs: A): tf.Tensor
  /** Makes it known to tfjs, for every backend. */
  readonly register: () => void
}

const backends = ['cpu', 'wasm', 'webgl', 'webgpu', 'tensorflow']

/**
 * A kernel in tfjs's registry that is written with other kernels. Unlike a function under `tf.customGrad` it computes
 * only those gradients that are asked for, which spares a network's first convolution the larger of its two.
 */
export function defineKernel<A extends tf.NamedAttrMap>(definition: KernelDefinition<A>): Kernel<A> {
  const kernelName = `Ltm${definition.name}`
  // tfjs takes an array where it says map, and wants one where all inputs are saved.
  const call = (inputs: readonly tf.Tensor[], attrs: A): tf.Tensor =>
    tf.engine().runKernel(kernelName, inputs as unknown as tf.NamedTensorMap, attrs)
  return Object.assign(call, { register: () => register(kernelName, definition) })
}

/** The casts give back the types that tfjs's registry forgets; nothing but `call` above runs these kernels. */
function register<A extends tf.NamedAttrMap>(
  kernelName: string,
  { run, gradients, usesOutput = false }: KernelDefinition<A>,
): void {
  if (tf.getGradient(kernelName) !== undefined) return
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) =>
    tf.tidy(() => run(Object.values(inputs) as tf.Tensor[], attrs as A))
  for (const backendName of backends) tf.registerKernel({ kernelName, backendName, kernelFunc })
  const config: tf.GradConfig = {
    kernelName,
    saveAllInputs: true,
    outputsToSave: [usesOutput],
    gradFunc: (dy, saved, attrs) => {
      const inputs = usesOutput ? saved.slice(0, -1) : saved
      const output = usesOutput ? linkedOutput(kernelName, inputs, saved.at(-1)!, attrs) : undefined
      const thunks = gradients(dy as tf.Tensor, inputs, attrs as A, output)
      return Object.fromEntries(thunks.map((thunk, i) => [String(i), thunk]))
    },
  }
  tf.registerGradient(apart(config))
}

/**
 * The result of a kernel for use in its gradient. tfjs puts the copy that it saves on the tape before the kernel itself,
 * so a gradient of the gradient takes it for a constant (4.22.0). While an outer gradient is being recorded the result is
 * therefore computed anew.
 */
export function linkedOutput(
  kernelName: string,
  inputs: readonly tf.Tensor[] | tf.NamedTensorMap,
  saved: tf.Tensor,
  attrs: tf.NamedAttrMap,
): tf.Tensor {
  if (tf.engine().state.gradientDepth === 0) return saved
  return tf.engine().runKernel(kernelName, inputs as tf.NamedTensorMap, attrs)
}
