import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCheckpoint } from '../src/runtime/checkpoint.ts'
import { RunError } from '../src/runtime/errors.ts'
import type { TrainingEvent } from '../src/runtime/events.ts'
import { metric, optimizer } from '../src/runtime/holders.ts'
import { model } from '../src/runtime/model.ts'
import { predict, test as runTests, train } from '../src/runtime/program.ts'
import type { Batch, HookSpec, OptimizerHolder, Run, StepSpec, Training } from '../src/runtime/training.ts'
import {
  lineTraining,
  plainSgd,
  points,
  quietly,
  temporaryFolder,
  trace,
  value,
  weight,
} from './kit/trainings.ts'

const trainer = suite('trainer')

const near = (actual: number, expected: number, tolerance = 1e-5) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`)

/** d/dw of the mean of (w·x − y)², times −rate. */
const descend = (w: number, batch: readonly (readonly [x: number, y: number])[], rate = 0.1) =>
  w - (rate * batch.reduce((sum, [x, y]) => sum + 2 * x * (w * x - y), 0)) / batch.length

trainer('moves a weight as plain gradient descent says', async () => {
  const { training, line } = lineTraining({ rate: 0.01, trainer: { epochs: 2 } })
  await train(training, quietly())
  let w = 0
  for (let epoch = 0; epoch < 2; epoch++) {
    for (const batch of [
      [
        [1, 2],
        [2, 4],
      ],
      [
        [3, 6],
        [4, 8],
      ],
    ] as const)
      w = descend(w, batch, 0.01)
  }
  near(await value(line.w), w)
})

trainer('reads no parameter before a run, and holds the weights after it', async () => {
  const { training, line } = lineTraining({ start: 3, trainer: { epochs: 0 } })
  assert.throws(
    () => line.w,
    (error: unknown) => error instanceof RunError && error.message.includes('line.w'),
  )
  await train(training, quietly())
  assert.is(await value(line.w), 3)
})

trainer('averages a short last batch by its examples', async () => {
  const { training } = lineTraining({ x: [1, 2, 3], y: [0, 0, 0], start: 1, rate: 0 })
  const result = await train(training, quietly())
  near(result.metrics['train.loss']!, (1 + 4 + 9) / 3)
})

trainer('an accumulation window equals one big batch, also with a short last batch', async () => {
  const whole = lineTraining({ x: [1, 2, 3, 4, 5], y: [1, 3, 2, 5, 4], batch: 5, rate: 0.01 })
  const parts = lineTraining({
    ...{ x: [1, 2, 3, 4, 5], y: [1, 3, 2, 5, 4], batch: 2, rate: 0.01 },
    trainer: { accumulate: 3 },
  })
  const first = await train(whole.training, quietly())
  const second = await train(parts.training, quietly())
  near(await value(parts.line.w), await value(whole.line.w), 1e-6)
  assert.is(first.clocks.updates.sgd, 1)
  assert.is(second.clocks.updates.sgd, 1)
})

trainer('a window ends with its epoch and weighs what it holds', async () => {
  const { training, line } = lineTraining({
    ...{ x: [1, 2, 3], y: [1, 1, 1], batch: 1, rate: 0.01 },
    trainer: { accumulate: 2, epochs: 2 },
  })
  const result = await train(training, quietly())
  let w = 0
  for (let epoch = 0; epoch < 2; epoch++) {
    w = descend(
      w,
      [
        [1, 1],
        [2, 1],
      ],
      0.01,
    )
    w = descend(w, [[3, 1]], 0.01)
  }
  near(await value(line.w), w)
  assert.is(result.clocks.updates.sgd, 4)
})

trainer(
  'the last batch ends its window before its hooks; where it is skipped, the epoch ends it',
  async () => {
    for (const [skipped, seen] of [
      [false, 2],
      [true, 1],
    ] as const) {
      const updates: number[] = []
      const { training } = lineTraining({
        ...{ x: [1, 2, 3, 4], y: [0, 0, 0, 0], batch: 1, rate: 0.01, trainer: { accumulate: 2 } },
        hooks: [
          { on: { event: 'train_batch_end' }, trace, run: async run => void updates.push(run.updates()) },
        ],
        steps: ({ sgd, line }) => [
          step('train', async run => {
            if (run.batchIndex === (skipped ? 3 : 0)) run.skip()
            await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)
          }),
        ],
      })
      const { clocks } = await train(training, quietly())
      assert.is(updates.at(-1), seen)
      assert.is(clocks.updates.sgd, 2)
    }
  },
)

trainer('weights say what counts, over a window too', async () => {
  // The weight of an example is its x where x > 1, so the first counts for nothing.
  const loss = (_: Run, batch: Batch, error: tf.Tensor) => {
    const x = batch.fields.x!
    return { loss: tf.square(error), weight: tf.where(tf.greater(x, 1), x, 0) }
  }
  const expected = () => {
    const rows = [
      [2, 0],
      [3, 0],
      [4, 0],
    ] as const
    const slope = rows.reduce((sum, [x]) => sum + x * 2 * x * (1 * x), 0) / 9
    return 1 - 0.01 * slope
  }
  for (const [batch, accumulate] of [
    [4, 1],
    [1, 4],
    [2, 2],
  ] as const) {
    const common = { y: [0, 0, 0, 0], start: 1, rate: 0.01, loss, batch }
    const { training, line } = lineTraining({ ...common, trainer: { accumulate } })
    const result = await train(training, quietly())
    near(await value(line.w), expected())
    near(result.metrics['train.loss']!, (2 * 4 + 3 * 9 + 4 * 16) / 9, 1e-4)
  }
})

trainer('several losses are averaged apart, each over what its own weight counts', async () => {
  // One counts the examples with x > 2, the other all of them; a batch in which one counts nothing counts in the other.
  const run =
    (sgd: OptimizerHolder, line: { w: tf.Tensor }) =>
    async (run: Run, batch: Batch): Promise<void> => {
      const x = batch.fields.x!
      const losses = () => {
        const y = tf.mul(line.w, x)
        return { losses: [{ loss: tf.square(y), weight: tf.greater(x, 2) }, { loss: y }] }
      }
      await run.minimize(sgd, ['late', 'all'], losses, trace)
    }
  for (const [batch, accumulate] of [
    [4, 1],
    [1, 4],
    [3, 2],
  ] as const) {
    const { training, line } = lineTraining({
      ...{ x: [1, 2, 3, 4], start: 1, batch, trainer: { accumulate } },
      steps: ({ sgd, line }) => [
        {
          phase: 'train',
          streams: [{ data: 'points', split: 'train' }],
          run: run(sgd, line),
          trace,
        },
      ],
    })
    const { metrics, clocks } = await train(training, quietly())
    assert.is(clocks.updates.sgd, 1)
    near(await value(line.w), 1 - 0.1 * ((2 * (9 + 16)) / 2 + 10 / 4), 1e-5)
    near(metrics['train.late']!, (9 + 16) / 2)
    near(metrics['train.all']!, 10 / 4)
  }
})

trainer('a loop of the host frees what its rounds make, and keeps what they carry and log', async () => {
  const alive: number[] = []
  let last = 0
  const { training } = lineTraining({
    steps: ({ sgd, line }) => [
      step('train', async run => {
        let sum: tf.Tensor = tf.scalar(1)
        for (const i of run.range(0, 6)) {
          const before = tf.clone(sum)
          sum = run.carry(sum, tf.add(tf.mul(sum, 2), tf.sub(before, sum)))
          run.log('index', tf.scalar(i))
          alive.push(tf.memory().numTensors)
          if (i === 4) break
        }
        last = await value(sum)
        await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)
      }),
    ],
  })
  const before = tf.memory().numTensors
  const { metrics } = await train(training, quietly())
  assert.is(last, 32)
  near(metrics['train.index']!, 2)
  // A round leaves the value that it logs, and nothing else.
  const growth = alive.slice(2, 5).map((count, i) => count - alive[i + 1]!)
  assert.ok(
    growth.every(count => count <= 2),
    String(growth),
  )
  assert.ok(tf.memory().numTensors <= before + 2)
})

trainer('a batch of no weight moves nothing and is not an error', async () => {
  const loss = (_: Run, __: Batch, error: tf.Tensor) => ({
    loss: tf.square(error),
    weight: tf.zerosLike(error),
  })
  const { training, line } = lineTraining({ start: 1, loss })
  const result = await train(training, quietly())
  assert.is(await value(line.w), 1)
  assert.is(result.clocks.updates.sgd, 0)
})

trainer('a weight is data: what it depends on takes no gradient through it', async () => {
  const loss = (_: Run, __: Batch, error: tf.Tensor) => ({ loss: tf.square(error), weight: tf.add(error, 5) })
  const { training, line } = lineTraining({ x: [1], y: [0], batch: 1, start: 1, loss })
  await train(training, quietly())
  near(await value(line.w), descend(1, [[1, 0]]))
})

trainer('values of the body live until the step ends, and the loss is what was computed', async () => {
  const seen: number[] = []
  const { training } = lineTraining({
    trainer: { accumulate: 2 },
    steps: ({ sgd, line }) => [
      {
        phase: 'train',
        streams: [{ data: 'points', split: 'train' }],
        trace,
        run: async (run, batch) => {
          const guess = () => tf.mul(line.w, batch.fields.x!)
          const body = () => ({ loss: tf.square(tf.sub(guess(), batch.fields.y!)), deep: { guess: guess() } })
          const { loss, deep } = await run.minimize(sgd, 'loss', body, trace)
          await Promise.resolve()
          seen.push(await run.item(tf.mean(loss)), await run.item(tf.mean(deep.guess)))
        },
      },
    ],
  })
  await train(training, quietly())
  assert.equal(seen, [10, 0, 50, 0])
})

function twoOptimizers(every: (run: Run) => boolean) {
  const a = model('a', { w: weight(1) })
  const b = model('b', { w: weight(1) })
  const first = plainSgd('first', ['a.w'], 0.1)
  const second = plainSgd('second', ['b.w'], 0.1)
  const run = async (run: Run) => {
    const product = () => ({ loss: tf.mul(a.w, b.w) })
    await run.minimize(first, 'one', product, trace)
    if (every(run)) await run.minimize(second, 'two', product, trace)
  }
  const steps: readonly StepSpec[] = [{ phase: 'train', streams: [], run, trace }]
  const training: Training = {
    ...{ name: 'Two', file: 'two.ltm', directory: '.', settings: {}, data: [], models: [a, b] },
    ...{ optimizers: [first, second], metrics: [], steps, hooks: [] },
    trainer: { epochs: 4, seed: 1, accumulate: 1, nonfinite: 'stop' },
  }
  return { training, a, b }
}

trainer('two optimizers move only their own, the second sees what the first did', async () => {
  const { training, a, b } = twoOptimizers(run => run.epoch % 2 === 1)
  const result = await train(training, quietly())
  let [x, y] = [1, 1]
  for (let epoch = 0; epoch < 4; epoch++) {
    x -= 0.1 * y
    if (epoch % 2 === 1) y -= 0.1 * x
  }
  near(await value(a.w), x)
  near(await value(b.w), y)
  assert.equal(result.clocks.updates, { first: 4, second: 2 })
})

trainer('frozen and unreached parameters stay, and do not tick', async () => {
  const net = model('', { moved: weight(1), frozen: { ...weight(2), frozen: true }, unused: weight(3) })
  const counts = new Map<string, number>()
  const sgd = optimizer({
    name: 'sgd',
    slots: { m: 0 },
    groups: [
      {
        parameters: ['moved', 'frozen', 'unused'],
        settings: () => ({}),
        update: (slots, param, grad, t) => {
          counts.set(`${param.size}`, t)
          return { m: tf.add(slots.m!, grad), param: tf.sub(param, tf.mul(0.5, tf.add(slots.m!, grad))) }
        },
      },
    ],
    trace,
  })
  const run = async (run: Run) => {
    await run.minimize(sgd, 'loss', () => ({ loss: tf.mul(net.moved, net.frozen) }), trace)
  }
  await train(
    {
      ...{ name: 'Frozen', file: 'f.ltm', directory: '.', settings: {}, data: [], models: [net] },
      ...{ optimizers: [sgd], metrics: [], steps: [{ phase: 'train', streams: [], run, trace }], hooks: [] },
      trainer: { epochs: 3, seed: 1, accumulate: 1, nonfinite: 'stop' },
    },
    quietly(),
  )
  // m = 2, 4, 6: 1 − 0.5·(2 + 4 + 6).
  near(await value(net.moved), -5)
  assert.is(await value(net.frozen), 2)
  assert.is(await value(net.unused), 3)
  assert.equal([...counts], [['1', 3]])
})

trainer('clips by the norm of all gradients of an optimizer, or each by value', async () => {
  for (const [clip, expected] of [
    [{ kind: 'norm', limit: 1 }, [0.6, 0.8]],
    [{ kind: 'norm', limit: 10 }, [3, 4]],
    [{ kind: 'value', limit: 3.5 }, [3, 3.5]],
  ] as const) {
    const net = model('net', { a: weight(0), b: weight(0) })
    const sgd = plainSgd('sgd', ['net.a', 'net.b'], -1)
    const body = () => ({ loss: tf.add(tf.mul(net.a, 3), tf.mul(net.b, 4)) })
    const run = async (run: Run) => void (await run.minimize(sgd, 'loss', body, trace))
    await train(
      {
        ...{ name: 'Clip', file: 'c.ltm', directory: '.', settings: {}, data: [], models: [net] },
        ...{
          optimizers: [sgd],
          metrics: [],
          steps: [{ phase: 'train', streams: [], run, trace }],
          hooks: [],
        },
        trainer: { epochs: 1, seed: 1, accumulate: 1, nonfinite: 'stop', clip },
      },
      quietly(),
    )
    near(await value(net.a), expected[0])
    near(await value(net.b), expected[1])
  }
})

const nanFromSecondBatch = (run: Run, _: Batch, error: tf.Tensor) => ({
  loss: run.batchIndex === 1 ? tf.mul(tf.square(error), Number.NaN) : tf.square(error),
})

trainer('a loss that is not a number stops the run at its line, with nothing moved', async () => {
  const { training, line } = lineTraining({ rate: 0.01, loss: nanFromSecondBatch })
  const error = await failure(train(training, quietly()))
  assert.is(error.code, 'LTM6101')
  assert.is(error.trace, 'line.ltm:7')
  assert.is(error.exitCode, 3)
  near(
    await value(line.w),
    descend(
      0,
      [
        [1, 2],
        [2, 4],
      ],
      0.01,
    ),
  )
})

trainer('a gradient that is not finite stops the run before it reaches a weight', async () => {
  const loss = () => ({ loss: tf.tensor1d([1]) })
  const { training, line } = lineTraining({ start: 0, loss })
  // The root has an infinite slope at 0, while its value there is 0.
  const root = { ...training, steps: [rootStep(line, training)] }
  const error = await failure(train(root, quietly()))
  assert.match(error.message, /gradient of the loss `root` by `line.w`/)
  assert.is(await value(line.w), 0)
})

function rootStep(line: { w: tf.Tensor }, training: Training): StepSpec {
  const [sgd] = training.optimizers
  const run = async (run: Run) => {
    await run.minimize(sgd!, 'root', () => ({ loss: tf.sqrt(line.w) }), trace)
  }
  return { phase: 'train', streams: [], run, trace }
}

trainer('skips a loss that is not finite, or trains on, where the program says so', async () => {
  const skipping = lineTraining({ rate: 0.01, loss: nanFromSecondBatch, trainer: { nonfinite: 'skip' } })
  const options = quietly()
  const result = await train(skipping.training, options)
  near(
    await value(skipping.line.w),
    descend(
      0,
      [
        [1, 2],
        [2, 4],
      ],
      0.01,
    ),
  )
  near(result.metrics['train.loss']!, 10)
  assert.is(options.events.filter(({ kind }) => kind === 'warning').length, 1)
  const going = lineTraining({ rate: 0.01, loss: nanFromSecondBatch, trainer: { nonfinite: 'continue' } })
  await train(going.training, quietly())
  assert.ok(Number.isNaN(await value(going.line.w)))
})

trainer(
  'a place that asks whether a value has stalled looks at each new one once, and begins anew',
  async () => {
    const losses = [3, 2, 2.5, 2.5, 1.9, 5, 5, 5, 5]
    const spec = { direction: 'min', monitor: 'val.loss', patience: 2 } as const
    const stalls: string[] = []
    const ask = (place: string): HookSpec => ({
      on: { event: 'validation_end' },
      trace,
      run: async run => {
        if (run.stalled(place, spec)) stalls.push(`${place} ${run.epoch}`)
        if (run.stalled(place, spec)) stalls.push('twice for one value')
      },
    })
    const { training } = lineTraining({
      split: [
        ['train', 0.5],
        ['val', 0.5],
      ],
      trainer: { epochs: losses.length },
      hooks: [ask('first'), ask('second')],
      steps: () => [
        step('train', async () => {}),
        step('val', async run => run.log('loss', losses[run.epoch]!)),
      ],
    })
    await train(training, quietly())
    assert.equal(stalls, ['first 3', 'second 3', 'first 6', 'second 6', 'first 8', 'second 8'])
  },
)

trainer('what is frozen stands still from the next batch on, until it is unfrozen', async () => {
  const values: number[] = []
  const at = (batch: number, run: HookSpec['run']): HookSpec => ({
    on: { event: 'train_batch_end' },
    condition: ({ batches }) => batches === batch,
    trace,
    run,
  })
  const make = () =>
    lineTraining({
      batch: 1,
      trainer: { epochs: 2 },
      hooks: [at(2, async run => run.freeze(['line.w'])), at(6, async run => run.unfreeze(['line.w']))],
      steps: ({ sgd, line }) => [
        step('train', async run => {
          await run.minimize(sgd, 'loss', () => ({ loss: tf.square(tf.sub(line.w, 9)) }), trace)
          values.push(line.w.dataSync()[0]!)
        }),
      ],
    })
  await train(make().training, quietly())
  const moved = values.map((now, i) => now !== (values[i - 1] ?? 0))
  assert.equal(moved, [true, true, false, false, false, false, true, true])
})

trainer('a hook on a loss that is not finite may stop the run, or leave the batch out', async () => {
  const run = async (act: HookSpec['run']) => {
    const hooks = [{ on: { event: 'nonfinite' }, trace, run: act }]
    const { training, line } = lineTraining({ rate: 0.01, loss: nanFromSecondBatch, hooks })
    const result = await train(training, quietly())
    return { reason: result.reason, skipped: result.clocks.skipped, w: await value(line.w) }
  }
  const errors: string[] = []
  const stopped = await run(async run => {
    errors.push(run.told.error)
    run.stop('enough')
  })
  assert.is(stopped.reason, 'stopped')
  assert.match(errors.join(), /^the loss is NaN in epoch 1, batch 2; no parameter was moved$/)
  const skipped = await run(async run => run.skip())
  assert.is(skipped.reason, 'finished')
  assert.is(skipped.skipped, 1)
  assert.is(skipped.w, stopped.w)
})

function step(phase: 'train' | 'val' | 'test', run: StepSpec['run'], name?: string): StepSpec {
  return {
    phase,
    streams: [{ data: 'points', split: phase }],
    run,
    trace,
    ...(name !== undefined && { name }),
  }
}

trainer('hooks see outputs, log, stop and fire at every interval', async () => {
  const fired: string[] = []
  const { training } = lineTraining({
    x: [1, 2, 3, 4, 5, 6],
    y: [0, 0, 0, 0, 0, 0],
    batch: 1,
    trainer: { epochs: 3 },
    hooks: [
      { on: { every: 4, unit: 'batches' }, trace, run: async run => void fired.push(`batch ${run.batches}`) },
      {
        on: { every: 5, unit: 'updates', of: 'sgd' },
        trace,
        run: async run => void fired.push(`update ${run.updates()}`),
      },
      { on: { every: 2, unit: 'epochs' }, trace, run: async run => void fired.push(`epoch ${run.epoch}`) },
      {
        on: { event: 'train_batch_end' },
        condition: run => run.batchIndex === 2,
        trace,
        run: async (run, outputs) => void fired.push(`output ${await run.item(outputs!.gap!)}`),
      },
      { on: { event: 'train_epoch_end' }, trace, run: async run => run.log('epochs', run.epoch + 1) },
      {
        on: { event: 'train_epoch_end' },
        condition: run => run.logged('train.epochs') === 2,
        trace,
        run: async run => run.stop('enough'),
      },
    ],
    steps: ({ sgd, line }) => [
      step('train', async (run, batch) => {
        await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)
        return { gap: tf.mul(tf.mean(batch!.fields.x!), 10) }
      }),
    ],
  })
  const result = await train(training, quietly())
  assert.equal(fired, [
    ...['output 30', 'batch 4', 'update 5', 'batch 8'],
    ...['output 30', 'update 10', 'batch 12', 'epoch 1'],
  ])
  assert.is(result.reason, 'stopped')
  assert.is(result.detail, 'enough')
  assert.is(result.metrics['train.epochs'], 2)
})

trainer('a skipped batch makes no update, no tick and no record', async () => {
  const { training, line } = lineTraining({
    x: [1, 2, 3, 4],
    y: [0, 0, 0, 0],
    batch: 1,
    start: 1,
    rate: 0.01,
    steps: ({ sgd, line }) => [
      step('train', async (run, batch) => {
        run.log('seen', batch!.fields.x!)
        if (run.batchIndex === 1) run.skip()
        const body = () => ({ loss: tf.square(tf.mul(line.w, batch!.fields.x!)) })
        await run.minimize(sgd, 'loss', body, trace)
      }),
    ],
  })
  const result = await train(training, quietly())
  let w = 1
  for (const x of [1, 3, 4]) w = descend(w, [[x, 0]], 0.01)
  near(await value(line.w), w)
  const { batches, examples, skipped, updates } = result.clocks
  assert.equal(
    { batches, examples, skipped, updates },
    { batches: 3, examples: 3, skipped: 1, updates: { sgd: 3 } },
  )
  near(result.metrics['train.seen']!, (1 + 3 + 4) / 3)
})

trainer('logs exact means by phase and step name, and metrics that begin anew each pass', async () => {
  const largest = metric({
    name: 'largest',
    states: {
      most: { shape: [], dtype: 'float32', value: 0 },
      seen: { shape: [], dtype: 'float32', value: 0 },
    },
    compute: state => ({ most: state.most!, seen: tf.clone(state.seen!) }),
    trace,
  })
  const evaluation = async (run: Run, batch?: Batch) => {
    const x = batch!.fields.x!
    run.log('plain', x)
    run.log('over', x, { weight: tf.greater(x, 1) })
    run.update('top', largest, state => ({
      most: tf.maximum(state.most!, tf.max(x)),
      seen: tf.add(state.seen!, batch!.size),
    }))
  }
  const { training } = lineTraining({
    x: [1, 2, 6, 7],
    split: [['val', 1]],
    batch: 3,
    trainer: { epochs: 3 },
    steps: ({ sgd, line }) => [
      {
        phase: 'train',
        streams: [],
        trace,
        run: async run => void (await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)),
      },
      step('val', evaluation),
      step('val', evaluation, 'abroad'),
    ],
  })
  const { metrics } = await train(training, quietly())
  near(metrics['val.plain']!, 4)
  near(metrics['val.over']!, 5)
  assert.is(metrics['val.abroad.top.most'], 7)
  assert.is(metrics['val.top.seen'], 4)
})

const validating = (values: readonly number[]) => ({
  split: [
    ['train', 0.5],
    ['val', 0.5],
  ] as const,
  steps: ({ sgd, line }: { sgd: Parameters<Run['minimize']>[0]; line: { w: tf.Tensor } }) => [
    step(
      'train',
      async run => void (await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)),
    ),
    step('val', async run => run.log('score', values[run.epoch] ?? Number.NaN)),
  ],
})

const stalledScore = {
  direction: 'min',
  monitor: 'val.score',
  patience: 3,
  minDelta: 0.5,
  checkFinite: true,
} as const

trainer('stops when the watched value has stalled for as long as its patience', async () => {
  const { training } = lineTraining({
    ...validating([5, 4.9, 4, 3.9, 4.5, 3.85, 1]),
    trainer: { epochs: 7, stop: [stalledScore] },
  })
  const result = await train(training, quietly())
  assert.is(result.reason, 'stalled')
  assert.is(result.clocks.epoch, 6)
})

trainer('says which value was watched when nothing logs it', async () => {
  const { training } = lineTraining({
    trainer: { keep: { direction: 'max', monitor: 'train.accuracy', count: 1 } },
  })
  const error = await failure(train(training, quietly()))
  assert.is(error.code, 'LTM6102')
  assert.match(error.help ?? '', /train\.loss/)
})

trainer('keeps the best, never one that is not a number, and tests with it', async () => {
  const runs = temporaryFolder()
  const scores = [1, Number.NaN, 3, 2]
  const tested: number[] = []
  const { training, line } = lineTraining({
    ...{
      split: [
        ['train', 0.5],
        ['val', 0.25],
        ['test', 0.25],
      ],
      start: 1,
      rate: 0.25,
    },
    trainer: { epochs: 4, keep: { direction: 'max', monitor: 'val.score', count: 1 } },
    steps: ({ sgd, line }) => [
      step(
        'train',
        async run => void (await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)),
      ),
      step('val', async run => run.log('score', scores[run.epoch]!)),
      step('test', async run => void tested.push(await run.item(line.w))),
    ],
  })
  const result = await train(training, quietly({ runs }))
  // Each update halves the weight; the best is that of the third epoch.
  assert.equal(tested, [0.125])
  assert.is(result.weights, 'best')
  assert.ok(result.checkpoint?.endsWith('best'))
  assert.ok(existsSync(join(result.folder!, 'checkpoints', 'latest')))
  const again = await runTests(
    training,
    quietly({ checkpoint: join(result.folder!, 'checkpoints', 'latest') }),
  )
  assert.is(again.weights, 'loaded')
  assert.equal(tested, [0.125, 0.0625])
  assert.is(await value(line.w), 0.0625)
})

trainer('keeps as many as asked and drops the worst from the disk', async () => {
  const runs = temporaryFolder()
  const { training } = lineTraining({
    ...validating([Number.NaN, 4, 2, 3, 1]),
    trainer: { epochs: 5, keep: { direction: 'min', monitor: 'val.score', count: 2 } },
  })
  const options = quietly({ runs, saveEvery: 0 })
  const result = await train(training, options)
  const saved = options.events.flatMap(event =>
    event.kind === 'checkpoint_saved' && event.reason === 'best' ? [event] : [],
  )
  assert.equal(
    saved.map(({ monitor }) => monitor?.value),
    [4, 2, 3, 1],
  )
  assert.equal(
    saved.map(({ path }) => existsSync(path)),
    [false, true, false, true],
  )
  assert.is(result.checkpoint, saved[3]!.path)
})

/** The checkpoints that a run has told of. */
function savedIn(events: readonly TrainingEvent[]): readonly string[] {
  return events.flatMap(event => (event.kind === 'checkpoint_saved' ? [event.name] : []))
}

trainer('saves after the first epoch and the last, and between them when it is time', async () => {
  const epochs = { trainer: { epochs: 5 } }
  const seldom = quietly({ runs: temporaryFolder(), saveEvery: 3600 })
  await train(lineTraining(epochs).training, seldom)
  assert.equal(savedIn(seldom.events), ['latest', 'latest'])
  const often = quietly({ runs: temporaryFolder(), saveEvery: 0 })
  await train(lineTraining(epochs).training, often)
  // Two batches an epoch, and its end.
  assert.is(savedIn(often.events).length, 15)
})

trainer('writes the best when it saves, after which no better one was', async () => {
  const scores = [3, 4, 2, 1, 5]
  const { training } = lineTraining({
    ...validating(scores),
    trainer: { epochs: 5, keep: { direction: 'min', monitor: 'val.score', count: 1 } },
  })
  const options = quietly({ runs: temporaryFolder(), saveEvery: 3600 })
  const result = await train(training, options)
  assert.equal(savedIn(options.events), ['best', 'latest', 'best', 'latest'])
  const { state } = await loadCheckpoint(result.checkpoint!)
  assert.is(JSON.parse(JSON.stringify(state)).position.epoch, 4)
})

trainer('what was best is saved where the run fails, and what `latest` speaks of stays', async () => {
  const scores = [3, 2, 1]
  const { training } = lineTraining({
    ...validating(scores),
    trainer: { epochs: 5, keep: { direction: 'min', monitor: 'val.score', count: 2 } },
  })
  const [fit, validate] = training.steps
  const run: StepSpec['run'] = async (run, batch) => {
    await fit!.run(run, batch!)
    if (run.epoch === 3) throw new Error('broken')
  }
  const runs = temporaryFolder()
  const options = quietly({ runs, saveEvery: 3600 })
  const failed = { ...training, steps: [{ ...fit!, run }, validate!] }
  await train(failed, options).then(
    () => assert.unreachable(),
    error => assert.is(error.message, 'broken'),
  )
  const folder = join(runs, 'Line', 'v1', 'checkpoints')
  const best = ['best-epoch-1-batch-1', 'best-epoch-2-batch-2', 'best-epoch-3-batch-3']
  assert.equal(readdirSync(folder).sort(), [...best, 'latest'])
  assert.equal(options.events.at(-1), { kind: 'run_error', message: 'broken', exitCode: 4 })
})

trainer('tests with the next best weights where the best can no longer be read', async () => {
  const runs = temporaryFolder()
  const { steps } = validating([2, 1])
  const { training } = lineTraining({
    split: [
      ['train', 0.5],
      ['val', 0.25],
      ['test', 0.25],
    ],
    steps: parts => [...steps(parts), step('test', async () => undefined)],
    trainer: { epochs: 2, keep: { direction: 'min', monitor: 'val.score', count: 2 } },
    hooks: [
      {
        on: { event: 'fit_end' },
        run: async () => rmSync(join(runs, 'Line/v1/checkpoints/best-epoch-2-batch-2/state.json')),
        trace,
      },
    ],
  })
  const options = quietly({ runs })
  const result = await train(training, options)
  assert.is(result.weights, 'best')
  assert.ok(result.checkpoint?.endsWith('best-epoch-1-batch-1'), result.checkpoint)
  const texts = options.events.flatMap(event =>
    event.kind === 'warning' ? [event.message] : event.kind === 'message' ? [event.text] : [],
  )
  assert.match(texts[0]!, /best-epoch-2-batch-2 is damaged: state\.json is missing; the next best/)
  assert.is(texts[1], 'testing with the best weights kept, those of epoch 1')
})

trainer('writes each run into a folder of its own, with a record a line', async () => {
  const runs = temporaryFolder()
  const first = await train(lineTraining().training, quietly({ runs }))
  const second = await train(lineTraining().training, quietly({ runs }))
  assert.is(first.folder, join(runs, 'Line', 'v1'))
  assert.is(second.folder, join(runs, 'Line', 'v2'))
  const lines = readFileSync(join(runs, 'Line', 'v1', 'records.jsonl'), 'utf8')
    .trim()
    .split('\n')
  const record = JSON.parse(lines.at(-1)!)
  assert.is(record.phase, 'train')
  assert.equal(Object.keys(record.values), ['train.loss'])
  assert.equal(record.clocks.updates, { sgd: 2 })
  assert.is(record.clocks.batches, 2)
})

/** Momentum whose step shrinks with t, so that slots and counts both matter. */
const momentum = () =>
  optimizer({
    name: 'momentum',
    slots: { m: 0 },
    groups: [
      {
        parameters: ['line.w'],
        settings: clock => ({ rate: 0.01 / (1 + clock.updates('momentum')) }),
        update: (slots, param, grad, t, { rate }) => {
          const m = tf.add(tf.mul(slots.m!, 0.9), grad)
          return { m, param: tf.sub(param, tf.mul(m, rate! / t)) }
        },
      },
    ],
    trace,
  })

trainer('goes on from a checkpoint as if it had never ended', async () => {
  const runs = temporaryFolder()
  const make = (epochs: number) => {
    const data = { shuffle: true, batch: 1, x: [1, 2, 3], y: [1, 5, 2] }
    const { training, line } = lineTraining({ ...data, trainer: { epochs } })
    const own = momentum()
    const vars = { boost: 1 }
    const train = step('train', async (run, batch) => {
      const body = () => ({
        loss: tf.mul(tf.square(tf.sub(tf.mul(line.w, batch!.fields.x!), 2)), vars.boost),
      })
      await run.minimize(own, 'loss', body, trace)
      vars.boost += 0.5
    })
    return { training: { ...training, vars, optimizers: [own], steps: [train] }, line }
  }
  const straight = make(4)
  await train(straight.training, quietly())
  const half = await train(make(2).training, quietly({ runs }))
  const resumed = make(4)
  const result = await train(
    resumed.training,
    quietly({ runs, checkpoint: half.checkpoint, acceptChanges: true }),
  )
  assert.is(await value(resumed.line.w), await value(straight.line.w))
  assert.is(result.clocks.batches, 12)
  assert.equal(result.clocks.updates, { momentum: 12 })
})

trainer('an interrupted run finishes its batch, saves, and goes on where it was', async () => {
  const runs = temporaryFolder()
  const stop = new AbortController()
  const make = (abortAt: number) =>
    lineTraining({
      ...{ rate: 0.01, shuffle: true, batch: 1, x: [1, 2, 3, 4], y: [1, 5, 2, 2], trainer: { epochs: 3 } },
      hooks: [
        {
          on: { event: 'train_batch_end' },
          trace,
          run: async run => void (run.batches === abortAt && stop.abort()),
        },
      ],
    })
  const straight = make(-1)
  await train(straight.training, quietly())
  const broken = await train(make(6).training, quietly({ runs, signal: stop.signal }))
  assert.is(broken.reason, 'interrupted')
  assert.is(broken.clocks.batches, 6)
  const resumed = make(-1)
  await train(resumed.training, quietly({ runs, checkpoint: broken.checkpoint }))
  assert.is(await value(resumed.line.w), await value(straight.line.w))
})

trainer('a checkpoint that does not fit names what differs, and changes nothing', async () => {
  const runs = temporaryFolder()
  const { checkpoint } = await train(lineTraining().training, quietly({ runs }))
  const { training } = lineTraining()
  const wide = model('line', { w: weight([1, 2]), extra: weight(3) })
  const error = await failure(train({ ...training, models: [wide] }, quietly({ checkpoint })))
  assert.is(error.code, 'LTM6301')
  assert.equal([await value(wide.w), await value(wide.extra)], [1, 3])
  assert.match(
    error.message,
    /`line\.w` is a number there and \[2\] here\n {2}`line\.extra` is a number here and not in it/,
  )
})

const below = (limit: number, version = 1) => ({
  text: `upper(${limit})`,
  name: 'upper',
  version,
  forward: (raw: tf.Tensor) => tf.sub(limit, tf.exp(raw)),
  check: (value: tf.Tensor) => tf.less(value, limit),
})

trainer('a test without test steps says so', async () => {
  assert.is((await failure(runTests(lineTraining().training, quietly()))).code, 'LTM6106')
})

trainer('a parameter that starts outside its constraint is an error at its line', async () => {
  const { training } = lineTraining()
  const outside = { ...below(1), check: (value: tf.Tensor) => tf.greater(value, 1) }
  const line = model('line', { w: { ...weight(0), constraint: outside, trace: 'line.ltm:3' } })
  const error = await failure(train({ ...training, models: [line] }, quietly()))
  assert.is(error.code, 'LTM6003')
  assert.is(error.trace, 'line.ltm:3')
})

trainer('raw weights of another version of a constraint are refused', async () => {
  const runs = temporaryFolder()
  const { training } = lineTraining({
    steps: () => [{ phase: 'train', streams: [], trace, run: async () => undefined }],
  })
  const versioned = (version: number) => ({
    ...{ ...training, optimizers: [] },
    models: [model('line', { w: { ...weight(0), constraint: below(1, version) } })],
  })
  const { checkpoint } = await train(versioned(1), quietly({ runs }))
  assert.is((await train(versioned(1), quietly({ checkpoint }))).reason, 'finished')
  const error = await failure(train(versioned(2), quietly({ checkpoint })))
  assert.is(error.code, 'LTM6306')
  assert.match(error.message, /`line\.w` was saved in `upper`, version 1 and is in `upper`, version 2/)
  assert.is((await train(versioned(2), quietly({ checkpoint, acceptChanges: true }))).reason, 'finished')
  const tested = { ...versioned(2), steps: [step('test', async () => undefined)] }
  assert.is((await failure(runTests(tested, quietly({ checkpoint })))).code, 'LTM6302')
})

trainer('ends by a count of updates, in the middle of an epoch', async () => {
  const { training } = lineTraining({ batch: 1, trainer: { updates: { count: 6 } } })
  const options = {
    ...training,
    trainer: { updates: { count: 6 }, seed: 1, accumulate: 1, nonfinite: 'stop' } as const,
  }
  const result = await train(options, quietly())
  assert.is(result.clocks.updates.sgd, 6)
  assert.is(result.reason, 'finished')
})

trainer('validates every so many updates', async () => {
  const at: number[] = []
  const { training } = lineTraining({
    ...{
      split: [
        ['train', 0.75],
        ['val', 0.25],
      ],
      batch: 1,
      trainer: { epochs: 2, validate: { count: 2, unit: 'updates' } },
    },
    steps: ({ sgd, line }) => [
      step(
        'train',
        async run => void (await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)),
      ),
      step('val', async run => void at.push(run.batches)),
    ],
  })
  await train(training, quietly())
  assert.equal(at, [2, 4, 6])
})

trainer('the same seed gives the same weights, another seed others', async () => {
  const weights = async (seed: number) => {
    const { training, line } = lineTraining({
      ...{ shuffle: true, batch: 1, rate: 0.01, x: [1, 2, 3, 4, 5], y: [9, 1, 4, 2, 7] },
      loss: (run, _, error) => ({ loss: tf.mul(tf.square(error), 1 + (run.key.at('noise').low % 7)) }),
      trainer: { epochs: 2 },
    })
    await train(training, quietly({ seed }))
    return value(line.w)
  }
  const [first, second, other] = [await weights(1), await weights(1), await weights(2)]
  assert.is(first, second)
  assert.is.not(first, other)
})

trainer('streams side by side: the first ends the epoch, a shorter one has to cycle', async () => {
  const pairs: string[] = []
  const make = (cycle: boolean) =>
    lineTraining({
      ...{
        x: [1, 2, 3, 4, 5],
        y: [0, 0, 0, 0, 0],
        split: [
          ['train', 0.6],
          ['extra', 0.4],
        ],
        batch: 1,
      },
      steps: () => [
        {
          phase: 'train',
          streams: [
            { data: 'points', split: 'train' },
            { data: 'points', split: 'extra', cycle },
          ],
          trace,
          run: async (_, a, b) => void pairs.push(`${a!.size}${b!.size}`),
        },
      ],
    })
  await train(make(true).training, quietly())
  assert.is(pairs.length, 3)
  assert.is((await failure(train(make(false).training, quietly()))).code, 'LTM6104')
})

trainer('predicts in the order of the data, one row an example', async () => {
  const { training } = lineTraining({
    ...{ x: [1, 2, 3], y: [0, 0, 0], batch: 2, start: 2 },
    steps: ({ line }) => [
      {
        phase: 'predict',
        streams: [{ data: 'points', split: 'test' }],
        trace,
        run: async (_, batch) => ({
          guess: tf.mul(line.w, batch!.fields.x!),
          big: tf.greater(batch!.fields.x!, 2),
          total: tf.sum(batch!.fields.x!),
        }),
      },
    ],
  })
  const options = quietly({ split: 'train' })
  await predict(training, options)
  const rows = options.events.flatMap(event => (event.kind === 'prediction' && event.each ? event.rows : []))
  assert.is(rows.length, 3)
  const order = rows.map(({ guess }) => Number(guess) / 2)
  assert.equal([...order].sort(), [1, 2, 3])
  assert.equal(
    rows.map(({ big }) => big),
    order.map(x => x > 2),
  )
})

trainer('leaks no tensor, whatever a step uses', async () => {
  const counter = metric({
    name: 'count',
    states: { seen: { shape: [], dtype: 'float32', value: 0 } },
    compute: state => state.seen!,
    trace,
  })
  const alive = new Map<number, number>()
  const a = model('a', { w: weight([0.5, 1]) })
  const b = model('b', { w: weight([1, 0.5]) })
  const first = plainSgd('first', ['a.w'], 1e-4)
  const second = plainSgd('second', ['b.w'], 1e-4)
  const data = points({
    x: Array.from({ length: 50 }, (_, i) => i / 50),
    y: Array.from({ length: 50 }, () => 1),
  })
  const run = async (run: Run, batch?: Batch) => {
    const x = batch!.fields.x!
    const guess = () => tf.mul(tf.sum(tf.mul(a.w, b.w)), x)
    const body = () => ({ loss: tf.square(tf.sub(guess(), batch!.fields.y!)), guess: guess() })
    const { guess: kept } = await run.minimize(first, 'one', body, trace)
    await run.minimize(second, 'two', () => ({ ...body(), weight: tf.greaterEqual(x, 0) }), trace)
    run.log('guess', kept, { bar: true, weight: x })
    run.update('count', counter, state => ({ seen: tf.add(state.seen!, batch!.size) }), { bar: true })
    return { kept }
  }
  const hook: HookSpec = {
    on: { event: 'train_batch_end' },
    trace,
    run: async run => {
      tf.mul(a.w, 2)
      alive.set(run.batches, tf.memory().numTensors)
    },
  }
  const before = tf.memory().numTensors
  await train(
    {
      ...{ name: 'Leak', file: 'l.ltm', directory: '.', settings: {}, data: [data], models: [a, b] },
      ...{ optimizers: [first, second], metrics: [counter], hooks: [hook] },
      steps: [{ phase: 'train', streams: [{ data: 'points', split: 'train' }], run, trace }],
      trainer: { epochs: 41, seed: 1, accumulate: 2, nonfinite: 'stop' },
    },
    quietly(),
  )
  assert.is(alive.get(10), alive.get(1000))
  assert.is(tf.memory().numTensors, before + 2)
})

async function failure(run: Promise<unknown>): Promise<RunError> {
  try {
    await run
  } catch (error) {
    if (error instanceof RunError) return error
    throw error
  }
  throw new Error('the run did not fail')
}

trainer.run()
