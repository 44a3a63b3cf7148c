import type { Dim } from '../../types/dim.ts'
import type { TensorType } from '../../types/tensor.ts'
import type { Value, ValueType } from '../ir.ts'
import type { Scanner } from './scanner.ts'

/** A size up to one of the marks. */
export function parseDim(s: Scanner, marks: string): Dim {
  const text = s.until(marks)
  if (text === '') return s.fail('expected a size')
  return /^-?\d+$/.test(text) ? Number(text) : text
}

const dtypes = { 'f32[': 'f32', 'i32[': 'i32', 'bool[': 'bool' } as const

/** `f32[n, 784]`. */
export function parseTensorType(s: Scanner): TensorType {
  const dtype = dtypes[s.oneOf(['f32[', 'i32[', 'bool['])]
  return { dtype, shape: s.items(']', () => parseDim(s, ',]')) }
}

/** `f32[n, 784]` or `key`. */
export function parseType(s: Scanner): ValueType {
  return s.accept('key') ? 'key' : parseTensorType(s)
}

/** `%x: f32[n, 784]`. */
export function parseTyped(s: Scanner): Value {
  const name = s.value()
  s.expect(':')
  return { name, type: parseType(s) }
}

/** A number, a truth value or a text. */
export function parseLiteral(s: Scanner): number | boolean | string {
  if (s.atText) return s.text()
  if (s.accept('true')) return true
  return s.accept('false') ? false : s.number()
}
