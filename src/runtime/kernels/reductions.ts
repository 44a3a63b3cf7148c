import * as tf from '@tensorflow/tfjs-core'
import { replaceKernel } from './replace.ts'

/**
 * Has the webgpu backend (4.22.0) give reductions the shape that they should have: the largest of all elements of one axis
 * comes with one axis instead of none, and a product that it takes on the processor, as it does of small tensors, loses
 * the axes that were to be kept.
 */
export function replaceReductions(): void {
  for (const name of ['ArgMax', 'ArgMin', 'Prod']) replaceKernel(name, 'webgpu', withShape)
}

function withShape(known: tf.KernelFunc): tf.KernelFunc {
  return call => {
    const made = known(call)
    const { x } = call.inputs
    if (Array.isArray(made) || x === undefined) return made
    return { dataId: made.dataId, dtype: made.dtype, shape: reducedShape(x.shape, call.attrs ?? {}) }
  }
}

function reducedShape(shape: readonly number[], { axis, keepDims }: tf.NamedAttrMap): number[] {
  // The type that tfjs gives attributes forgets what each kernel has.
  const axes = tf.util.parseAxisParam(axis as number | number[], [...shape])
  return keepDims === true
    ? shape.map((length, i) => (axes.includes(i) ? 1 : length))
    : shape.filter((_, i) => !axes.includes(i))
}
