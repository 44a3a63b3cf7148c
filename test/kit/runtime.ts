/** What emitted programs import in tests: the runtime's declarations, and a `launch` that leaves the run to the test. */
export * as tf from '@tensorflow/tfjs-core'
export { dataset, metric, optimizer } from '../../src/runtime/holders.ts'
export * as kernels from '../../src/runtime/kernels.ts'
export { model, parameter } from '../../src/runtime/model.ts'
export type { Key } from '../../src/runtime/random.ts'
export * as random from '../../src/runtime/random.ts'
export type { Batch, Run, Tensors, Training } from '../../src/runtime/training.ts'

import type { Training } from '../../src/runtime/training.ts'

export async function launch(_training: Training, _url: string): Promise<void> {}
