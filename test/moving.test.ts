import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../src/compiler.ts'
import type { Program } from '../src/ir/ir.ts'
import { distance, type Outcome, programsIn, trainOn, type Way } from './kit/engines.ts'
import { libraryFiles } from './kit/files.ts'
import { askedProviders } from './kit/onnx.ts'

// Graphs that move parameters, as on a graphics card, against updates in place: the same program on the same processor.

const test = suite('moving')

/** Fails where two trainings differ in more than the last digits. */
function agree(expected: Outcome, got: Outcome, apart: number): void {
  assert.equal(Object.keys(got.metrics), Object.keys(expected.metrics))
  assert.is(got.steps.length, expected.steps.length, 'as many batches')
  for (const [path, numbers] of expected.weights) {
    const far = distance(numbers, got.weights.get(path) ?? [])
    assert.ok(far < apart, `${path} lies ${far} apart`)
  }
  const far = distance(Object.values(expected.metrics), Object.values(got.metrics))
  assert.ok(far < apart, `${JSON.stringify(got.metrics)}, not ${JSON.stringify(expected.metrics)}`)
}

/** The processor, and the provider that the tests are asked to try. */
const movers: readonly Way[] = ['moving', ...askedProviders]

/** As far as sums may be rounded differently. */
const apart = (way: Way): number => (way === 'moving' ? 1e-4 : 1e-3)

for (const way of movers)
  for (const name of ['autoencoder', 'gan', 'mixture', 'screening'])
    test(`${name}: graphs that move on ${way} come to what updates in place come to`, async () => {
      const folder = `examples/${name}`
      const path = fileURLToPath(new URL(`../${folder}`, import.meta.url))
      const [program] = programsIn(folder, name)
      assert.ok(program)
      agree(await trainOn('compiled', program, path, 12), await trainOn(way, program, path, 12), apart(way))
    })

function compiled(text: string): Program {
  const files = libraryFiles('.')
  const source = { name: 'moving.ltm', text }
  const { programs, diagnostics } = compile(source.name, {
    ...files,
    read: path => (path === source.name ? source : files.read(path)),
  })
  assert.equal(diagnostics, [])
  return programs[0]!
}

const points = `
dataset Points from inline(a: [1, 2, 3, 4, 5], b: [3, 4, 5, 7, 8]) { field x: f32[1] = columns(0..1) field y: f32 = column(1) }
module Line(n: int) {
  param weight: f32[n, 1] = normal(0, 1) project max_norm(1)
  param offset: f32[n] = 0
  forward(x: f32[b, 1]) -> f32[b] = sum(x @ weight.T + offset, axis: -1)
}
`

const program = (optimizer: string, trainer: string, more = ''): string => `${points}
train Lines {
  data points = Points(batch: 2)
  model line = Line(3)
  optimizer o = ${optimizer}
  ${more}
  step train(batch) { minimize (line(batch.x) - batch.y) ^ 2 }
  trainer { seed: 3, epochs: 6, ${trainer} }
}`

const ways: Readonly<Record<string, string>> = {
  'a projection': program('Sgd(line, lr: 0.05)', ''),
  'gradients clipped by norm': program('Adam(line, lr: 0.1)', 'clip: norm(0.5)'),
  'gradients clipped by value': program('Adam(line, lr: 0.1)', 'clip: value(0.3)'),
  'windows of several batches, and a short one': program('Adam(line, lr: 0.1)', 'accumulate: 2'),
  'an average that follows': program('Adam(line, lr: 0.1)', '', 'average ema = Ema(line, decay: 0.9)'),
  'parameters that take turns': program(
    'Adam(line, lr: 0.1)',
    '',
    'freeze line.offset\n  on every 1 batches if update == 2 { freeze line.weight unfreeze line.offset }',
  ),
  'groups with settings of their own': program(
    'AdamW(line, lr: 0.1, weight_decay: 0.1, except line.offset: { weight_decay: 0, lr: 0.01 })',
    '',
  ),
}

for (const way of movers)
  for (const [name, text] of Object.entries(ways))
    test(`${name}: graphs that move on ${way} come to what updates in place come to`, async () => {
      const program = compiled(text)
      const expected = await trainOn('compiled', program, '.', 9)
      assert.ok([...expected.weights.values()].flat().some(x => x !== 0))
      agree(expected, await trainOn(way, program, '.', 9), apart(way))
    })

test.run()
