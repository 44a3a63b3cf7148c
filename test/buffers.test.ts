/** Buffers: what training writes to them, when it counts, and that a resumed run has them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunOptions, type RunResult, train } from '../src/runtime/index.ts'
import { decodeSafetensors } from '../src/runtime/safetensors.ts'
import { modelOf, type Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly, temporaryFolder } from './kit/trainings.ts'

const test = suite('buffers')

interface Ended {
  readonly training: Training
  readonly result: RunResult
}

async function trained(text: string, options: RunOptions = {}): Promise<Ended> {
  const training = await importProgram(compileText(text).programs[0]!)
  return { training, result: await train(training, quietly(options)) }
}

/** The numbers of a parameter or buffer, once a run has ended. */
function held({ training }: Ended, path: string): number[] {
  const states = training.models.flatMap(model => [...model[modelOf].parameters, ...model[modelOf].buffers])
  return [...states.find(state => state.path === path)!.variable!.dataSync()]
}

test('BatchNorm trains and evaluates as in PyTorch', async () => {
  const oracle: Record<string, number[]> = JSON.parse(
    readFileSync(new URL('data/batch-norm.json', import.meta.url), 'utf8'),
  )
  const file = join(temporaryFolder(), 'x.csv')
  const rows = Array.from({ length: 8 }, (_, i) => oracle.x!.slice(6 * i, 6 * i + 6).join(','))
  writeFileSync(file, `${rows.join('\n')}\n`)
  const ended = await trained(`
    dataset Points from csv("${file}") { field x: f32[3, 2] = columns(0..6) }
    train Norm {
      data points = Points(batch: 4, shuffle: false)
      model norm = BatchNorm(3, momentum: 0.3)
      optimizer descent = Sgd(norm, lr: 0.1)
      step train(batch) { minimize (norm(batch.x) - 1) ^ 3 }
      step test(batch from points.train) { log loss = (norm(batch.x) - 1) ^ 3 }
      trainer { epochs: 1 }
    }`)
  for (const member of ['weight', 'offset', 'running_mean', 'running_var'])
    near(held(ended, `norm.${member}`), oracle[member]!, 1e-5, member)
  near([ended.result.metrics['train.loss']!], oracle.loss!, 1e-5, 'loss')
  near([ended.result.metrics['test.loss']!], oracle.evaluated!, 1e-5, 'evaluated')
})

/** A module that counts its calls in training and adds the count; `body` is its train step, over batches of 1, 2, 3 and 4. */
const counting = (body: string, epochs = 1): string => `
  dataset Points from inline(x: [1, 2, 3, 4]) { field x: f32 = column(0) }
  module Counter() {
    param w: f32 = 1.0
    buffer count: f32 = 0
    forward(x: f32[n]) -> f32[n] {
      if training { set count = count + w }
      return w * x + count
    }
  }
  train Count {
    data points = Points(batch: 1, shuffle: false)
    model net = Counter()
    optimizer descent = Sgd(net, lr: 0.0625)
    step train(batch) { ${body} }
    step test(batch from points.train) { log mean = net(batch.x) }
    trainer { epochs: ${epochs} }
  }`

test('the second call reads what the first wrote, and the next step what this one wrote', async () => {
  const ended = await trained(
    counting('let a = net(batch.x)  let b = net(batch.x)  log a  log b  log loss = b - a'),
  )
  // Counts of 1, 3, 5, 7 at the first calls and of 2, 4, 6, 8 at the second.
  near([ended.result.metrics['train.a']!, ended.result.metrics['train.b']!], [6.5, 7.5], 1e-6, 'means')
  assert.equal(held(ended, 'net.count'), [8])
  assert.is(ended.result.metrics['test.mean'], 10.5, 'evaluation reads it and leaves it')
})

test('no gradient flows into what is written', async () => {
  const ended = await trained(counting('minimize net(batch.x)'))
  // d(w x + count)/dw is x alone: 1 - (1 + 2 + 3 + 4) / 16.
  near(held(ended, 'net.w'), [0.375], 1e-6, 'w')
})

