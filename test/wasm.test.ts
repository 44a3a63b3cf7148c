/** The encoder of WebAssembly, and the passes over whole tensors that are written with it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { flat, float32, float64, list, nameBytes, signed, unsigned } from '../src/base/wasm/bytes.ts'
import { f32, i32 } from '../src/base/wasm/instructions.ts'
import { encodeModule, wasmFunction } from '../src/base/wasm/module.ts'
import { Arena } from '../src/runtime/engine/arena.ts'
import { type Vectors, vectorsOn } from '../src/runtime/engine/vectors.ts'
import { rootKey, uniformArray } from '../src/runtime/random.ts'
import { instantiate, newMemory } from '../src/runtime/webassembly.ts'

const wasm = suite('wasm')

wasm('numbers are written as the specification has them', () => {
  const hex = (bytes: readonly number[]) => Buffer.from(bytes).toString('hex')
  // The examples of DWARF 4, appendix C, and the ends of what 32 bits hold.
  const withoutSign = {
    2: '02',
    127: '7f',
    128: '8001',
    129: '8101',
    12857: 'b964',
    4294967295: 'ffffffff0f',
  }
  for (const [number, bytes] of Object.entries(withoutSign))
    assert.is(hex(flat(unsigned(Number(number)))), bytes)
  const withSign = [
    [2, '02'],
    [-2, '7e'],
    [127, 'ff00'],
    [-127, '817f'],
    [128, '8001'],
    [-128, '807f'],
    [-129, 'ff7e'],
    [2147483647, 'ffffffff07'],
    [-2147483648, '8080808078'],
  ] as const
  for (const [number, bytes] of withSign) assert.is(hex(flat(signed(number))), bytes)
  assert.is(hex(flat(float32(-0))), '00000080')
  assert.is(hex(flat(float32(1.5))), '0000c03f')
  assert.is(hex(flat(float64(-2))), '00000000000000c0')
  assert.is(hex(flat(list([nameBytes('é'), [7]]))), '0202c3a907')
})

wasm('a module is as the specification lays it out', () => {
  const sum = wasmFunction('sum', scope => {
    const [a, b] = [scope.param('i32'), scope.param('i32')]
    return { statements: [], result: i32.add(a, b) }
  })
  const bytes = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f],
    ...[2, 16, 1, 4, ...Buffer.from('host'), 6, ...Buffer.from('memory'), 2, 0, 0],
    ...[3, 2, 1, 0],
    ...[7, 7, 1, 3, ...Buffer.from('sum'), 0, 0],
    ...[10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b],
  ]
  assert.equal([...encodeModule([sum])], bytes)
  const exports = instantiate(encodeModule([sum]), newMemory(0)!)
  assert.is(exports.sum!(2147483647, 1), -2147483648)
})

wasm('variables come behind the parameters', () => {
  const product = wasmFunction('product', scope => {
    const [a, b] = [scope.param('f32'), scope.param('f32')]
    const [c, d] = [scope.local('f32'), scope.local('i32')]
    return {
      statements: [d.set(i32.const(-5)), c.set(f32.mul(a, b))],
      result: f32.add(c, f32.convert_i32_s(d)),
    }
  })
  assert.is(instantiate(encodeModule([product]), newMemory(0)!).product!(3, 4), 7)
})

// ── Passes over tensors ─────────────────────────────────────────────────────────────────────────────────────────────

const sizes = [0, 1, 3, 4, 5, 15, 16, 17, 20, 63, 1000]

interface Tensors {
  readonly x: Float32Array
  readonly y: Float32Array
  readonly vectors: Vectors
  readonly atX: number
  readonly atY: number
}

/** Two tensors of so many numbers, between others that nothing may change. */
function within(count: number, use: (tensors: Tensors) => void): void {
  const names = ['before', 'x', 'between', 'y', 'behind']
  const arena = Arena.of(names.map(name => ({ name, count: name.startsWith('be') ? 16 : count })))!
  const others = ['before', 'between', 'behind'].map(name => arena.view(name))
  for (const other of others) other.fill(7)
  const [x, y] = [arena.view('x'), arena.view('y')]
  x.set(uniformArray(rootKey(1, 'x', count), count, -2, 2))
  y.set(uniformArray(rootKey(1, 'y', count), count, -2, 2))
  const vectors = vectorsOn(arena.memory)
  use({ x, y, vectors, atX: arena.addressOf('x'), atY: arena.addressOf('y') })
  for (const other of others) assert.equal([...other], Array(16).fill(7))
}

for (const count of sizes) {
  wasm(`passes over ${count} elements do what JavaScript would`, () => {
    within(count, ({ x, y, vectors, atX, atY }) => {
      const [before, other] = [x.slice(), y.slice()]
      const [factor, limit] = [Math.fround(0.3), Math.fround(1.1)]
      vectors.addScaled(atX, atY, count, factor)
      assert.equal([...x], [...before.map((value, i) => value + Math.fround(factor * other[i]!))])
      assert.equal([...y], [...other])
      vectors.scale(atY, count, factor)
      assert.equal([...y], [...other.map(value => value * factor)])
      vectors.clamp(atX, count, limit)
      const added = before.map((value, i) => value + Math.fround(factor * other[i]!))
      assert.equal([...x], [...added.map(value => Math.min(Math.max(value, -limit), limit))])
      vectors.fill(atX, count, 2.5)
      assert.equal([...x], Array(count).fill(2.5))
    })
  })

  wasm(`the squares of ${count} elements sum up, every one of them`, () => {
    within(count, ({ x, vectors, atX }) => {
      // Whole numbers, whose sum is exact in any order.
      for (let i = 0; i < count; i++) x[i] = i - 7
      const exact = x.reduce((sum, value) => sum + value * value, 0)
      assert.is(vectors.sumOfSquares(atX, count), exact)
      x.set(uniformArray(rootKey(2, count), count, -1e20, 1e20))
      const sum = vectors.sumOfSquares(atX, count)
      const expected = x.reduce((total, value) => total + value * value, 0)
      assert.ok(Math.abs(sum - expected) <= 1e-13 * expected, `${sum} is not ${expected}`)
      assert.is(vectors.sumOfSquares(atX, count), sum)
    })
  })

  wasm(`what is not finite among ${count} elements is found at every place`, () => {
    within(count, ({ x, vectors, atX }) => {
      x.fill(3.4028234663852886e38)
      assert.is(vectors.allFinite(atX, count), true)
      assert.is(Number.isFinite(vectors.sumOfSquares(atX, count)), true)
      for (let i = 0; i < count; i++) {
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const value = x[i]!
          x[i] = bad
          assert.is(vectors.allFinite(atX, count), false)
          assert.is(Number.isFinite(vectors.sumOfSquares(atX, count)), false)
          x[i] = value
        }
      }
      assert.is(vectors.allFinite(atX, count), true)
    })
  })
}

wasm('a limit keeps what is no number', () => {
  within(5, ({ x, vectors, atX }) => {
    x.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, Number.NaN])
    vectors.clamp(atX, 5, 1)
    assert.equal([...x], [Number.NaN, 1, -1, -0, Number.NaN])
  })
})

wasm.run()
