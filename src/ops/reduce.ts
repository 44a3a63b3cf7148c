import { type Code, ts } from '../base/code.ts'
import type { DType, TensorType } from '../types/tensor.ts'
import { entriesOf, entryOf, frontAxis, hasRest, knownEntry, noAxis } from './axes.ts'
import type { Make } from './builder.ts'
import {
  castTo,
  filled,
  integers,
  type OnnxContext,
  type OnnxValue,
  range,
  reshapeTo,
  scalar,
} from './onnx.ts'
import type { AttrSpec, Clash, Op, Operand, Sample, TfjsContext } from './op.ts'
import { callText, listText } from './text.ts'
import { indicator, number, restore } from './unbroadcast.ts'

/** Which axes are reduced, all for an empty list, and whether they stay with length 1. */
type Reduction = { axis: readonly number[]; keep: boolean }

const reductionAttrs: { readonly [K in keyof Reduction]: AttrSpec } = {
  axis: { kind: 'axes', default: [] },
  keep: { kind: 'bool', default: false },
}

function inferReduction(x: TensorType, { axis, keep }: Reduction, dtype: DType): TensorType | Clash {
  const missing = axis.find(a => entryOf(a, x.shape) === undefined)
  if (missing !== undefined) return noAxis(missing, x.shape)
  if (axis.length === 0 && keep && hasRest(x.shape))
    return { clash: 'the axes to keep must be named where their number is open', input: 0 }
  const removed = new Set(entriesOf(axis, x.shape))
  if (axis.length > removed.size) return { clash: `axis list [${axis.join(', ')}] names an axis twice` }
  const shape = keep
    ? x.shape.map((size, i) => (removed.has(i) ? 1 : size))
    : x.shape.filter((_, i) => !removed.has(i))
  return { dtype, shape }
}

/** `, [0, 1], true` with what is assumed left out; one axis stands alone. */
function reductionText(name: string, x: Code, { axis, keep }: Reduction, { inputs }: TfjsContext): Code {
  const front = axis.map(a => frontAxis(a, inputs[0]!.shape))
  const axes = front.length === 0 ? 'undefined' : front.length === 1 ? String(front[0]) : listText(front)
  return callText(
    name,
    [x],
    [
      [axes, 'undefined'],
      [String(keep), 'false'],
    ],
  )
}

/** After a new leading axis the others count one more from the front; all of them must now be named. */
function liftReduction(attrs: Reduction, [x]: readonly TensorType[]): Reduction {
  return { ...attrs, axis: entriesOf(attrs.axis, x!.shape).map(entry => entry + 1) }
}

function reduceNode(node: string, x: OnnxValue, { axis, keep }: Reduction, context: OnnxContext): OnnxValue {
  const axes = entriesOf(axis, context.inputs[0]!.shape)
  if (axes.length === 0) return x
  return context.graph.node(node, [x, integers(context, axes)], { keepdims: Number(keep) })
}

/** The largest or smallest element, or NaN where there is one, which the processor's kernels pass over. */
function extreme(node: string): Op<Reduction>['onnx'] {
  return ([x], attrs, context) => {
    const { graph, inputs, provider } = context
    const found = reduceNode(node, x!, attrs, context)
    // WGSL lets a device compute as if there were no NaN, and whole numbers have none.
    if (provider === 'webgpu' || inputs[0]!.dtype !== 'f32') return found
    const areNumbers = reduceBool('ReduceMin', graph.node('Equal', [x, x]), attrs, context)
    return graph.node('Where', [areNumbers, found, scalar(context, Number.NaN)])
  }
}

/**
 * Through integers, since not every provider reduces booleans. Of nothing their maximum is the least of all and their minimum the largest,
 * so that none is true and all are.
 */
function reduceBool(node: string, x: OnnxValue, attrs: Reduction, context: OnnxContext): OnnxValue {
  const reduced = reduceNode(node, castTo(context, x, 'i32'), attrs, context)
  return context.graph.node('Greater', [reduced, scalar(context, 0, 'i32')])
}

function reduction(
  entry: Pick<Op<Reduction>, 'doc' | 'onnx' | 'grad' | 'samples'> &
    Partial<Pick<Op<Reduction>, 'call'>> & { readonly dtype: 'F' | 'N' | 'B'; readonly lowering: string },
): Op<Reduction> {
  const { dtype, lowering, ...rest } = entry
  return {
    ...rest,
    signature: `(x: ${dtype}[...s]) -> ${dtype}[...r]`,
    attrs: reductionAttrs,
    infer: ([x], attrs) => inferReduction(x!, attrs, x!.dtype),
    tfjs: ([x], attrs, context) => reductionText(lowering, x!, attrs, context),
    lift: liftReduction,
  }
}

