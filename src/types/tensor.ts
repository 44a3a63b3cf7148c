import type { Dim } from './dim.ts'

export type DType = 'f32' | 'i32' | 'bool'

/** Sizes from outermost to innermost. At most one entry is a rest such as `...s`, any number of dimensions. */
export type Shape = readonly Dim[]

export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}
