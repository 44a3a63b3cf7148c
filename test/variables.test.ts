/** A `var` of a training: who may set it, when that counts, and that a resumed run has it; and what a copy of one holds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunOptions, type RunResult, train } from '../src/runtime/index.ts'
import { decodeSafetensors } from '../src/runtime/safetensors.ts'
import { modelOf, type Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly, temporaryFolder } from './kit/trainings.ts'

const test = suite('variables of a training')

interface Ended {
  readonly training: Training
  readonly result: RunResult
}

/** Four batches of one example each: 1, 2, 3, 4. */
async function trained(members: string, epochs = 1, options: RunOptions = {}): Promise<Ended> {
  const text = `
    dataset Points from inline(x: [1, 2, 3, 4]) { field x: f32 = column(0) }
    train Count {
      data points = Points(batch: 1, shuffle: false)
      ${members}
      trainer { epochs: ${epochs} }
    }`
  const training = await importProgram(compileText(text).programs[0]!)
  return { training, result: await train(training, quietly(options)) }
}

function held({ training }: Ended, path: string): number[] {
  const states = training.models.flatMap(model => model[modelOf].buffers)
  return [...states.find(state => state.path === path)!.variable!.dataSync()]
}

test('steps and hooks set it, and read what was set before', async () => {
  const ended = await trained(`
    var sums: f32[2] = fill(1.0)
    var seen: i32[3] = 0
    step train(batch) {
      set sums = sums + sum(batch.x)
      set seen[0] = seen[0] + 1
      log sum = sums[0]
    }
    step val(batch from points.train) {
      set seen[1] = seen[1] + 1
      log sum = sums[0] + 0 * batch.x
    }
    on train_epoch_end { set sums[1] = 2 * sums[1] }
    on train_batch_end { set seen[2] = seen[2] + seen[0] }
    step test(batch from points.train) { log both = sum(sums) + 0 * batch.x }`)
  assert.equal(held(ended, 'sums'), [11, 22])
  assert.equal(held(ended, 'seen'), [4, 4, 1 + 2 + 3 + 4])
  near([ended.result.metrics['train.sum']!], [(2 + 4 + 7 + 11) / 4], 1e-6, 'read behind `set`')
  assert.is(ended.result.metrics['test.both'], 33)
})

test('a type makes a tensor of a number, and a tensor needs no type', async () => {
  const ended = await trained(`
    var total: f32 = 0.5
    var pair = stack([1.0, 2.0])
    step train(batch) {
      if total > 5 { log late = total }
      set total = total + mean(batch.x)
      set pair = pair * total
    }`)
  near(held(ended, 'total'), [10.5], 1e-6, 'total')
  near(held(ended, 'pair'), [1.5 * 3.5 * 6.5 * 10.5, 2 * 1.5 * 3.5 * 6.5 * 10.5], 1e-3, 'pair')
  assert.is(ended.result.metrics['train.late'], 6.5)
})

test('a skipped step sets nothing, a condition only where it holds, a loop in every round', async () => {
  const ended = await trained(`
    var a: f32 = 0.0
    var b: f32[2] = 0
    step train(batch) {
      if batch_index > 0 { set b[1] = b[1] + 1 }
      for i in 0..3 { set b[0] = b[0] + 1 }
      set a = a + sum(batch.x) + b[1]
      if batch_index == 3 { skip }
    }`)
  assert.equal(held(ended, 'a'), [1 + 2 + 1 + 3 + 2])
  assert.equal(held(ended, 'b'), [9, 2])
})

test('no gradient flows into it', async () => {
  const ended = await trained(`
    param w: f32 = 1.0
    var mean: f32 = 0.0
    optimizer descent = Sgd([w], lr: 0.5)
    step train(batch) {
      set mean = w * sum(batch.x)
      minimize w * sum(batch.x) + mean
    }`)
  const moved = [1, 2, 3, 4].reduce((w, x) => w - 0.5 * x, 1)
  const [state] = ended.training.models.flatMap(model => model[modelOf].parameters)
  near([...state!.variable!.dataSync()], [moved], 1e-6, 'w')
})

