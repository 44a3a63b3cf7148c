import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lowerToOnnx, NotLowered } from '../src/emit/onnx/graph.ts'
import type { Func, Step } from '../src/ir/ir.ts'
import { onBackend, scoped } from './kit/backends.ts'
import { runOnnx } from './kit/onnx.ts'
import { paramsOf } from './kit/operator.ts'
import { type Case, cases, close, floatValues, numbers, resultOf } from './kit/operatorCases.ts'

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

test('every sample gives what tfjs gives, with the same shape and dtype', async () => {
  const wrong: string[] = []
  await onBackend('cpu', async () => {
    for (const c of lowered) {
      try {
        await scoped(async () => {
          const expected = resultOf(c)
          if (!(expected instanceof tf.Tensor)) throw new Error('a key')
          const [actual] = runOnnx(
            lowerToOnnx(sampleFunction(c), { provider: 'cpu' }),
            c.inputs.map(floatValues),
          )
          assert.equal(actual!.shape, expected.shape, `${c.title}: shape`)
          if (c.type !== 'key') assert.is(actual!.dtype, c.type.dtype, `${c.title}: dtype`)
          close(actual!.values, await numbers(expected), 1e-5, c.title)
        })
      } catch (error) {
        wrong.push(`${c.title}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  })
  assert.ok(wrong.length === 0, `${wrong.length} of ${lowered.length} samples:\n${wrong.join('\n')}`)
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
