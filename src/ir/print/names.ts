import type { Dim } from '../../types/dim.ts'
import type { ValueType } from '../ir.ts'

const plainPath = /^[A-Za-z_]\w*(?:\.\w+|\[\d+\])*$/

/** A name or a path as it is, in quotes where it holds anything else than words, dots and numbered brackets. */
export function printName(name: string): string {
  return plainPath.test(name) ? name : JSON.stringify(name)
}

/** A name in a place where some words mean something else: those are put in quotes. */
export function printNameUnless(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? JSON.stringify(name) : printName(name)
}

/** A value of a function or a step: `%logits`. */
export function printValue(name: string): string {
  return `%${printName(name)}`
}

/** `f32[n, 784]`, `f32[]`, `key`. */
export function printType(type: ValueType): string {
  return type === 'key' ? 'key' : `${type.dtype}[${type.shape.map(printDim).join(', ')}]`
}

/** A size: its own canonical text. */
export function printDim(dim: Dim): string {
  return String(dim)
}

/** The shortest text that reads back as the same number. */
export function printNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return Object.is(value, -0) ? '-0' : String(value)
}

/** A number, a truth value or a text as a literal. */
export function printLiteral(value: number | boolean | string): string {
  if (typeof value === 'number') return printNumber(value)
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
