import { type Code, ts } from '../base/code.ts'
import type { Dim } from '../types/dim.ts'
import type { TensorType } from '../types/tensor.ts'
import { entryOf, frontAxis, hasRest, knownEntry, noAxis, replaceEntry } from './axes.ts'
import {
  castTo,
  type FixedType,
  filled,
  fixed,
  integers,
  type OnnxContext,
  type OnnxValue,
  range,
  reshapeTo,
  scalar,
  transposed,
} from './onnx.ts'
import type { Clash, Op } from './op.ts'

function inferGather(x: TensorType, index: TensorType, axis: number): TensorType | Clash {
  const entry = entryOf(axis, x.shape)
  if (entry === undefined) return noAxis(axis, x.shape)
  return { dtype: x.dtype, shape: [...x.shape.slice(0, entry), ...index.shape, ...x.shape.slice(entry + 1)] }
}

/**
 * An index that a node refuses where it is outside: negative numbers, which ONNX counts from the end, become the length.
 */
function positions(index: OnnxValue, length: number, context: OnnxContext): OnnxValue {
  const { graph } = context
  const negative = graph.node('Less', [index, scalar(context, 0, 'i32')])
  return graph.node('Where', [negative, scalar(context, length, 'i32'), index])
}

export const gather: Op<{ axis: number }> = {
  doc: 'The positions of one axis that an index tensor names; the axes of the index take the place of the axis.',
  signature: '(x: T[...], index: I[...]) -> T[...]',
  attrs: { axis: { kind: 'axis', default: 0 } },
  infer: ([x, index], { axis }) => inferGather(x!, index!, axis),
  tfjs: ([x, index], { axis }, { inputs }) =>
    ts`kernels.gather(${x!}, ${index!}, ${frontAxis(axis, inputs[0]!.shape)})`,
  onnx: ([x, index], { axis }, context) => {
    const { shape } = context.inputs[0]!
    const checked = positions(index!, shape.at(axis)!, context)
    return context.graph.node('Gather', [x, checked], { axis })
  },
  grad: (dy, { inputs: [x, index], attrs: { axis } }, make) => {
    const { shape } = x!.type
    const entry = knownEntry(axis, shape)
    const counted = hasRest(shape.slice(0, entry)) ? entry - shape.length : entry
    return [make.scatter_add([dy, index!], { axis: counted, size: shape[entry]! }), undefined]
  },
  samples: [
    {
      shapes: [[5, 2], [3]],
      attrs: { axis: 0 },
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [4, 0, 4] }],
    },
    {
      shapes: [
        [2, 3, 2],
        [2, 2],
      ],
      attrs: { axis: 1 },
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [0, 2, 2, 1] }],
    },
    {
      shapes: [[2, 3], []],
      attrs: { axis: -1 },
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [1] }],
    },
    {
      shapes: [[3], [2]],
      attrs: { axis: 0 },
      dtypes: ['i32', 'i32'],
      inputs: [{ values: [7, 8, 9] }, { values: [2, 0] }],
    },
  ],
}

/** The axes of the first input that give way to the new one: as many as the index has. */
function inferScatter(x: TensorType, index: TensorType, axis: number, size: Dim): TensorType | Clash {
  const start = axis < 0 ? x.shape.length - index.shape.length + 1 + axis : axis
  const end = start + index.shape.length
  const replaced = x.shape.slice(start, end)
  if (start < 0 || end > x.shape.length || replaced.some((d, i) => d !== index.shape[i]))
    return {
      clash: `must have the axes of the index, [${index.shape.join(', ')}], at axis ${axis}`,
      input: 0,
    }
  return { dtype: x.dtype, shape: [...x.shape.slice(0, start), size, ...x.shape.slice(end)] }
}

/**
 * Sums into the first axis of zeros. Where the new axis is another one, those in front of it go behind it and come back.
 */
function scatterNodes(
  x: OnnxValue,
  index: OnnxValue,
  axis: number,
  size: number,
  context: OnnxContext,
): OnnxValue {
  const { graph, inputs } = context
  const [from, at] = inputs as readonly [FixedType, FixedType]
  const ranks = { whole: from.shape.length, index: at.shape.length }
  const start = axis < 0 ? axis + ranks.whole - ranks.index + 1 : axis
  const before = range(0, start)
  const parts = transposed(context, x, [
    ...range(start, start + ranks.index),
    ...before,
    ...range(start + ranks.index, ranks.whole),
  ])
  const rest = from.shape.filter((_, i) => i < start || i >= start + ranks.index)
  // ScatterND takes 64-bit indices only, each a list of one.
  const listed = reshapeTo(context, positions(index, size, context), [...at.shape, 1])
  const places = castTo(context, listed, 'i64')
  const zeros = filled(context, 'f32', 0, [size, ...rest])
  const sums = graph.node('ScatterND', [zeros, places, parts], { reduction: 'add' })
  return transposed(context, sums, [...range(1, start + 1), 0, ...range(start + 1, rest.length + 1)])
}

