import { variablesOf } from '../types/dim.ts'
import { isRest, type TensorType } from '../types/tensor.ts'

/** The sizes that a type mentions, rests with their dots. */
export function sizesOfType({ shape }: TensorType): readonly string[] {
  return shape.flatMap(dim => (isRest(dim) ? [dim] : [...variablesOf(dim)]))
}
