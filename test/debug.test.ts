/** `debug` shows what it stands behind, in steps, functions, loops, metrics, optimizers and hooks, alike on both engines. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../src/cli/engine.ts'
import { compile, formGraphs, graphsOf } from '../src/compiler.ts'
import { train } from '../src/runtime/program.ts'
import { shownText } from '../src/runtime/report/shown.ts'
import { trainingOf } from './kit/examples.ts'
import { libraryFiles } from './kit/files.ts'
import { quietly } from './kit/trainings.ts'

const test = suite('debug')

const program = (text: string, engine: Engine) => {
  const files = libraryFiles('.')
  const source = { name: 'shown.ltm', text }
  const read = (path: string) => (path === source.name ? source : files.read(path))
  const { programs, diagnostics } = compile(source.name, { ...files, read })
  assert.equal(diagnostics, [])
  const [lowered] = programs
  assert.ok(lowered)
  return engine === 'compiled' ? formGraphs(lowered) : lowered
}

/** What a run tells, and why it failed, where it does. */
async function told(text: string, engine: Engine): Promise<readonly string[]> {
  const lowered = program(text, engine)
  const training = await trainingOf(lowered, '.')
  const graphs = engine === 'compiled' ? { graphs: graphsOf(lowered, 'cpu') } : {}
  const options = quietly({ backend: 'cpu', ...graphs })
  const failure = await train(training, options).then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : String(error)],
  )
  return [...options.events.flatMap(event => (event.kind === 'message' ? [event.text] : [])), ...failure]
}

const engines: readonly Engine[] = ['eager', 'compiled']

const points = `
dataset Points from inline(x: [1, 2, 3, 4]) { field x: f32 = column(0) }`

for (const engine of engines)
  test(`${engine}: values are told in the order of their lines`, async () => {
    const text = `${points}
module Net(hidden: int) {
  param w: f32[] = 2.0
  forward(x: f32[n]) -> f32[n] {
    debug w
    debug { n, hidden }
    return w * x
  }
}
metric Top() {
  state top: f32 = 0 merge max
  update(x: f32[n]) { debug max(x)  set top = max(top, max(x)) }
  compute() -> f32 { debug top  return top }
}
optimizer Still() {
  update(param, grad) { debug grad  return param }
}
train Shown {
  data points = Points(batch: 2, shuffle: false)
  model net = Net(3)
  optimizer still = Still(net)
  metric top = Top()
  step train(batch) {
    print "batch {batch_index}"
    debug "before"
    let y = net(batch.x)
    debug y
    log top(y)
    if batch_index == 1 { debug y > 7 }
    for i in 0..2 { debug [i, 2 * i] }
    minimize y
    debug epoch
  }
  on train_epoch_end { debug train.loss }
  trainer { epochs: 1 }
}`
    const batch = (index: number, y: string, top: number, grad: string) => [
      `batch ${index}`,
      'shown.ltm:26 before',
      'shown.ltm:6 w: f32 = 2',
      'shown.ltm:7 n = 2',
      'shown.ltm:7 hidden = 3',
      ...(engine === 'compiled' ? [`shown.ltm:13 max(x): f32 = ${top}`] : []),
      `shown.ltm:28 y: f32[2] = ${y}`,
      ...(engine === 'eager' ? [`shown.ltm:13 max(x): f32 = ${top}`] : []),
      ...(index === 1 ? [`shown.ltm:30 y > 7: bool[2] = [false, true]`] : []),
      ...[0, 1].flatMap(i => [`shown.ltm:31 [i, 2 * i][0] = ${i}`, `shown.ltm:31 [i, 2 * i][1] = ${2 * i}`]),
      `shown.ltm:17 grad: f32 = ${grad}`,
      'shown.ltm:33 epoch = 0',
    ]
    assert.equal(await told(text, engine), [
      ...batch(0, '[2, 4]', 4, '1.500'),
      ...batch(1, '[6, 8]', 8, '3.500'),
      'shown.ltm:14 top: f32 = 8',
      'shown.ltm:35 train.loss = 5',
    ])
  })

