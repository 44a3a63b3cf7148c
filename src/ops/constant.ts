import { bug } from '../base/bug.ts'
import { type Code, join, ts } from '../base/code.ts'
import type { Attr } from '../ir/ir.ts'
import type { Dim } from '../types/dim.ts'
import type { DType } from '../types/tensor.ts'
import { filled, fixed, fixedShape, scalar as number } from './onnx.ts'
import type { Op } from './op.ts'
import { dtypeText, listText, shapeText } from './text.ts'

/** The shape of numbers in lists: `[[1, 2], [3, 4]]` is [2, 2]. */
function shapeOf(value: Attr): number[] {
  if (!Array.isArray(value)) return []
  return [value.length, ...(value[0] === undefined ? [] : shapeOf(value[0]))]
}

function scalar(value: Attr): number | boolean {
  return typeof value === 'number' || typeof value === 'boolean'
    ? value
    : bug(`constant ${JSON.stringify(value)}`)
}

/** All numbers in lists, in order; true is 1. */
function numbersIn(value: Attr): readonly number[] {
  return Array.isArray(value) ? value.flatMap(numbersIn) : [Number(scalar(value))]
}

/** The value as tfjs takes it for a dtype: numbers for numbers, booleans for booleans. */
function scalarText(value: number | boolean, dtype: DType): string {
  if (dtype === 'bool') return String(Boolean(value))
  return Object.is(value, -0) ? '-0' : String(Number(value))
}

function nestedText(value: Attr, dtype: DType): Code {
  if (!Array.isArray(value)) return scalarText(scalar(value), dtype)
  return ts`[${join(value.map(item => nestedText(item, dtype)))}]`
}

/** The dtype argument, left out where tfjs assumes it. */
function dtypeArgument(dtype: DType): Code {
  return dtype === 'f32' ? '' : ts`, ${dtypeText(dtype)}`
}

const constant: Op<{ value: Attr; dtype: DType }> = {
  doc: 'A number, a boolean, or lists of them.',
  signature: '() -> T[...s]',
  attrs: { value: { kind: 'float' }, dtype: { kind: 'dtype' } },
  call: false,
  infer: (_, { value, dtype }) => ({ dtype, shape: shapeOf(value) }),
  tfjs: (_, { value, dtype }) => {
    const shape = shapeOf(value)
    if (shape.length === 0) return ts`tf.scalar(${scalarText(scalar(value), dtype)}${dtypeArgument(dtype)})`
    return ts`tf.tensor(${nestedText(value, dtype)}, ${listText(shape)}${dtypeArgument(dtype)})`
  },
  onnx: (_, { value, dtype }, { graph }) => graph.constant(dtype, numbersIn(value), shapeOf(value)),
  grad: () => [],
  samples: [
    { shapes: [], attrs: { value: 2.5, dtype: 'f32' } },
    { shapes: [], attrs: { value: -3, dtype: 'i32' } },
    { shapes: [], attrs: { value: true, dtype: 'bool' } },
    {
      shapes: [],
      attrs: {
        value: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        dtype: 'f32',
      },
    },
    { shapes: [], attrs: { value: [true, false], dtype: 'bool' } },
  ],
}

export { constant as const }

export const full: Op<{ shape: readonly Dim[]; value: number | boolean; dtype: DType }> = {
  doc: 'A tensor of one value.',
  signature: '() -> T[...s]',
  attrs: { shape: { kind: 'dims' }, value: { kind: 'float' }, dtype: { kind: 'dtype' } },
  call: false,
  infer: (_, { shape, dtype }) => ({ dtype, shape }),
  // tf.fill is declared for numbers only; 1 and 0 fill a boolean tensor as well.
  tfjs: (_, { shape, value, dtype }, context) => {
    const sizes = shapeText(shape, context)
    if (Object.is(Number(value), 0)) return ts`tf.zeros(${sizes}${dtypeArgument(dtype)})`
    if (Number(value) === 1) return ts`tf.ones(${sizes}${dtypeArgument(dtype)})`
    return ts`tf.fill(${sizes}, ${scalarText(Number(value), 'f32')}${dtypeArgument(dtype)})`
  },
  onnx: (_, { shape, value, dtype }, context) => filled(context, dtype, Number(value), fixedShape(shape)),
  grad: () => [],
  lift: (attrs, _, size) => ({ ...attrs, shape: [size, ...attrs.shape] }),
  samples: [
    { shapes: [], attrs: { shape: [2, 3], value: 1.5, dtype: 'f32' } },
    { shapes: [], attrs: { shape: [2], value: true, dtype: 'bool' } },
    { shapes: [], attrs: { shape: [], value: 7, dtype: 'i32' } },
  ],
}

export const arange: Op<{ from: number; count: Dim; dtype: DType }> = {
  doc: 'Consecutive whole numbers: `from`, `from + 1`, and so on, `count` of them.',
  signature: '() -> N[count]',
  attrs: {
    from: { kind: 'int', default: 0 },
    count: { kind: 'dims' },
    dtype: { kind: 'dtype', default: 'i32' },
  },
  call: false,
  infer: (_, { count, dtype }) => ({ dtype, shape: [count] }),
  tfjs: (_, { from, count, dtype }, { dim }) => {
    const end =
      from === 0 ? dim(count) : typeof count === 'number' ? from + count : ts`${dim(count)} + ${from}`
    return ts`tf.range(${from}, ${end}, 1, ${dtypeText(dtype)})`
  },
  onnx: (_, { from, count, dtype }, { graph }) => {
    const values = Array.from({ length: fixed(count) }, (_, i) => from + i)
    return graph.constant(dtype, values, [values.length])
  },
  grad: () => [],
  samples: [
    { shapes: [], attrs: { from: 0, count: 4, dtype: 'i32' } },
    { shapes: [], attrs: { from: -1, count: 3, dtype: 'f32' } },
  ],
}

export const size: Op<{ shape: readonly Dim[] }> = {
  doc: 'How many elements a shape has, as a float.',
  signature: '() -> f32[]',
  attrs: { shape: { kind: 'dims' } },
  call: false,
  infer: () => ({ dtype: 'f32', shape: [] }),
  tfjs: (_, { shape }, context) => ts`kernels.size(${shapeText(shape, context)})`,
  onnx: (_, { shape }, context) =>
    number(
      context,
      fixedShape(shape).reduce((product, size) => product * size, 1),
    ),
  grad: () => [],
  samples: [
    { shapes: [], attrs: { shape: [2, 3] } },
    { shapes: [], attrs: { shape: [] } },
  ],
}
