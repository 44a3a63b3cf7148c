import { createRequire } from 'node:module'

/** The packages that bring TensorFlow's own library, the faster one first. */
export const tensorflowPackages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const

/** The packages that bring WebGPU to Node. */
export const webgpuPackages = ['webgpu', '@tensorflow/tfjs-backend-webgpu'] as const

/** Whether a package is there to be imported. */
export function isInstalled(specifier: string): boolean {
  try {
    createRequire(import.meta.url).resolve(`${specifier}/package.json`)
    return true
  } catch (error) {
    // A package may hide its package.json, and is there all the same.
    return error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
  }
}

/**
 * Whether a backend that is asked for by this name may be one of a native library, which lives on the main thread of its
 * process alone.
 */
export function mayBeNative(backend: string): boolean {
  if (backend !== 'auto') return backend === 'tensorflow' || backend === 'webgpu'
  return tensorflowPackages.some(isInstalled) || webgpuPackages.every(isInstalled)
}
