import type { Augment, Field } from '../../syntax/ast.ts'
import { showType, type TensorType } from '../../types/tensor.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import type { Value } from '../values.ts'
import { rows } from './table.ts'

/** The value of a field is not of the type that it is declared with. */
export function wrongField(ctx: Context, field: Field | Augment, type: TensorType, value: Value): undefined {
  const got =
    value.kind === 'tensor'
      ? showType({
          dtype: value.type.dtype,
          shape: value.type.shape[0] === rows ? value.type.shape.slice(1) : value.type.shape,
        })
      : describe(value)
  complain(ctx, 'LTM4304', field.value.span, { field: field.name.text, expected: showType(type), got })
  return undefined
}
