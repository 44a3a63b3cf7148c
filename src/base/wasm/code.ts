import { type Bytes, unsigned } from './bytes.ts'

/** The types of WebAssembly that kernels use; a v128 holds four floats, four whole numbers, or two floats of 64 bits. */
export type Type = 'i32' | 'f32' | 'f64' | 'v128'

/** Code that leaves one value of a type. */
export interface Expr<T extends Type = Type> {
  readonly type: T
  readonly code: Bytes
}

/** Code that leaves nothing. */
export interface Statement {
  readonly code: Bytes
}

/** A parameter or variable of a function. */
export interface Local<T extends Type = Type> extends Expr<T> {
  set(value: Expr<T>): Statement
}

/** The variable of this number. */
export function localAt<T extends Type>(index: number, type: T): Local<T> {
  const place = unsigned(index)
  return { type, code: [0x20, place], set: value => ({ code: [value.code, 0x21, place] }) }
}

/** An expression of several operands: their code, then the instruction. */
export function expr<T extends Type>(type: T, operands: readonly Expr[], instruction: Bytes): Expr<T> {
  return { type, code: [operands.map(({ code }) => code), instruction] }
}

const empty = 0x40

/** Goes round for as long as the condition holds. */
export function whileTrue(condition: Expr<'i32'>, body: readonly Statement[]): Statement {
  const inner = body.map(({ code }) => code)
  return { code: [condition.code, 0x04, empty, 0x03, empty, inner, condition.code, 0x0d, 0, 0x0b, 0x0b] }
}
