import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Dim } from '../src/types/dim.ts'
import * as dims from '../src/types/dim.ts'

const test = suite('sizes')

/** A size, and the same calculation done in numbers. */
interface Twin {
  readonly dim: Dim
  readonly at: (point: ReadonlyMap<string, number>) => number
}

const variables = ['a', 'b', 'len(c)']

/** All points of a small grid. */
const grid = [1, 2, 3, 5].flatMap(a =>
  [1, 2, 3, 4].flatMap(b =>
    [1, 3, 4].map(
      c =>
        new Map([
          ['a', a],
          ['b', b],
          ['len(c)', c],
        ]),
    ),
  ),
)

const floorMod = (x: number, y: number) => x - y * Math.floor(x / y)

function number(value: number): Twin {
  return { dim: value, at: () => value }
}

function variable(name: string): Twin {
  return { dim: name, at: point => point.get(name)! }
}

function twin(symbolic: (a: Dim, b: Dim) => Dim, numeric: (a: number, b: number) => number) {
  return ([x, y]: readonly [Twin, Twin]): Twin => ({
    dim: symbolic(x.dim, y.dim),
    at: point => numeric(x.at(point), y.at(point)),
  })
}

const operations = {
  add: twin(dims.add, (x, y) => x + y),
  subtract: twin(dims.subtract, (x, y) => x - y),
  multiply: twin(dims.multiply, (x, y) => x * y),
  maximum: twin(dims.maximum, Math.max),
  minimum: twin(dims.minimum, Math.min),
}
const divisions = {
  floor: twin(dims.floorDivide, (x, y) => Math.floor(x / y)),
  ceil: twin(dims.ceilDivide, (x, y) => Math.ceil(x / y)),
  modulo: twin(dims.modulo, floorMod),
}

const leaf = fc.oneof(
  fc.integer({ min: -4, max: 9 }).map(number),
  fc.constantFrom(...variables).map(variable),
)
/** Positive for all positive variables. */
const divisor = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }).map(number) },
  fc.constantFrom(...variables).map(variable),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }).map(number), fc.constantFrom('a', 'b').map(variable))
    .map(operations.multiply),
  fc.tuple(fc.constant(number(1)), fc.constantFrom('a', 'b').map(variable)).map(operations.add),
)
const { size } = fc.letrec<{ size: Twin }>(tie => ({
  size: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    ...Object.values(operations).map(operation => fc.tuple(tie('size'), tie('size')).map(operation)),
    ...Object.values(divisions).map(division => fc.tuple(tie('size'), divisor).map(division)),
  ),
}))
const polynomial = fc.letrec<{ size: Twin }>(tie => ({
  size: fc.oneof(
    { depthSize: 'small' },
    leaf,
    ...[operations.add, operations.subtract, operations.multiply].map(operation =>
      fc.tuple(tie('size'), tie('size')).map(operation),
    ),
  ),
})).size

/** Few runs: each goes over the whole grid. */
const runs = { numRuns: 120 }

const shown: readonly (readonly [string, Dim])[] = [
  ['2*batch+1', '2 * batch + 1'],
  ['heads * width', 'heads * width'],
  ['-n + 64', '64 - n'],
  ['(n + 1) * (n - 1)', 'n ^ 2 - 1'],
  ['n * (n + 1) / 2', '(n ^ 2 + n) / 2'],
  ['3 * n / 2', '3 * n / 2'],
  ['h % 4', 'h % 4'],
  ['2 * (h % 4) + 1', '2 * (h % 4) + 1'],
  ['n - h div 2', 'n - (h div 2)'],
  ['(h + 2 * pad - kernel) div 2 + 1', '(h - kernel) div 2 + pad + 1'],
  ['(h + 2 * 1 - 3) div 2 + 1', '(h + 1) div 2'],
  ['max(n, m + 1, max(n + 1, 3))', 'max(3, m + 1, n + 1)'],
  ['2 * sizes[i + 1]', '2 * sizes[i + 1]'],
  ['len(sizes) - 1', 'len(sizes) - 1'],
  ['batch.size * 3', '3 * batch.size'],
  ['7 div 2', 3],
  ['-7 div 2', -4],
  ['-7 % 3', 2],
  ['n - n', 0],
  ['n div 0', 'n div 0'],
]

test('the canonical spelling', () => {
  for (const [text, canonical] of shown) assert.is(dims.parseDim(text), canonical, text)
})

