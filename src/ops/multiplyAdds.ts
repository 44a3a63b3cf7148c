import type { Attrs, ValueType } from '../ir/ir.ts'
import type { Dim } from '../types/dim.ts'
import type { TensorType } from '../types/tensor.ts'
import { findOp } from './index.ts'

/** The products that a step of an operator adds up; 0 where it makes one pass over its elements. */
export function multiplyAddsAt(
  op: string,
  inputs: readonly ValueType[],
  output: ValueType | undefined,
  attrs: Attrs,
): Dim {
  const count = findOp(op)?.multiplyAdds
  return count === undefined || output === undefined || output === 'key'
    ? 0
    : count(inputs.filter(isTensor), output, attrs)
}

function isTensor(type: ValueType): type is TensorType {
  return type !== 'key'
}
