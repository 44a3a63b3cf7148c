import * as tf from '@tensorflow/tfjs-core'

const replacements = new WeakSet<tf.KernelFunc>()

/** Puts a kernel made of the known one in its place, once, where the backend is loaded. */
export function replaceKernel(
  kernelName: string,
  backendName: string,
  make: (known: tf.KernelFunc) => tf.KernelFunc,
): void {
  const known = tf.getKernel(kernelName, backendName)
  if (known === undefined || replacements.has(known.kernelFunc)) return
  const kernelFunc = make(known.kernelFunc)
  replacements.add(kernelFunc)
  tf.unregisterKernel(kernelName, backendName)
  tf.registerKernel({ ...known, kernelFunc })
}
