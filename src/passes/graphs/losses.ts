import type { LossTerm } from '../../ir/ir.ts'
import type { Make } from '../../ops/builder.ts'
import type { Operand } from '../../ops/op.ts'
import { meanOf, plainMean, type WeightedMean, weightedSum } from './means.ts'

/** What a `minimize` differentiates, and what is told of its losses. */
export interface Objective {
  readonly terms: readonly WeightedMean[]
  /**
   * Numbers whose gradients move the parameters: the sum of the means or, where windows keep losses apart until their weights are
   * known, the sum of each loss.
   */
  readonly objectives: readonly Operand[]
}

/** The losses of a `minimize`. `operand` looks values up; `size` is the number of examples of the batch. */
export function objectiveOf(
  make: Make,
  terms: readonly LossTerm[],
  windowed: boolean,
  operand: (name: string) => Operand,
  size: () => Operand,
): Objective {
  const parts = terms.map(({ loss, weight }) => {
    if (weight === undefined) {
      const mean = plainMean(make, operand(loss), size)
      return { mean, sum: () => make.mul([mean.mean, mean.weight]) }
    }
    const total = weightedSum(make, operand(loss), operand(weight))
    return { mean: meanOf(make, total), sum: () => total.sum }
  })
  const means = parts.map(({ mean }) => mean)
  const [first, ...others] = means.map(({ mean }) => mean)
  const total = first === undefined ? [] : [others.reduce((sum, mean) => make.add([sum, mean]), first)]
  return { terms: means, objectives: windowed ? parts.map(({ sum }) => sum()) : total }
}
