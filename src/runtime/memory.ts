import * as tf from '@tensorflow/tfjs-core'
import { readsLater } from './kernels/reads.ts'

/**
 * Runs `body` in a memory scope of its own: tensors made in it are freed when its promise settles, unless they are
 * kept. The engine's scopes are one stack, so this is right only because a run never has two bodies under way at once.
 */
export async function scoped<T>(body: () => Promise<T>): Promise<T> {
  const engine = tf.engine()
  engine.startScope()
  try {
    return await body()
  } finally {
    engine.endScope()
  }
}

/** Tensors that were kept from the scope they were made in and are freed together. */
export class KeptTensors {
  private readonly tensors: tf.Tensor[] = []

  keep(tensor: tf.Tensor): void {
    this.tensors.push(tf.keep(tensor))
  }

  dispose(): void {
    for (const tensor of this.tensors.splice(0)) tensor.dispose()
  }
}

/** What variables carry from round to round of a loop: each value is theirs alone, and goes with the round that replaced it. */
export class CarriedTensors {
  private readonly held = new Set<tf.Tensor>()
  private readonly replaced: tf.Tensor[] = []

  replace(old: tf.Tensor, value: tf.Tensor): tf.Tensor {
    if (this.held.delete(old)) this.replaced.push(old)
    const own = tf.keep(tf.clone(value))
    this.held.add(own)
    return own
  }

  endRound(): void {
    for (const tensor of this.replaced.splice(0)) tensor.dispose()
  }

  dispose(): void {
    this.endRound()
    for (const tensor of this.held) tensor.dispose()
    this.held.clear()
  }
}

/** The numbers in tensors of one element, in one read. */
export async function readScalars(tensors: readonly tf.Tensor[]): Promise<readonly number[]> {
  if (tensors.length === 0) return []
  if (!readsLater()) return tensors.map(tensor => Number(tensor.dataSync()[0]))
  // A GPU answers asynchronously, and each read waits for it: one packed tensor, one wait.
  const packed = tf.tidy(() => tf.stack(tensors.map(tensor => tf.reshape(tf.cast(tensor, 'float32'), []))))
  const values = await packed.data()
  packed.dispose()
  return Array.from(values)
}

/** A tensor's values on the host. */
export async function readData(tensor: tf.Tensor): Promise<Float32Array | Int32Array | Uint8Array> {
  return readsLater() ? tensor.data() : tensor.dataSync()
}
