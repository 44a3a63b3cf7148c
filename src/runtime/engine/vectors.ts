import { bug } from '../../base/bug.ts'
import { type Expr, type Local, type Statement, type Type, whileTrue } from '../../base/wasm/code.ts'
import { f32, f32x4, f64, f64x2, i32, i32x4, v128 } from '../../base/wasm/instructions.ts'
import { fourfold, type Lanes, single } from '../../base/wasm/lanes.ts'
import { passOver } from '../../base/wasm/loops.ts'
import { encodeModule, type WasmFunction, wasmFunction } from '../../base/wasm/module.ts'
import { type Exported, instantiate, type Memory } from '../webassembly.ts'

/**
 * What else is done with whole tensors of floats in a memory: one pass each, in one order, so that the same numbers always give
 * the same result. `at` and the like are addresses, `count` is a number of elements.
 */
export interface Vectors {
  /** The sum of the squares, in 64 bits, whose range makes it finite exactly where every element is. */
  sumOfSquares(at: number, count: number): number
  /** Whether there is no infinity and no NaN. */
  allFinite(at: number, count: number): boolean
  /** target = target + scale · source. */
  addScaled(target: number, source: number, count: number, scale: number): void
  /** x = scale · x. */
  scale(at: number, count: number, scale: number): void
  /** Each element into [-limit, limit]; a NaN stays one. */
  clamp(at: number, count: number, limit: number): void
  fill(at: number, count: number, value: number): void
}

/** The functions of {@link Vectors} on a memory. */
export function vectorsOn(memory: Memory): Vectors {
  const exports = instantiate(encodeModule(functions), memory)
  const named = (name: string): Exported => exports[name] ?? bug(`no function ${name}`)
  const [sumOfSquares, allFinite] = [named('sum_of_squares'), named('is_finite')]
  const [addScaled, scale, clamp, fill] = [named('add_scaled'), named('scale'), named('clamp'), named('fill')]
  return {
    sumOfSquares: (at, count) => sumOfSquares(at, count) ?? bug('a sum without a value'),
    allFinite: (at, count) => allFinite(at, count) === 1,
    addScaled: (target, source, count, by) => void addScaled(target, source, count, by),
    scale: (at, count, by) => void scale(at, count, by),
    clamp: (at, count, limit) => void clamp(at, count, limit),
    fill: (at, count, value) => void fill(at, count, value),
  }
}

/** A function that gives every element of a tensor another value. */
function changing(
  name: string,
  change: <F extends Type, B extends Type>(lanes: Lanes<F, B>, x: Expr<F>, by: Expr<F>) => Expr<F>,
): WasmFunction {
  return wasmFunction(name, scope => {
    const [start, count, by] = [scope.param('i32'), scope.param('i32'), scope.param('f32')]
    const splat = scope.local('v128')
    const [four, one] = [scope.local('v128'), scope.local('f32')]
    const round = <F extends Type, B extends Type>(lanes: Lanes<F, B>, x: Local<F>, operand: Expr<F>) => {
      return (at: Expr<'i32'>): readonly Statement[] => {
        const address = i32.add(start, at)
        return [x.set(lanes.load(address)), lanes.store(address, change(lanes, x, operand))]
      }
    }
    const rounds = { four: round(fourfold, four, splat), one: round(single, one, by) }
    return { statements: [splat.set(f32x4.splat(by)), ...passOver(count, scope, rounds)] }
  })
}

const scale = changing('scale', (lanes, x, by) => lanes.binary.mul(x, by))
const fill = changing('fill', (_, _x, value) => value)
const clamp = changing('clamp', (lanes, x, limit) => {
  const least = lanes.unary.neg(limit)
  const { gt, lt } = lanes.comparison
  return lanes.where(gt(x, limit), limit, lanes.where(lt(x, least), least, x))
})