const attrChoices: readonly Reduction[] = [
  { axis: [], keep: false },
  { axis: [1], keep: false },
  { axis: [0, -1], keep: true },
  { axis: [-1], keep: true },
]
const float: readonly Sample<Reduction>[] = attrChoices.map(attrs => ({ shapes: [[2, 3, 4]], attrs }))
const integer: Sample<Reduction> = {
  shapes: [[2, 3]],
  attrs: { axis: [1], keep: false },
  dtypes: ['i32'],
  inputs: [{ values: [3, -1, 2, 5, 5, 0] }],
}

export const sum: Op<Reduction> = reduction({
  doc: 'Sum over axes.',
  dtype: 'N',
  lowering: 'tf.sum',
  onnx: ([x], attrs, context) => reduceNode('ReduceSum', x!, attrs, context),
  grad: (dy, { inputs: [x], attrs }, make) => [restore(dy, x!.type, attrs, make)],
  samples: [...float, integer, { shapes: [[]], attrs: { axis: [], keep: false } }],
})

export const mean: Op<Reduction> = reduction({
  doc: 'Mean over axes.',
  dtype: 'F',
  lowering: 'tf.mean',
  onnx: ([x], attrs, context) => reduceNode('ReduceMean', x!, attrs, context),
  grad: (dy, { inputs: [x], attrs }, make) => {
    const count = make.size([], { shape: entriesOf(attrs.axis, x!.type.shape).map(i => x!.type.shape[i]!) })
    return [restore(make.div([dy, count]), x!.type, attrs, make)]
  },
  samples: float,
})

/** The gradient of a maximum or minimum: to the elements that equal it, in equal shares. */
function extremum(dy: Operand, x: Operand, y: Operand, attrs: Reduction, make: Make): Operand {
  const winners = indicator(make, make.eq([x, restore(y, x.type, attrs, make)]))
  const count = make.sum([winners], attrs)
  return make.mul([restore(make.div([dy, count]), x.type, attrs, make), winners])
}

const tied: Sample<Reduction> = {
  shapes: [[2, 3]],
  attrs: { axis: [1], keep: false },
  inputs: [{ values: [1, 3, 3, 2, 2, 2] }],
}
const distinct: readonly Sample<Reduction>[] = [
  ...attrChoices.slice(1, 3).map(attrs => ({
    shapes: [[2, 3, 2]],
    attrs,
    inputs: [{ values: [1, -2, 3, 0.5, 2, -1, -3, 2.5, 1.5, -0.5, 0, 4] }],
  })),
  { shapes: [[4]], attrs: { axis: [], keep: false }, inputs: [{ values: [-1, -4, -2, -3] }] },
]
const third = 1 / 3

export const reduce_max: Op<Reduction> = reduction({
  doc: 'The largest element over axes; equal ones share the gradient.',
  call: 'max',
  dtype: 'N',
  lowering: 'tf.max',
  onnx: extreme('ReduceMax'),
  grad: (dy, { inputs: [x], outputs: [y], attrs }, make) => [extremum(dy, x!, y!, attrs, make)],
  samples: [...distinct, { ...tied, gradient: [[0, 0.5, 0.5, third, third, third]] }, integer],
})

export const reduce_min: Op<Reduction> = reduction({
  doc: 'The smallest element over axes; equal ones share the gradient.',
  call: 'min',
  dtype: 'N',
  lowering: 'tf.min',
  onnx: extreme('ReduceMin'),
  grad: (dy, { inputs: [x], outputs: [y], attrs }, make) => [extremum(dy, x!, y!, attrs, make)],
  samples: [...distinct, { ...tied, gradient: [[1, 0, 0, third, third, third]] }, integer],
})

/**
 * The product of the others. With z zeros among the elements it is, for each element, the product p of those that aren't
 * zero, divided by the element itself unless that is zero, and 0 if any other is zero. Its own derivative misses what two
 * zeros contribute to each other.
 */
