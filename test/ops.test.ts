import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ValueType } from '../src/ir/ir.ts'
import { families, findOp, opNames } from '../src/ops/index.ts'
import type { Op } from '../src/ops/op.ts'
import { inferType } from '../src/ops/signature.ts'
import { judgedBackends, onBackend, scoped } from './kit/backends.ts'
import { inputsOf } from './kit/operator.ts'
import {
  allNumbers,
  type Case,
  caseOf,
  cases,
  close,
  differentiable,
  entryGradients,
  floatsOf,
  isSmooth,
  type Named,
  numbers,
  numericGradients,
  resultOf,
  secondDerivatives,
  tapeGradients,
} from './kit/operatorCases.ts'

// ── The table ───────────────────────────────────────────────────────────────────────────────────────────────────────

const table = suite('operator table')

table('no two families share a name, and the table holds them all', () => {
  const names = Object.values(families).flatMap(family => Object.keys(family))
  assert.equal([...new Set(names)].sort(), names.sort())
  assert.equal([...opNames].sort(), names.sort())
})

table('every entry is documented, reads, and has at least two samples', () => {
  for (const name of opNames) {
    const op = findOp(name)!
    assert.ok(op.doc.endsWith('.'), `${name}: the doc is a sentence`)
    assert.ok(op.samples.length >= 2, `${name} has ${op.samples.length} samples`)
  }
})

table('operators that share a call differ in their number of tensors', () => {
  const calls = opNames.flatMap(name => {
    const op = findOp(name)!
    return op.call === false ? [] : [`${op.call ?? name}/${op.samples[0]!.shapes.length}`]
  })
  assert.equal([...new Set(calls)], calls)
})

table('products and convolutions say how often they multiply and add', () => {
  const counts = [...Object.keys(families.linear), ...Object.keys(families.convolution)].map(name => {
    const op = findOp(name)!
    const [{ shapes, attrs }] = [op.samples[0]!]
    const types = shapes.map(shape => ({ dtype: 'f32', shape }) as const)
    const inferred = inferType(op, types, attrs)
    if ('clash' in inferred || inferred.type === 'key') return [name, undefined]
    return [name, op.multiplyAdds?.(types, inferred.type, attrs)]
  })
  // Those of a convolution and of its gradients are the same products: 2·3·3·2 outputs of 2·3·3 each.
  assert.equal(Object.fromEntries(counts), {
    matmul: 2 * 3 * 4,
    conv2d: 36 * 18,
    conv2d_input: 36 * 18,
    conv2d_weight: 36 * 18,
  })
})

table('axes that do not exist are refused', () => {
  for (const name of opNames) {
    const op = findOp(name)!
    const axis = op.attrs?.axis
    if (axis?.kind !== 'axis' && axis?.kind !== 'axes') continue
    const sample = op.samples[0]!
    const types = inputsOf(name, op, sample).map(input => input.type)
    const wrong = inferType(op, types, { ...sample.attrs, axis: axis.kind === 'axis' ? 9 : [9] })
    assert.ok('clash' in wrong, `${name} accepts axis 9`)
  }
})

table.run()

// ── Judging ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Judges all cases, each by itself, and fails with all that is wrong. Tensors go after each case. */
async function judge(judged: readonly Case[], check: (c: Case) => Promise<void>): Promise<void> {
  const wrong: string[] = []
  for (const c of judged) {
    try {
      await scoped(() => check(c))
    } catch (error) {
      wrong.push(error instanceof Error ? error.message : String(error))
    }
  }
  assert.ok(wrong.length === 0, `${wrong.length} of ${judged.length} samples:\n${wrong.join('\n')}`)
}

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const values = suite('values')
const tfjsDtypes = { f32: 'float32', i32: 'int32', bool: 'bool' }

for (const backend of judgedBackends)
  values(`${backend}: each result has the inferred shape and dtype`, () =>
    onBackend(backend, () =>
      judge(cases, async c => {
        const y = resultOf(c)
        if (!(y instanceof tf.Tensor) || c.type === 'key') return assert.is(c.type, 'key', c.title)
        assert.equal(y.shape, [...c.type.shape], `${c.title}: shape`)
        assert.is(y.dtype, tfjsDtypes[c.type.dtype], `${c.title}: dtype`)
      }),
    ),
  )

/**
 * How far values may be from those of cpu. WGSL lets a device miss sines and cosines, and the inverse functions that are
 * made of such approximations, by so much (its section "Accuracy of built-in functions"); devices do.
 */
const roughly: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  webgpu: { sin: 2 ** -11, cos: 2 ** -11, tan: 2 ** -10, asin: 2 ** -11, acos: 2 ** -11, atan: 2 ** -11 },
}

function tolerance(backend: string, { title }: Case): number {
  return roughly[backend]?.[title.split(' ')[0]!] ?? 1e-5
}

for (const backend of judgedBackends.filter(name => name !== 'cpu'))
  values(`${backend}: the values are those of cpu`, async () => {
    const expected = await onBackend('cpu', () => allNumbers(cases.map(resultOf)))
    await onBackend(backend, () =>
      judge(cases, async c => {
        const wanted = expected[cases.indexOf(c)]!
        close(await numbers(resultOf(c)), wanted, tolerance(backend, c), c.title)
      }),
    )
  })

