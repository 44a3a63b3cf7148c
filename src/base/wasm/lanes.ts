import type { Expr, Statement, Type } from './code.ts'
import { f32, f32x4, f64, f64x2, i32, v128 } from './instructions.ts'

/**
 * How the elements of a tensor are computed: one at a time or several side by side. F is what numbers are held in, B what
 * truths are. Each operation gives the bits that computing in 64 and rounding to 32 gives, but for those of a NaN.
 */
export interface Lanes<F extends Type, B extends Type> {
  /** How many elements there are side by side. */
  readonly width: number
  readonly numberType: F
  readonly truthType: B
  load(address: Expr<'i32'>): Expr<F>
  store(address: Expr<'i32'>, value: Expr<F>): Statement
  /** The same number, or truth, everywhere. */
  splat(value: Expr<'f32'>): Expr<F>
  splatTruth(value: Expr<'i32'>): Expr<B>
  /** The elements one by one. */
  elements(x: Expr<F>): readonly Expr<'f32'>[]
  /** 1 where it holds, else 0. */
  asNumber(truth: Expr<B>): Expr<F>
  where(condition: Expr<B>, a: Expr<F>, b: Expr<F>): Expr<F>
  not(truth: Expr<B>): Expr<B>
  readonly unary: Readonly<Record<Unary, (x: Expr<F>) => Expr<F>>>
  readonly binary: Readonly<Record<Binary, (a: Expr<F>, b: Expr<F>) => Expr<F>>>
  readonly comparison: Readonly<Record<Comparison, (a: Expr<F>, b: Expr<F>) => Expr<B>>>
  readonly connective: Readonly<Record<Connective, (a: Expr<B>, b: Expr<B>) => Expr<B>>>
}

export type Unary = 'neg' | 'abs' | 'sqrt' | 'rsqrt' | 'floor' | 'ceil'
export type Binary = 'add' | 'sub' | 'mul' | 'div' | 'minimum' | 'maximum'
export type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'
export type Connective = 'and' | 'or'

/** One element. */
export const single: Lanes<'f32', 'i32'> = {
  width: 1,
  numberType: 'f32',
  truthType: 'i32',
  load: address => f32.load(address),
  store: (address, value) => f32.store(address, value),
  splat: value => value,
  splatTruth: value => value,
  elements: x => [x],
  asNumber: truth => f32.convert_i32_s(truth),
  where: f32.select,
  not: i32.eqz,
  unary: {
    neg: f32.neg,
    abs: f32.abs,
    sqrt: f32.sqrt,
    rsqrt: x => f32.demote_f64(f64.div(f64.const(1), f64.sqrt(f64.promote_f32(x)))),
    floor: f32.floor,
    ceil: f32.ceil,
  },
  binary: { add: f32.add, sub: f32.sub, mul: f32.mul, div: f32.div, minimum: f32.min, maximum: f32.max },
  comparison: { eq: f32.eq, ne: f32.ne, lt: f32.lt, le: f32.le, gt: f32.gt, ge: f32.ge },
  connective: { and: i32.and, or: i32.or },
}

/** Four elements in one vector; a truth is all bits of its element. */
export const fourfold: Lanes<'v128', 'v128'> = {
  width: 4,
  numberType: 'v128',
  truthType: 'v128',
  load: address => v128.load(address),
  store: (address, value) => v128.store(address, value),
  splat: f32x4.splat,
  splatTruth: value => f32x4.ne(f32x4.splat(f32.convert_i32_s(value)), f32x4.splat(f32.const(0))),
  elements: x => [0, 1, 2, 3].map(lane => f32x4.extract_lane(x, lane)),
  asNumber: truth => v128.and(truth, f32x4.splat(f32.const(1))),
  where: (condition, a, b) => v128.bitselect(a, b, condition),
  not: v128.not,
  unary: {
    neg: f32x4.neg,
    abs: f32x4.abs,
    sqrt: f32x4.sqrt,
    rsqrt: x => v128.shuffle(rsqrtOfTwo(x), rsqrtOfTwo(v128.shuffle(x, x, [2, 3, 2, 3])), [0, 1, 4, 5]),
    floor: f32x4.floor,
    ceil: f32x4.ceil,
  },
  binary: {
    add: f32x4.add,
    sub: f32x4.sub,
    mul: f32x4.mul,
    div: f32x4.div,
    minimum: f32x4.min,
    maximum: f32x4.max,
  },
  comparison: {
    eq: f32x4.eq,
    ne: f32x4.ne,
    lt: f32x4.lt,
    le: f32x4.le,
    gt: f32x4.gt,
    ge: f32x4.ge,
  },
  connective: { and: v128.and, or: v128.or },
}

/** 1 / sqrt(x) of the first two elements, rounded once as TensorFlow.js has it: two operations in 32 bits would round twice. */
function rsqrtOfTwo(x: Expr<'v128'>): Expr<'v128'> {
  const root = f64x2.sqrt(f64x2.promote_low_f32x4(x))
  return f32x4.demote_f64x2_zero(f64x2.div(f64x2.splat(f64.const(1)), root))
}
