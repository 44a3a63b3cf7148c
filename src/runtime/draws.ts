import { bug } from '../base/bug.ts'
import { type Expr, type Local, type Statement, whileTrue } from '../base/wasm/code.ts'
import { f32x4, f64, f64x2, i8x16, i16x8, i32, i32x4, v128 } from '../base/wasm/instructions.ts'
import { encodeModule, type Scope, type WasmFunction, wasmFunction } from '../base/wasm/module.ts'
import { parity, rotations, rounds } from './threefry.ts'
import { type Exported, instantiate, type Memory } from './webassembly.ts'

/** The two words of a key. */
export interface KeyWords {
  readonly high: number
  readonly low: number
}

/**
 * Draws of a key in a memory of WebAssembly, sixteen at a time: the same numbers as `threefryWords` and the functions of
 * random.ts give. `first` says which draw of the key comes first, an even number. At `at` there must be room up to the next
 * multiple of sixteen draws.
 */
export interface Draws {
  /** Words without a sign. */
  words(key: KeyWords, at: number, first: number, count: number): void
  /** Floats in [low, high). */
  uniform(key: KeyWords, at: number, first: number, count: number, low: number, high: number): void
  /** Bytes: 1 with probability p, else 0. */
  bernoulli(key: KeyWords, at: number, first: number, count: number, p: number): void
}

/** How many draws are made at a time. */
export const drawsAtOnce = 16

/** The draws on a memory. */
export function drawsOn(memory: Memory): Draws {
  const exports = instantiate(encodeModule([words, uniform, bernoulli]), memory)
  const named = (name: string): Exported => exports[name] ?? bug(`no function ${name}`)
  const [drawWords, drawUniform, drawBernoulli] = [named('words'), named('uniform'), named('bernoulli')]
  return {
    words: ({ high, low }, at, first, count) => void drawWords(high, low, at, first / 2, count),
    uniform: (key, at, first, count, low, high) =>
      void drawUniform(key.high, key.low, at, first / 2, count, low, high - low, high),
    bernoulli: ({ high, low }, at, first, count, p) => {
      // A word is below a number if it is below the next whole one; beyond all words there is nothing to draw.
      const limit = Math.ceil(p * 2 ** 32)
      if (limit > 0 && limit < 2 ** 32) drawBernoulli(high, low, at, first / 2, count, limit)
      else new Uint8Array(memory.buffer, at, count).fill(limit > 0 ? 1 : 0)
    },
  }
}

// ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

type Vector = Expr<'v128'>

/** Two words each of four counters. */
interface Block {
  readonly x0: Local<'v128'>
  readonly x1: Local<'v128'>
}

/** What the blocks of a key have in common. */
interface Schedule {
  /** The words of the key and their parity, in turn. */
  readonly keys: readonly [Vector, Vector, Vector]
  readonly counters: Local<'v128'>
}

const all = (value: number): Vector => i32x4.const([value, value, value, value])

/** The bits of each word go round; by whole bytes they only change places. */
function rotate(x: Vector, by: number): Vector {
  if (by % 8 === 0) {
    const bytes = Array.from({ length: 16 }, (_, i) => (i & ~3) + ((i - by / 8) & 3))
    return i8x16.shuffle(x, x, bytes)
  }
  return v128.or(i32x4.shl(x, i32.const(by)), i32x4.shr_u(x, i32.const(32 - by)))
}

/** `threefry` of the counters, which go on by four. */
function threefryBlock({ x0, x1 }: Block, { keys, counters }: Schedule): readonly Statement[] {
  const keyAt = (place: number): Vector => keys[place % 3] ?? bug('a key of three words')
  const steps: Statement[] = [
    x0.set(i32x4.add(counters, keyAt(0))),
    x1.set(keyAt(1)),
    counters.set(i32x4.add(counters, all(4))),
  ]
  for (let round = 0; round < rounds; round++) {
    const by = rotations[round % rotations.length] ?? bug('a round without a rotation')
    steps.push(x0.set(i32x4.add(x0, x1)), x1.set(v128.xor(rotate(x1, by), x0)))
    const step = (round + 1) / 4
    if (Number.isInteger(step)) {
      steps.push(x0.set(i32x4.add(x0, keyAt(step))))
      steps.push(x1.set(i32x4.add(x1, i32x4.add(keyAt(step + 1), all(step)))))
    }
  }
  return steps
}

