/** What the settings of `trainer` come to, in whole programs: each is compiled, imported and run. */
import { readdirSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RunError } from '../src/runtime/errors.ts'
import type { TrainingEvent } from '../src/runtime/events.ts'
import { type RunOptions, type RunResult, train } from '../src/runtime/index.ts'
import { modelOf, type Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly, temporaryFolder } from './kit/trainings.ts'

const test = suite('settings of the trainer')

interface Ended {
  readonly training: Training
  readonly result: RunResult
  readonly events: readonly TrainingEvent[]
}

async function trained(text: string, options: RunOptions = {}): Promise<Ended> {
  const { programs, diagnostics } = compileText(text)
  assert.equal(
    diagnostics.map(({ code }) => code),
    [],
  )
  const training = await importProgram(programs[0]!)
  const quiet = quietly(options)
  return { training, result: await train(training, quiet), events: quiet.events }
}

async function failure(text: string): Promise<RunError> {
  try {
    await trained(text)
  } catch (error) {
    if (error instanceof RunError) return error
    throw error
  }
  throw new Error('the run did not fail')
}

/** The number that a parameter holds when a run has ended. */
function held({ training }: Ended, path: string): number {
  const states = training.models.flatMap(model => model[modelOf].parameters)
  return states.find(state => state.path === path)!.variable!.dataSync()[0]!
}

const printed = ({ events }: Ended): readonly string[] =>
  events.flatMap(event => (event.kind === 'message' ? [event.text] : []))

/** Batches of one example: 1, 2, …, 8 in training, which are 4 and 8 for validation and tests. */
const program = (settings: string, members = '', { optimizer = 'Sgd(w, lr: 0.01)' } = {}): string => `
  dataset Points from inline(x: [1, 2, 3, 4, 5, 6, 7, 8]) { field x: f32 = column(0) }
  train Line {
    data points = Points(batch: 1, shuffle: false)
    param w: f32 = 1.0
    optimizer sgd = ${optimizer}
    step train(batch) { minimize w * mean(batch.x) }
    ${members}
    trainer { ${settings} }
  }`

const validating = 'step val(batch from points.train) { log x = batch.x }'
const said = 'on validation_end { print "{batches} {val.x}" }'

test('validation comes round by any clock, and by parts of an epoch', async () => {
  const cases: readonly (readonly [validate: string, at: readonly number[]])[] = [
    ['1 epochs', [8, 16]],
    ['2 epochs', [16]],
    ['0.25 epochs', [2, 4, 6, 8, 10, 12, 14, 16]],
    // As in Lightning a part is rounded down, and what is left at the end of the epoch is not validated.
    ['0.4 epochs', [3, 6, 11, 14]],
    ['5 batches', [5, 10, 15]],
    ['5 updates of sgd', [5, 10, 15]],
    ['6 examples', [6, 12]],
    ['1e-9 seconds', Array.from({ length: 16 }, (_, i) => i + 1)],
    ['1 hours', []],
  ]
  for (const [validate, at] of cases) {
    const ended = await trained(program(`epochs: 2, validate: ${validate}`, `${validating} ${said}`))
    assert.equal(
      printed(ended),
      at.map(batches => `${batches} 4.500`),
      validate,
    )
  }
})

test('an epoch tells of the validation that it had, wherever that fell', async () => {
  const { events } = await trained(program('epochs: 2, validate: 12 batches', validating))
  const values = events.flatMap(event => (event.kind === 'epoch_end' ? [event.values] : []))
  assert.equal(
    values.map(each => Object.keys(each)),
    [['train.loss'], ['train.loss', 'val.x']],
  )
})

test('a phase sees so many of its batches, or so large a share', async () => {
  const each = `
    step val(batch from points.train) { log seen = batch.x }
    step test(batch from points.train) { log seen = batch.x }`
  const { result } = await trained(
    program('epochs: 1, limit_train: 0.5, limit_val: 2, limit_test: 100', each),
  )
  assert.is(result.clocks.batches, 4)
  assert.is(result.metrics['val.seen'], 1.5)
  assert.is(result.metrics['test.seen'], 4.5)
  const none = await trained(program('epochs: 1, limit_val: 0', each))
  assert.not.ok('val.seen' in none.result.metrics)
  const error = await failure(program('epochs: 1, limit_val: 0.1', each))
  assert.is(error.code, 'LTM6108')
  assert.match(error.message, /^0\.1 of 8 batches is not even one, for step val$/)
})

