import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../src/cli/engine.ts'
import { compile, formGraphs, graphsOf } from '../src/compiler.ts'
import { startBackend } from '../src/runtime/backends.ts'
import { graphFault, startFault } from '../src/runtime/engine/fault.ts'
import { GraphRunner } from '../src/runtime/engine/runner.ts'
import { RunError } from '../src/runtime/errors.ts'
import { distance, programsIn, trainOn } from './kit/engines.ts'
import { compileText } from './kit/evaluate.ts'
import { libraryFiles } from './kit/files.ts'
import { askedProviders } from './kit/onnx.ts'

// Each engine is the other's test: the same program, the same seed, the same batches and draws.

const test = suite('engines')

const updates = 50

/** The programs, and how far their weights may lie apart after so many updates, against the length of each tensor. */
const programs: readonly (readonly [folder: string, name: string, apart: number])[] = [
  ['examples/autoencoder', 'autoencoder', 1e-3],
  // Adam divides by the size of a gradient, so where that is next to nothing it magnifies the last bits of a sum.
  ['examples/digits', 'digits', 3e-2],
  ['examples/earthquakes', 'earthquakes', 1e-3],
  ['examples/gan', 'gan', 1e-3],
  ['examples/mixture', 'mixture', 1e-3],
  ['examples/nile', 'nile', 1e-3],
  ['examples/probability', 'probability', 1e-3],
  ['examples/screening', 'screening', 1e-2],
  ['test/cases/programs/tags', 'tags', 1e-3],
  ['test/cases/programs/wines', 'wines', 1e-3],
  // Programs that put together what no example does.
  ['test/kit/odd', 'lists', 1e-3],
  ['test/kit/odd', 'readers', 1e-3],
  ['test/kit/odd', 'rounds', 1e-3],
  ['test/kit/odd', 'spring', 1e-3],
  ['test/kit/odd', 'tamed', 1e-3],
  ['test/kit/odd', 'tower', 1e-3],
]

for (const [folder, name, apart] of programs)
  test(`${name}: both engines come to the same`, async () => {
    const path = fileURLToPath(new URL(`../${folder}`, import.meta.url))
    const [program] = programsIn(folder, name)
    assert.ok(program)
    const expected = await trainOn('eager', program, path, updates)
    const got = await trainOn('compiled', program, path, updates)
    assert.is(got.steps.length, expected.steps.length, 'as many batches')
    assert.equal(Object.keys(got.metrics), Object.keys(expected.metrics), 'the same values')
    expected.steps.forEach((values, i) => {
      assert.equal(Object.keys(got.steps[i]!), Object.keys(values))
      const far = distance(Object.values(values), Object.values(got.steps[i]!))
      // Nothing has moved before the first.
      assert.ok(
        far < (i === 0 ? 1e-5 : apart),
        `batch ${i + 1}: ${JSON.stringify(got.steps[i])}, not ${JSON.stringify(values)}`,
      )
    })
    for (const [parameter, numbers] of expected.weights) {
      const far = distance(numbers, got.weights.get(parameter) ?? [])
      assert.ok(far < apart, `${parameter} lies ${far} apart`)
    }
    const far = distance(Object.values(expected.metrics), Object.values(got.metrics))
    assert.ok(far < apart, `${JSON.stringify(got.metrics)}, not ${JSON.stringify(expected.metrics)}`)
  })

const turns = `
dataset Points from inline(a: [1, 2, 3, 4], b: [3, 4, 5, 7]) { field x: f32 = column(0) field y: f32 = column(1) }
schedule growing(step: float) = step * (1 + update / 1 updates)
train Turns {
  data points = Points(batch: 2)
  param a: f32[] = 0
  param b: f32[] = 0
  optimizer sgd = Sgd([a, b], lr: growing(0.01))
  freeze b
  step train(batch) { minimize (a * batch.x + b - batch.y) ^ 2 }
  on every 1 batches if update == 1 { freeze a unfreeze b }
  trainer { epochs: 2, seed: 1 }
}
`

/** Both engines bring the parameters of a program to the same numbers, and further away from 0 than they begin. */
async function assertSameMoves(text: string, updates: number): Promise<void> {
  const files = libraryFiles('.')
  const source = { name: 'parameters.ltm', text }
  const read = (path: string) => (path === source.name ? source : files.read(path))
  const trainBy = async (engine: Engine) => {
    const [program] = compile(source.name, { ...files, read }).programs
    assert.ok(program)
    return trainOn(engine, program, '.', updates)
  }
  const [expected, got] = [await trainBy('eager'), await trainBy('compiled')]
  for (const [parameter, numbers] of expected.weights) {
    assert.ok(Math.abs(numbers[0]!) > 0.01, `${parameter} moves`)
    assert.ok(distance(numbers, got.weights.get(parameter) ?? []) < 1e-5, parameter)
  }
}