function productOfOthers(dy: Operand, x: Operand, attrs: Reduction, make: Make): Operand {
  const zero = number(make, 0)
  const isZero = make.eq([x, zero])
  const safe = make.where([isZero, number(make, 1), x])
  const p = make.prod([safe], attrs)
  const zeros = make.sum([indicator(make, isZero)], attrs)
  const others = make.sub([restore(zeros, x.type, attrs, make), indicator(make, isZero)])
  const product = make.div([restore(make.mul([dy, p]), x.type, attrs, make), safe])
  return make.where([make.gt([others, zero]), zero, product])
}

export const prod: Op<Reduction> = reduction({
  doc: 'Product over axes.',
  dtype: 'F',
  lowering: 'tf.prod',
  onnx: ([x], attrs, context) => reduceNode('ReduceProd', x!, attrs, context),
  grad: (dy, { inputs: [x], attrs }, make) => [productOfOthers(dy, x!, attrs, make)],
  samples: [
    ...attrChoices.map(attrs => ({ shapes: [[2, 2, 3]], attrs, inputs: [{ low: 0.5, high: 1.5 }] })),
    {
      shapes: [[3, 3]],
      attrs: { axis: [-1], keep: false },
      inputs: [{ values: [1, 0, 2, 0, 0, 3, -1, 2, 0.5] }],
      gradient: [[0, 2, 0, 0, 0, 0, 1, -0.5, -2]],
    },
  ],
})

const booleans: readonly Sample<Reduction>[] = attrChoices.map(attrs => ({
  shapes: [[2, 2, 2]],
  attrs,
  dtypes: ['bool'],
}))

export const any: Op<Reduction> = reduction({
  doc: 'Whether any element over axes is true.',
  dtype: 'B',
  lowering: 'tf.any',
  onnx: ([x], attrs, context) => reduceBool('ReduceMax', x!, attrs, context),
  grad: 'none',
  samples: booleans,
})

export const all: Op<Reduction> = reduction({
  doc: 'Whether all elements over axes are true.',
  dtype: 'B',
  lowering: 'tf.all',
  onnx: ([x], attrs, context) => reduceBool('ReduceMin', x!, attrs, context),
  grad: 'none',
  samples: booleans,
})

/**
 * The largest element is taken out first, unless it is infinite: ∞ - ∞ is no number. ReduceLogSumExp (ONNX Runtime 1.30) takes out 0 where
 * the first element is -∞, and then loses all that is below -88.
 */
function logSumExpNodes(x: OnnxValue, attrs: Reduction, context: OnnxContext): OnnxValue {
  const { graph } = context
  const kept = { ...attrs, keep: true }
  const largest = reduceNode('ReduceMax', x, kept, context)
  const bounded = graph.node('Less', [graph.node('Abs', [largest]), scalar(context, Infinity)])
  const shift = graph.node('Where', [bounded, largest, scalar(context, 0)])
  const sum = reduceNode('ReduceSum', graph.node('Exp', [graph.node('Sub', [x, shift])]), kept, context)
  const result = graph.node('Add', [graph.node('Log', [sum]), shift])
  return attrs.keep ? result : reshapeTo(context, result, context.outputs[0]!.shape)
}

export const logsumexp: Op<Reduction> = reduction({
  doc: 'log(sum(exp(x))) over axes without overflow.',
  dtype: 'F',
  lowering: 'kernels.logSumExp',
  onnx: ([x], attrs, context) => logSumExpNodes(x!, attrs, context),
  grad: (dy, { inputs: [x], outputs: [y], attrs }, make) => {
    const share = make.exp([make.sub([x!, restore(y!, x!.type, attrs, make)])])
    return [make.mul([restore(dy, x!.type, attrs, make), share])]
  },
  samples: [
    ...float,
    { shapes: [[2, 2]], attrs: { axis: [-1], keep: false }, inputs: [{ values: [90, 89, -95, -95.5] }] },
  ],
})

/** The type of a tensor with one axis taken out. */
function withoutAxis(x: TensorType, axis: number): TensorType | Clash {
  const entry = entryOf(axis, x.shape)
  if (entry === undefined) return noAxis(axis, x.shape)
  return { dtype: 'i32', shape: x.shape.filter((_, i) => i !== entry) }
}

/** The kernels refuse an axis without elements; the place there is 0, as with tfjs. */
function positionNodes(node: string, x: OnnxValue, axis: number, context: OnnxContext): OnnxValue {
  const { graph, inputs, outputs } = context
  const { shape } = inputs[0]!
  if (shape.includes(0)) return filled(context, 'i32', 0, outputs[0]!.shape)
  if (context.provider === 'webgpu')
    return firstPlace(node === 'ArgMax' ? 'ReduceMax' : 'ReduceMin', x, axis, context)
  return castTo(context, graph.node(node, [x], { axis, keepdims: 0 }), 'i32')
}

