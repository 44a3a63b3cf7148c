import type * as tf from '@tensorflow/tfjs-core'
import type { WindowArithmetic } from '../windows.ts'
import type { GraphRunner } from './runner.ts'

/** What windows compute, by graphs. */
export function graphWindows(graphs: GraphRunner, optimizer: string): WindowArithmetic {
  const shapesOf = (tensors: readonly tf.Tensor[]) => tensors.map(({ shape }) => shape)
  return {
    // What graphs give nobody writes to again.
    own: tensor => tensor.clone(),
    add: (sums, gradients) =>
      graphs.serve({ kind: 'add', optimizer, shapes: shapesOf(sums) }, [...sums, ...gradients], []) ?? [],
    quotient: (sums, weight) =>
      graphs.serve({ kind: 'quotient', optimizer, shapes: shapesOf(sums) }, sums, [weight]) ?? [],
  }
}