test('what a run is too short for is told as it begins', async () => {
  const members = `${validating} on every 40 updates { print "now" }`
  const text = program(
    'epochs: 2, validate: 17 batches, keep: [every(20 batches), every(16 batches)]',
    members,
  )
  const warned = ({ events }: Ended) => events.flatMap(event => (event.kind === 'warning' ? [event] : []))
  const warnings = warned(await trained(text))
  assert.equal(
    warnings.map(({ code, message }) => `${code} ${message}`),
    [
      ...[
        '`validate` waits for 17 batches',
        '`keep: every(…)` waits for 20 batches',
        'a hook waits for 40 updates',
      ],
    ].map(each => `LTM4205 ${each}, and the run has 16: it never happens`),
  )
  assert.match(warnings.at(-1)?.trace ?? '', /:\d+$/)
  assert.equal(warned(await trained(text, { limit: { batches: 1 } })), [])
})

test('a run that is too short for its validations has nothing to watch there', async () => {
  for (const unit of ['batches', 'updates']) {
    const { code, message } = await failure(
      program(`epochs: 2, keep: best(min: val.x), validate: 17 ${unit}`, validating),
    )
    assert.is(code, 'LTM6102')
    assert.is(
      message,
      `\`keep\` watches \`val.x\`, which never comes: \`validate\` waits for 17 ${unit}, and the run has 16`,
    )
  }
  const stopping = program('epochs: 2, stop: stalled(min: val.x), validate: 16 batches', validating)
  const { events, result } = await trained(stopping, { limit: { batches: 4 } })
  assert.is(result.clocks.batches, 8)
  const [warning] = events.filter(event => event.kind === 'warning')
  assert.match(warning?.message ?? '', '`stop` watches `val.x`, which never comes')
})

test('time ends a run between two batches', async () => {
  const { result } = await trained(program('time: 0.2 seconds', validating))
  assert.is(result.reason, 'finished')
  assert.ok(result.seconds >= 0.2 && result.clocks.batches > 0)
  // What ends by its length is validated, as at the end of any epoch.
  assert.is(result.metrics['val.x'], 4.5)
})

test('nothing stops a run before its least', async () => {
  const stopping = 'on train_epoch_end { stop "enough" }'
  const epochs = await trained(program('epochs: 9, min_epochs: 3', stopping))
  assert.equal([epochs.result.clocks.epoch, epochs.result.reason], [3, 'stopped'])
  assert.equal(
    printed(epochs),
    Array.from({ length: 2 }, () => 'the run goes on although it was to stop: `min_epochs` is 3'),
  )
  const updates = await trained(program('epochs: 9, min_updates: 20 of sgd', stopping))
  assert.is(updates.result.clocks.epoch, 3)
  const rule = 'stop: stalled(min: val.x, patience: 1)'
  const stalled = await trained(program(`epochs: 9, min_epochs: 5, ${rule}`, validating))
  assert.equal([stalled.result.clocks.epoch, stalled.result.reason], [5, 'stalled'])
})

test('a value stops the run that is not finite, good enough, or past recovery', async () => {
  // 5, 4, 3, …
  const falling = 'step val(batch from points.train) { log v = 5 - epoch }'
  const ending = async (options: string, members = falling) => {
    const { result } = await trained(program(`epochs: 9, stop: [${options}]`, members))
    return [result.reason, result.clocks.epoch, result.detail] as const
  }
  assert.equal(await ending('stalled(min: val.v, stopping_threshold: 3)'), [
    'reached',
    4,
    '`val.v` is 2, below 3',
  ])
  assert.equal(await ending('stalled(max: val.v, patience: 99, divergence_threshold: 3)'), [
    'diverged',
    4,
    '`val.v` is 2, below 3',
  ])
  // The first of several that holds.
  assert.is((await ending('stalled(min: val.v), stalled(max: val.v, patience: 2)'))[0], 'stalled')
  const broken = 'step val(batch from points.train) { log v = log(1.0 - epoch) }'
  assert.equal(await ending('stalled(min: val.v, patience: 9)', broken), [
    'diverged',
    2,
    '`val.v` is -Infinity',
  ])
  // Unasked, a value that is no number is no improvement.
  const [reason, epochs] = await ending('stalled(max: val.v, patience: 3, check_finite: false)', broken)
  assert.equal([reason, epochs], ['stalled', 4])
})

