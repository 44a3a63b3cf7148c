/** Metrics whose result has several numbers: each is logged under its place, and the end of a run shows them together. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { train } from '../src/runtime/index.ts'
import { epochLine } from '../src/runtime/report/lines.ts'
import { elementLines, groupValues, withoutElements } from '../src/runtime/report/table.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { quietly } from './kit/trainings.ts'

const test = suite('elements of metrics')

test('a vector, a matrix and a field of a record are logged by their places', async () => {
  const text = `
    dataset D from inline(x: [1, 2, 3, 4], y: [0, 1, 1, 0]) {
      field x: f32 = column("x")
      field y: i32 = column("y")
    }
    metric Sums() {
      state each: f32[2] = 0
      update(x: f32[n]) { set each = each + stack([sum(x), sum(x ^ 2)]) }
      compute() -> { each: f32[2], all: f32 } = { each, all: sum(each) }
    }
    train T {
      data d = D(batch: 2, shuffle: false)
      param w: f32 = 1
      optimizer sgd = Sgd(w, lr: 0)
      metric confusion = ConfusionMatrix(2)
      metric sums = Sums()
      step train(batch) {
        minimize w * batch.x
        log sums(batch.x)
        // Taken for 1 where x is above 2.5.
        log confusion(stack([fill(2.5, like: batch.x), batch.x], axis: 1), batch.y)
      }
      trainer { epochs: 1 }
    }`
  const { metrics } = await train(await importProgram(compileText(text).programs[0]!), quietly({}))
  assert.equal(metrics, {
    'train.loss': 2.5,
    'train.sums.each[0]': 10,
    'train.sums.each[1]': 30,
    'train.sums.all': 40,
    'train.confusion[0][0]': 1,
    'train.confusion[0][1]': 1,
    'train.confusion[1][0]': 1,
    'train.confusion[1][1]': 1,
  })
})

test('the line of an epoch leaves them out, and the end of a run shows rows', () => {
  const values = {
    'val.loss': 0.5,
    'val.confusion[0][0]': 12,
    'val.confusion[0][1]': 3,
    'val.confusion[1][0]': 0,
    'val.confusion[1][1]': 7,
    'val.recall[0]': 0.8,
    'val.recall[1]': 1,
  }
  const clocks = { epoch: 0, batchIndex: 0, batches: 1, examples: 1, seconds: 1, updates: {}, skipped: 0 }
  const event = {
    kind: 'epoch_end',
    epoch: 0,
    epochs: 2,
    values,
    seconds: 1,
    best: false,
    last: false,
    clocks,
  } as const
  assert.is(epochLine(event, ['val']), 'epoch 1/2 · val loss 0.5000 · 1.00s')
  const groups = groupValues(values, ['val']).map(withoutElements)
  assert.equal(groups[0]?.numbers.values, [['loss', 0.5]])
  assert.equal(elementLines(groups.flatMap(({ elements }) => elements)), [
    'val.confusion',
    '  12   3',
    '   0   7',
    'val.recall  0.8000       1',
  ])
})

test.run()
