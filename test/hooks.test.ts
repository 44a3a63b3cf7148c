/** Hooks: that they come in Lightning's order, what they are told, and what happens where one fails. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hookEvents } from '../src/base/hookEvents.ts'
import type { RunError } from '../src/runtime/errors.ts'
import type { TrainingEvent } from '../src/runtime/events.ts'
import { predict, type RunOptions, test as runTests, train, validate } from '../src/runtime/index.ts'
import type { HookSpec, StepSpec, Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { lineTraining, quietly, temporaryFolder, trace } from './kit/trainings.ts'

const test = suite('hooks')

/** What PyTorch Lightning was seen to call: `scripts/oracles/hooks.py`. */
const lightning: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(new URL('data/hooks.json', import.meta.url), 'utf8'),
)

/** Hooks of Lightning's callbacks that have no meaning here, and why. */
const meaningless: Readonly<Record<string, string>> = {
  on_before_zero_grad: 'gradients are values of their own: there is nothing to set to zero',
  on_before_backward: 'a loss is differentiated as it is computed, and the step that computes it sees it',
}

/** Ours beyond those: Lightning trains on where a loss is not finite. */
const own = ['nonfinite']

const ours = (calls: readonly string[]): readonly string[] =>
  calls.filter(name => !(name in meaningless)).map(name => name.replace(/^on_/, ''))

test('every hook of a callback is an event, or has no meaning here', () => {
  const callbacks = ['setup', 'teardown', ...lightning.callbacks!]
  assert.equal(hookEvents.filter(event => !own.includes(event)).toSorted(), [...ours(callbacks)].toSorted())
})

interface Traced {
  readonly training: Training
  readonly calls: string[]
}

/** Three training batches of which two make an update, and one batch of everything else. */
function traced(epochs: number, broken = false): Traced {
  const calls: string[] = []
  const hooks: readonly HookSpec[] = hookEvents.map(event => ({
    on: { event },
    trace,
    run: async () => void calls.push(event),
  }))
  const step = (phase: StepSpec['phase'], name: string, run: StepSpec['run']): StepSpec => ({
    phase,
    streams: [{ data: 'points', split: phase === 'train' ? 'train' : 'rest' }],
    trace,
    run: async (...given) => {
      calls.push(name)
      return run(...given)
    },
  })
  const { training } = lineTraining({
    ...{ batch: 1, hooks, trainer: { epochs, accumulate: 2, sanity: 1 } },
    split: [
      ['train', 0.75],
      ['rest', 0.25],
    ],
    steps: ({ sgd, line }) => [
      step('val', 'validation_step', async () => {}),
      step('test', 'test_step', async () => {}),
      step('predict', 'predict_step', async () => ({ w: tf.clone(line.w) })),
      step('train', 'training_step', async run => {
        if (broken) throw new Error('broken')
        await run.minimize(sgd, 'loss', () => ({ loss: tf.square(line.w) }), trace)
      }),
    ],
  })
  return { training, calls }
}

const without = (training: Training, ...phases: readonly string[]): Training => ({
  ...training,
  steps: training.steps.filter(({ phase }) => !phases.includes(phase)),
})

test('fit and test come in Lightning’s order', async () => {
  const { training, calls } = traced(1)
  await train(training, quietly())
  assert.equal(calls, ours([...lightning.fit!, ...lightning.test!]))
})

test('so do validations, tests and predictions by themselves', async () => {
  const validations = traced(1)
  await validate(validations.training, quietly())
  assert.equal(validations.calls, ours(lightning.validate!))
  const tests = traced(1)
  await runTests(tests.training, quietly())
  assert.equal(tests.calls, ours(lightning.test!))
  const predictions = traced(1)
  await predict(predictions.training, quietly({ split: 'rest' }))
  assert.equal(predictions.calls, ours(lightning.predict!))
})

test('a run that goes on is told so before it begins, and runs no hook twice', async () => {
  const runs = temporaryFolder()
  const first = await train(without(traced(1).training, 'val', 'test'), quietly({ runs }))
  const { training, calls } = traced(2)
  const options = { runs, checkpoint: first.checkpoint, acceptChanges: true }
  await train(without(training, 'val', 'test'), quietly(options))
  const begun = ['fit_start', 'train_start']
  assert.equal(
    calls.filter(name => name !== 'save_checkpoint'),
    ours(lightning.resumed!).filter(name => !begun.includes(name)),
  )
  assert.is(calls.at(-2), 'fit_end')
  assert.ok(calls.includes('save_checkpoint'))
})

test('where a step fails, the hooks on it come and no others', async () => {
  const { training, calls } = traced(1, true)
  await train(without(training, 'val', 'test'), quietly()).then(
    () => assert.unreachable(),
    () => undefined,
  )
  assert.equal(calls, ours(lightning.failing!))
})

/** Batches of one example: 3 and 4, whose gradients for `a` and `b` are these and twice these. */
const program = (hooks: string, settings = 'epochs: 1'): string => `
  dataset Points from inline(x: [3, 4]) { field x: f32 = column(0) }
  train Two {
    data points = Points(batch: 1, shuffle: false)
    param a: f32 = 1.0
    param b: f32 = 1.0
    optimizer first = Sgd([a, b], lr: 0.01, clip: norm(1))
    param c: f32 = 1.0
    optimizer second = Sgd(c, lr: 0.01)
    step train(batch) {
      minimize one = a * mean(batch.x) + 2 * b * mean(batch.x) with first
      minimize two = c * 7 with second
    }
    ${hooks}
    trainer { ${settings} }
  }`