test('the check before training leaves no trace', async () => {
  const members = `
    var count: float = 0.0
    var total: f32 = 0.0
    step val(batch from points.train) {
      set count = count + 1
      set total = total + sum(batch.x)
      log x = batch.x
    }
    on sanity_check_start { print "trying" }
    on sanity_check_end { print "tried {count}" }
    on validation_start { print "validating" }
    on validation_end { print "{count} {total}" stop "at once" checkpoint "never" }`
  const ended = await trained(program('epochs: 2', members))
  assert.equal(printed(ended), ['trying', 'tried 0', 'validating', '8 36'])
  assert.is(ended.result.reason, 'stopped')
  const without = await trained(program('epochs: 2, sanity: 0', members))
  assert.equal(printed(without), ['validating', '8 36'])
  const { values, clocks } = await recordsOf(program('epochs: 2', validating))
  assert.equal(
    [values, clocks],
    [
      ['train.loss', 'val.x', 'train.loss', 'val.x'],
      [8, 8, 16, 16],
    ],
  )
})

async function recordsOf(text: string) {
  const { events } = await trained(text)
  const records = events.flatMap(event => (event.kind === 'record' ? [event] : []))
  return {
    values: records.flatMap(record => Object.keys(record.values)),
    clocks: records.map(record => record.clocks.batches),
  }
}

test('a fault in the validation is found before anything is trained', async () => {
  const members = `
    step val(batch from points.train) { log x = batch.x }
    on validation_batch_end(batch) if batch_index == 1 { log odd = mean(batch.x) }
    on train_batch_end { print "trained" }`
  const training = await importProgram(compileText(program('epochs: 2', members)).programs[0]!)
  const steps = training.steps.map(step => ({
    ...step,
    run: async (...given: Parameters<typeof step.run>) => {
      if (step.phase === 'val' && given[0].batchIndex === 1) throw new Error('broken')
      return step.run(...given)
    },
  }))
  const quiet = quietly()
  await train({ ...training, steps }, quiet).then(
    () => assert.unreachable(),
    error => assert.is(error.message, 'broken'),
  )
  assert.not.ok(quiet.events.some(({ kind }) => kind === 'step'))
  const once = { ...training.trainer, sanity: 1 }
  await train({ ...training, steps, trainer: once }, quiet).then(
    () => assert.unreachable(),
    () => assert.ok(quiet.events.some(({ kind }) => kind === 'step')),
  )
})

test('the best weights are there again when training ends', async () => {
  // The weight falls by 0.36 an epoch; it is nearest to 0.4 after the second.
  const members = `
    step val(batch from points.train) { log far = abs(w - 0.4) }
    on train_end { print "{w}" }`
  const settings = 'epochs: 4, keep: best(min: val.far), restore: best'
  for (const options of [{}, { runs: temporaryFolder() }]) {
    const ended = await trained(program(settings, members), options)
    near([held(ended, 'w')], [0.28], 1e-5, 'the best weight')
    assert.equal(printed(ended), ['0.2800'])
    assert.is(ended.result.weights, 'best')
  }
  const last = await trained(program('epochs: 4, keep: best(min: val.far)', members))
  near([held(last, 'w')], [1 - 4 * 0.36], 1e-5, 'the last weight')
})

test('updates are made of more batches in later epochs, and of as many as each optimizer says', async () => {
  const { result } = await trained(
    program('epochs: 3', '', { optimizer: 'Sgd(w, lr: 0.01, accumulate: if epoch < 1 then 1 else 3)' }),
  )
  // 8, then ⌈8 / 3⌉ twice.
  assert.is(result.clocks.updates.sgd, 14)
  const shown = await trained(
    program('epochs: 3, accumulate: 2 * epoch + 1', 'on train_end { print "{total_updates}" }'),
  )
  assert.is(shown.result.clocks.updates.sgd, 8 + 3 + 2)
  assert.equal(printed(shown), ['13'])
  const two = await trained(
    program(
      'epochs: 1, accumulate: 8',
      `param v: f32 = 1.0
       optimizer other = Sgd(v, lr: 0.01, accumulate: 1)
       step train more(batch from points.train) { minimize v * mean(batch.x) with other }`,
    ).replace('minimize w * mean(batch.x)', 'minimize w * mean(batch.x) with sgd'),
  )
  assert.equal(two.result.clocks.updates, { sgd: 1, other: 8 })
  near([held(two, 'w'), held(two, 'v')], [1 - 0.01 * 4.5, 1 - 0.01 * 36], 1e-6, 'weights')
})

test('gradients are clipped as their optimizer says, else as the trainer does', async () => {
  const settings = 'epochs: 1, clip: value(2.0)'
  const outer = await trained(program(settings))
  near([held(outer, 'w')], [1 - 0.01 * (1 + 7 * 2)], 1e-6, 'by the trainer')
  const own = await trained(program(settings, '', { optimizer: 'Sgd(w, lr: 0.01, clip: norm(5))' }))
  near([held(own, 'w')], [1 - 0.01 * (1 + 2 + 3 + 4 + 4 * 5)], 1e-6, 'by the optimizer')
})

