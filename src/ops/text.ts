import { type Code, join, ts } from '../base/code.ts'
import type { DType, Shape } from '../types/tensor.ts'
import type { TfjsContext } from './op.ts'

const tfjsName: Readonly<Record<DType, string>> = { f32: 'float32', i32: 'int32', bool: 'bool' }

/** What tfjs calls a dtype, as a string literal. */
export function dtypeText(dtype: DType): Code {
  return `'${tfjsName[dtype]}'`
}

/** A shape as an array: `[batch, 64]`. */
export function shapeText(shape: Shape, context: TfjsContext): Code {
  return ts`[${join(shape.map(size => context.dim(size)))}]`
}

/** Numbers as an array: `[1, 2]`. */
export function listText(values: readonly (number | boolean)[]): Code {
  return `[${values.map(String).join(', ')}]`
}

/** A call with its trailing arguments left out where they have the value that the function assumes anyway. */
export function callText(
  name: string,
  args: readonly Code[],
  trailing: readonly (readonly [Code, assumed: Code])[] = [],
): Code {
  const last = trailing.findLastIndex(([value, assumed]) => value !== assumed)
  return ts`${name}(${join([...args, ...trailing.slice(0, last + 1).map(([value]) => value)])})`
}

/** A string literal in single quotes. */
export function stringText(value: string): Code {
  const inner = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}
