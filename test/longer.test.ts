/** Runs whose end moves further away: they are the longer run, and what they can't be is said. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RunError } from '../src/runtime/errors.ts'
import { type End, runToEnd } from './kit/ends.ts'
import { onEngine } from './kit/engines.ts'
import { compileIn } from './kit/examples.ts'
import { quietly, temporaryFolder } from './kit/trainings.ts'

const test = suite('longer runs')

/** Five batches of an epoch, which two hooks count; windows of two batches, the last of them alone. */
const program = (trainer: string, hooks = '') => `
dataset Points from synthetic(count: 13) {
  field x: f32 = sin(f32(index))
  split train: 0.77, val: 0.23
}
module Net() {
  param weight: f32[4] = normal()
  layer drop = Dropout(0.3)
  forward(x: f32[n]) -> f32[n] = mean(drop(weight * x[.., _]), axis: 1)
}
train Fit {
  hyper length: int = 3
  data points = Points(batch: 2)
  model net = Net()
  optimizer adam = Adam(net, lr: 0.1 * plateau(min: val.loss, factor: 0.5, patience: 0))
  metric error = MeanSquaredError()
  var epochs_ended: int = 0
  step train(batch) {
    minimize loss = (net(batch.x) - batch.x ^ 2) ^ 2
    log error(net(batch.x), batch.x ^ 2)
  }
  step val(batch) { log loss = (net(batch.x) - batch.x ^ 2) ^ 2 }
  on train_epoch_end {
    set epochs_ended = epochs_ended + 1
    log ended = epochs_ended
  }
  ${hooks}
  trainer { ${trainer}, seed: 3, accumulate: 2 }
}
`

const checkpointIn = ({ folder }: End, name = 'latest') => join(folder, 'checkpoints', name)

/** Runs a program of this length from its start or from a checkpoint; what it says is collected. */
async function run(
  text: string,
  length: number,
  checkpoint?: string,
  engine: 'eager' | 'compiled' = 'eager',
) {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'fit.ltm'), text)
  const engined = await onEngine(engine, compileIn(folder, 'fit', { length: `${length}` }), folder)
  const { events, ...options } = quietly({ runs: join(folder, 'runs'), checkpoint })
  const end = await runToEnd(engined, options)
  const said = events.flatMap(event => (event.kind === 'message' ? [event.text] : []))
  return { ...end, said }
}

for (const engine of ['eager', 'compiled'] as const)
  test(`${engine}: one that ended within an epoch goes on at the next batch, and is the longer run`, async () => {
    const text = program('updates: length')
    const lasting = ({ state, records }: End) => ({ state, records })
    // Three updates an epoch: these end in the middle of one, at the end of one, and past the next.
    const first = await run(text, 4, undefined, engine)
    const longer = await run(text, 6, checkpointIn(first), engine)
    const [where, ...changes] = longer.said
    assert.is(where, 'goes on at epoch 2, batch 3')
    assert.equal(changes.slice(0, 2), [
      ...[
        'changed since: `length` was 4 and is 6',
        'changed since: `updates` of the trainer was count 4 and is count 6',
      ],
    ])
    assert.equal(lasting(longer), lasting(await run(text, 6, undefined, engine)))
    const longest = await run(text, 8, checkpointIn(longer), engine)
    assert.is(longest.said[0], 'goes on at epoch 3')
    assert.equal(lasting(longest), lasting(await run(text, 8, undefined, engine)))
    const again = await run(text, 8, checkpointIn(longest), engine)
    assert.equal([again.said, again.state], [['goes on at its end'], longest.state])
  })

test('one whose shorter end comes in the same place keeps to it', async () => {
  const text = program('updates: 4, epochs: length')
  const first = await run(text, 3)
  const same = await run(text, 5, checkpointIn(first))
  assert.is(same.said[0], 'goes on at its end')
  assert.equal(same.records, first.records)
})

test('one that was stopped stays so when only its end is further away', async () => {
  const text = program('epochs: length, stop: stalled(min: val.loss, patience: 1, min_delta: 100)')
  const first = await run(text, 9)
  const longer = await run(text, 12, checkpointIn(first))
  assert.equal(
    [longer.said[0], longer.said.at(-1)],
    [
      'goes on at its end',
      `it had ended before that, which stays so: ${/`val.loss` has not improved on [\d.]+ in 1 check/.exec(longer.said.at(-1) ?? '')}`,
    ],
  )
  assert.equal(longer.records, first.records)
})

test('what a hook saved with the best weights is not trained on: the newest state before that is', async () => {
  const text = program(
    'epochs: length, keep: [best(min: val.loss), latest], restore: best',
    'on fit_end { checkpoint "done" }',
  )
  const first = await run(text, 3)
  const straight = await run(text, 5)
  const done = checkpointIn(first, 'done')
  const longer = await run(text, 5, done)
  assert.equal(longer.said.slice(0, 2), [
    `${done} has the best weights, which are not the last: the run goes on from ${checkpointIn(first)}`,
    'goes on at epoch 4',
  ])
  assert.equal(longer.records, straight.records)
  rmSync(checkpointIn(first), { recursive: true })
  const failure = await run(text, 5, done).then(
    () => undefined,
    (error: RunError) => error,
  )
  assert.is(failure?.code, 'LTM6308')
})

test.run()