test('a resumed run goes on with it bit for bit, and the file of weights has it', async () => {
  const members = `
    param w: f32 = 0.3
    var sums: f32[2] = fill(0.1)
    var noise: f32[3] = normal()
    var boost = 0.7
    optimizer descent = Sgd([w], lr: boost * 0.01)
    step train(batch) {
      set sums = 0.9 * sums + w * sum(batch.x)
      set noise[0] = noise[1] * sums[0]
      set boost = boost * 0.9
      minimize (w * batch.x - noise[0]) ^ 2
    }`
  const whole = await trained(members, 3)
  const half = await trained(members, 2, { runs: temporaryFolder() })
  const { checkpoint = '' } = half.result
  const weights = decodeSafetensors(readFileSync(join(checkpoint, 'weights.safetensors')), 'weights')
  assert.equal([...weights.tensors.keys()].sort(), ['noise', 'sums', 'w'])
  const rest = await trained(members, 3, { checkpoint, acceptChanges: true })
  for (const path of ['sums', 'noise']) assert.equal(held(rest, path), held(whole, path), path)
  assert.equal(rest.training.vars, whole.training.vars)
})

test('a copy keeps the value that it was made of', async () => {
  const ended = await trained(`
    var boost = 1.0
    var on = false
    step train(batch) {
      let old = boost
      let was = on
      let pair = { half: boost / 2, on }
      var later = boost + 1
      let scaled = boost * batch.x
      set boost = boost * 2
      set on = true
      var x = 0
      var before = 0
      for i in 0..3 {
        let here = x
        set x = x + 1
        set before = here
      }
      log old
      log new = boost
      log half = pair.half
      log later
      log scaled
      log was = if was and pair.on then 1 else 0
      log before
    }
    on train_end { let last = boost  set boost = 0  print "{last}" }`)
  const { metrics } = ended.result
  assert.is(metrics['train.old'], (1 + 2 + 4 + 8) / 4)
  assert.is(metrics['train.new'], (2 + 4 + 8 + 16) / 4)
  assert.is(metrics['train.half'], (1 + 2 + 4 + 8) / 8)
  assert.is(metrics['train.later'], (2 + 3 + 5 + 9) / 4)
  assert.is(metrics['train.scaled'], (1 + 4 + 12 + 32) / 4)
  assert.is(metrics['train.was'], 0.75)
  assert.is(metrics['train.before'], 2)
})

test('what counts how often it is looked at is looked at once, by a name or an argument', async () => {
  const ended = await trained(
    `
    param w: f32 = 0.0
    var named = 0.0
    var given = 0.0
    optimizer sgd = Sgd(w, lr: 0.1)
    fn twice(late: bool, number: float) -> float = (if late then 1 else 0) + (if late then number else 0)
    step train(batch) { minimize (w - batch.x) ^ 2 }
    step val(batch from points.train) { log loss = 0 * batch.x }
    on validation_end {
      let late = stalled(min: val.loss, patience: 2)
      if late { set named = named + 1 }
      if late { set named = named + 10 }
      set given = given + twice(stalled(min: val.loss, patience: 2), 10)
    }
    on train_end { log named = named  log given = given }`,
    5,
  )
  assert.is(ended.result.metrics['train.named'], 22)
  assert.is(ended.result.metrics['train.given'], 22)
})

test('a clock that goes on is read once under a name', async () => {
  const ended = await trained(`
    step train(batch) {
      let start = seconds
      log sum = sum(batch.x)
      log again = start - start
    }`)
  assert.is(ended.result.metrics['train.again'], 0)
})

test('a `var` of a step that begins as another one has a value of its own, which loops may replace', async () => {
  const { result } = await trained(`
    param w: f32 = 1.0
    optimizer sgd = Sgd(w, lr: 0.1)
    step train(batch) {
      var a = sum(batch.x)
      for i in 0..3 {
        var b = a
        for j in 0..2 { set b = b * 2 }
        set a = a + b
      }
      log a
      minimize w ^ 2
    }`)
  // Each round makes five times of it.
  assert.is(result.metrics['train.a'], (125 * (1 + 2 + 3 + 4)) / 4)
})

test.run()
