import * as tf from '@tensorflow/tfjs-core'
import { startBackend } from '../../src/runtime/backends.ts'
import { registerGradients } from '../../src/runtime/gradients.ts'

/** The backend that the tests are asked to try: `LTM_TEST_BACKEND=webgpu npm test`, or `tensorflow`. */
const asked = process.env.LTM_TEST_BACKEND

/** What numbers are judged on: the backends that every installation has, or the one that is asked for. */
export const judgedBackends: readonly string[] = asked === undefined ? ['cpu', 'wasm'] : [asked]

/** Runs on a backend that has to start. Tensors that `body` leaves behind go at its end, so that only plain numbers may leave it. */
export async function onBackend<T>(backend: string, body: () => T | Promise<T>): Promise<T> {
  await startBackend(backend)
  registerGradients()
  return scoped(body)
}

/** Like `tf.tidy` around something that waits; nothing else may run meanwhile. */
export async function scoped<T>(body: () => T | Promise<T>): Promise<T> {
  tf.engine().startScope()
  try {
    return await body()
  } finally {
    tf.engine().endScope()
  }
}