test('what is no size', () => {
  for (const text of [
    '',
    '2 +',
    '(n',
    'n mod 2',
    'n m',
    '1.5',
    'n / m',
    '2 ^ n',
    'max()',
    'x[1',
    '...s',
    'n)',
  ]) {
    assert.is(dims.parseDim(text), undefined, text)
  }
})

/** The rewrites of floors, as one would check them by hand. */
const identities: readonly (readonly [string, string])[] = [
  ['(n + 3 * k) div k', '3 + n div k'],
  ['(4 * n) div (4 * k)', 'n div k'],
  ['(m * n) div (m * k)', 'n div k'],
  ['(n div 3) div 4', 'n div 12'],
  ['4 * (n div 4) + n % 4', 'n'],
  ['k * (n div k) + n % k', 'n'],
  ['(n + 2 - 1) div 2', '(n - 1) div 2 + 1'],
  ['(n % 12) div 3', '(n div 3) % 4'],
  ['(n - k) div k + 1', 'n div k'],
  ['(n % 6) % 6', 'n % 6'],
  ['(2 * n + 1) div 4', 'n div 2'],
  ['(n + 2 * 1 - 3) div 1 + 1', 'n'],
]

test('verified rewrites of floors give one spelling', () => {
  for (const [left, right] of identities)
    assert.is(dims.parseDim(left), dims.parseDim(right), `${left} = ${right}`)
})

test('comparison knows more than the spelling', () => {
  assert.is(dims.compareDims('(n - h) div 2', '(h + n) div 2 - h'), 'equal')
  assert.is(dims.compareDims('n div a div b', 'n div (a * b)'), 'equal')
})

test('unsound rewrites are not made', () => {
  assert.is(dims.compareDims('2 * (n div 2)', 'n'), 'unknown')
  assert.is(dims.compareDims('n div 2 + m div 2', '(n + m) div 2'), 'unknown')
  assert.is(dims.compareDims('(n + 1) div 2', 'n div 2'), 'unknown')
})

test('comparison has three answers', () => {
  const cases: readonly (readonly [Dim, Dim, dims.Comparison])[] = [
    ['n', 'n', 'equal'],
    [2, 3, 'different'],
    ['n', 'm', 'unknown'],
    ['n', 1, 'unknown'],
    ['n', 0, 'different'],
    ['n', 'm + n', 'different'],
    ['m * n + 1', 'n', 'different'],
    ['2 * n', '2 * m + 1', 'different'],
    ['h % 4', 4, 'different'],
    ['h % 4', 3, 'unknown'],
    ['n', 'n div 2', 'different'],
    ['len(c) + n', 'n', 'unknown'],
    ['max(n, m + 1)', 1, 'different'],
    ['...s', 'n', 'unknown'],
  ]
  for (const [a, b, expected] of cases) assert.is(dims.compareDims(a, b), expected, `${a} ? ${b}`)
})

test('a caller may know what variables are at least', () => {
  assert.is(
    dims.compareDims('n + pad', 'n', name => (name === 'pad' ? 0 : 1)),
    'unknown',
  )
  assert.is(
    dims.compareDims('n', 5, () => 6),
    'different',
  )
  assert.is(
    dims.compareDims('n', 0, () => undefined),
    'unknown',
  )
})

test('order is proved or left open', () => {
  assert.is(dims.isAtLeast('n', 1), true)
  assert.is(dims.isAtLeast('n', 'n + 1'), false)
  assert.is(dims.isAtLeast('n', 2), undefined)
})

test('exact division', () => {
  assert.is(dims.exactDivide('b * h * w', 'h * w'), 'b')
  assert.is(dims.exactDivide('n ^ 2 - 1', 'n + 1'), 'n - 1')
  assert.is(dims.exactDivide('n ^ 2 + n', 2), '(n ^ 2 + n) / 2')
  assert.is(dims.exactDivide('n', 2), undefined)
  assert.is(dims.exactDivide(24, 5), undefined)
  assert.is(dims.exactDivide('n', 0), undefined)
  assert.is(dims.exactDivide('n', 'n ^ 2'), undefined)
  assert.is(dims.divisibility('2 * n + 1', 2), 'inexact')
  assert.is(dims.divisibility('n', 2), 'unknown')
  assert.is(dims.divisibility(24, 5), 'inexact')
  assert.is(dims.divisibility(24, 6), 'exact')
})

