/** What hooks freeze and let go: the mode of its functions and its buffers go along, from the next batch on (F15). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { train } from '../src/runtime/index.ts'
import { modelOf } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly } from './kit/trainings.ts'

const test = suite('frozen parts')

/** Two examples a batch, one batch an epoch: their mean is (2, 4). `seen` has what `m` was logged as in each epoch. */
async function run(
  members: string,
  seen: number,
): Promise<{ readonly seen: number[]; readonly end: number[] }> {
  const text = `
    dataset Points from inline(x: [[1, 2], [3, 6]]) { field x: f32[2] = column("x") }
    module Body() {
      layer norm = BatchNorm(2)
      layer head = Linear(2, 1)
      forward(x: f32[n, 2]) -> f32[n] = head(norm(x))[.., 0]
    }
    train Tune {
      data points = Points(batch: 2)
      model body = Body()
      optimizer sgd = Sgd(body, lr: 0.1)
      var means: f32[${seen}] = zeros()
      step train(batch) {
        minimize body(batch.x) ^ 2
        for i in 0..${seen} { if i == epoch { set means[i] = body.norm.running_mean[0] } }
      }
      ${members}
      trainer { epochs: ${seen} }
    }`
  const training = await importProgram(compileText(text).programs[0]!)
  await train(training, quietly({}))
  const states = training.models.flatMap(model => model[modelOf].buffers)
  const held = (path: string) => [...states.find(state => state.path === path)!.variable!.dataSync()]
  return { seen: held('means'), end: held('body.norm.running_mean') }
}

/** Running means after so many updates of momentum 0.1 toward 2. */
const after = (updates: number) => 2 * (1 - 0.9 ** updates)

test('buffers of what a hook freezes stand still, and go on when it is let go', async () => {
  const { seen, end } = await run(
    `on train_epoch_start if epoch == 1 { freeze body.norm.** }
     on train_epoch_start if epoch == 3 { unfreeze body.norm.** }`,
    4,
  )
  near(seen, [after(1), after(1), after(1), after(2)], 1e-5, 'running means')
  near([end[0]!], [after(2)], 1e-5, 'at the end')
})

test('what is frozen from the start is let go by a hook, and what is around it is not touched', async () => {
  const { seen } = await run(
    `freeze body.norm.**
     on train_epoch_start if epoch == 2 { unfreeze body.norm.** }
     on train_epoch_start if epoch == 1 { freeze body.head.** }`,
    4,
  )
  near(seen, [0, 0, after(1), after(2)], 1e-5, 'running means')
})

test('what holds something that is let go is in training again', async () => {
  const { seen } = await run(
    `freeze body.**
     on train_epoch_start if epoch == 1 { unfreeze body.norm.** }`,
    3,
  )
  near(seen, [0, after(1), after(2)], 1e-5, 'running means')
})

test('the same draws have the same names whether a part is frozen or not', () => {
  const text = `
    module Body() {
      layer norm = BatchNorm(2)
      layer drop = Dropout(0.5)
      forward(x: f32[n, 2]) -> f32[n, 2] = drop(norm(x))
    }
    train Tune {
      model body = Body()
      param w: f32[3, 2] = ones()
      optimizer sgd = Sgd([body, w], lr: 0.1)
      step train() {
        let noise: f32[3, 2] = normal()
        minimize body(w + noise) ^ 2
      }
      on train_epoch_start if epoch == 1 { freeze body.norm.** }
      trainer { updates: 3 }
    }`
  const [step] = compileText(text).programs[0]!.steps
  const [choice] = step!.body
  assert.ok(choice?.kind === 'if')
  const places = (list: readonly unknown[]) =>
    [...JSON.stringify(list).matchAll(/"place":"([^"]*)"/g)].map(found => found[1])
  assert.equal(places(choice.then), places(choice.otherwise))
  assert.ok(places(choice.then).includes('normal'))
})

test.run()
