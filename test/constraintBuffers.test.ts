/** Constraints that keep something from step to step: when they write it, and where it lies. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunOptions, type RunResult, train } from '../src/runtime/index.ts'
import { decodeSafetensors, encodeSafetensors } from '../src/runtime/safetensors.ts'
import { modelOf, type Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly, temporaryFolder } from './kit/trainings.ts'

const test = suite('constraint buffers')

interface Ended {
  readonly training: Training
  readonly result: RunResult
}

async function trained(text: string, options: RunOptions = {}): Promise<Ended> {
  const [program] = compileText(text).programs
  if (!program) throw new Error('there is no program')
  const training = await importProgram(program)
  return { training, result: await train(training, quietly(options)) }
}

/** The numbers of a parameter or buffer, once a run has ended. */
function held({ training }: Ended, path: string): readonly number[] {
  const states = training.models.flatMap(model => [...model[modelOf].parameters, ...model[modelOf].buffers])
  return [...(states.find(state => state.path === path)?.variable?.dataSync() ?? [])]
}

const store = (shape: readonly number[], values: readonly number[] = []) => ({
  dtype: 'float32' as const,
  shape,
  data: Float32Array.from(values),
})

test('spectral_norm trains and evaluates as in PyTorch', async () => {
  const oracle: Record<string, number[]> = JSON.parse(
    readFileSync(new URL('data/spectral-norm.json', import.meta.url), 'utf8'),
  )
  const folder = temporaryFolder()
  const rows = Array.from({ length: 6 }, (_, i) => oracle.x?.slice(3 * i, 3 * i + 3).join(','))
  writeFileSync(join(folder, 'x.csv'), `${rows.join('\n')}\n`)
  const start = new Map([
    ['weight', store([2, 3], oracle.start_raw)],
    ['weight.u', store([2], oracle.start_u)],
    ['weight.v', store([3], oracle.start_v)],
  ])
  writeFileSync(join(folder, 'start.safetensors'), Buffer.concat(encodeSafetensors(start)))
  const ended = await trained(
    `dataset Points from csv("${folder}/x.csv") { field x: f32[3] = columns(0..3) }
    module Dense() {
      param weight: f32[2, 3] in spectral_norm(iterations: 2) = zeros()
      forward(x: f32[n, 3]) -> f32[n, 2] = x @ weight.T
    }
    train Norm {
      data points = Points(batch: 2, shuffle: false)
      model net = Dense() from safetensors("${folder}/start.safetensors")
      optimizer descent = Sgd(net, lr: 0.1)
      step train(batch) { minimize (net(batch.x) - 1) ^ 3 }
      step test(batch from points.train) { log loss = (net(batch.x) - 1) ^ 3 }
      trainer { epochs: 1 }
    }`,
    { runs: folder },
  )
  near([ended.result.metrics['train.loss'] ?? Number.NaN], oracle.loss ?? [], 1e-5, 'loss')
  near(held(ended, 'net.weight'), oracle.raw ?? [], 1e-5, 'raw')
  near(held(ended, 'net.weight.u'), oracle.u ?? [], 1e-5, 'u')
  near(held(ended, 'net.weight.v'), oracle.v ?? [], 1e-5, 'v')
  near([ended.result.metrics['test.loss'] ?? Number.NaN], oracle.evaluated ?? [], 1e-5, 'evaluated')
  const bytes = readFileSync(join(ended.result.checkpoint ?? '', 'weights.safetensors'))
  const { tensors } = decodeSafetensors(bytes, 'weights')
  assert.equal([...tensors.keys()].sort(), ['net.weight', 'net.weight.u', 'net.weight.v'])
})

/** A constraint that counts the steps in which it was evaluated; the value is the raw one times the count. */
const counting = (train: string, epochs = 1): string => `
  dataset Points from inline(x: [1, 2, 3, 4]) { field x: f32 = column(0) }
  constraint counted() version 1 {
    buffer count: f32 = 0
    forward(w) -> f32[...s] {
      if training { set count = count + mean(w) }
      return w * count
    }
    inverse(x) = x
  }
  module Weight() {
    param w: f32 in counted = 1.0
    forward(x: f32[n]) -> f32[n] = w * x
  }
  train Count {
    data points = Points(batch: 1, shuffle: false)
    model net = Weight()
    ${train}
    step test(batch from points.train) { log mean = net(batch.x) }
    trainer { epochs: ${epochs} }
  }`

test('a constraint writes its buffers once in a step, and stands still in evaluation', async () => {
  const ended = await trained(
    counting(`
      optimizer descent = Sgd(net, lr: 0.0)
      step train(batch) {
        minimize net(batch.x) + net(batch.x)
        log again = net(batch.x)
      }`),
  )
  assert.equal(held(ended, 'net.w.count'), [4])
  assert.is(ended.result.metrics['test.mean'], 10)
  assert.is(ended.result.metrics['train.again'], (1 + 4 + 9 + 16) / 4, 'behind the update it is as before it')
})

test('no gradient flows into what a constraint keeps', async () => {
  const ended = await trained(
    counting('optimizer descent = Sgd(net, lr: 0.0625) step train(batch) { minimize net(batch.x) }'),
  )
  // d(w count x)/dw is count x; the count grows by w.
  let [w, count] = [1, 0]
  for (const x of [1, 2, 3, 4]) {
    count += w
    w -= 0.0625 * count * x
  }
  near(held(ended, 'net.w'), [w], 1e-6, 'w')
  near(held(ended, 'net.w.count'), [count], 1e-6, 'count')
})

test('a constraint of a frozen parameter stands still', async () => {
  const ended = await trained(
    counting(`
      freeze net.w
      param other: f32 = 1.0
      optimizer descent = Sgd(other, lr: 0.5)
      step train(batch) { minimize net(batch.x) + other }`),
  )
  assert.equal(held(ended, 'net.w.count'), [0])
  near(held(ended, 'other'), [-1], 1e-6, 'other')
})

test('a resumed run goes on with what constraints keep', async () => {
  const text = (epochs: number): string => `
    dataset Points from inline(x: [1, 2, 3, 4]) { field x: f32 = column(0) }
    train Norm {
      data points = Points(batch: 2, shuffle: true)
      param weight: f32[3, 2] in spectral_norm = normal(shape: [3, 2])
      optimizer adam = Adam(weight, lr: 0.1)
      step train(batch) { minimize (sum(weight) * batch.x - 1) ^ 2 }
      trainer { epochs: ${epochs} }
    }`
  const whole = await trained(text(4))
  const half = await trained(text(2), { runs: temporaryFolder() })
  const { checkpoint } = half.result
  const rest = await trained(text(4), { checkpoint, acceptChanges: true })
  for (const path of ['weight', 'weight.u', 'weight.v']) {
    assert.ok(held(whole, path).length > 0, path)
    assert.equal(held(rest, path), held(whole, path), path)
    assert.not.equal(held(half, path), held(whole, path), path)
  }
})

test.run()
