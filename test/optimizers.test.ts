/** Optimizers and schedules of the library against PyTorch's (scripts/oracles/optimizers.py). */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startBackend } from '../src/runtime/backends.ts'
import { registerGradients } from '../src/runtime/gradients.ts'
import { train } from '../src/runtime/program.ts'
import type { Clocks, OptimizerSpec, Tensors } from '../src/runtime/training.ts'
import { compileText, importProgram, inDouble } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly } from './kit/trainings.ts'

const optimizers = suite('optimizers')

type Numbers = readonly number[]

function oracle<T>(name: string): Readonly<Record<string, T>> {
  return JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8'))
}

/** The arguments after the parameter: `Adam(lr: 0.1)` becomes `Adam(w0, lr: 0.1)`. */
function given(text: string, parameter: string): string {
  return text.replace('(', `(${parameter}, `)
}

/** The optimizers of a program that gives each of them a parameter of its own, with a constraint or without. */
async function compiled(texts: readonly string[], constraint = ''): Promise<readonly OptimizerSpec[]> {
  const members = texts.flatMap((text, i) => [
    constraint === '' ? `param w${i}: f32[4] = zeros()` : `param w${i}: f32[4] in ${constraint}`,
    `optimizer o${i} = ${given(text, `w${i}`)}`,
  ])
  const minimised = texts.map((_, i) => `minimize l${i} = sum(w${i}) with o${i}`)
  const text = `train T {
    ${members.join('\n    ')}
    step train() { ${minimised.join('\n      ')} }
    trainer { epochs: 1 }
  }`
  const training = await importProgram(compileText(text).programs[0]!)
  return training.optimizers.map(({ spec }) => spec)
}

/** Clocks of which only the count of updates is asked. */
function clockAt(updates: number): Clocks {
  return {
    epoch: 0,
    batchIndex: 0,
    batches: 1,
    examples: 0,
    seconds: 0,
    totalUpdates: 10,
    updatesPerEpoch: 1,
    updates: () => updates,
  }
}

/** The parameter after each of several gradients. */
function path(spec: OptimizerSpec, start: Numbers, gradients: readonly Numbers[]): readonly Numbers[] {
  const [group] = spec.groups
  return tf.tidy(() => {
    let param: tf.Tensor = tf.tensor1d([...start])
    let slots: Tensors = Object.fromEntries(
      Object.entries(spec.slots).map(([name, value]) => [name, tf.fill([start.length], value)]),
    )
    return gradients.map((gradient, i) => {
      const after = group!.update(
        slots,
        param,
        tf.tensor1d([...gradient]),
        i + 1,
        group!.settings(clockAt(i)),
      )
      slots = after
      param = after.param!
      return [...param.dataSync()]
    })
  })
}

const { start, gradients, ...paths } = oracle<readonly Numbers[]>('optimizers')
// Unlike the others, the start is one row.
const from = start as unknown as Numbers
const steps = gradients!
const specs = await compiled(Object.keys(paths))

for (const [i, [text, expected]] of Object.entries(paths).entries()) {
  optimizers(`${text} goes PyTorch's way`, async () => {
    for (const backend of ['cpu', 'wasm']) {
      await startBackend(backend)
      registerGradients()
      for (const [step, values] of path(specs[i]!, from, steps).entries())
        near(values, expected[step]!, 3e-6, `${backend}, update ${step + 1}`)
    }
    await startBackend('cpu')
    // The settings of a generated program are written with 32-bit precision.
    inDouble(() => {
      for (const [step, values] of path(specs[i]!, from, steps).entries())
        near(values, expected[step]!, 1e-7, `update ${step + 1}`)
    })
  })
}

optimizers('weight decay leaves constrained parameters alone unless it is asked not to', async () => {
  await startBackend('cpu')
  const texts = [
    'Adam(lr: 0.1)',
    'AdamW(lr: 0.1, weight_decay: 0.3)',
    'AdamW(lr: 0.1, weight_decay: 0.3, decay_constrained: true)',
    'Sgd(lr: 0.1)',
    'Sgd(lr: 0.1, weight_decay: 0.3)',
    'Sgd(lr: 0.1, weight_decay: 0.3, decay_constrained: true)',
  ]
  const free = (await compiled(texts)).map(spec => path(spec, from, steps).at(-1)!)
  const bound = (await compiled(texts, 'positive')).map(spec => path(spec, from, steps).at(-1)!)
  assert.equal(bound[1], bound[0])
  assert.equal(bound[4], bound[3])
  assert.equal(bound[2], free[1])
  assert.equal(bound[5], free[4])
  assert.not.equal(free[1], free[0])
  assert.not.equal(free[4], free[3])
})

