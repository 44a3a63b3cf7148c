import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { beginsWith, renamedBy } from '../src/base/weightNames.ts'
import type { StoredTensor } from '../src/runtime/contracts.ts'
import { RunError } from '../src/runtime/errors.ts'
import { buffer, model, parameter } from '../src/runtime/model.ts'
import { train } from '../src/runtime/program.ts'
import { encodeSafetensors } from '../src/runtime/safetensors.ts'
import type { StepSpec, Training, WeightsSpec } from '../src/runtime/training.ts'
import { loadWeights } from '../src/runtime/weights.ts'
import { lineTraining, quietly, trace } from './kit/trainings.ts'

const test = suite('weights')

const folder = mkdtempSync(join(tmpdir(), 'ltm-weights-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

type Contents = Readonly<Record<string, readonly [shape: readonly number[], values: readonly number[]]>>

function written(name: string, contents: Contents): string {
  const tensors = Object.entries(contents).map(([key, [shape, values]]): [string, StoredTensor] => [
    key,
    { dtype: 'float32', shape, data: Float32Array.from(values) },
  ])
  writeFileSync(join(folder, name), Buffer.concat(encodeSafetensors(new Map(tensors))))
  return name
}

const zeros = (shape: readonly number[]) => ({ shape, init: () => tf.zeros([...shape]), trace })

/** A run of `net` with a body in a list, a head and a buffer, that only looks at them. */
function netTraining(weights: WeightsSpec) {
  const net = model(
    'net',
    {
      body: [{ weight: parameter(zeros([2])) }],
      head: { weight: parameter(zeros([])) },
      mean: buffer(zeros([2])),
    },
    weights,
  )
  const seen: number[][] = []
  const run = async () => {
    const { body, head, mean } = net
    for (const tensor of [...body.map(({ weight }) => weight), head.weight, mean])
      seen.push([...(await tensor.data())])
  }
  const streams = [{ data: 'points', split: 'train' }] as const
  const steps: readonly StepSpec[] = [{ phase: 'train', streams, run, trace }]
  const { training } = lineTraining({ steps: () => steps, batch: 4 })
  return { seen, training: { ...training, directory: folder, models: [...training.models, net] } }
}

const fitting: Contents = { 'body.0.weight': [[2], [1, 2]], 'head.weight': [[], [3]], mean: [[2], [4, 5]] }

async function failureOf(training: Training): Promise<RunError> {
  try {
    await train(training, quietly())
  } catch (error) {
    if (error instanceof RunError) return error
    throw error
  }
  throw new Error('the run did not fail')
}

test('parameters and buffers start from the tensors of the file', async () => {
  const { training, seen } = netTraining({ file: written('fits.safetensors', fitting), trace })
  await train(training, quietly())
  assert.equal(seen, [[1, 2], [3], [4, 5]])
})

test('names of the file are renamed, left out, and passed over', async () => {
  const file = written('foreign.safetensors', {
    'encoder.0.gamma': [[2], [1, 2]],
    'head.weight': [[7], [0, 0, 0, 0, 0, 0, 0]],
    'head.pool': [[], [1]],
    'stats.running': [[2], [4, 5]],
    'decoder.weight': [[], [9]],
  })
  const { training, seen } = netTraining({
    file,
    rename: [
      { from: 'stats.running', to: 'mean' },
      { from: 'encoder.*.gamma', to: 'body[*].weight' },
    ],
    missing: ['head.'],
    unused: ['decoder.'],
    trace,
  })
  await train(training, quietly())
  assert.equal(seen, [[1, 2], [0], [4, 5]])
})

test('everything that does not fit is told at once, with both types', async () => {
  const file = written('misfit.safetensors', {
    'body.0.weight': [[3], [1, 2, 3]],
    'net.haed.weight': [[], [1]],
    mean: [[2], [4, 5]],
    average: [[2], [4, 5]],
  })
  const rename = [
    { from: 'net', to: '' },
    { from: 'average', to: 'mean' },
    { from: 'encoder', to: 'body' },
  ]
  const { code, message, trace: place } = await failureOf(netTraining({ file, rename, trace }).training)
  assert.is(code, 'LTM4392')
  assert.is(place, trace)
  assert.is(
    message,
    `the weights in misfit.safetensors do not fit \`net\`:
  \`net.body[0].weight\` is f32[2] here, and \`body.0.weight\` is f32[3] in the file
  \`net.haed.weight\` (read as \`haed.weight\`) is f32 in the file, and \`net\` has no such parameter or buffer; there is \`head.weight\`
  \`net.mean\` is given by \`mean\` and by \`average\` of the file
  \`net.head.weight\` is f32, and the file has no \`head.weight\`
  nothing in the file begins with \`encoder\`, which is to be renamed`,
  )
})

test('where all names have the same in front, taking it away is proposed', async () => {
  const inFront = Object.fromEntries(Object.entries(fitting).map(([name, value]) => [`vit.${name}`, value]))
  const { help } = await failureOf(
    netTraining({ file: written('front.safetensors', inFront), trace }).training,
  )
  assert.is(help, 'the names in the file begin with `vit.`: write `rename: { "vit.": "" }`')
})

test('a file that is not there, or that is not what it says, ends the run at its line', async () => {
  const lost = await failureOf(netTraining({ file: 'nowhere.safetensors', trace }).training)
  assert.is(lost.code, 'LTM5101')
  assert.match(lost.message, /^weights file nowhere\.safetensors does not exist/)
  writeFileSync(join(folder, 'evil.safetensors'), Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 0]))
  const evil = await failureOf(netTraining({ file: 'evil.safetensors', trace }).training)
  assert.is(evil.code, 'LTM6503')
})