test('parameters that take turns are moved by the settings of their own time', () =>
  assertSameMoves(turns, 3))

const clippedBeside = `
dataset Points from inline(a: [1, 2, 3, 4], b: [3, 4, 5, 7]) { field x: f32 = column(0) field y: f32 = column(1) }
optimizer Bounded(lr: float) { update(param, grad, _t) = param - lr * tanh(grad) }
train Beside {
  data points = Points(batch: 2)
  param a: f32[] = 0
  param b: f32[] = 0
  optimizer bounded = Bounded(a, lr: 0.1, clip: norm(0.5))
  optimizer sgd = Sgd(b, lr: 0.1, clip: norm(0.5))
  step train(batch) {
    minimize one = (a * batch.x - batch.y) ^ 2 with bounded
    minimize two = (b * batch.x - batch.y) ^ 2 with sgd
  }
  trainer { epochs: 2, seed: 1 }
}
`

test('gradients are clipped by norm for an optimizer without a module, beside one that has one', () =>
  assertSameMoves(clippedBeside, 3))

test('what ONNX Runtime cannot run is told at its line, and never as an error of ours', () => {
  const reason =
    "Non-zero status code returned while running Gemm node. Name:'3 matmul net.ltm:12:5 Gemm' Status Message: boom"
  const fault = graphFault('train.graph', new Error(`${reason}\nat somewhere`))
  assert.is(fault.code, 'LTM6206')
  assert.is(fault.trace, 'net.ltm:12')
  assert.is(fault.exitCode, 3)
  assert.match(graphFault('train.graph', new Error('Failed to allocate 8 GB')).help ?? '', 'a smaller batch')
})

test('what a card has no memory for asks for a smaller batch', () => {
  const reason = 'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.'
  assert.match(graphFault('train.graph', new Error(reason)).help ?? '', 'a smaller batch')
})

test('a card that is lost, and one that can not start, say what to do', () => {
  const lost = graphFault('train.graph', new Error('WebGPU device lost (2): the driver was reset'))
  assert.match(lost.help ?? '', '`ltm run --resume` goes on from the last checkpoint')
  const none = startFault(
    'webgpu',
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
  )
  assert.is(
    none.message,
    "the backend `webgpu` can't start: Failed to get a WebGPU adapter: No supported adapters",
  )
  assert.is(none.code, 'LTM6202')
  assert.match(
    startFault('cuda', 'its libraries are not installed').help ?? '',
    'ONNXRUNTIME_NODE_INSTALL=cuda12',
  )
})

const rounds = `
dataset Points from inline(a: [1, 2, 3, 4]) { field x: f32 = column(0) }
train Rounds {
  data points = Points(batch: 2)
  param a: f32 = 0.5
  optimizer sgd = Sgd([a], lr: 0.1)
  step train(batch) {
    minimize (a * batch.x - round(batch.x)) ^ 2
  }
  trainer { epochs: 2, seed: 1 }
}
`

for (const provider of askedProviders)
  test(`what ${provider} has no kernel for is told at its line, and not done elsewhere`, async () => {
    const [program] = compileText(rounds).programs
    assert.ok(program)
    const lowered = formGraphs(program)
    // The processor's nodes have a Round.
    const graphs = { ...graphsOf(lowered, 'cpu', true), provider }
    const runner = await GraphRunner.start(graphs)
    await startBackend('cpu')
    const params = lowered.functions.find(({ name }) => name === 'train.graph')?.params ?? []
    try {
      runner.compute(
        'train.graph',
        params.map(({ type }) =>
          tf.zeros(type === 'key' ? [] : type.shape.map(size => (size === 'batch' ? 2 : Number(size)))),
        ),
        [],
      )
      assert.unreachable('the processor did it')
    } catch (error) {
      assert.ok(error instanceof RunError, String(error))
      assert.is(error.code, 'LTM6206')
      assert.match(error.message, `no kernel for \`round\` on \`${provider}\``)
      assert.is(error.trace, 'test.ltm:8')
    } finally {
      runner.dispose()
    }
  })

test('a model that is none is refused by the name of its graph', async () => {
  const [program] = programsIn('examples/probability', 'probability')
  assert.ok(program)
  const graphs = graphsOf(formGraphs(program), 'cpu')
  const broken = {
    ...graphs,
    lower: () => ({ bytes: Uint8Array.of(1, 2, 3), inputs: [], outputs: [], multiplyAdds: 0 }),
  }
  const runner = await GraphRunner.start(broken)
  try {
    runner.compute('train.graph', [], [])
    assert.unreachable('three bytes are no model')
  } catch (error) {
    assert.ok(error instanceof RunError, String(error))
    assert.is(error.code, 'LTM6206')
  } finally {
    runner.dispose()
  }
})

test.run()