// ── Named sizes ─────────────────────────────────────────────────────────────────────────────────────────────────────

function usesDims({ attrs = {} }: Op): boolean {
  return Object.values(attrs).some(({ kind }) => kind === 'dims')
}

/** The inputs' types with the first size of the first one written as `name` wherever an input begins with it. */
function rename(c: Case, name: string): ValueType[] {
  const first = c.sample.shapes[0]?.[0]
  return c.types.map(type => {
    if (type === 'key' || type.shape[0] !== first) return type
    return { ...type, shape: [name, ...type.shape.slice(1)] }
  })
}

/** A sample whose first size is called `n`, as a batch is; attributes that name sizes would not fit any more. */
function batched(c: Case): Named[] {
  const first = c.sample.shapes[0]?.[0] ?? 1
  return first === 1 || usesDims(c.op)
    ? []
    : [{ types: rename(c, 'n'), sizes: { n: first, r: [] }, lead: [] }]
}

/** A sample whose first axis stands for any number of them, where axes are counted from the end. */
function open(c: Case): Named[] {
  const first = c.sample.shapes[0]?.[0] ?? 1
  const { axis, keep, perm } = c.step.attrs
  const rank = (c.sample.shapes[0] ?? []).length
  const fromEnd = axis === undefined || [axis].flat().every(a => Number(a) < 0 && Number(a) > -rank)
  const fits =
    c.op.signature.includes('...') &&
    c.sample.shapes.every(shape => shape.length === 0 || shape[0] === first) &&
    fromEnd &&
    !(Array.isArray(axis) && axis.length === 0 && keep === true) &&
    (perm === undefined || String(perm) === '') &&
    rank > (perm === undefined ? 1 : 2)
  return first === 1 || !fits || usesDims(c.op)
    ? []
    : [{ types: rename(c, '...r'), sizes: { n: 0, r: [1, first] }, lead: [1] }]
}

for (const [what, variant] of Object.entries({ 'a named size': batched, 'an open number of axes': open }))
  values(`${what}: the same values and gradients as with numbers`, () =>
    onBackend('cpu', async () => {
      let seen = 0
      await judge(cases, async c => {
        for (const named of variant(c)) {
          const other = caseOf(c.title.split(' ')[0]!, c.op, c.sample, Number(c.title.split(' ')[1]), named)
          close(await numbers(resultOf(other)), await numbers(resultOf(c)), 0, c.title)
          if (floatsOf(c).length > 0) {
            const expected = await entryGradients(c)
            for (const [i, gradient] of (await entryGradients(other)).entries())
              close(gradient, expected[i]!, 1e-6, `${c.title}, gradient ${i}`)
          }
          seen++
        }
      })
      assert.ok(seen > 50, `only ${seen} samples`)
    }),
  )

values.run()

// ── Gradients ───────────────────────────────────────────────────────────────────────────────────────────────────────

const gradients = suite('gradients')

for (const backend of judgedBackends) {
  gradients(
    `${backend}: the tape's gradient is that of finite differences, or the one that the sample states`,
    () =>
      onBackend(backend, () =>
        judge(differentiable, async c => {
          const expected = c.sample.gradient ?? (await numericGradients(c))
          for (const [i, gradient] of (await allNumbers(tapeGradients(c))).entries())
            close(gradient, expected[i]!, 2e-3, `${c.title}, input ${floatsOf(c)[i]}`)
        }),
      ),
  )

  gradients(`${backend}: the entry's own gradient is the tape's`, () =>
    onBackend(backend, () =>
      judge(differentiable, async c => {
        const expected = await allNumbers(tapeGradients(c))
        for (const [i, gradient] of (await entryGradients(c)).entries())
          close(gradient, expected[i]!, 1e-4, `${c.title}, input ${floatsOf(c)[i]}`)
      }),
    ),
  )

  gradients(`${backend}: second derivatives on the tape are those of finite differences`, () =>
    onBackend(backend, () =>
      judge(differentiable.filter(isSmooth), async c => {
        for (const place of floatsOf(c)) {
          const { tape, numeric } = await secondDerivatives(c, place)
          close(tape, numeric, 5e-3, `${c.title}, input ${place}`)
        }
      }),
    ),
  )

  gradients(`${backend}: nothing is left in memory by a gradient`, () =>
    onBackend(backend, () =>
      judge(differentiable, async c => {
        const before = tf.memory().numTensors
        tf.tidy(() => void tapeGradients(c))
        assert.is(tf.memory().numTensors, before, c.title)
      }),
    ),
  )

  gradients(`${backend}: a condition computed from a parameter has no gradient, and is no error`, () =>
    onBackend(backend, async () => {
      const gradient = tf.grad(x => tf.sum(tf.where(tf.greater(x, tf.scalar(0)), x, tf.scalar(0))))
      close(await numbers(gradient(tf.tensor([-1, 2]))), [0, 1], 0, 'where')
    }),
  )
}

gradients.run()