export const scatter_add: Op<{ axis: number; size: Dim }> = {
  doc: 'Sums of the parts of `x` that an index tensor sends to the same position of the new axis: the reverse of `gather`.',
  signature: '(x: F[...], index: I[...]) -> F[...]',
  attrs: { axis: { kind: 'int', default: 0 }, size: { kind: 'dims' } },
  infer: ([x, index], { axis, size }) => inferScatter(x!, index!, axis, size),
  tfjs: ([x, index], { axis, size }, { dim }) =>
    ts`kernels.scatterAdd(${x!}, ${index!}, ${axis}, ${dim(size)})`,
  onnx: ([x, index], { axis, size }, context) => scatterNodes(x!, index!, axis, fixed(size), context),
  grad: (dy, { inputs: [, index], attrs: { axis } }, make) => [
    make.gather([dy, index!], { axis }),
    undefined,
  ],
  samples: [
    {
      shapes: [[3, 2], [3]],
      attrs: { axis: 0, size: 5 },
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [4, 0, 4] }],
    },
    {
      shapes: [
        [2, 2, 2, 2],
        [2, 2],
      ],
      attrs: { axis: 1, size: 3 },
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [0, 2, 2, 1] }],
    },
    {
      shapes: [[2], []],
      attrs: { axis: 1, size: 3 },
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [1] }],
    },
  ],
}

/** The index as a column of its own, which names one element of each row. */
function pickNodes(x: OnnxValue, index: OnnxValue, context: OnnxContext): OnnxValue {
  const [from, at] = context.inputs as readonly [FixedType, FixedType]
  // WebGPU picks floats alone.
  if (context.provider === 'webgpu' && from.dtype !== 'f32') return pickedWhole(x, index, context)
  const column = reshapeTo(context, positions(index, from.shape.at(-1)!, context), [...at.shape, 1])
  const picked = context.graph.node('GatherElements', [x, column], { axis: -1 })
  return reshapeTo(context, picked, at.shape)
}

/** The sum of each row with zeros for all elements but the one that is picked. */
function pickedWhole(x: OnnxValue, index: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const [{ dtype, shape }, at] = context.inputs as readonly [FixedType, FixedType]
  const places = graph.constant('i32', range(0, shape.at(-1)!), [shape.at(-1)!])
  const isPicked = graph.node('Equal', [reshapeTo(context, index, [...at.shape, 1]), places])
  const whole = dtype === 'bool' ? castTo(context, x, 'i32') : x
  const kept = graph.node('Where', [isPicked, whole, scalar(context, 0, 'i32')])
  const sums = graph.node('ReduceSum', [kept, integers(context, [-1])], { keepdims: 0 })
  return dtype === 'bool' ? castTo(context, sums, 'bool') : sums
}

export const pick: Op = {
  doc: 'One element of each row (the last axis), as an index tensor says.',
  signature: '(x: T[...s, k], index: I[...s]) -> T[...s]',
  tfjs: ([x, index]) => ts`kernels.pick(${x!}, ${index!})`,
  onnx: ([x, index], _, context) => pickNodes(x!, index!, context),
  grad: (dy, { inputs: [x, index] }, make) => {
    const { shape } = x!.type
    const spread = make.reshape([dy], { shape: replaceEntry(shape, shape.length - 1, 1) })
    return [make.mul([make.one_hot([index!], { depth: shape.at(-1)! }), spread]), undefined]
  },
  lift: attrs => attrs,
  samples: [
    {
      shapes: [[3, 4], [3]],
      attrs: {},
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [3, 0, 1] }],
    },
    {
      shapes: [
        [2, 2, 3],
        [2, 2],
      ],
      attrs: {},
      dtypes: ['f32', 'i32'],
      inputs: [{ low: -2, high: 2 }, { values: [2, 0, 1, 1] }],
    },
    { shapes: [[3], []], attrs: {}, dtypes: ['f32', 'i32'], inputs: [{ low: -2, high: 2 }, { values: [2] }] },
    {
      shapes: [[2, 3], [2]],
      attrs: {},
      dtypes: ['i32', 'i32'],
      inputs: [{ values: [5, 6, 7, 8, 9, 10] }, { values: [2, 0] }],
    },
  ],
}

/** Where the index equals the numbers below `depth`: WebGPU leaves OneHot to the processor. */
function oneHotNodes(index: OnnxValue, depth: number, context: OnnxContext): OnnxValue {
  const { graph, inputs } = context
  const column = reshapeTo(context, index, [...inputs[0]!.shape, 1])
  const places = graph.constant('i32', range(0, depth), [depth])
  return castTo(context, graph.node('Equal', [column, places]), 'f32')
}

/** tf.oneHot (4.22.0) refuses a depth of 1, and its wasm kernel writes integers whatever dtype it is asked for. */
function oneHotText(index: Code, depth: Dim, size: Code): Code {
  if (depth === 1) return ts`tf.cast(tf.equal(tf.expandDims(${index}, -1), 0), 'float32')`
  return ts`tf.cast(tf.oneHot(${index}, ${size}), 'float32')`
}

export const one_hot: Op<{ depth: Dim }> = {
  doc: 'A row of zeros with a 1 where the index says; a row of zeros for an index outside 0..depth.',
  signature: '(index: I[...s]) -> f32[...s, depth]',
  attrs: { depth: { kind: 'dims' } },
  infer: ([index], { depth }) => ({ dtype: 'f32', shape: [...index!.shape, depth] }),
  tfjs: ([index], { depth }, { dim }) => oneHotText(index!, depth, dim(depth)),
  onnx: ([index], { depth }, context) => oneHotNodes(index!, fixed(depth), context),
  grad: 'none',
  lift: attrs => attrs,
  samples: [
    { shapes: [[3]], attrs: { depth: 4 }, dtypes: ['i32'], inputs: [{ values: [3, 0, -1] }] },
    { shapes: [[2, 2]], attrs: { depth: 2 }, dtypes: ['i32'], inputs: [{ values: [1, 0, 0, 5] }] },
    { shapes: [[]], attrs: { depth: 3 }, dtypes: ['i32'], inputs: [{ values: [1] }] },
    { shapes: [[3]], attrs: { depth: 1 }, dtypes: ['i32'], inputs: [{ values: [0, 1, -1] }] },
  ],
}
