import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { add, type Dim, evaluate, multiply } from '../src/types/dim.ts'
import {
  axisIndex,
  broadcastShapes,
  elementCount,
  rank,
  type Shape,
  sameType,
  showType,
  tensor,
} from '../src/types/tensor.ts'
import { newBindings, substituteShape, type Unified, undecided, unifyShape } from '../src/types/unify.ts'

const test = suite('shapes')

/** `n 2*m ...s` as a shape. */
function shape(text: string): Shape {
  return text.split(' ').flatMap(d => (d === '' ? [] : [/^\d+$/.test(d) ? Number(d) : d]))
}

// ── Types ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test('types as users write them', () => {
  assert.is(showType(tensor('f32', ['n', 784])), 'f32[n, 784]')
  assert.is(showType(tensor('i32', [])), 'i32')
  assert.is(showType(tensor('bool', ['...s', 2])), 'bool[...s, 2]')
  assert.ok(sameType(tensor('f32', ['n']), tensor('f32', ['n'])))
  assert.not(sameType(tensor('f32', ['n']), tensor('i32', ['n'])))
  assert.not(sameType(tensor('f32', ['n']), tensor('f32', ['n', 1])))
})

test('what a rest leaves open', () => {
  assert.is(rank(tensor('f32', shape('n 3'))), 2)
  assert.is(rank(tensor('f32', shape('...s 3'))), undefined)
  assert.is(elementCount(shape('n 3 n')), '3 * n ^ 2')
  assert.is(elementCount([]), 1)
  assert.is(elementCount(shape('...s 3')), undefined)
  assert.is(axisIndex(shape('n 3'), -1), 1)
  assert.is(axisIndex(shape('n 3'), 2), undefined)
  assert.is(axisIndex(shape('n ...s 3'), -1), 2)
  assert.is(axisIndex(shape('n ...s 3'), 0), 0)
  assert.is(axisIndex(shape('n ...s 3'), 2), undefined)
  assert.is(axisIndex(shape('n ...s 3'), -3), undefined)
})

// ── Broadcasting ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The two shapes, and what they make: a shape, with what it takes behind `if`, or a clash. */
const joins: readonly (readonly [string, string, string])[] = [
  ['n d', 'd', 'n d'],
  ['n 1', 'n d', 'n d'],
  ['', 'n d', 'n d'],
  ['', '', ''],
  ['k d', 'n 1 d', 'n k d'],
  ['n d', 'n 1 d', 'n n d'],
  ['n 1', '1 m', 'n m'],
  ['1', 'n d', 'n d'],
  ['1', 'n 1', 'n 1'],
  ['n', 'n 1', 'column -1'],
  ['n 1', 'n', 'column -1'],
  ['8', '8 1', 'column -1'],
  ['n k', 'n k 1', 'column -1'],
  ['k', 'n t 1', 'n t k'],
  ['k k', 'n k 1', 'n k k'],
  ['k', 'n k 1', 'column -1'],
  ['n t 1', '3', 'n t 3'],
  ['5', '3 1', '3 5'],
  ['2 3', '2 4', 'different -1'],
  ['2 3', '4 3', 'different -2'],
  ['n', 'n+1', 'different -1'],
  ['n', 'm', 'n if n=m'],
  ['n k', 'n 1', 'n k'],
  ['...s', '', '...s'],
  ['...s', '...s', '...s'],
  ['...b d', 'd', '...b d'],
  ['...b d', '...b 1', '...b d'],
  ['n ...s', '...s', 'n ...s'],
  ['...s', 'n', '...s if ...s=n'],
  ['...b d', 'n d', '...b d if ...b=n'],
  ['...b d', 'e', '...b d if d=e'],
]

test('broadcasting', () => {
  for (const [a, b, expected] of joins) {
    assert.is(described(a, b), expected, `${a} with ${b}`)
    if (!expected.includes('=')) assert.is(described(b, a), expected, `${b} with ${a}`)
  }
})

