import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { graphProviders as providers } from '../src/base/graphs.ts'
import { lowerToOnnx, NotLowered } from '../src/emit/onnx/graph.ts'
import type { Func, Step } from '../src/ir/ir.ts'
import type { OnnxProvider } from '../src/ops/onnx.ts'
import { onBackend, scoped } from './kit/backends.ts'
import { askedProviders, notOnWebgpu, runOnnx } from './kit/onnx.ts'
import { checkModels, hasChecker } from './kit/onnxChecker.ts'
import { paramsOf } from './kit/operator.ts'
import { type Case, cases, close, floatValues, numbers, resultOf } from './kit/operatorCases.ts'
import { edges, empties } from './kit/operatorEdges.ts'

const test = suite('onnx')

const origin = { file: 'sample.ltm', line: 1, column: 1 }

/** A function of one place in no program. */
function functionOf(params: Func['params'], steps: readonly Step[], results: readonly string[]): Func {
  return {
    name: 'sample',
    declaration: 'sample',
    role: 'fn',
    params,
    hostParams: [],
    steps,
    results,
    origin,
  }
}

function sampleFunction(c: Case): Func {
  return functionOf(paramsOf(c.types), [c.step], ['y'])
}

const lowered = cases.filter(c => c.op.onnx !== 'drawn')

test('every operator but those that draw has nodes', () => {
  const drawn = [...new Set(cases.filter(c => c.op.onnx === 'drawn').map(c => c.step.op))]
  assert.equal(
    drawn,
    drawn.filter(name => name === 'key_at' || name.startsWith('random_')),
  )
})

/** Runs cases on both engines, each by itself, and fails with all that differ. */
async function compare(compared: readonly Case[], by: Nodes = onProcessor): Promise<void> {
  const wrong: string[] = []
  await onBackend('cpu', async () => {
    for (const c of compared)
      try {
        await scoped(() => agree(c, by))
      } catch (error) {
        wrong.push(`${c.title}: ${error instanceof Error ? error.message : String(error)}`)
      }
  })
  assert.ok(wrong.length === 0, `${wrong.length} of ${compared.length}:\n${wrong.join('\n')}`)
}

/** The nodes that are run, what runs them, and how far they may lie apart from tfjs. */
interface Nodes {
  readonly chosenFor: OnnxProvider
  readonly on: OnnxProvider
  readonly apart: number
}

const onProcessor: Nodes = { chosenFor: 'cpu', on: 'cpu', apart: 1e-5 }

async function agree(c: Case, { chosenFor, on, apart }: Nodes): Promise<void> {
  const expected = resultOf(c)
  if (!(expected instanceof tf.Tensor) || c.type === 'key') throw new Error('a key')
  const model = lowerToOnnx(sampleFunction(c), { provider: chosenFor })
  const [actual] = runOnnx(model, c.inputs.map(floatValues), on)
  assert.equal(actual!.shape, expected.shape, `${c.title}: shape`)
  assert.is(actual!.dtype, c.type.dtype, `${c.title}: dtype`)
  close(actual!.values, await numbers(expected), apart, c.title)
}

test('every sample gives what tfjs gives, with the same shape and dtype', () => compare(lowered))

/** What the nodes of a function are for each provider, told apart. */
const choices = lowered.flatMap(c => {
  const own = JSON.stringify(lowerToOnnx(sampleFunction(c), { provider: 'cpu' }).model.nodes)
  return (['webgpu', 'cuda'] as const).flatMap(provider => {
    const nodes = JSON.stringify(lowerToOnnx(sampleFunction(c), { provider }).model.nodes)
    return nodes === own ? [] : [{ c, provider }]
  })
})

test('nodes that are chosen for another provider give the same on the processor', async () => {
  assert.ok(choices.length > 10, `only ${choices.length} choices`)
  for (const provider of providers)
    await compare(
      choices.filter(choice => choice.provider === provider).map(choice => choice.c),
      { ...onProcessor, chosenFor: provider },
    )
})

