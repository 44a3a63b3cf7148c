import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TrainingEvent } from '../src/runtime/events.ts'
import { predict, type RunResult, train } from '../src/runtime/program.ts'
import type { Training } from '../src/runtime/training.ts'
import { areaNames } from './kit/cases.ts'
import { compileIn, inFolder, trainingOf } from './kit/examples.ts'

const test = suite('programs')

/** A program that has been trained, what was said meanwhile, and what it then predicts where it can. */
interface Trained {
  readonly training: Training
  readonly result: RunResult
  readonly said: readonly string[]
  readonly rows: RunResult['predictions']
}

async function trained(name: string): Promise<Trained> {
  const folder = fileURLToPath(new URL(`cases/programs/${name}`, import.meta.url))
  const training = await trainingOf(compileIn(folder, name), folder)
  const said: string[] = []
  const reporter = (event: TrainingEvent) => {
    if (event.kind === 'message') said.push(event.text)
  }
  return inFolder(async runs => {
    const result = await train(training, { backend: 'wasm', runs, reporter })
    const predicts = training.steps.some(step => step.phase === 'predict')
    const { predictions: rows } = predicts
      ? await predict(training, { backend: 'wasm', runs: false, checkpoint: result.checkpoint })
      : { predictions: [] }
    return { training, result, said, rows }
  })
}

const outcomes: Readonly<Record<string, (trained: Trained) => void>> = {
  /** The longest of a batch decides how long it is, and each example is told as long as it is itself. */
  tags({ rows }) {
    const each = rows.filter(row => 'id' in row)
    assert.equal(
      each.map(({ even }) => even),
      [[false, true, false], [true], [true, false], [true, false, true], [true, true], [false]],
    )
    assert.equal(each[2]?.apart, [
      [0, 1],
      [-1, 0],
    ])
    assert.equal(
      each.map(({ mask }) => mask),
      [3, 1, 2, 3, 2, 1].map(length => Array.from({ length }, () => true)),
    )
    assert.equal(
      each.map(({ length }) => length),
      [3, 1, 2, 3, 2, 1],
    )
    assert.is(rows.length - each.length, 2)
    assert.equal(
      each.map(({ words }) => words),
      [['the', 'cat'], ['a'], ['the', 'cat', 'sat'], ['a', 'cat'], ['the'], ['cat', 'cat']],
    )
    // The vocabulary has five places, of which the first is for unknown words.
    assert.ok(each.every(({ first }) => first === null))
  },
  /** Logistic regression finds 92 to 100 % of the wines, depending on the split. */
  wines({ training, result: { metrics, clocks }, said }) {
    assert.ok(metrics['val.recall.mean']! >= 0.92, `${metrics['val.recall.mean']}`)
    assert.ok(metrics['val.recall.least']! <= metrics['val.recall.mean']!)
    const temperature = metrics['train.temperature']!
    assert.ok(temperature > 0 && temperature < 4 && temperature !== 1, `${temperature}`)
    assert.is(said.length, 3)
    assert.match(said[0]!, /^epoch \d+: temperature 0\.\d+/)
    const { lr } = training.optimizers[0]!.spec.groups[0]!.settings({
      ...clocks,
      totalUpdates: 240,
      updatesPerEpoch: 1,
      updates: () => 200,
    })
    assert.is(lr, 0.01 / 4)
  },

  banana({ result: { reason, detail, metrics, clocks }, said }) {
    assert.equal([reason, detail], ['stopped', "the valley's end"])
    assert.ok(clocks.updates.adam! < 5_000)
    assert.ok(metrics['train.distance']! < 0.01)
    assert.ok(Math.abs(metrics['train.x']! - 1) + Math.abs(metrics['train.y']! - 1) < 0.01)
    assert.match(said[0]!, /^look 1: x -1\.1\d+, y 1\.0\d+$/)
    assert.ok(said.length > 2)
  },

  /** The pixels' variance is 0.073; four principal components leave 0.038 of it. */
  autoencoder({ result: { metrics }, rows }) {
    assert.ok(metrics['val.loss']! < 0.055, `${metrics['val.loss']}`)
    assert.is(rows.length, 180)
    const errors = rows.map(({ error }) => Number(error))
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
    assert.ok(Math.abs(mean - metrics['val.loss']!) < 1e-4, `${mean} is not ${metrics['val.loss']}`)
    for (const { code, label } of rows) {
      assert.ok(Array.isArray(code) && code.length === 4 && Number.isInteger(label))
    }
  },
}

for (const name of areaNames('programs')) {
  test(`${name} compiles, trains and comes to what it should`, async () => {
    assert.ok(outcomes[name], `what ${name} comes to is not tested`)
    outcomes[name](await trained(name))
  })
}

test.run()