function described(a: string, b: string): string {
  const result = broadcastShapes(shape(a), shape(b))
  if ('clash' in result) return `${result.clash.reason} ${result.clash.axis}`
  const needs = result.obligations.map(pair => pair.join('='))
  return [result.shape.join(' '), ...(needs.length > 0 ? ['if', needs.join(' ')] : [])].join(' ')
}

test('property: where numbers broadcast, NumPy agrees', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 })
  fc.assert(
    fc.property(sizes, sizes, (a, b) => {
      const result = broadcastShapes(a, b)
      const expected = numpy(a, b)
      if ('shape' in result) assert.equal(result.shape, expected)
      else assert.ok(expected === undefined || result.clash.reason === 'column')
    }),
  )
})

/** NumPy's rule, https://numpy.org/doc/stable/user/basics.broadcasting.html. */
function numpy(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const length = Math.max(a.length, b.length)
  const padded = [a, b].map(s => [...Array<number>(length - s.length).fill(1), ...s])
  const joined = padded[0]!.map((x, i) => [x, padded[1]![i]!] as const)
  if (joined.some(([x, y]) => x !== y && x !== 1 && y !== 1)) return undefined
  return joined.map(([x, y]) => Math.max(x, y))
}

// ── Unification ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface Outcome {
  readonly results: readonly Unified[]
  readonly dims: Readonly<Record<string, Dim>>
  readonly rests: Readonly<Record<string, Shape>>
  readonly open: readonly string[]
}

/** Unifies pairs of a pattern and an actual shape one after another; they are called `p0`, `p1`, … */
function unify(flexible: string, ...pairs: readonly (readonly [string, string])[]): Outcome {
  const names = new Set(flexible.split(' '))
  const bindings = newBindings()
  const results = pairs.map(([pattern, actual], i) =>
    unifyShape(shape(pattern), names, shape(actual), bindings, `p${i}`),
  )
  return {
    results,
    dims: Object.fromEntries(bindings.dims),
    rests: Object.fromEntries(bindings.rests),
    open: undecided(names, bindings),
  }
}

function obligations({ results }: Outcome): readonly string[] {
  return results.flatMap(result => (result.ok ? result.obligations.map(pair => pair.join(' = ')) : ['clash']))
}

function clashOf({ results }: Outcome) {
  const last = results.at(-1)!
  return last.ok ? undefined : last.clash
}

test('bare variables and rests', () => {
  const outcome = unify('...b n k m', ['...b n k', 'x 3 n 64'], ['...b k m', 'x 3 64 10'])
  assert.equal(obligations(outcome), [])
  assert.equal(outcome.dims, { n: 'n', k: 64, m: 10 })
  assert.equal(outcome.rests, { '...b': ['x', 3] })
})

test('a variable of the caller may have the same name', () => {
  const outcome = unify('n m', ['n m', 'm n'])
  assert.equal(outcome.dims, { n: 'm', m: 'n' })
  const bindings = newBindings(new Map(Object.entries(outcome.dims)))
  assert.equal(substituteShape(['n', '2 * m'], bindings), ['m', '2 * n'])
  assert.equal(unify('n', ['n', 'n+1'], ['2*n', '2*n+2']).dims, { n: 'n + 1' })
})

test('linear equations are solved, whatever their order', () => {
  assert.equal(unify('w', ['4*w+2', '18']).dims, { w: 4 })
  assert.equal(unify('w', ['heads*w', 'heads*64']).dims, { w: 64 })
  assert.equal(unify('h w', ['h*w', '24'], ['h', '6']).dims, { h: 6, w: 4 })
  assert.equal(unify('a b c', ['a+b+c', 'x+9'], ['a*b', '6'], ['b', '3']).dims, { b: 3, a: 2, c: 'x + 4' })
})

