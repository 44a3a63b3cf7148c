/** Modules that are given to modules and functions: whose parameters they are, and what training does to them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunOptions, type RunResult, train } from '../src/runtime/index.ts'
import { modelOf, type Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly } from './kit/trainings.ts'

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

test.run()
