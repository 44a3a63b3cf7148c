import type { Make } from '../../ops/builder.ts'
import type { Operand } from '../../ops/op.ts'
import type { Dim } from '../../types/dim.ts'

/** A mean and the weight behind it, both `f32[]`; a mean of weight 0 is 0. */
export interface WeightedMean {
  readonly mean: Operand
  readonly weight: Operand
}

/** The mean of all elements, which count alike. A single number stands for as many examples as `size` says. */
export function plainMean(make: Make, value: Operand, size: () => Operand): WeightedMean {
  const values = floats(make, value)
  const { shape } = values.type
  if (shape.length === 0) return { mean: values, weight: size() }
  return { mean: make.mean([values]), weight: make.size([], { shape }) }
}

/** Σ(value·weight) and Σweight; a weight of fewer axes than the value holds for the trailing ones alike. */
export interface WeightedSum {
  readonly sum: Operand
  readonly weight: Operand
}

export function weightedSum(make: Make, value: Operand, weight: Operand): WeightedSum {
  const values = floats(make, value)
  const detached = make.stop_gradient([floats(make, weight)])
  const { shape } = values.type
  const aligned: Dim[] = [...weight.type.shape, ...shape.slice(weight.type.shape.length).map(() => 1)]
  const spread = make.broadcast_to([make.reshape([detached], { shape: aligned })], { shape })
  return { sum: make.sum([make.mul([values, spread])]), weight: make.sum([spread]) }
}

export function meanOf(make: Make, { sum, weight }: WeightedSum): WeightedMean {
  const one = make.constant(1)
  const guarded = make.where([make.eq([weight, make.constant(0)]), one, weight])
  return { mean: make.div([sum, guarded]), weight }
}

function floats(make: Make, value: Operand): Operand {
  return value.type.dtype === 'f32' ? value : make.cast([value], { dtype: 'f32' })
}