optimizers('a zero gradient moves nothing but what decays', async () => {
  await startBackend('cpu')
  const texts = ['Sgd(lr: 0.5, momentum: 0.9)', 'Adam(lr: 0.5)', 'AdamW(lr: 0.5, weight_decay: 0.1)']
  const moved = (await compiled(texts)).map(
    spec =>
      path(
        spec,
        [1, -2],
        [
          [0, 0],
          [0, 0],
        ],
      ).at(-1)!,
  )
  assert.equal(moved[0], [1, -2])
  assert.equal(moved[1], [1, -2])
  near(moved[2]!, [0.95 ** 2, -2 * 0.95 ** 2], 1e-6, 'after two decays')
})

// ── In a run ────────────────────────────────────────────────────────────────────────────────────────────────────────

const { start: origin, target, ...descents } = oracle<Numbers>('descents')

for (const [text, expected] of Object.entries(descents)) {
  optimizers(`a run with ${text} has PyTorch's losses`, async () => {
    const source = `
      fn start() -> f32[4] = stack([${origin!.join(', ')}])
      train T {
        param w: f32[4] = start()
        optimizer o = ${given(text, 'w')}
        step train() { minimize sum((w - stack([${target!.join(', ')}])) ^ 2) }
        trainer { updates: ${expected.length} }
      }`
    const run = quietly()
    await train(await importProgram(compileText(source).programs[0]!), run)
    const losses = run.events.flatMap(event => (event.kind === 'step' ? [event.values.loss!] : []))
    near(losses, expected, 1e-5, 'the losses')
  })
}

// ── Schedules ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function rates(schedule: string, updates: readonly number[]): Promise<Numbers> {
  const [spec] = await compiled([`Sgd(lr: ${schedule})`])
  return updates.map(update => spec!.groups[0]!.settings(clockAt(update)).lr!)
}

for (const [text, expected] of Object.entries(oracle<Numbers>('schedules'))) {
  optimizers(`${text} is PyTorch's`, async () => {
    near(await rates(text, [...expected.keys()]), expected, 1e-7, 'the rate')
  })
}

optimizers('schedules keep their last value, and edges are numbers', async () => {
  near(await rates('cosine(0.3, 8 updates)', [8, 9, 12, 1000]), [0, 0, 0, 0], 1e-12, 'after the cosine')
  const late = await rates('warmup_cosine(0.3, 2 updates, 6 updates)', [6, 7, 100])
  near(late, [0, 0, 0], 1e-12, 'after the total')
  const none = await rates('warmup_cosine(0.3, 0 updates, 4 updates)', [0, 2, 4])
  near(none, [0.3, 0.15, 0], 1e-7, 'without a rise')
  const only = await rates('warmup_cosine(0.3, 4 updates, 4 updates)', [0, 2, 4, 5])
  near(only, [0, 0.15, 0.3, 0], 1e-7, 'with nothing but a rise')
})

// ── Plateaus ────────────────────────────────────────────────────────────────────────────────────────────────────────

const { values: falling, rising, ...plateaus } = oracle<Numbers>('plateaus')

for (const [text, expected] of Object.entries(plateaus)) {
  optimizers(`${text} is PyTorch's`, async () => {
    const values = text.includes('max: ') ? rising! : falling!
    const told = values.reduceRight(
      (rest, value, epoch) => `if epoch == ${epoch} then ${value} else ${rest}`,
      '0.0',
    )
    const source = `
      train T {
        param w: f32 = 1.0
        optimizer o = Sgd(w, lr: ${text})
        step train() {
          minimize w ^ 2
          log v = ${told}
        }
        trainer { epochs: ${values.length} }
      }`
    const training = await importProgram(compileText(source).programs[0]!)
    const rates: number[] = []
    const hook = {
      on: { event: 'train_epoch_start' },
      run: async () => void rates.push(training.optimizers[0]!.spec.groups[0]!.settings(clockAt(0)).lr!),
      trace: 'test.ltm:1',
    }
    await train({ ...training, hooks: [...training.hooks, hook] }, quietly())
    near(rates, [0.1, ...expected.slice(0, -1)], 1e-7, 'the rate of each epoch')
  })
}

optimizers.run()