test('substitution is simultaneous and reaches into floors', () => {
  const swap = new Map<string, Dim>([
    ['n', 'm'],
    ['m', 'n'],
  ])
  assert.is(dims.substitute('n - 2 * m', swap), 'm - 2 * n')
  assert.is(
    dims.substitute(
      '(h + 1) div s',
      new Map<string, Dim>([
        ['h', '2 * k'],
        ['s', 2],
      ]),
    ),
    'k',
  )
  assert.is(dims.substitute('2 * sizes[i]', new Map([['sizes[i]', 5]])), 10)
  assert.is(dims.substitute('max(n, 3) + h % n', new Map([['n', 4]])), 'h % 4 + 4')
})

const restatements: readonly (readonly [Dim, Readonly<Record<string, Dim>>, Dim | undefined])[] = [
  ['2 * b * t + 3', { rows: 'b * t' }, '2 * rows + 3'],
  ['b * t', { rows: 'b * t + 1' }, 'rows - 1'],
  ['(b * t + 1) div 2', { rows: 'b * t' }, '(rows + 1) div 2'],
  ['b * t * k', { rows: 'b * t', k: 'k' }, 'k * rows'],
  ['t', { twice: '2 * t + 4' }, '(twice - 4) / 2'],
  ['n', { x: 'n * t', y: 'n * t + n' }, 'y - x'],
  ['n + t', { x: 'n - t', y: 't' }, 'x + 2 * y'],
  ['n div 2 + 1', { half: 'n div 2' }, 'half + 1'],
  [5, { rows: 'n' }, 5],
  ['t', { rows: 'b * t' }, undefined],
  ['t', { b: 'b', rows: 'b * t' }, undefined],
  ['n', { half: 'n div 2' }, undefined],
]

test('a size is told by others, and by which', () => {
  for (const [dim, givens, expected] of restatements)
    assert.is(dims.restated(dim, new Map(Object.entries(givens))), expected, `${dim}`)
  assert.ok(dims.isToldBy('n + 1', ['...s', 2, 'n']))
  assert.not.ok(dims.isToldBy('...s', ['n']))
})

test('property: in terms of others a size has the same value', () => {
  const names = ["x'0", "x'1", "x'2"]
  fc.assert(
    fc.property(size, size, size, size, (x, y, z, d) => {
      const givens = new Map([x, y, z].map(({ dim }, i) => [names[i]!, dim]))
      const sum = dims.add(dims.multiply(x.dim, y.dim), z.dim)
      for (const dim of [sum, d.dim]) {
        const told = dims.restated(dim, givens)
        if (told === undefined) continue
        for (const point of grid.slice(0, 12)) {
          const values = new Map([x, y, z].map(({ at }, i) => [names[i]!, at(point)]))
          assert.is(dims.evaluate(told, values) + 0, dims.evaluate(dim, point) + 0, `${dim} as ${told}`)
        }
      }
    }),
    runs,
  )
})

test('variables are found inside of atoms', () => {
  assert.equal([...dims.variablesOf('max(n, 3) + h div (k + 1) + x.y * sizes[i]')].sort(), [
    'h',
    'k',
    'n',
    'sizes[i]',
    'x.y',
  ])
  assert.is(dims.variablesOf(3).size, 0)
})

test('what is linear in a variable', () => {
  assert.equal(dims.linearIn('2 * k * n + m', 'n'), { coefficient: '2 * k', rest: 'm' })
  assert.is(dims.linearIn('n ^ 2', 'n'), undefined)
  assert.is(dims.linearIn('n div 2 + n', 'n'), undefined)
  assert.is(dims.linearIn('m', 'n'), undefined)
})

test('numbers beyond 2^53 stay exact', () => {
  const large = dims.power(10, 20)
  assert.is(large, '100000000000000000000')
  assert.is(dims.subtract(dims.add(large, 1), large), 1)
})

test('property: ring laws hold as equality of spellings', () => {
  fc.assert(
    fc.property(polynomial, polynomial, polynomial, ({ dim: x }, { dim: y }, { dim: z }) => {
      assert.is(dims.add(x, y), dims.add(y, x))
      assert.is(dims.multiply(x, y), dims.multiply(y, x))
      assert.is(dims.add(dims.add(x, y), z), dims.add(x, dims.add(y, z)))
      assert.is(dims.multiply(dims.multiply(x, y), z), dims.multiply(x, dims.multiply(y, z)))
      assert.is(dims.multiply(x, dims.add(y, z)), dims.add(dims.multiply(x, y), dims.multiply(x, z)))
      assert.is(dims.subtract(x, x), 0)
      assert.is(dims.power(x, 2), dims.multiply(x, x))
    }),
    runs,
  )
})

