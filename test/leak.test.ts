import { join } from 'node:path'
import { memoryUsage } from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Reporter } from '../src/runtime/events.ts'
import { train } from '../src/runtime/program.ts'
import type { Training } from '../src/runtime/training.ts'
import { onEngine } from './kit/engines.ts'
import { compileIn, exampleNames, examples, exampleTraining } from './kit/examples.ts'

const test = suite('leaks')

/** What makes a thousand steps quick where the size of a batch is a hyper. */
const hypers: Readonly<Record<string, Record<string, string>>> = { digits: { batch_size: '4' } }

/** A step of these goes along an axis of a hundred: fewer of them show as much. */
const fewer: Readonly<Record<string, number>> = { earthquakes: 200, nile: 60 }

/** Live tensors after the 10th and after the last step of the generated program, where the run then ends. */
async function liveTensors(training: Training, last = 1_000): Promise<readonly number[]> {
  const live: number[] = []
  const end = new AbortController()
  const reporter: Reporter = event => {
    if (event.kind !== 'step' || event.phase !== 'train') return
    if ([10, last].includes(event.clocks.batches)) live.push(tf.memory().numTensors)
    if (event.clocks.batches >= last) end.abort()
  }
  const options = {
    backend: process.env.LTM_TEST_BACKEND ?? 'wasm',
    runs: false,
    reporter,
    signal: end.signal,
  } as const
  const { clocks } = await train(training, options)
  assert.ok(clocks.batches >= last, `only ${clocks.batches} steps`)
  return live
}

/** The example, which does not end by itself before the last step. */
async function lasting(name: string): Promise<Training> {
  const training = await exampleTraining(name, hypers[name])
  const { updates: _, ...trainer } = training.trainer
  return { ...training, trainer: { ...trainer, epochs: 1_000 } }
}

for (const name of exampleNames) {
  const last = fewer[name] ?? 1_000
  test(`${name} holds as many tensors after ${last} steps as after 10`, async () => {
    const [early, late] = await liveTensors(await lasting(name), last)
    assert.ok(early! > 0)
    assert.is(late, early)
  })
}

/** Models with parameters enough for a step's outputs to be seen: 250 times over they are megabytes. */
for (const name of ['autoencoder', 'digits', 'gan'])
  test(`${name}, compiled, holds as many tensors and as much memory after 300 steps as after 50`, async () => {
    const { training, graphs } = await onEngine(
      'compiled',
      compileIn(join(examples, name), name, hypers[name]),
      join(examples, name),
    )
    const { updates: _, ...trainer } = training.trainer
    const held: { readonly tensors: number; readonly bytes: number }[] = []
    const end = new AbortController()
    const reporter: Reporter = event => {
      if (event.kind !== 'step' || event.phase !== 'train') return
      if ([50, 300].includes(event.clocks.batches))
        held.push({ tensors: tf.memory().numTensors, bytes: bytesHeld() })
      if (event.clocks.batches >= 300) end.abort()
    }
    await train(
      { ...training, trainer: { ...trainer, epochs: 1_000 } },
      { backend: 'cpu', graphs, runs: false, reporter, signal: end.signal },
    )
    const [early, late] = held
    assert.is(late!.tensors, early!.tensors)
    assert.ok(
      late!.bytes - early!.bytes < 2 ** 20,
      `${early!.bytes} bytes after 50 steps, ${late!.bytes} after 300`,
    )
  })

/** What lies outside of JavaScript's heap, when nothing is left that nobody holds. */
function bytesHeld(): number {
  setFlagsFromString('--expose-gc')
  for (let i = 0; i < 3; i++) runInNewContext('gc()')
  return memoryUsage().external
}

test('a tensor that every step leaves behind would be seen', async () => {
  const training = await lasting('probability')
  const steps = training.steps.map(step => ({
    ...step,
    run: (...given: Parameters<typeof step.run>) => {
      tf.keep(tf.scalar(1))
      return step.run(...given)
    },
  }))
  const [early, late] = await liveTensors({ ...training, steps })
  assert.is(late! - early!, 990)
})

test.run()
