import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { backends, startBackend, surveyBackends } from '../src/runtime/backends.ts'
import { RunError } from '../src/runtime/errors.ts'
import { train } from '../src/runtime/program.ts'
import { lineTraining, quietly, temporaryFolder, value } from './kit/trainings.ts'

const engines = suite('backends')

const startFailure = async (name: string): Promise<RunError> => {
  try {
    await startBackend(name)
  } catch (error) {
    if (error instanceof RunError) return error
    throw error
  }
  throw new Error(`${name} started`)
}

engines('starts what is asked for by name', async () => {
  for (const name of ['wasm', 'cpu'] as const) {
    const { backend } = await startBackend(name)
    assert.is(backend.name, name)
    assert.is(tf.getBackend(), name)
  }
})

engines('one that is not there is an error with what to install, never another backend', async () => {
  const before = tf.getBackend()
  for (const { name, probe } of backends) {
    const { available, install } = await probe(true)
    if (available) continue
    const error = await startFailure(name)
    assert.is(error.code, 'LTM6202')
    assert.is(error.exitCode, 2)
    if (install !== undefined) assert.ok(error.help?.includes(install))
    assert.is(tf.getBackend(), before)
  }
})

engines('an unknown name is an error that lists the known ones', async () => {
  const error = await startFailure('cuda')
  assert.is(error.code, 'LTM6201')
  for (const { name } of backends) assert.ok(error.help?.includes(name))
})

engines('takes the first that is available', async () => {
  const { reports, chosen } = await surveyBackends()
  assert.is(chosen, reports.find(({ available }) => available)?.name)
  assert.equal(
    reports.map(({ name }) => name),
    ['onnx', 'onnx-webgpu', 'onnx-cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu'],
  )
})

engines('wasm and cpu train alike', async () => {
  const weights: number[] = []
  for (const backend of ['cpu', 'wasm']) {
    const { training, line } = lineTraining({
      rate: 0.01,
      trainer: { epochs: 3, clip: { kind: 'norm', limit: 5 } },
    })
    await train(training, quietly({ backend }))
    weights.push(await value(line.w))
  }
  assert.ok(Math.abs(weights[0]! - weights[1]!) < 1e-5, weights.join(' '))
})

// ── In a process of its own ─────────────────────────────────────────────────────────────────────────────────────────

const source = (file: string) => JSON.stringify(new URL(`../src/runtime/${file}`, import.meta.url).href)

const inProcess = (folder: string, args: readonly string[], nodeArgs: readonly string[] = []) =>
  spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), ...nodeArgs, ...args], {
    cwd: folder,
    encoding: 'utf8',
  })

const program = (loss: string) => `
import { dataset, launch, model, optimizer, parameter, tf } from ${source('index.ts')}
const trace = 'tiny.ltm:1'
const net = model('', { w: parameter({ shape: [], init: () => tf.scalar(1), trace }) })
const sgd = optimizer({ name: 'sgd', slots: {}, trace, groups: [{ parameters: ['w'], settings: () => ({}),
  update: (_, param, grad) => ({ param: tf.sub(param, tf.mul(grad, 0.1)) }) }] })
const run = async run => void (await run.minimize(sgd, 'loss', () => ({ loss: ${loss} }), 'tiny.ltm:9'))
export const training = { name: 'Tiny', file: 'tiny.ltm', directory: '.', settings: {}, data: [], models: [net],
  optimizers: [sgd], metrics: [], hooks: [], steps: [{ phase: 'train', streams: [], run, trace }],
  trainer: { epochs: 2, seed: 1, accumulate: 1, nonfinite: 'stop' } }
await launch(training, import.meta.url)
`

const written = (text: string) => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'tiny.mjs'), text)
  return folder
}

engines('a program runs by itself, with nothing on the terminal but its own report', () => {
  const folder = written(program('tf.square(net.w)'))
  const { status, stdout, stderr } = inProcess(folder, ['tiny.mjs', '--backend', 'cpu', '--json'])
  assert.is(stderr, '')
  assert.is(status, 0)
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.is(events.at(0).kind, 'run_start')
  assert.is(events.at(-1).kind, 'run_end')
  assert.is(events.at(-1).clocks.updates.sgd, 2)
})

engines('a program that is only imported does nothing', () => {
  const folder = written(program('tf.square(net.w)'))
  writeFileSync(
    join(folder, 'other.mjs'),
    `import { training } from './tiny.mjs'\nconsole.log(training.name)`,
  )
  assert.is(inProcess(folder, ['other.mjs']).stdout, 'Tiny\n')
})

engines('a fault ends with its line, its help and its code, and no stack', () => {
  const folder = written(program('tf.log(tf.sub(net.w, 2))'))
  const { status, stderr } = inProcess(folder, ['tiny.mjs', '--backend', 'cpu'])
  assert.is(status, 3)
  assert.match(stderr, /LTM6101[\s\S]*tiny\.ltm:9[\s\S]*help:/)
  assert.not.match(stderr, /\n\s+at /)
})

engines('what it does not understand is a usage error', () => {
  const folder = written(program('tf.square(net.w)'))
  for (const args of [['dance'], ['--colour'], ['train', 'more'], ['--seed', 'x']]) {
    const { status, stderr } = inProcess(folder, ['tiny.mjs', ...args])
    assert.is(status, 2)
    assert.match(stderr, /LTM6401/)
  }
})

engines.run()
