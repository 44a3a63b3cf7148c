/** Modules that are given to modules and functions: whose parameters they are, and what training does to them. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunOptions, type RunResult, train } from '../src/runtime/index.ts'
import { modelOf, type Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly, temporaryFolder } from './kit/trainings.ts'

const test = suite('sharing')

interface Ended {
  readonly training: Training
  readonly result: RunResult
}

async function trained(text: string, options: RunOptions = {}): Promise<Ended> {
  const training = await importProgram(compileText(text).programs[0]!)
  return { training, result: await train(training, quietly(options)) }
}

const statesOf = ({ training }: Ended) =>
  training.models.flatMap(model => [...model[modelOf].parameters, ...model[modelOf].buffers])

/** The numbers of a parameter or buffer, once a run has ended. */
function held(ended: Ended, path: string): number[] {
  return [
    ...statesOf(ended)
      .find(state => state.path === path)!
      .variable!.dataSync(),
  ]
}

const modules = `
  dataset One from inline(a: [1]) { field x: f32 = column(0) }
  module Scale() {
    param w: f32 = 2.0
    forward(x: f32[n]) -> f32[n] = w * x
  }
  module Head(encoder: module(f32[n]) -> f32[n]) {
    param v: f32 = 3.0
    forward(x: f32[n]) -> f32[n] = v * encoder(x)
  }
  module Chain(blocks: [module(f32[n]) -> f32[n]]) {
    forward(x: f32[n]) -> f32[n] {
      var h = x
      for block in blocks { set h = block(h) }
      return h
    }
  }
  fn twice(m: module(f32[n]) -> f32[n], x: f32[n]) -> f32[n] = m(m(x))
`

const shared = (members: string, loss: string): string => `${modules}
  train T {
    data one = One(batch: 1)
    ${members}
    step train(batch) { minimize ${loss} }
    trainer { epochs: 1 }
  }`

test('two heads on one encoder: its gradients add up, and it is one parameter', async () => {
  const ended = await trained(
    shared(
      'model a = Scale()  model b = Head(a)  model c = Head(a)  optimizer sgd = Sgd([a, b, c], lr: 0.1)',
      'p = b(batch.x), q = c(batch.x)',
    ),
  )
  assert.equal(
    statesOf(ended).map(state => state.path),
    ['a.w', 'b.v', 'c.v'],
  )
  // d(3·w + 3·w)/dw = 6, d(w·v)/dv = 2.
  near(held(ended, 'a.w'), [2 - 0.6], 1e-6, 'a.w')
  near(held(ended, 'b.v'), [3 - 0.2], 1e-6, 'b.v')
})

test('a head on a head, a list that holds one module twice, and a function of a module', async () => {
  const ended = await trained(
    shared(
      `model a = Scale()  model b = Head(a)  model deep = Head(b)  model chain = Chain([b, a, Scale(), a])
       optimizer sgd = Sgd([a, chain, deep], lr: 0.001)  freeze b`,
      'p = deep(batch.x), q = chain(batch.x), r = twice(chain, batch.x)',
    ),
  )
  // deep = v'·3·w; chain = (3w)·w·u·w = 3u·w³; twice = 9u²·w⁶, at w = 2, u = 2, v' = 3.
  near(held(ended, 'a.w'), [2 - 0.001 * (9 + 9 * 2 * 4 + 54 * 4 * 32)], 1e-3, 'a.w')
  near(held(ended, 'chain.blocks[2].w'), [2 - 0.001 * (3 * 8 + 18 * 2 * 64)], 1e-3, 'u')
  near(held(ended, 'deep.v'), [3 - 0.001 * 6], 1e-5, 'v')
  assert.equal(held(ended, 'b.v'), [3])
})

test('a weight that two modules share is read by its path', async () => {
  const ended = await trained(
    shared(
      `model a = Scale()  model tied = Tied(a)  optimizer sgd = Sgd([a, tied], lr: 0.1)`,
      'tied(batch.x)',
    ).replace(
      'train T',
      `module Tied(encoder: module(f32[n]) -> f32[n]) {
         forward(x: f32[n]) -> f32[n] = encoder.w * encoder(x)
       }
       train T`,
    ),
  )
  near(held(ended, 'a.w'), [2 - 0.1 * 4], 1e-6, 'd(w²)/dw')
})