test('property: every operation agrees with numbers', () => {
  fc.assert(
    fc.property(size, ({ dim, at }) => {
      for (const point of grid) assert.is(dims.evaluate(dim, point) + 0, at(point) + 0, `${dim}`)
    }),
    runs,
  )
})

test('property: the spelling reads back as itself', () => {
  fc.assert(
    fc.property(size, ({ dim }) => {
      assert.is(dims.parseDim(dims.showDim(dim)), dim)
      assert.is(dims.substitute(dim, new Map([['elsewhere', 1]])), dim)
    }),
    runs,
  )
})

test('property: substitution of numbers gives the value', () => {
  fc.assert(
    fc.property(size, ({ dim, at }) => {
      for (const point of grid.slice(0, 12)) assert.is(dims.substitute(dim, point), at(point) + 0)
    }),
    runs,
  )
})

test('property: polynomials with equal values are spelt alike', () => {
  fc.assert(
    fc.property(polynomial, polynomial, (x, y) => {
      const sameEverywhere = dims.subtract(x.dim, y.dim) === 0
      assert.is(sameEverywhere, x.dim === y.dim)
    }),
    runs,
  )
})

test('property: comparison and order are sound', () => {
  const shift = fc.tuple(fc.integer({ min: -3, max: 3 }).map(number), leaf).map(operations.add)
  const near = fc.tuple(size, shift).map(([x, y]) => [x, operations.add([x, y])] as const)
  fc.assert(
    fc.property(fc.oneof(near, fc.tuple(size, size)), ([x, y]) => {
      const answer = dims.compareDims(x.dim, y.dim)
      const order = dims.isAtLeast(x.dim, y.dim)
      for (const point of grid) {
        const difference = x.at(point) - y.at(point)
        if (answer === 'equal') assert.is(difference + 0, 0)
        if (answer === 'different') assert.is.not(difference + 0, 0, `${x.dim} ? ${y.dim}`)
        if (order !== undefined) assert.is(difference >= 0, order, `${x.dim} >= ${y.dim}`)
      }
    }),
    { numRuns: 250 },
  )
})

test('property: exact division is exact', () => {
  const multiple = fc.tuple(polynomial, divisor).map(([x, d]) => [operations.multiply([x, d]), d] as const)
  fc.assert(
    fc.property(fc.oneof(multiple, fc.tuple(polynomial, divisor)), ([x, d]) => {
      const quotient = dims.exactDivide(x.dim, d.dim)
      const answer = dims.divisibility(x.dim, d.dim)
      assert.is(quotient !== undefined, answer === 'exact')
      for (const point of grid) {
        if (quotient !== undefined)
          assert.is(dims.evaluate(quotient, point) + 0, x.at(point) / d.at(point) + 0)
        if (answer === 'inexact') assert.is.not(floorMod(x.at(point), d.at(point)), 0)
      }
    }),
    runs,
  )
})

test('property: a multiple is divided exactly', () => {
  fc.assert(
    fc.property(polynomial, divisor, (x, d) => {
      assert.is(dims.exactDivide(dims.multiply(x.dim, d.dim), d.dim), x.dim)
    }),
    runs,
  )
})

test('property: the JavaScript of a size computes it', () => {
  const names = new Map(variables.map((name, i) => [name, `x${i}`]))
  fc.assert(
    fc.property(size, ({ dim, at }) => {
      const text = dims.renderDim(dim, name => names.get(name)!)
      const compute = new Function(...names.values(), `return ${text}`)
      for (const point of grid) {
        const value: unknown = compute(...variables.map(name => point.get(name)))
        assert.is(Number(value) + 0, at(point) + 0, text)
      }
    }),
    runs,
  )
})

test('JavaScript as a reader would write it', () => {
  const render = (d: Dim) => dims.renderDim(d, name => name)
  assert.is(render('(n ^ 2 + n) / 2'), '(n * n + n) / 2')
  assert.is(render('(h + 1) div 2'), 'Math.floor((h + 1) / 2)')
  assert.is(render('h % 4'), 'h % 4')
  assert.is(render(7), '7')
  assert.is(
    dims.renderDim('2 * batch.size', () => 'x.shape[0]'),
    '2 * x.shape[0]',
  )
})

test.run()