/** The first four of the eight words of a block in their order, then the others. */
function inOrder({ x0, x1 }: Block): readonly [Vector, Vector] {
  return [v128.shuffle(x0, x1, [0, 4, 1, 5]), v128.shuffle(x0, x1, [2, 6, 3, 7])]
}

/**
 * A function of a key, an address, the first counter and a count, then what `write` asks for. It says what becomes of two blocks,
 * and how many bytes a draw takes.
 */
function drawing(
  name: string,
  bytes: number,
  write: (scope: Scope) => (at: Expr<'i32'>, blocks: readonly [Block, Block]) => readonly Statement[],
): WasmFunction {
  return wasmFunction(name, scope => {
    const [high, low, at] = [scope.param('i32'), scope.param('i32'), scope.param('i32')]
    const [counter, count] = [scope.param('i32'), scope.param('i32')]
    const store = write(scope)
    const end = scope.local('i32')
    const [k0, k1, k2] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
    const schedule: Schedule = { keys: [k0, k1, k2], counters: scope.local('v128') }
    const block = (): Block => ({ x0: scope.local('v128'), x1: scope.local('v128') })
    const blocks = [block(), block()] as const
    const round = [
      ...blocks.flatMap(each => threefryBlock(each, schedule)),
      ...store(at, blocks),
      at.set(i32.add(at, i32.const(drawsAtOnce * bytes))),
    ]
    return {
      statements: [
        k0.set(i32x4.splat(high)),
        k1.set(i32x4.splat(low)),
        k2.set(v128.xor(v128.xor(k0, k1), all(parity))),
        schedule.counters.set(i32x4.add(i32x4.splat(counter), i32x4.const([0, 1, 2, 3]))),
        end.set(i32.add(at, i32.mul(count, i32.const(bytes)))),
        whileTrue(i32.lt_u(at, end), round),
      ],
    }
  })
}

const words = drawing(
  'words',
  4,
  () => (at, blocks) => blocks.flatMap(inOrder).map((four, i) => v128.store(at, four, 16 * i)),
)

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** As `uniformArray` has it: in 64 bits, rounded to 32, and `low` where that gives `high`. */
const uniform = drawing('uniform', 4, scope => {
  const [low, width, high] = [scope.param('f64'), scope.param('f64'), scope.param('f64')]
  const [four, two, firstTwo] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
  const value = (bits: Vector): Vector => {
    const share = f64x2.mul(f64x2.convert_low_i32x4_s(bits), f64x2.splat(f64.const(2 ** -24)))
    return f64x2.add(f64x2.splat(low), f64x2.mul(f64x2.splat(width), share))
  }
  const rounded = (x: Vector): Vector => f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(x))
  const isBelow = f64x2.lt(two, f64x2.splat(high))
  const kept = f32x4.demote_f64x2_zero(v128.bitselect(two, f64x2.splat(low), isBelow))
  return (at, blocks) =>
    blocks
      .flatMap(inOrder)
      .flatMap((drawn, i) => [
        four.set(i32x4.shr_u(drawn, i32.const(8))),
        two.set(rounded(value(four))),
        firstTwo.set(kept),
        two.set(rounded(value(v128.shuffle(four, four, [2, 3, 2, 3])))),
        v128.store(at, v128.shuffle(firstTwo, kept, [0, 1, 4, 5]), 16 * i),
      ])
})

/** As `bernoulliArray` has it: whether a word is below a limit. A counter's two truths are one number of 16 bits. */
const bernoulli = drawing('bernoulli', 1, scope => {
  const limit = scope.param('i32')
  const below = (x: Vector, one: number): Vector => v128.and(i32x4.lt_u(x, i32x4.splat(limit)), all(one))
  const both = ({ x0, x1 }: Block): Vector => v128.or(below(x0, 1), below(x1, 0x100))
  return (at, [a, b]) => [v128.store(at, i16x8.narrow_i32x4_u(both(a), both(b)))]
})
