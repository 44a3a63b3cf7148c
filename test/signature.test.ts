import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attrs, Step, ValueType } from '../src/ir/ir.ts'
import { type BuildContext, makeBuilder } from '../src/ops/builder.ts'
import { findOp, opNames } from '../src/ops/index.ts'
import type { Op } from '../src/ops/op.ts'
import { checkAttrs, inferType, signatureOf, withDefaults } from '../src/ops/signature.ts'
import { type DType, tensor } from '../src/types/tensor.ts'

const test = suite('signatures')

/** An operator of which only the type is looked at. */
function operator(signature: string, more: Partial<Op> = {}): Op {
  return { doc: '', signature, tfjs: () => '', onnx: 'drawn', grad: 'none', samples: [], ...more }
}

/** `f32[n, 3]` as a type; sizes without commas of their own. */
function type(text: string): ValueType {
  if (text === 'key') return 'key'
  const [, dtype, sizes = ''] = /^(f32|i32|bool)(?:\[(.*)\])?$/.exec(text)!
  const shape = sizes.split(', ').filter(size => size !== '')
  return tensor(
    dtype as DType, // the pattern above allows no other
    shape.map(size => (/^\d+$/.test(size) ? Number(size) : size)),
  )
}

function infer(op: Op | string, inputs: readonly string[], attrs: Attrs = {}) {
  return inferType(typeof op === 'string' ? operator(op) : op, inputs.map(type), attrs)
}

function clashOf(op: Op | string, inputs: readonly string[], attrs: Attrs = {}) {
  const result = infer(op, inputs, attrs)
  return 'clash' in result ? result : undefined
}

const matmul = '(a: F[...b, n, k], b: F[...b, k, m]) -> F[...b, n, m]'
const elementwise = '(x: N[~s], y: N[~s]) -> B[~s]'
const choose = '(condition: B[~s], a: T[~s], b: T[~s]) -> T[~s]'

test('a signature is read', () => {
  const { inputs, result, flexible } = signatureOf(
    '(x: F[n, (h + 1) div 2, max(a, b)], xs: T[...]*) -> bool[...s, n]',
  )
  assert.equal(
    inputs.map(({ name, repeated }) => [name, repeated]),
    [
      ['x', false],
      ['xs', true],
    ],
  )
  assert.equal(inputs[0]!.type, { dtype: 'F', shape: ['n', '(h + 1) div 2', 'max(a, b)'], broadcast: false })
  assert.equal(result, { dtype: 'bool', shape: ['...s', 'n'], broadcast: false })
  for (const name of ['n', 'h', 'a', 'b', '...s']) assert.ok(flexible.has(name), name)
})

test('shapes come out of unification', () => {
  assert.equal(infer(matmul, ['f32[b, n, 64]', 'f32[b, 64, 10]']), {
    type: type('f32[b, n, 10]'),
    obligations: [],
  })
  assert.equal(infer(matmul, ['f32[n, k]', 'f32[d, 2]']), {
    type: type('f32[n, 2]'),
    obligations: [['k', 'd']],
  })
})

test('shapes come out of broadcasting', () => {
  assert.equal(infer(elementwise, ['f32[n, d]', 'f32[d]']), { type: type('bool[n, d]'), obligations: [] })
  assert.equal(infer(elementwise, ['f32', 'f32[...s]']), { type: type('bool[...s]'), obligations: [] })
})

test('broadcasting three operands does not depend on their order', () => {
  const expected = { type: type('f32[n, d]'), obligations: [] }
  assert.equal(infer(choose, ['bool[n, 1]', 'f32[d]', 'f32[n, d]']), expected)
  assert.equal(infer(choose, ['bool[d]', 'f32[n, 1]', 'f32[n, d]']), expected)
  assert.equal(infer(choose, ['bool[n, d]', 'f32', 'f32[n, 1]']), expected)
})

test('classes of dtypes agree across inputs and result', () => {
  assert.equal(infer('(a: N[~s], b: N[~s]) -> N[~s]', ['i32[n]', 'i32[n]']), {
    type: type('i32[n]'),
    obligations: [],
  })
  assert.equal(infer('(x: I[...s]) -> f32[...s]', ['i32']), { type: type('f32'), obligations: [] })
  assert.equal(clashOf('(x: F[...s]) -> F[...s]', ['i32[n]']), {
    clash: '`x` is i32, not f32',
    input: 0,
    expected: 'f32',
    got: 'i32[n]',
  })
  assert.equal(clashOf(elementwise, ['i32[n]', 'f32[n]']), {
    clash: '`x` is i32 and `y` is f32',
    input: 1,
    expected: 'i32',
    got: 'f32[n]',
  })
  assert.is(clashOf(elementwise, ['bool', 'bool'])?.expected, 'f32 or i32')
})

