/** What start values a constraint reaches: what only the run can tell is told when it starts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RunError } from '../src/runtime/errors.ts'
import { train } from '../src/runtime/index.ts'
import { modelOf } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly } from './kit/trainings.ts'

const test = suite('start values')

/** The value that `p` has after a step that does not move it, or the code of the error. */
async function startOf(declarations: string, param: string): Promise<readonly number[] | string> {
  const text = `${declarations}
    train Start {
      param p: ${param}
      buffer_of_p
      optimizer sgd = Sgd(p, lr: 0.0)
      step train() { minimize sum(p)  set seen = p }
      trainer { epochs: 1 }
    }`.replace('buffer_of_p', `var seen: ${param.split(' in ')[0]} = 0.0`)
  const training = await importProgram(compileText(text).programs[0]!)
  try {
    await train(training, quietly({}))
  } catch (error) {
    if (error instanceof RunError) return error.code
    throw error
  }
  const buffers = training.models.flatMap(model => model[modelOf].buffers)
  return [...buffers.find(({ path }) => path === 'seen')!.variable!.dataSync()]
}

const matrix = (rows: readonly (readonly number[])[]) =>
  `const START: f32[${rows.length}, ${rows[0]!.length}] = ${JSON.stringify(rows)}`

const reached: Readonly<Record<string, readonly (readonly number[])[]>> = {
  'the identity': [
    [1, 0],
    [0, 1],
  ],
  'a rotation': [
    [0.6, -0.8],
    [0.8, 0.6],
  ],
  'a permutation of determinant 1': [
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 0],
  ],
  'a half turn of other axes than the first': [
    [1, 0, 0],
    [0, 0.6, -0.8],
    [0, 0.8, 0.6],
  ],
  'orthonormal columns': [
    [0, 0],
    [1, 0],
    [0, 1],
  ],
}
for (const [name, rows] of Object.entries(reached))
  test(`orthogonal starts at ${name}`, async () => {
    const value = await startOf(matrix(rows), `f32[${rows.length}, ${rows[0]!.length}] in orthogonal = START`)
    assert.type(value, 'object', `${value}`)
    near([...value].map(Number), rows.flat(), 1e-5, name)
  })

const refused: Readonly<Record<string, readonly (readonly number[])[]>> = {
  'a reflection': [
    [1, 0],
    [0, -1],
  ],
  'a swap of two axes': [
    [0, 1],
    [1, 0],
  ],
  'a half turn of the first axis': [
    [-1, 0],
    [0, -1],
  ],
  'columns whose reflections lead to the opposite of an axis': [
    [0, 1],
    [1, 0],
    [0, 0],
  ],
  'a column that is the opposite of its axis': [
    [-1, 0],
    [0, 1],
    [0, 0],
  ],
}
for (const [name, rows] of Object.entries(refused))
  test(`orthogonal refuses ${name}`, async () => {
    const code = await startOf(matrix(rows), `f32[${rows.length}, ${rows[0]!.length}] in orthogonal = START`)
    assert.is(code, 'LTM6004')
  })

test('a drawn start value outside of its constraint is refused, and is not brought inside', async () => {
  assert.is(await startOf('', 'f32[3] in simplex = uniform(2, 3)'), 'LTM6003')
  assert.is(await startOf('', 'f32[3] in positive = uniform(-3, -2)'), 'LTM6003')
  const inside = await startOf('', 'f32[3] in positive = uniform(2, 3)')
  assert.ok(inside.length === 3 && [...inside].every(each => Number(each) >= 2 && Number(each) <= 3))
})

test('a constraint without a check makes what it can of a start value', async () => {
  const value = await startOf('', 'f32[2, 2] in spectral_norm = normal(shape: [2, 2])')
  assert.is(value.length, 4)
})

test.run()
