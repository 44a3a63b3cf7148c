import * as tf from '@tensorflow/tfjs-core'

/** A tensor and the axis along which a loop takes it apart; negative axes count from the end. */
export type Sequence = readonly [tensor: tf.Tensor, axis: number]

/** The slices of a round, one for each sequence, and the position of the round. */
export type Round<S extends readonly Sequence[]> = [...{ [K in keyof S]: tf.Tensor }, index: number]

/** The rounds of a loop over the slices of tensors that are equally long along their axes, first to last. */
export function slices<S extends readonly Sequence[]>(...sequences: S): Round<S>[] {
  const columns = sequences.map(([tensor, axis]) => unstacked(tensor, axis))
  const length = Math.min(...columns.map(column => column.length))
  // A round has as many slices as there are sequences, which no type of a mapped array can say.
  return Array.from({ length }, (_, i) => [...columns.map(column => column[i]), i] as unknown as Round<S>)
}

function unstacked(tensor: tf.Tensor, axis: number): readonly tf.Tensor[] {
  return tensor.shape.at(axis) === 0 ? [] : tf.unstack(tensor, axis)
}

/** What the rounds of a loop gave, put together; `shape` is that of the result, for a loop without rounds. */
export function stacked(rounds: readonly tf.Tensor[], axis: number, shape: readonly number[]): tf.Tensor {
  return rounds.length === 0 ? tf.zeros([...shape]) : tf.stack([...rounds], axis)
}