const addScaled = wasmFunction('add_scaled', scope => {
  const [target, source, count] = [scope.param('i32'), scope.param('i32'), scope.param('i32')]
  const by = scope.param('f32')
  const splat = scope.local('v128')
  const round =
    <F extends Type, B extends Type>(lanes: Lanes<F, B>, factor: Expr<F>) =>
    (at: Expr<'i32'>): readonly Statement[] => {
      const { add, mul } = lanes.binary
      const address = i32.add(target, at)
      const added = mul(factor, lanes.load(i32.add(source, at)))
      return [lanes.store(address, add(lanes.load(address), added))]
    }
  const pass = passOver(count, scope, { four: round(fourfold, splat), one: round(single, by) })
  return { statements: [splat.set(f32x4.splat(by)), ...pass] }
})

/** All exponent bits of a float are set in an infinity and a NaN, and nowhere else. */
const exponent = 0x7f800000

const allFinite = wasmFunction('is_finite', scope => {
  const [start, count] = [scope.param('i32'), scope.param('i32')]
  const [bad, badOne] = [scope.local('v128'), scope.local('i32')]
  const mask = i32x4.splat(i32.const(exponent))
  const pass = passOver(count, scope, {
    four: at => {
      const bits = v128.and(v128.load(i32.add(start, at)), mask)
      return [bad.set(v128.or(bad, i32x4.eq(bits, mask)))]
    },
    one: at => {
      const bits = i32.and(i32.load(i32.add(start, at)), i32.const(exponent))
      return [badOne.set(i32.or(badOne, i32.eq(bits, i32.const(exponent))))]
    },
  })
  return { statements: pass, result: i32.eqz(i32.or(v128.any_true(bad), badOne)) }
})

/**
 * Sixteen elements a round in eight sums of two, since an addition takes longer than the next one waits; then four by four, one
 * by one, and the sums in order.
 */
const sumOfSquares = wasmFunction('sum_of_squares', scope => {
  const [start, count] = [scope.param('i32'), scope.param('i32')]
  const sums = Array.from({ length: 8 }, () => scope.local('v128'))
  const rest = scope.local('f64')
  const [place, end, four, one] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('v128'),
    scope.local('f64'),
  ]
  const square = (x: Expr<'v128'>) => f64x2.mul(x, x)
  const addFour = (low: Local<'v128'>, high: Local<'v128'>, address: Expr<'i32'>, offset: number) => [
    four.set(v128.load(address, offset)),
    low.set(f64x2.add(low, square(f64x2.promote_low_f32x4(four)))),
    high.set(f64x2.add(high, square(f64x2.promote_low_f32x4(v128.shuffle(four, four, [2, 3, 2, 3]))))),
  ]
  const [a, b, c, d, e, f, g, h] = sums
  if (!(a && b && c && d && e && f && g && h)) return bug('eight sums')
  const pairs = [
    [a, b],
    [c, d],
    [e, f],
    [g, h],
  ] as const
  const sixteen = pairs.flatMap(([low, high], i) => addFour(low, high, place, 16 * i))
  const pass = passOver(i32.and(count, i32.const(15)), scope, {
    four: at => addFour(a, b, i32.add(place, at), 0),
    one: at => [
      one.set(f64.promote_f32(f32.load(i32.add(place, at)))),
      rest.set(f64.add(rest, f64.mul(one, one))),
    ],
  })
  const total = sums.reduce<Expr<'v128'>>((sum, next, i) => (i === 0 ? next : f64x2.add(sum, next)), a)
  const lanesOf = (x: Local<'v128'>) => f64.add(f64x2.extract_lane(x, 0), f64x2.extract_lane(x, 1))
  return {
    statements: [
      place.set(start),
      end.set(i32.add(start, i32.shl(i32.and(count, i32.const(-16)), i32.const(2)))),
      whileTrue(i32.lt_u(place, end), [...sixteen, place.set(i32.add(place, i32.const(64)))]),
      ...pass,
      a.set(total),
    ],
    result: f64.add(lanesOf(a), rest),
  }
})

const functions: readonly WasmFunction[] = [sumOfSquares, allFinite, addScaled, scale, clamp, fill]