for (const engine of engines)
  test(`${engine}: each round of a loop shows its own value, and a gradient shows nothing again`, async () => {
    const text = `${points}
fn sums(x: f32[n]) -> f32 {
  var s = 0.0
  for v in along(x, axis: 0) { set s = s + v ^ 2  debug s }
  return s
}
train Shown {
  data points = Points(batch: 4, shuffle: false)
  param w: f32[] = 1
  optimizer sgd = Sgd(w, lr: 0.0)
  step train(batch) {
    let x = w * batch.x
    debug gradient(sums(x), x)
    minimize x
  }
  trainer { epochs: 1 }
}`
    assert.equal(await told(text, engine), [
      ...[1, 5, 14, 30].map(sum => `shown.ltm:5 s: f32 = ${sum}`),
      'shown.ltm:14 gradient(sums(x), x): f32[4] = [2, 4, 6, 8]',
    ])
  })

for (const engine of engines)
  test(`${engine}: what reads no tensor is shown once, in its place, also beside what a gradient flows through`, async () => {
    const text = `${points}
train Shown {
  data points = Points(batch: 4, shuffle: false)
  param w: f32[] = 1
  optimizer sgd = Sgd(w, lr: 0.0)
  step train(batch) {
    let y = w * batch.x
    debug y
    debug batch_index
    minimize y
  }
  trainer { epochs: 1 }
}`
    assert.equal(await told(text, engine), [
      'shown.ltm:9 y: f32[4] = [1, 2, 3, 4]',
      'shown.ltm:10 batch_index = 0',
    ])
  })

for (const engine of engines)
  test(`${engine}: what leads to a loss that is not finite has been shown`, async () => {
    const text = `${points}
train Shown {
  data points = Points(batch: 4, shuffle: false)
  param w: f32[] = 0
  optimizer sgd = Sgd(w, lr: 0.1)
  step train(batch) {
    let h = w * batch.x
    debug h
    minimize log(h)
  }
  trainer { epochs: 1 }
}`
    const [first, failure, ...more] = await told(text, engine)
    assert.is(first, 'shown.ltm:9 h: f32[4] = [0, 0, 0, 0]')
    assert.match(failure ?? '', /not finite|-inf|Infinity/)
    assert.equal(more, [])
  })

test('a large tensor shows its edges and what its numbers amount to', () => {
  const numbers = Float64Array.from({ length: 200 }, (_, i) => (i === 199 ? Number.NaN : i))
  assert.is(
    shownText('a.ltm:3', 'x', { dtype: 'float32', shape: [2, 10, 10], numbers }),
    [
      'a.ltm:3 x: f32[2, 10, 10], 0 to 198, mean 99, 1 of 200 not finite',
      '  [[[0, 1, 2, …, 7, 8, 9],',
      '    [10, 11, 12, …, 17, 18, 19],',
      '    [20, 21, 22, …, 27, 28, 29],',
      '    …,',
      '    [70, 71, 72, …, 77, 78, 79],',
      '    [80, 81, 82, …, 87, 88, 89],',
      '    [90, 91, 92, …, 97, 98, 99]],',
      '   [[100, 101, 102, …, 107, 108, 109],',
      '    [110, 111, 112, …, 117, 118, 119],',
      '    [120, 121, 122, …, 127, 128, 129],',
      '    …,',
      '    [170, 171, 172, …, 177, 178, 179],',
      '    [180, 181, 182, …, 187, 188, 189],',
      '    [190, 191, 192, …, 197, 198, NaN]]]',
    ].join('\n'),
  )
})

test('what has no numbers, or truths, says so', () => {
  const none = { dtype: 'int32', shape: [0, 3], numbers: new Float64Array() }
  assert.is(shownText('a.ltm:3', 'x', none), 'a.ltm:3 x: i32[0, 3], no numbers')
  const truths = { dtype: 'bool', shape: [9], numbers: Float64Array.from([1, 0, 1, 0, 0, 0, 0, 0, 1]) }
  assert.is(
    shownText('a.ltm:3', 'm', truths),
    'a.ltm:3 m: bool[9], 3 of 9 true\n  [true, false, true, …, false, false, true]',
  )
  const lost = { dtype: 'float32', shape: [], numbers: Float64Array.of(Number.NEGATIVE_INFINITY) }
  assert.is(shownText('a.ltm:3', 'l', lost), 'a.ltm:3 l: f32 = -inf')
})

test.run()