test('a step may minimise twice through one module', async () => {
  const ended = await trained(counting('minimize net(batch.x)  minimize again = net(batch.x)'))
  near(held(ended, 'net.w'), [1 - (2 * 10) / 16], 1e-6, 'w')
  const counts = [1, 0.9375, 0.875, 0.75, 0.625, 0.4375, 0.25, 0]
  near(held(ended, 'net.count'), [counts.reduce((a, b) => a + b)], 1e-6, 'count')
})

test('a skipped step writes nothing, and a branch only where it is taken', async () => {
  const skipped = await trained(counting('let y = net(batch.x)  log y  if batch_index > 1 { skip }'))
  assert.equal(held(skipped, 'net.count'), [2])
  const branched = await trained(
    counting(`
      let y = net(batch.x)
      if batch_index % 2 == 1 { log z = net(batch.x) }
      log count = net.count
      log y`),
  )
  assert.equal(held(branched, 'net.count'), [6])
  near([branched.result.metrics['train.count']!], [(1 + 3 + 4 + 6) / 4], 1e-6, 'read behind the branch')
})

test('a round of a loop reads what the one before wrote, also where the loop is left', async () => {
  const looped = await trained(
    counting(`
      log y = net(batch.x)
      for i in 0..5 {
        log z = net(batch.x)
        if i == 2 { let last = net(batch.x)  log last  break }
      }
      log count = net.count`),
  )
  assert.equal(held(looped, 'net.count'), [20])
  near([looped.result.metrics['train.count']!], [(5 + 10 + 15 + 20) / 4], 1e-6, 'read behind the loop')
})

test('a frozen part stands still and is not in training, whoever calls it', async () => {
  const frozen = await trained(`
    dataset Points from inline(x: [1, 2, 3, 4]) { field x: f32 = column(0) }
    module Counter() {
      param w: f32 = 1.0
      buffer count: f32 = 0
      forward(x: f32[n]) -> f32[n] {
        if training { set count = count + 1 }
        return w * x + (if training then 100.0 else 0.0)
      }
    }
    module Pair() {
      layer still = [Counter(), Counter()]
      layer moving = Counter()
      forward(x: f32[n]) -> f32[n] = still[1](still[0](x)) + moving(x)
    }
    train Count {
      data points = Points(batch: 1, shuffle: false)
      model net = Pair()
      model whole = Counter() frozen
      freeze net.still[*]
      optimizer descent = Sgd(net, lr: 0.0625)
      step train(batch) {
        minimize net(batch.x) + whole(batch.x)
        log part = net.still[0](batch.x)
      }
      trainer { epochs: 1 }
    }`)
  const counts = ['net.still[0].count', 'net.still[1].count', 'net.moving.count', 'whole.count']
  assert.equal(
    counts.map(path => held(frozen, path)),
    [[0], [0], [4], [0]],
  )
  const weights = ['net.still[0].w', 'net.still[1].w', 'net.moving.w', 'whole.w']
  assert.equal(
    weights.map(path => held(frozen, path)),
    [[1], [1], [0.375], [1]],
  )
  near([frozen.result.metrics['train.part']!], [2.5], 1e-6, 'called from the step')
})

test('a resumed run goes on with its buffers, and the file of weights has them', async () => {
  const whole = await trained(counting('minimize net(batch.x)', 3))
  const runs = temporaryFolder()
  const half = await trained(counting('minimize net(batch.x)', 2), { runs })
  const { checkpoint } = half.result
  const weights = decodeSafetensors(readFileSync(join(checkpoint!, 'weights.safetensors')), 'weights')
  assert.equal([...weights.tensors.keys()].sort(), ['net.count', 'net.w'])
  const rest = await trained(counting('minimize net(batch.x)', 3), { checkpoint, acceptChanges: true })
  for (const path of ['net.w', 'net.count']) assert.equal(held(rest, path), held(whole, path), path)
})

test.run()