// Where WGSL leaves the last bits of a sine to the device, they are the fourth digit.
for (const provider of askedProviders)
  test(`every sample runs on ${provider} alone, and gives what tfjs gives`, () =>
    compare(lowered, { chosenFor: provider, on: provider, apart: 1e-3 }))

test('no operator leaves WebGPU unseen', () => {
  const left = lowered.flatMap(c => notOnWebgpu(lowerToOnnx(sampleFunction(c), { provider: 'webgpu' }).model))
  assert.equal(left, [])
})

test('so does every operator at kinks, poles and limits, and for NaN', () => compare(edges))

/** Of an axis without elements tfjs (4.22.0) reads what lies behind it. */
const readsNothing = ['reduce_max', 'reduce_min', 'all']

/** Whether tfjs gives anything. */
function hasResult(c: Case): boolean {
  try {
    tf.tidy(() => void resultOf(c))
    return true
  } catch {
    return false
  }
}

test('so does every operator for tensors without elements', async () => {
  const fitting = empties.filter(c => !readsNothing.includes(c.step.op))
  const compared = await onBackend('cpu', () => fitting.filter(hasResult))
  assert.ok(compared.length > 300, `only ${compared.length} cases`)
  await compare(compared)
})

/** Every graph that a sample becomes, by its title. */
const models = new Map(
  lowered.flatMap(c =>
    providers.map(provider => {
      const { bytes } = lowerToOnnx(sampleFunction(c), { provider })
      return [`${c.title} ${provider}`, bytes] as const
    }),
  ),
)

if (hasChecker())
  test("ONNX's own checker accepts every graph of the samples, for each provider", () => {
    const { accepted, complaints } = checkModels(models)
    assert.equal(complaints, [])
    assert.is(accepted, models.size)
  })
else console.log("note: ONNX's own checker saw no graph, for there is no Python that has the package onnx")

test('tensors without elements, for which WebGPU has no kernels, are refused by the step that reads them', () => {
  const type = (...shape: number[]) => ({ dtype: 'f32', shape }) as const
  const total: Step = {
    op: 'sum',
    inputs: ['x'],
    attrs: { axis: [], keep: false },
    outputs: [{ name: 'y', type: type() }],
    origin,
  }
  const func = functionOf([{ name: 'x', type: type(0, 3) }], [total], ['y'])
  assert.ok(lowerToOnnx(func, { provider: 'cpu' }))
  assert.throws(
    () => lowerToOnnx(func, { provider: 'webgpu' }),
    /sample\.ltm:1:1: sum reads a tensor without elements/,
  )
})

test('a step that a graph can not hold is named with its place', () => {
  const call: Step = {
    op: 'call',
    inputs: [],
    attrs: { func: 'f', host: [] },
    outputs: [{ name: 'y', type: { dtype: 'f32', shape: [] } }],
    origin: { file: 'a.ltm', line: 3, column: 7 },
  }
  try {
    lowerToOnnx(functionOf([], [call], ['y']), { provider: 'cpu' })
    assert.unreachable('it was lowered')
  } catch (error) {
    assert.instance(error, NotLowered)
    if (error instanceof NotLowered) assert.equal(error.origin, call.origin)
  }
})

test('a parameter, a constant and the same value twice can be results', () => {
  const type = { dtype: 'f32', shape: [2] } as const
  const step = (op: string, inputs: string[], attrs: Step['attrs'], name: string): Step => ({
    op,
    inputs,
    attrs,
    outputs: [{ name, type }],
    origin,
  })
  const func = functionOf(
    [{ name: 'x', type }],
    [
      step('add', ['x', 'x'], {}, 'y'),
      step('const', [], { value: [1, 2], dtype: 'f32' }, 'c'),
      step('stop_gradient', ['y'], {}, 'z'),
    ],
    ['y', 'x', 'y', 'c', 'z'],
  )
  const model = lowerToOnnx(func, { provider: 'cpu' })
  assert.is(new Set(model.outputs.map(({ name }) => name)).size, 5)
  assert.equal(
    runOnnx(model, [[3, 4]]).map(({ values }) => values),
    [
      [6, 8],
      [3, 4],
      [6, 8],
      [1, 2],
      [6, 8],
    ],
  )
})

test.run()
