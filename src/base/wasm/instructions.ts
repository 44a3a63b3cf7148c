import { type Bytes, float32, float64, signed, unsigned } from './bytes.ts'
import { type Expr, expr, type Statement, type Type } from './code.ts'

/**
 * The instructions that kernels use, by the names that the specification gives them (WebAssembly 2.0, chapter 5.4). Those
 * on vectors stand behind a prefix.
 */
const simd = (code: number): Bytes => [0xfd, unsigned(code)]

const unary =
  <R extends Type, T extends Type>(result: R, _operand: T, code: Bytes) =>
  (x: Expr<T>): Expr<R> =>
    expr(result, [x], code)

const binary =
  <R extends Type, T extends Type>(result: R, _operand: T, code: Bytes) =>
  (a: Expr<T>, b: Expr<T>): Expr<R> =>
    expr(result, [a, b], code)

const one = <T extends Type>(type: T, code: number) => unary(type, type, [code])
const two = <T extends Type>(type: T, code: number) => binary(type, type, [code])
const test = <T extends Type>(type: T, code: number) => binary('i32', type, [code])
const lanes = (code: number) => unary('v128', 'v128', simd(code))
const pair = (code: number) => binary('v128', 'v128', simd(code))

/** Loads and stores say how their address is aligned, as a power of two, which is a hint, and what is added to it. */
const load =
  <T extends Type>(type: T, code: Bytes, align: number) =>
  (address: Expr<'i32'>, offset = 0): Expr<T> =>
    expr(type, [address], [code, align, unsigned(offset)])

const store =
  <T extends Type>(_type: T, code: Bytes, align: number) =>
  (address: Expr<'i32'>, value: Expr<T>, offset = 0): Statement => ({
    code: [address.code, value.code, code, align, unsigned(offset)],
  })

const select =
  <T extends Type>(type: T) =>
  (condition: Expr<'i32'>, a: Expr<T>, b: Expr<T>): Expr<T> =>
    expr(type, [a, b, condition], [0x1b])

const shift =
  (code: number) =>
  (x: Expr<'v128'>, by: Expr<'i32'>): Expr<'v128'> =>
    expr('v128', [x, by], simd(code))

const lane =
  <T extends Type>(type: T, code: number) =>
  (x: Expr<'v128'>, index: number): Expr<T> =>
    expr(type, [x], [simd(code), index])

export const i32 = {
  const: (value: number): Expr<'i32'> => ({ type: 'i32', code: [0x41, signed(value | 0)] }),
  eqz: unary('i32', 'i32', [0x45]),
  eq: test('i32', 0x46),
  ne: test('i32', 0x47),
  lt_u: test('i32', 0x49),
  add: two('i32', 0x6a),
  sub: two('i32', 0x6b),
  mul: two('i32', 0x6c),
  and: two('i32', 0x71),
  or: two('i32', 0x72),
  xor: two('i32', 0x73),
  shl: two('i32', 0x74),
  shr_u: two('i32', 0x76),
  rotl: two('i32', 0x77),
  select: select('i32'),
  load: load('i32', [0x28], 2),
  store: store('i32', [0x36], 2),
  store8: store('i32', [0x3a], 0),
} as const

export const f32 = {
  const: (value: number): Expr<'f32'> => ({ type: 'f32', code: [0x43, float32(value)] }),
  eq: test('f32', 0x5b),
  ne: test('f32', 0x5c),
  lt: test('f32', 0x5d),
  gt: test('f32', 0x5e),
  le: test('f32', 0x5f),
  ge: test('f32', 0x60),
  abs: one('f32', 0x8b),
  neg: one('f32', 0x8c),
  ceil: one('f32', 0x8d),
  floor: one('f32', 0x8e),
  sqrt: one('f32', 0x91),
  add: two('f32', 0x92),
  sub: two('f32', 0x93),
  mul: two('f32', 0x94),
  div: two('f32', 0x95),
  min: two('f32', 0x96),
  max: two('f32', 0x97),
  convert_i32_s: unary('f32', 'i32', [0xb2]),
  convert_i32_u: unary('f32', 'i32', [0xb3]),
  demote_f64: unary('f32', 'f64', [0xb6]),
  select: select('f32'),
  load: load('f32', [0x2a], 2),
  store: store('f32', [0x38], 2),
} as const