test('keys', () => {
  const draw = operator('(key: key, mean: F[...s]) -> F[...s]')
  assert.equal(infer(draw, ['key', 'f32[n]']), { type: type('f32[n]'), obligations: [] })
  assert.equal(infer('(key: key) -> key', ['key']), { type: 'key', obligations: [] })
  assert.is(clashOf(draw, ['f32', 'f32'])?.expected, 'a random key')
  assert.is(clashOf(draw, ['key', 'key'])?.expected, 'a tensor')
  const seen = operator('(key: key, x: F[...s]) -> F[...s]', { infer: ([x]) => x! })
  assert.equal(infer(seen, ['key', 'f32[n]']), { type: type('f32[n]'), obligations: [] })
})

test('attributes take part in shapes', () => {
  const oneHot = operator('(index: I[...s]) -> f32[...s, depth]', { attrs: { depth: { kind: 'dims' } } })
  assert.equal(infer(oneHot, ['i32[n]'], { depth: 10 }), { type: type('f32[n, 10]'), obligations: [] })
  const fill = operator('() -> f32[...shape]', { attrs: { shape: { kind: 'dims' } } })
  assert.equal(infer(fill, [], { shape: ['n', 2] }), { type: type('f32[n, 2]'), obligations: [] })
  const chunk = operator('(x: F[width]) -> F[width]', { attrs: { width: { kind: 'int' } } })
  assert.is(clashOf(chunk, ['f32[3]'], { width: 4 })?.clash, 'axis width is 4 in `width` and 3 in `x`')
})

test('anything repeated may differ where it is anonymous', () => {
  const concat = operator('(xs: T[...]*) -> T[...]', {
    infer: ([x], { axis }) => tensor('f32', [x!.shape.length, Number(axis)]),
    attrs: { axis: { kind: 'axis', default: 7 } },
  })
  assert.equal(infer(concat, ['f32[2, 3]', 'f32[4]', 'f32']), { type: type('f32[2, 7]'), obligations: [] })
  assert.is(clashOf(concat, ['f32', 'i32'])?.clash, '`xs[0]` is f32 and `xs[1]` is i32')
  assert.is(clashOf(concat, [])?.clash, 'it takes at least 1 tensor (`xs`), not 0')
  const stack = '(xs: T[n]*) -> T[n]'
  assert.is(clashOf(stack, ['f32[2]', 'f32[3]'])?.clash, 'axis n is 2 in `xs[0]` and 3 in `xs[1]`')
})

/** What a program's author reads. */
const clashes: readonly (readonly [string, readonly string[], string])[] = [
  [matmul, ['f32[n, 64]', 'f32[128, 10]'], 'axis k is 64 in `a` and 128 in `b`'],
  [matmul, ['f32[n]', 'f32[n]'], '`a` has 1 axis, not at least 2'],
  [matmul, ['f32[2, 3, 4]', 'f32[5, 4, 3]'], 'axis 0 is 2 in `a` and 5 in `b`'],
  [matmul, ['f32[2, 3]'], 'it takes 2 tensors (`a`, `b`), not 1'],
  ['(x: F[n, 3]) -> F[n]', ['f32[8, 4]'], 'axis 1 of `x` is 4, not 3'],
  ['(x: F[n, n]) -> F[n]', ['f32[3, 4]'], '`x` has 3 and 4 where both are n'],
  ['(x: F[n, d]) -> F[n]', ['f32[b, 1, 8, 8]'], '`x` has 4 axes, not 2'],
  [elementwise, ['f32[2, 3]', 'f32[2, 4]'], 'the last axis is 3 in `x` and 4 in `y`'],
  [elementwise, ['f32[2, 3]', 'f32[4, 3]'], 'axis -2 is 2 in `x` and 4 in `y`'],
  [
    elementwise,
    ['f32[n]', 'f32[n, 1]'],
    'the last axis is a 1 in `y` and n in `x`, which has fewer axes; give both the same number of axes',
  ],
]