test('what a module writes to its buffers is seen by whoever else was given it', async () => {
  const ended = await trained(
    shared(
      `model a = Counter()  model pair = Chain([a, a])  model b = Head(a)
       optimizer sgd = Sgd([a, b], lr: 0.0)`,
      'b(pair(batch.x))',
    ).replace(
      'train T',
      `module Counter() {
         param w: f32 = 1.0
         buffer count: f32 = 0
         forward(x: f32[n]) -> f32[n] {
           if training { set count = count + 1 }
           return w * x + count
         }
       }
       train T`,
    ),
  )
  assert.equal(held(ended, 'a.count'), [3])
  // 1 + 1, + 2, + 3, times 3.
  near([ended.result.metrics['train.loss']!], [21], 1e-6, 'loss')
})

test('a frozen module that is given stays in its mode, and does not move', async () => {
  const ended = await trained(
    shared(
      `model a = Moody() frozen  model b = Head(a)  optimizer sgd = Sgd(b, lr: 0.1)`,
      'b(batch.x)',
    ).replace(
      'train T',
      `module Moody() {
         param w: f32 = 2.0
         forward(x: f32[n]) -> f32[n] = if training then 100 * w * x else w * x
       }
       train T`,
    ),
  )
  near([ended.result.metrics['train.loss']!], [6], 1e-6, 'loss')
  assert.equal(held(ended, 'a.w'), [2])
})

/** A model that counts its calls in training, of which others are averages; w loses 0.1 in each of two updates. */
const averaged = (members: string, step: string, epochs = 2): string => `${modules}
  module Counter() {
    param w: f32 = 2.0
    buffer count: f32 = 0
    forward(x: f32[n]) -> f32[n] {
      if training { set count = count + 1 }
      return w * x
    }
  }
  train T {
    data one = One(batch: 1)
    model net = Counter()
    ${members}
    optimizer sgd = Sgd(net, lr: 0.1)
    step train(batch) { minimize net(batch.x)  ${step} }
    trainer { epochs: ${epochs} }
  }`

test('an exponential and a uniform average of what each update leaves', async () => {
  const ended = await trained(
    averaged(
      `average ema = Ema(net, decay: 0.5)  average mean = Average(net, buffers: average)
       average other = Ema(net, decay: 0.5, buffers: average)`,
      'log after = ema(batch.x)',
    ),
  )
  near(held(ended, 'net.w'), [1.8], 1e-6, 'net')
  near(held(ended, 'ema.w'), [0.5 * (0.5 * 2 + 0.5 * 1.9) + 0.5 * 1.8], 1e-6, 'ema')
  near(held(ended, 'mean.w'), [(1.9 + 1.8) / 2], 1e-6, 'mean')
  // The step reads the average as its update has left it.
  near([ended.result.metrics['train.after']!], held(ended, 'ema.w'), 1e-6, 'after')
  assert.equal(held(ended, 'ema.count'), [2], 'taken over')
  near(held(ended, 'mean.count'), [1.5], 1e-6, 'averaged uniformly')
  near(held(ended, 'other.count'), [0.5 * (0.5 * 0 + 0.5 * 1) + 0.5 * 2], 1e-6, 'averaged')
})

test('an average is frozen: no gradient, not its own mode, no buffers of its own', async () => {
  const text = averaged('average ema = Ema(net, decay: 0.5)', '')
  const ended = await trained(
    text.replace('minimize net(batch.x)', 'minimize net(batch.x) + 10 * ema(batch.x)'),
  )
  near(held(ended, 'net.w'), [1.8], 1e-6, 'net')
  assert.equal(held(ended, 'ema.count'), [2])
})