export const f64 = {
  const: (value: number): Expr<'f64'> => ({ type: 'f64', code: [0x44, float64(value)] }),
  lt: test('f64', 0x63),
  sqrt: one('f64', 0x9f),
  add: two('f64', 0xa0),
  sub: two('f64', 0xa1),
  mul: two('f64', 0xa2),
  div: two('f64', 0xa3),
  convert_i32_u: unary('f64', 'i32', [0xb8]),
  promote_f32: unary('f64', 'f32', [0xbb]),
} as const

export const v128 = {
  load: load('v128', simd(0x00), 4),
  store: store('v128', simd(0x0b), 4),
  not: lanes(0x4d),
  and: pair(0x4e),
  or: pair(0x50),
  xor: pair(0x51),
  /** The bits of `a` where those of the mask are set, else those of `b`. */
  bitselect: (a: Expr<'v128'>, b: Expr<'v128'>, mask: Expr<'v128'>): Expr<'v128'> =>
    expr('v128', [a, b, mask], simd(0x52)),
  any_true: unary('i32', 'v128', simd(0x53)),
  /** Four words of the eight that `a` and `b` have, by their numbers. */
  shuffle: (a: Expr<'v128'>, b: Expr<'v128'>, words: readonly number[]): Expr<'v128'> =>
    i8x16.shuffle(
      a,
      b,
      words.flatMap(word => [0, 1, 2, 3].map(byte => 4 * word + byte)),
    ),
} as const

export const i8x16 = {
  /** Sixteen bytes of the 32 that `a` and `b` have, by their numbers. */
  shuffle: (a: Expr<'v128'>, b: Expr<'v128'>, bytes: readonly number[]): Expr<'v128'> =>
    expr('v128', [a, b], [simd(0x0d), bytes]),
} as const

export const i16x8 = {
  /** The whole numbers of `a`, then those of `b`, in 16 bits without a sign; larger ones become the largest. */
  narrow_i32x4_u: pair(0x86),
} as const

export const i32x4 = {
  const: (words: readonly number[]): Expr<'v128'> => ({
    type: 'v128',
    code: [simd(0x0c), [...new Uint8Array(Int32Array.from(words).buffer)]],
  }),
  splat: unary('v128', 'i32', simd(0x11)),
  eq: pair(0x37),
  ne: pair(0x38),
  lt_u: pair(0x3a),
  shl: shift(0xab),
  shr_u: shift(0xad),
  add: pair(0xae),
  sub: pair(0xb1),
  extract_lane: lane('i32', 0x1b),
} as const

export const f32x4 = {
  splat: unary('v128', 'f32', simd(0x13)),
  extract_lane: lane('f32', 0x1f),
  eq: pair(0x41),
  ne: pair(0x42),
  lt: pair(0x43),
  gt: pair(0x44),
  le: pair(0x45),
  ge: pair(0x46),
  ceil: lanes(0x67),
  floor: lanes(0x68),
  abs: lanes(0xe0),
  neg: lanes(0xe1),
  sqrt: lanes(0xe3),
  add: pair(0xe4),
  sub: pair(0xe5),
  mul: pair(0xe6),
  div: pair(0xe7),
  min: pair(0xe8),
  max: pair(0xe9),
  /** The two floats of 64 bits in the lower half, and zeros. */
  demote_f64x2_zero: lanes(0x5e),
} as const

export const f64x2 = {
  splat: unary('v128', 'f64', simd(0x14)),
  lt: pair(0x49),
  /** The two floats in the lower half, in 64 bits. */
  promote_low_f32x4: lanes(0x5f),
  /** The two whole numbers in the lower half. */
  convert_low_i32x4_s: lanes(0xfe),
  sqrt: lanes(0xef),
  add: pair(0xf0),
  mul: pair(0xf2),
  div: pair(0xf3),
  extract_lane: lane('f64', 0x21),
} as const
