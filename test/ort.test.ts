import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lowerToOnnx } from '../src/emit/onnx/graph.ts'
import { Scanner } from '../src/ir/parse/scanner.ts'
import { parseFunc } from '../src/ir/parse/tensor.ts'
import { Ort } from '../src/runtime/engine/ort.ts'

const test = suite('ort')
const none: ReadonlySet<string> = new Set()

function lowered(text: string) {
  const func = parseFunc(new Scanner(text), { args: none, vars: none, hypers: none })
  assert.ok(func)
  return lowerToOnnx(func, { provider: 'cpu' })
}

const sumAndProduct = `func both(%a: f32[2], %b: f32[2]) -> (%sum, %product) graph {
  %sum: f32[2] = add %a, %b
  %product: f32[2] = mul %a, %b
}`

test('what is not bound is its reader’s own, and stays as it is; what is bound is written in place', () => {
  const ort = Ort.load()
  const session = ort.session(lowered(sumAndProduct))
  const floats = { dtype: 'f32', shape: [2] } as const
  const a = ort.feed(floats, Float32Array.of(2, 3))
  const b = ort.feed(floats, Float32Array.of(5, 7))
  const place = new Float32Array(2)
  session.bind(1, ort.feed(floats, place))
  const [sum, product] = session.run([a, b])
  assert.equal([...(sum ?? [])], [7, 10])
  assert.is(product, place)
  assert.equal([...place], [10, 21])
  a.numbers[0] = 4
  const [later] = session.run([a, b])
  assert.equal([...(sum ?? [])], [7, 10], 'what the first run gave')
  assert.equal([...(later ?? [])], [9, 10])
  assert.equal([...place], [20, 21])
  session.dispose()
})

test('tensors without elements go in and come out', () => {
  const ort = Ort.load()
  const session = ort.session(
    lowered(`func none(%a: f32[0, 3], %b: f32[3]) -> (%sum) graph {
  %sum: f32[3] = sum %a axis=[0] keep=false
}`),
  )
  const a = ort.feed({ dtype: 'f32', shape: [0, 3] }, new Float32Array(0))
  const b = ort.feed({ dtype: 'f32', shape: [3] }, new Float32Array(3))
  assert.equal([...(session.run([a, b])[0] ?? [])], [0, 0, 0])
  session.dispose()
})

test('what the library refuses is told in its words, and nothing is left in a bad state', () => {
  const ort = Ort.load()
  const model = lowered(sumAndProduct)
  assert.throws(() => ort.session({ ...model, bytes: Uint8Array.of(1, 2, 3) }), /ModelProto|protobuf|parse/i)
  const session = ort.session(model)
  const two = ort.feed({ dtype: 'f32', shape: [2] }, Float32Array.of(1, 2))
  const three = ort.feed({ dtype: 'f32', shape: [3] }, new Float32Array(3))
  assert.throws(() => session.run([two, three]), /Got: 3 Expected: 2/)
  assert.throws(() => ort.feed({ dtype: 'f32', shape: [4] }, new Float32Array(3)), /not enough space/)
  assert.equal([...(session.run([two, two])[0] ?? [])], [2, 4])
  session.dispose()
})

const leaving = fileURLToPath(new URL('kit/leaving.mjs', import.meta.url))

for (const how of [
  'falls off its end',
  'exits',
  'terminates a thread that computes',
  'has a thread that exits',
]) {
  test(`a process that ${how} leaves sessions behind, and comes to no harm`, () => {
    const { status, signal, stderr } = spawnSync(process.execPath, [leaving, how], {
      encoding: 'utf8',
    })
    assert.equal({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
  })
}

test.run()