test('a misfit changes nothing', async () => {
  const good = netTraining({ file: written('good.safetensors', fitting), trace })
  await train(good.training, quietly())
  const bad = { ...fitting, mean: [[1], [0]] } as const
  written('good.safetensors', { ...bad, 'body.0.weight': [[2], [8, 8]] })
  try {
    await loadWeights(good.training)
    assert.unreachable()
  } catch (error) {
    assert.instance(error, RunError)
  }
  const [, net] = good.training.models
  const { body } = net as unknown as { readonly body: readonly { readonly weight: tf.Tensor }[] }
  assert.equal([...(await body[0]!.weight.data())], [1, 2])
})

test('a run that goes on from a checkpoint does not look at the file', async () => {
  const runs = mkdtempSync(join(folder, 'runs-'))
  const file = written('start.safetensors', fitting)
  const first = netTraining({ file, trace })
  const { checkpoint } = await train(first.training, { ...quietly(), runs })
  rmSync(join(folder, file))
  const second = netTraining({ file, trace })
  const longer = { ...second.training, trainer: { ...second.training.trainer, epochs: 2 } }
  await train(longer, { ...quietly(), runs, checkpoint, acceptChanges: true })
  assert.equal(second.seen, [[1, 2], [3], [4, 5]])
})

test('beginnings end at dots; stars stand for parts and are taken along', () => {
  assert.ok(beginsWith('head.weight', 'head.') && beginsWith('head', 'head') && !beginsWith('header', 'head'))
  assert.ok(beginsWith('blocks.11.norm.weight', 'blocks[*].norm'))
  assert.is(renamedBy({ from: '**.gamma', to: '**.weight' }, 'a.b.gamma'), 'a.b.weight')
  assert.is(renamedBy({ from: 'net.', to: '' }, 'net.w'), 'w')
  assert.is(renamedBy({ from: 'a(b', to: 'c' }, 'a(b.w'), 'c.w')
  assert.is(renamedBy({ from: 'net.', to: '' }, 'network.w'), undefined)
})

test.run()