test('a resumed run goes on with its averages', async () => {
  const members = 'average ema = Ema(net, decay: 0.7)  average mean = Average(net, buffers: average)'
  const whole = await trained(averaged(members, '', 5))
  const half = await trained(averaged(members, '', 2), { runs: temporaryFolder() })
  const rest = await trained(averaged(members, '', 5), {
    checkpoint: half.result.checkpoint,
    acceptChanges: true,
  })
  for (const path of ['ema.w', 'ema.count', 'mean.w', 'mean.count'])
    assert.equal(held(rest, path), held(whole, path), path)
})

test('a let of a module is computed once in a call, draws included', async () => {
  const ended = await trained(`
    dataset Two from inline(a: [1, 2]) { field x: f32 = column(0) }
    module Noisy() {
      param w: f32 = 1.0
      let noise: f32[3] = normal()
      fn half(x: f32[n]) -> f32[n] = x * sum(noise)
      forward(x: f32[n]) -> { same: f32[n], other: f32[n] } {
        let a = w * x * sum(noise)
        return { same: a - x * sum(noise), other: half(x) }
      }
    }
    train T {
      data two = Two(batch: 2)
      model net = Noisy()
      optimizer sgd = Sgd(net, lr: 0.0)
      step train(batch) {
        let { same, other } = net(batch.x)
        minimize net(batch.x).other + 0 * same + net.w
        log apart = same
        log drawn = other ^ 2
      }
      trainer { epochs: 1 }
    }`)
  near([ended.result.metrics['train.apart']!], [0], 1e-6, 'the same numbers at both uses')
  assert.ok(ended.result.metrics['train.drawn']! > 0)
})

test('a copy, and an average, start with what a file gave', async () => {
  const source = (from: string, members = ''): string => `${modules}
    train T {
      data one = One(batch: 1)
      model a = Scale()${from}
      ${members}
      optimizer sgd = Sgd(a, lr: 0.25)
      step train(batch) { minimize a(batch.x) }
      trainer { epochs: 1 }
    }`
  const first = await trained(source(''), { runs: temporaryFolder() })
  const file = join(first.result.checkpoint!, 'weights.safetensors')
  const second = await trained(
    source(
      ` from safetensors("${file}", rename: { "a.": "" })`,
      'model b = copy(a) frozen  average ema = Ema(a, decay: 0.5)',
    ),
  )
  near(held(second, 'b.w'), [1.75], 1e-6, 'b')
  near(held(second, 'ema.w'), [0.5 * 1.75 + 0.5 * 1.5], 1e-6, 'ema')
})

test('a copy starts as what it copies, and goes its own way', async () => {
  const source = `${modules}
    module Random(d: int) {
      param w: f32[d] = normal()
      buffer b: f32[d] = normal()
      forward(x: f32[n]) -> f32[n] = sum(w) * x
    }
    module Two() {
      layer first = Random(3)
      layer second = copy(first)
      forward(x: f32[n]) -> f32[n] = first(x) + second(x)
    }
    train T {
      data one = One(batch: 1)
      model a = Random(3)
      model b = copy(a)
      model c = copy(b)
      model two = Two()
      model more = [copy(two), copy(two.second)]
      optimizer sgd = Sgd([b, two], lr: 0.1)
      freeze a
      freeze c
      freeze more
      step train(batch) { minimize b(batch.x) + two(batch.x) + 0 * a(batch.x) }
      trainer { epochs: 1 }
    }`
  const ended = await trained(source)
  const start = held(ended, 'a.w')
  assert.equal(held(ended, 'c.w'), start)
  assert.equal(held(ended, 'b.b'), held(ended, 'a.b'))
  near(
    held(ended, 'b.w'),
    start.map(w => w - 0.1),
    1e-6,
    'b',
  )
  assert.equal(held(ended, 'two.second.w'), held(ended, 'two.first.w'))
  assert.equal(held(ended, 'more[0].second.w'), held(ended, 'more[0].first.w'))
  assert.equal(held(ended, 'more[1].w'), held(ended, 'more[0].first.w'))
  assert.not.equal(held(ended, 'two.first.w')[0]! + 0.1, start[0])
})

test.run()