async function run(text: string, options: RunOptions = {}) {
  const { programs, diagnostics } = compileText(text)
  assert.equal(
    diagnostics.map(({ code }) => code),
    [],
  )
  const quiet = quietly(options)
  const result = await train(await importProgram(programs[0]!), quiet)
  return { result, events: quiet.events, printed: printed(quiet.events) }
}

const printed = (events: readonly TrainingEvent[]): readonly string[] =>
  events.flatMap(event => (event.kind === 'message' ? [event.text] : []))

test('an update tells whose it is, and the norm of its gradients before they are clipped', async () => {
  const { result, printed } = await run(
    program(`
      on after_backward(optimizer) { print "gradients of {optimizer}" }
      on before_optimizer_step(optimizer, gradient_norm) if optimizer == "first" {
        log norm = gradient_norm
        print "{gradient_norm}"
      }`),
  )
  const norms = [3, 4].map(x => Math.hypot(x, 2 * x))
  assert.equal(printed, [
    ...['gradients of first', '6.708', 'gradients of second'],
    ...['gradients of first', '8.944', 'gradients of second'],
  ])
  near([result.metrics['train.norm']!], [(norms[0]! + norms[1]!) / 2], 1e-5, 'mean of the norms')
})

test('of a window the gradients are told that its update takes, also where the epoch ends it', async () => {
  const text = program(
    'on before_optimizer_step(optimizer, gradient_norm) { print "{optimizer} {gradient_norm}" }',
    'epochs: 1, accumulate: 2',
  )
  assert.equal((await run(text)).printed, ['first 7.826', 'second 7'])
  const left = text.replace('minimize one', 'if batch_index == 1 { skip } minimize one')
  assert.equal((await run(left)).printed, ['first 6.708', 'second 7'])
})

test('stages and checkpoints are told by name', async () => {
  const hooks = `
    var loads: float = 0.0
    step test(batch from points.train) { log x = batch.x }
    on setup(stage) { print "up {stage}" }
    on load_checkpoint(path) { set loads = loads + 1 print "from {path}" }
    on save_checkpoint { print "saving" }
    on teardown(stage) { print "down {stage}" }`
  const runs = temporaryFolder()
  const first = await run(program(hooks), { runs })
  assert.equal(
    first.printed.filter(text => !text.startsWith('testing')),
    ['up fit', 'saving', 'down fit', 'up test', 'down test'],
  )
  const checkpoint = join(first.result.folder!, 'checkpoints', 'latest')
  const again = await run(program(hooks), { runs, checkpoint })
  assert.equal(
    again.printed.filter(text => !/^(testing|goes on)/.test(text)),
    ['up fit', `from ${checkpoint}`, 'saving', 'down fit', 'up test', 'down test'],
  )
})

test('a hook that throws ends the run at its line, which is saved as it was between two batches', async () => {
  const post = (batches: number) => {
    if (batches === 3) throw new Error('no answer')
  }
  const hook: HookSpec = {
    on: { event: 'train_batch_end' },
    run: run => run.call(post, [run.batches], 'post', 'two.ltm:9'),
    trace,
  }
  const compiled = await importProgram(compileText(program('', 'epochs: 3')).programs[0]!)
  const training = { ...compiled, hooks: [hook] }
  const runs = temporaryFolder()
  const quiet = quietly({ runs, saveEvery: 3600 })
  const error: RunError = await train(training, quiet).then(
    () => assert.unreachable(),
    failure => failure,
  )
  assert.equal([error.code, error.exitCode, error.trace], ['LTM4393', 1, 'two.ltm:9'])
  assert.match(error.message, /^`post` failed: no answer/)
  const saved = quiet.events.filter(event => event.kind === 'checkpoint_saved')
  assert.equal(
    saved.map(({ reason }) => reason),
    ['latest', 'failed'],
  )
  assert.ok(existsSync(saved[1]!.path))
  const straight = await run(program('', 'epochs: 3'))
  const options = { runs, checkpoint: saved[1]!.path, acceptChanges: true }
  const resumed = await run(program('', 'epochs: 3'), options)
  assert.equal(resumed.result.clocks.updates, straight.result.clocks.updates)
  assert.is(resumed.result.metrics['train.one'], straight.result.metrics['train.one'])
  assert.match(resumed.printed.join('\n'), /it was saved as the run failed: `post` failed: no answer/)
})

test('what a step returns lives as long as its hooks, whatever its shape', async () => {
  const live: number[] = []
  const hook: HookSpec = {
    on: { event: 'train_batch_end' },
    trace,
    run: async (run, outputs) => {
      assert.equal(
        Object.values(outputs).map(({ shape, isDisposed }) => [shape, isDisposed]),
        [
          [[], false],
          [[3, 2], false],
          [[0, 5], false],
        ],
      )
      await run.item(outputs.number!)
      live.push(tf.memory().numTensors)
    },
  }
  const { training } = lineTraining({
    ...{ batch: 1, trainer: { epochs: 50 }, hooks: [hook] },
    steps: ({ sgd, line }) => [
      {
        phase: 'train',
        streams: [{ data: 'points', split: 'train' }],
        trace,
        run: async (run, batch) => {
          const body = () => ({ loss: tf.square(tf.mul(line.w, batch!.fields.x!)), seen: tf.ones([3, 2]) })
          const { loss, seen } = await run.minimize(sgd, 'loss', body, trace)
          return { number: tf.mean(loss), matrix: seen, none: tf.zeros([0, 5]) }
        },
      },
    ],
  })
  const before = tf.memory().numTensors
  await train(training, quietly())
  assert.is(live.length, 200)
  assert.is(live.at(-1), live[1])
  // The data and the weight, which stay readable.
  assert.ok(tf.memory().numTensors <= before + 2)
})

test.run()