test('what can not be solved is named', () => {
  assert.equal(unify('n', ['n^2', '16']).open, ['n'])
  assert.equal(unify('h w', ['h*w', '24']).open, ['h', 'w'])
  assert.equal(unify('n', ['(n+1)%5', '2'], ['n', '31']).open, [])
})

test('a division that is not known to come out even is an obligation', () => {
  const outcome = unify('w', ['2*w', 'n'])
  assert.equal(outcome.dims, { w: 'n div 2' })
  assert.equal(obligations(outcome), ['2 * (n div 2) = n'])
  assert.is(clashOf(unify('w', ['2*w', '2*n+1']))?.kind, 'axis')
  assert.is(clashOf(unify('w', ['w+3', '2']))?.kind, 'axis')
})

test('a clash says who bound the variable', () => {
  assert.equal(clashOf(unify('n k m', ['n k', '8 64'], ['k m', '128 10'])), {
    kind: 'axis',
    axis: 0,
    expected: 64,
    got: 128,
    by: 'p1',
    variable: 'k',
    boundBy: 'p0',
  })
  assert.equal(clashOf(unify('n', ['n', '8'], ['2*n+1', '16'])), {
    kind: 'axis',
    axis: 0,
    expected: 17,
    got: 16,
    by: 'p1',
  })
  assert.equal(clashOf(unify('...s', ['...s', '2 3'], ['...s', '2 4'])), {
    kind: 'axis',
    axis: 1,
    expected: 3,
    got: 4,
    by: 'p1',
    variable: '...s',
    boundBy: 'p0',
  })
})

test('numbers of axes', () => {
  assert.equal(clashOf(unify('n d', ['n d', 'b 1 8 8'])), {
    kind: 'rank',
    expected: ['n', 'd'],
    got: ['b', 1, 8, 8],
    by: 'p0',
  })
  assert.is(clashOf(unify('...b n k', ['...b n k', '3']))?.kind, 'rank')
  assert.is(clashOf(unify('...s', ['...s', '2 3'], ['...s', '2']))?.kind, 'rank')
  assert.is(clashOf(unify('n', ['n', '...s a b']))?.kind, 'rank')
  assert.equal(unify('...b n', ['...b n', '3']).rests, { '...b': [] })
})

test('rests of the caller', () => {
  assert.equal(unify('...b d', ['...b d', 'n ...s 8']).rests, { '...b': ['n', '...s'] })
  assert.equal(obligations(unify('...b', ['...b', '...s'], ['...b', '...s'])), [])
  assert.equal(obligations(unify('...b d', ['...b d', '...s'])), ['d = ...s'])
  assert.equal(obligations(unify('n d', ['n d', 'm ...s'])), ['d = ...s'])
  assert.equal(obligations(unify('...b', ['...b', '...s'], ['...b', '...t'])), ['...s = ...t'])
  assert.equal(obligations(unify('n', ['...s n', '...s 4'])), [])
})

test('names that are not flexible belong to the caller', () => {
  assert.equal(obligations(unify('n', ['n d', '8 d'])), [])
  assert.equal(obligations(unify('n', ['n d', '8 e'])), ['d = e'])
  assert.is(clashOf(unify('n', ['n d', '8 d+1']))?.kind, 'axis')
})

test('property: what is solved makes the sizes equal', () => {
  const coefficient = fc.integer({ min: 1, max: 4 })
  const value = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(coefficient, coefficient, fc.nat({ max: 3 }), value, value, (c, d, rest, v, w) => {
      const pattern: Shape = [
        add(multiply(c, 'v'), multiply(multiply(d, 'w'), 'v')),
        add(multiply(d, 'w'), rest),
      ]
      const values = new Map([
        ['v', v],
        ['w', w],
      ])
      const actual = pattern.map(size => evaluate(size, values))
      const bindings = newBindings()
      const unified = unifyShape(pattern, new Set(['v', 'w']), actual, bindings)
      assert.equal(unified, { ok: true, obligations: [] })
      assert.equal([...bindings.dims].sort(), [...values])
    }),
  )
})

test.run()