/** The least place whose element is the extreme one: ArgMax gives 64-bit integers, which WebGPU does nothing with. */
function firstPlace(extreme: string, x: OnnxValue, axis: number, context: OnnxContext): OnnxValue {
  const { graph, inputs } = context
  const { shape } = inputs[0]!
  const entry = knownEntry(axis, shape)
  const size = shape[entry]!
  const column = graph.constant('i32', range(0, size), [size, ...shape.slice(entry + 1).map(() => 1)])
  const axes = integers(context, [entry])
  const isExtreme = graph.node('Equal', [x, graph.node(extreme, [x, axes], { keepdims: 1 })])
  const candidates = graph.node('Where', [isExtreme, column, scalar(context, size - 1, 'i32')])
  return graph.node('ReduceMin', [candidates, axes], { keepdims: 0 })
}

function position(doc: string, lowering: string, node: string): Op<{ axis: number }> {
  const inputs = [{ values: [1, 5, 5, -2, -3, -2.5] }]
  return {
    doc,
    signature: '(x: N[...s]) -> i32[...r]',
    attrs: { axis: { kind: 'axis', default: -1 } },
    infer: ([x], { axis }) => withoutAxis(x!, axis),
    tfjs: ([x], { axis }, context) => ts`${lowering}(${x!}, ${frontAxis(axis, context.inputs[0]!.shape)})`,
    onnx: ([x], { axis }, context) => positionNodes(node, x!, axis, context),
    grad: 'none',
    lift: ({ axis }, [x]) => ({ axis: knownEntry(axis, x!.shape) + 1 }),
    samples: [
      { shapes: [[2, 3]], attrs: { axis: -1 }, inputs, gradient: [[0, 0, 0, 0, 0, 0]] },
      { shapes: [[3, 2]], attrs: { axis: 0 }, inputs, gradient: [[0, 0, 0, 0, 0, 0]] },
      { shapes: [[6]], attrs: { axis: 0 }, dtypes: ['i32'], inputs: [{ values: [1, 5, 5, -2, -3, -2] }] },
    ],
  }
}

export const argmax: Op<{ axis: number }> = position(
  'Where the largest element of an axis is, the first of equals.',
  'tf.argMax',
  'ArgMax',
)
export const argmin: Op<{ axis: number }> = position(
  'Where the smallest element of an axis is, the first of equals.',
  'tf.argMin',
  'ArgMin',
)

export const cumsum: Op<{ axis: number; exclusive: boolean; reverse: boolean }> = {
  doc: 'Running sums along an axis; `exclusive` leaves out the element itself, `reverse` starts at the end.',
  signature: '(x: N[...s]) -> N[...s]',
  attrs: {
    axis: { kind: 'axis', default: -1 },
    exclusive: { kind: 'bool', default: false },
    reverse: { kind: 'bool', default: false },
  },
  infer: ([x], { axis }) => (entryOf(axis, x!.shape) === undefined ? noAxis(axis, x!.shape) : x!),
  tfjs: ([x], { axis, exclusive, reverse }, { inputs }) => {
    const front = frontAxis(axis, inputs[0]!.shape)
    const flags = [
      [String(exclusive), 'false'],
      [String(reverse), 'false'],
    ] as const
    return callText(front < 0 ? 'kernels.cumsum' : 'tf.cumsum', [x!, String(front)], flags)
  },
  onnx: ([x], { axis, exclusive, reverse }, { graph }) =>
    graph.node('CumSum', [x, graph.constant('i64', [axis], [])], {
      exclusive: Number(exclusive),
      reverse: Number(reverse),
    }),
  // Element i reaches the sums from i on, so the gradient sums backwards.
  grad: (dy, { attrs }, make) => [make.cumsum([dy], { ...attrs, reverse: !attrs.reverse })],
  lift: (attrs, [x]) => ({ ...attrs, axis: knownEntry(attrs.axis, x!.shape) + 1 }),
  samples: [
    { shapes: [[2, 3]], attrs: { axis: -1, exclusive: false, reverse: false } },
    { shapes: [[2, 3, 4]], attrs: { axis: 1, exclusive: true, reverse: false } },
    { shapes: [[3, 2]], attrs: { axis: 0, exclusive: false, reverse: true } },
    { shapes: [[3]], attrs: { axis: 0, exclusive: true, reverse: true } },
  ],
}