test('values of single batches are recorded as often as is asked', async () => {
  const { events } = await trained(program('epochs: 2, log_every: 3'))
  const steps = events.flatMap(event =>
    event.kind === 'record' && event.level === 'step' ? [event.clocks.batches] : [],
  )
  assert.equal(steps, [3, 6, 9, 12, 15])
})

test('a plateau shrinks a setting each time patience runs out', async () => {
  // 3, 2, 2, 2, 1, 1, 1, 1, 1: two without a better one after epochs 3, 6 and 8.
  const members = `
    step val(batch from points.train) { log loss = if epoch < 1 then 3.0 else if epoch < 4 then 2.0 else 1.0 }
    on train_epoch_start { print "{sgd.lr}" }`
  const lr = 'max(0.001, 0.01 * plateau(min: val.loss, factor: 0.5, patience: 2))'
  const ended = await trained(program('epochs: 9', members, { optimizer: `Sgd(w, lr: ${lr})` }))
  assert.equal(printed(ended).map(Number), [0.01, 0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.0025, 0.0025])
  const lrs = [0.01, 0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.0025, 0.0025]
  near([held(ended, 'w')], [1 - 36 * lrs.reduce((a, b) => a + b)], 1e-4, 'weight')
})

test('what the settings have counted goes on from a checkpoint', async () => {
  const members = `
    step val(batch from points.train) { log v = if epoch < 2 then 5.0 - epoch else 4.0 }
    on train_epoch_start { print "{sgd.lr}" }`
  const lr = '0.01 * plateau(min: val.v, factor: 0.5, patience: 2)'
  const text = (epochs: number) =>
    program(
      `epochs: ${epochs}, accumulate: epoch + 1, validate: 0.5 epochs, stop: stalled(min: val.v, patience: 7)`,
      members,
      { optimizer: `Sgd(w, lr: ${lr})` },
    )
  const straight = await trained(text(9))
  const runs = temporaryFolder()
  const half = await trained(text(4), { runs })
  const checkpoint = half.result.checkpoint!
  const resumed = await trained(text(9), { runs, checkpoint, acceptChanges: true })
  assert.is(straight.result.reason, 'stalled')
  assert.is(held(resumed, 'w'), held(straight, 'w'))
  assert.equal(resumed.result.clocks.updates, straight.result.clocks.updates)
  assert.is(resumed.result.detail, straight.result.detail)
  const own = (ended: Ended) => printed(ended).filter(text => Number(text) > 0)
  assert.equal([...own(half), ...own(resumed)], own(straight))
})

test('a fast run tries a batch of everything, and keeps nothing', async () => {
  const members = `${validating}
    step test(batch from points.train) { log seen = batch.x }
    on train_epoch_end { checkpoint "never" }`
  const runs = temporaryFolder()
  const settings = 'epochs: 9, min_epochs: 5, keep: best(min: val.x), stop: stalled(min: val.x, patience: 0)'
  const { result, events } = await trained(program(settings, members), { runs, fastDevRun: 2 })
  assert.equal([result.clocks.epoch, result.clocks.batches, result.reason], [1, 2, 'finished'])
  assert.equal([result.metrics['val.x'], result.metrics['test.seen']], [1.5, 1.5])
  assert.equal([result.folder, readdirSync(runs)], [undefined, []])
  assert.not.ok(events.some(({ kind }) => kind === 'checkpoint_saved'))
})

test('overfitting sees the same batches again and again', async () => {
  const shuffled = program('epochs: 3', 'on train_batch_end(batch) { print "{mean(batch.x)}" }')
  const text = shuffled.replace('shuffle: false', 'shuffle: true')
  assert.equal(printed(await trained(text, { overfit: 2 })).map(Number), [1, 2, 1, 2, 1, 2])
  const all = await trained(text, { limit: { share: 0.5 } })
  assert.is(all.result.clocks.batches, 12)
})

test('what has to repeat its bits runs where it does', async () => {
  const { events } = await trained(program('epochs: 1'), { backend: undefined, deterministic: true })
  const [start] = events.flatMap(event => (event.kind === 'run_start' ? [event.backend] : []))
  assert.is(start, 'wasm')
  const refused = await trained(program('epochs: 1'), { backend: 'webgpu', deterministic: true }).then(
    () => assert.unreachable(),
    error => error,
  )
  assert.equal([refused.code, refused.exitCode], ['LTM6205', 2])
})

test.run()