test('clashes in words', () => {
  for (const [signature, inputs, expected] of clashes) assert.is(clashOf(signature, inputs)?.clash, expected)
})

test('a clash shows what was expected as far as it is known', () => {
  const clash = clashOf(matmul, ['f32[n, 64]', 'f32[128, 10]'])
  assert.equal([clash?.input, clash?.expected, clash?.got], [1, 'f32[64, m]', 'f32[128, 10]'])
})

test('attributes: defaults, kinds, spelling', () => {
  const op = operator('(x: F[...s]) -> F[...s]', {
    attrs: {
      axis: { kind: 'axis', default: -1 },
      keep: { kind: 'bool', default: false },
      rate: { kind: 'float' },
    },
  })
  assert.equal(Object.entries(withDefaults(op, { rate: 0.5, axis: 0 })), [
    ['axis', 0],
    ['keep', false],
    ['rate', 0.5],
  ])
  assert.is(checkAttrs(op, { rate: 0.5 }), undefined)
  assert.is(checkAttrs(op, {})?.clash, 'the argument `rate` is missing')
  assert.is(
    checkAttrs(op, { rate: 1, axes: 0 })?.clash,
    'there is no argument `axes` here; it takes `axis`, `keep`, `rate`',
  )
  assert.is(checkAttrs(op, { rate: 1, axis: 0.5 })?.clash, '`axis` is to be the number of an axis')
  assert.is(checkAttrs(op, { rate: true })?.clash, '`rate` is to be a number')
})

test('the table: every sample has a type', () => {
  for (const name of opNames) {
    const op = findOp(name)!
    for (const { shapes, dtypes, attrs } of op.samples) {
      const patterns = signatureOf(op.signature).inputs
      const inputs = shapes.map((shape, i) =>
        patterns[i]?.type === 'key' ? 'key' : tensor(dtypes?.[i] ?? 'f32', shape),
      )
      const result = inferType(op, inputs, attrs)
      assert.ok('type' in result && result.obligations.length === 0, `${name}: ${JSON.stringify(result)}`)
    }
  }
})

// ── The builder ─────────────────────────────────────────────────────────────────────────────────────────────────────

function context(): BuildContext & { readonly needs: string[] } {
  const used = new Map<string, number>()
  const needs: string[] = []
  return {
    steps: [] as Step[],
    needs,
    fresh(name) {
      const count = used.get(name) ?? 0
      used.set(name, count + 1)
      return count === 0 ? name : `${name}.${count}`
    },
    origin: () => ({ file: 'a.ltm', line: 1, column: 2 }),
    onObligation: (a, b) => needs.push(`${a} = ${b}`),
  }
}

test('the builder appends typed steps with all attributes', () => {
  const to = context()
  const make = makeBuilder(to)
  const x = { name: 'x', type: tensor('f32', ['n', 3]) }
  const squared = make.mul([x, x])
  const doubled = make.mul([squared, make.constant(2)], {}, 'doubled')
  const total = make.sum([doubled], { axis: [-1] })
  assert.equal(doubled, { name: 'doubled', type: x.type })
  assert.equal(total.type, tensor('f32', ['n']))
  assert.equal(
    to.steps.map(step => [step.op, step.inputs, step.outputs[0]!.name]),
    [
      ['mul', ['x', 'x'], 'mul'],
      ['const', [], 'const'],
      ['mul', ['mul', 'const'], 'doubled'],
      ['sum', ['doubled'], 'sum'],
    ],
  )
  assert.equal(to.steps[1]!.attrs, { value: 2, dtype: 'f32' })
  assert.equal(Object.keys(to.steps[3]!.attrs), Object.keys(findOp('sum')!.attrs ?? {}))
  assert.equal(to.steps[0]!.origin, { file: 'a.ltm', line: 1, column: 2 })
})

test('the builder passes obligations on and takes no clash', () => {
  const to = context()
  const make = makeBuilder(to)
  const [a, b] = ['n', 'm'].map(d => ({ name: d, type: tensor('f32', [d]) }))
  make.add([a!, b!])
  assert.equal(to.needs, ['n = m'])
  assert.throws(() => make.add([a!]), /add\(f32\[n\]\): it takes 2 tensors/)
})

test.run()
