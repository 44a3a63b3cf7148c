import { type Code, join, ts } from '../base/code.ts'
import { add, compareDims, type Dim, subtract } from '../types/dim.ts'
import { elementCount, isRest, type Shape, type TensorType } from '../types/tensor.ts'
import { entryOf, frontAxis, hasRest, knownEntry, noAxis, replaceEntry } from './axes.ts'
import {
  fixed,
  fixedShape,
  gathered,
  integers,
  moved,
  type OnnxContext,
  type OnnxValue,
  range,
  reshapeTo,
  reversed,
  scalar,
} from './onnx.ts'
import type { Clash, Op } from './op.ts'

import { listText, shapeText } from './text.ts'
import { unbroadcast } from './unbroadcast.ts'

export const reshape: Op<{ shape: readonly Dim[] }> = {
  doc: 'The same elements in the same order under another shape.',
  signature: '(x: T[...s]) -> T[...r]',
  attrs: { shape: { kind: 'dims' } },
  infer: ([x], { shape }) => {
    const [before, after] = [elementCount(x!.shape), elementCount(shape)]
    const differ = before !== undefined && after !== undefined && compareDims(before, after) === 'different'
    if (!differ) return { dtype: x!.dtype, shape }
    return {
      clash: `[${x!.shape.join(', ')}] has ${before} elements and [${shape.join(', ')}] has ${after}`,
      input: 0,
    }
  },
  tfjs: ([x], { shape }, context) => ts`tf.reshape(${x!}, ${shapeText(shape, context)})`,
  onnx: ([x], { shape }, context) => reshapeTo(context, x!, fixedShape(shape)),
  grad: (dy, { inputs: [x] }, make) => [make.reshape([dy], { shape: x!.type.shape })],
  lift: ({ shape }, _, size) => ({ shape: [size, ...shape] }),
  samples: [
    { shapes: [[2, 6]], attrs: { shape: [3, 4] } },
    { shapes: [[]], attrs: { shape: [1, 1] } },
    { shapes: [[2, 2]], attrs: { shape: [4] }, dtypes: ['bool'] },
  ],
}

/** The permutation that an empty list stands for: the last two axes swapped. */
function swapLast(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, i) => (i === rank - 2 ? rank - 1 : i === rank - 1 ? rank - 2 : i))
}

function inverse(perm: readonly number[]): number[] {
  const result = perm.map(() => 0)
  perm.forEach((from, to) => {
    result[from] = to
  })
  return result
}

function inferTranspose(x: TensorType, perm: readonly number[]): TensorType | Clash {
  const rank = x.shape.length
  if (perm.length === 0 && (rank < 2 || x.shape.slice(-2).some(isRest)))
    return {
      clash: `needs two axes to swap, [${x.shape.join(', ')}] has ${hasRest(x.shape) ? 'an open number' : rank}`,
      input: 0,
    }
  const order = perm.length === 0 ? swapLast(rank) : perm
  if (order.length !== rank || new Set(order).size !== rank || order.some(i => x.shape[i] === undefined))
    return {
      clash: `[${perm.join(', ')}] is no order of the ${rank} axes of [${x.shape.join(', ')}]`,
      input: 0,
    }
  return { dtype: x.dtype, shape: order.map(i => x.shape[i]!) }
}

function transposeText(x: Code, perm: readonly number[], shape: Shape): Code {
  if (perm.length === 0 && hasRest(shape)) return ts`kernels.swapLast(${x})`
  const order = perm.length === 0 ? swapLast(shape.length) : perm
  return order.every((from, i) => from === shape.length - 1 - i)
    ? ts`tf.transpose(${x})`
    : ts`tf.transpose(${x}, ${listText(order)})`
}

export const transpose: Op<{ perm: readonly number[] }> = {
  doc: 'The axes in another order; without one the last two swapped.',
  signature: '(x: T[...s]) -> T[...r]',
  attrs: { perm: { kind: 'ints', default: [] } },
  infer: ([x], { perm }) => inferTranspose(x!, perm),
  tfjs: ([x], { perm }, { inputs }) => transposeText(x!, perm, inputs[0]!.shape),
  onnx: ([x], { perm }, context) => {
    const { dtype, shape } = context.inputs[0]!
    const order = perm.length === 0 ? swapLast(shape.length) : perm
    return moved(context, [x!], dtype, numbers => context.graph.node('Transpose', numbers, { perm: order }))
  },
  grad: (dy, { attrs: { perm } }, make) => [make.transpose([dy], { perm: inverse(perm) })],
  lift: ({ perm }) => ({ perm: perm.length === 0 ? [] : [0, ...perm.map(i => i + 1)] }),
  samples: [
    { shapes: [[2, 3]], attrs: { perm: [] } },
    { shapes: [[2, 3, 4]], attrs: { perm: [] } },
    { shapes: [[2, 3, 4]], attrs: { perm: [2, 0, 1] } },
    { shapes: [[2, 3]], attrs: { perm: [1, 0] }, dtypes: ['bool'] },
  ],
}

function inferBroadcast(x: TensorType, shape: Shape): TensorType | Clash {
  const offset = shape.length - x.shape.length
  const fits = offset >= 0 && x.shape.every((size, i) => size === 1 || size === shape[i + offset])
  if (fits || hasRest(shape)) return { dtype: x.dtype, shape }
  return { clash: `[${x.shape.join(', ')}] can't be stretched to [${shape.join(', ')}]`, input: 0 }
}

export const broadcast_to: Op<{ shape: readonly Dim[] }> = {
  doc: 'Repeated along new leading axes and axes of length 1 until it has the shape.',
  signature: '(x: T[...s]) -> T[...r]',
  attrs: { shape: { kind: 'dims' } },
  infer: ([x], { shape }) => inferBroadcast(x!, shape),
  tfjs: ([x], { shape }, context) => ts`tf.broadcastTo(${x!}, ${shapeText(shape, context)})`,
  onnx: ([x], { shape }, context) => context.graph.node('Expand', [x, integers(context, fixedShape(shape))]),
  grad: (dy, { inputs: [x] }, make) => [unbroadcast(dy, x!.type, make)],
  samples: [
    { shapes: [[2, 1]], attrs: { shape: [3, 2, 4] } },
    { shapes: [[]], attrs: { shape: [2, 2] } },
    { shapes: [[3]], attrs: { shape: [3] } },
    { shapes: [[1, 2]], attrs: { shape: [2, 2] }, dtypes: ['bool'] },
  ],
}

/** The sum over the axes in which the shapes differ, in the shape. */
function sumToNodes(x: OnnxValue, shape: readonly number[], context: OnnxContext): OnnxValue {
  const before = context.inputs[0]!.shape
  const added = before.length - shape.length
  const axes = before.flatMap((size, i) => (i < added || shape[i - added] !== size ? [i] : []))
  if (axes.length === 0) return x
  const summed = context.graph.node('ReduceSum', [x, integers(context, axes)], { keepdims: 0 })
  return axes.length === added ? summed : reshapeTo(context, summed, shape)
}

export const sum_to: Op<{ shape: readonly Dim[] }> = {
  doc: 'Summed over leading axes and axes of length 1 until it has the shape: the reverse of broadcasting.',
  signature: '(x: N[...s]) -> N[...r]',
  attrs: { shape: { kind: 'dims' } },
  call: false,
  infer: ([x], { shape }) => {
    const result = inferBroadcast({ dtype: x!.dtype, shape }, x!.shape)
    return 'clash' in result
      ? { clash: `[${x!.shape.join(', ')}] can't be summed to [${shape.join(', ')}]`, input: 0 }
      : { dtype: x!.dtype, shape }
  },
  tfjs: ([x], { shape }, context) => ts`kernels.sumTo(${x!}, ${shapeText(shape, context)})`,
  onnx: ([x], { shape }, context) => sumToNodes(x!, fixedShape(shape), context),
  grad: (dy, { inputs: [x] }, make) => [make.broadcast_to([dy], { shape: x!.type.shape })],
  samples: [
    { shapes: [[3, 2, 4]], attrs: { shape: [2, 1] } },
    { shapes: [[2, 3]], attrs: { shape: [] } },
    { shapes: [[2, 3]], attrs: { shape: [2, 3] } },
  ],
}

function inferConcat(xs: readonly TensorType[], axis: number): TensorType | Clash {
  const first = xs[0]
  if (first === undefined) return { clash: 'needs at least one tensor' }
  const entry = entryOf(axis, first.shape)
  if (entry === undefined) return noAxis(axis, first.shape)
  for (const [i, x] of xs.entries()) {
    const fits =
      x.dtype === first.dtype &&
      x.shape.length === first.shape.length &&
      x.shape.every((size, j) => j === entry || size === first.shape[j])
    if (!fits)
      return {
        clash: `all but axis ${axis} must agree`,
        input: i,
        expected: `${first.dtype}[${first.shape.join(', ')}]`,
        got: `${x.dtype}[${x.shape.join(', ')}]`,
      }
  }
  const total = xs.map(x => x.shape[entry]!).reduce(add)
  return { dtype: first.dtype, shape: replaceEntry(first.shape, entry, total) }
}

export const concat: Op<{ axis: number }> = {
  doc: 'Tensors one after another along an axis; all other axes must agree.',
  signature: '(xs: T[...]*) -> T[...]',
  attrs: { axis: { kind: 'axis', default: 0 } },
  infer: (xs, { axis }) => inferConcat(xs, axis),
  tfjs: (xs, { axis }, { inputs }) => ts`tf.concat([${join(xs)}], ${frontAxis(axis, inputs[0]!.shape)})`,
  onnx: (xs, { axis }, context) => {
    if (xs.length === 1) return xs[0]!
    const { dtype } = context.outputs[0]!
    return moved(context, xs, dtype, numbers => context.graph.node('Concat', numbers, { axis }))
  },
  grad: (dy, { inputs, attrs: { axis } }, make) => {
    let from: Dim = 0
    return inputs.map(x => {
      const start = from
      from = add(start, x.type.shape[knownEntry(axis, x.type.shape)]!)
      return make.slice([dy], { axis, from: start, to: from })
    })
  },
  lift: ({ axis }, [x]) => ({ axis: knownEntry(axis, x!.shape) + 1 }),
  samples: [
    {
      shapes: [
        [2, 3],
        [1, 3],
      ],
      attrs: { axis: 0 },
    },
    {
      shapes: [
        [2, 1],
        [2, 3],
        [2, 2],
      ],
      attrs: { axis: -1 },
    },
    { shapes: [[3]], attrs: { axis: 0 } },
    { shapes: [[2], [3]], attrs: { axis: 0 }, dtypes: ['bool', 'bool'] },
  ],
}

/** `-1` for each axis in front of the one that counts, as tf.slice has it for "to the end". */
function sliceText(
  x: Code,
  axis: number,
  shape: Shape,
  from: Dim,
  length: Dim,
  dim: (size: Dim) => Code,
): Code {
  if (hasRest(shape)) return ts`kernels.slice(${x}, ${axis}, ${dim(from)}, ${dim(length)})`
  const entry = knownEntry(axis, shape)
  const zeros = Array.from({ length: entry }, () => '0')
  const whole = zeros.map(() => '-1')
  return ts`tf.slice(${x}, [${join([...zeros, dim(from)])}], [${join([...whole, dim(length)])}])`
}

function inferSlice(
  x: TensorType,
  { axis, from, to }: { axis: number; from: Dim; to: Dim },
): TensorType | Clash {
  const entry = entryOf(axis, x.shape)
  if (entry === undefined) return noAxis(axis, x.shape)
  const size = x.shape[entry]!
  const numbers = typeof from === 'number' && typeof to === 'number'
  if (numbers && (from < 0 || from > to))
    return { clash: `${from}..${to} is no range of positions`, input: 0 }
  if (typeof to === 'number' && typeof size === 'number' && to > size)
    return { clash: `position ${to} lies behind the end of axis ${axis}, which has length ${size}`, input: 0 }
  return { dtype: x.dtype, shape: replaceEntry(x.shape, entry, subtract(to, from)) }
}

/** Whether the provider has a kernel that cuts pieces out of the first input: WebGPU only has one for floats. */
function slicesAs({ provider, inputs }: OnnxContext): boolean {
  return provider !== 'webgpu' || inputs[0]!.dtype === 'f32'
}

export const slice: Op<{ axis: number; from: Dim; to: Dim }> = {
  doc: 'The positions `from` up to but not including `to` of one axis.',
  signature: '(x: T[...s]) -> T[...r]',
  attrs: { axis: { kind: 'axis' }, from: { kind: 'dims' }, to: { kind: 'dims' } },
  infer: ([x], attrs) => inferSlice(x!, attrs),
  tfjs: ([x], { axis, from, to }, { inputs, dim }) =>
    sliceText(x!, axis, inputs[0]!.shape, from, subtract(to, from), dim),
  onnx: ([x], { axis, from, to }, context) => {
    const [first, end] = [fixed(from), fixed(to)]
    if (!slicesAs(context)) return gathered(context, x!, axis, range(first, end))
    return context.graph.node('Slice', [x, ...[first, end, axis].map(n => integers(context, [n]))])
  },
  grad: (dy, { inputs: [x], attrs: { axis, from, to } }, make) => {
    const size = x!.type.shape[knownEntry(axis, x!.type.shape)]!
    return [make.pad([dy], { axis, before: from, after: subtract(size, to), value: 0 })]
  },
  lift: (attrs, [x]) => ({ ...attrs, axis: knownEntry(attrs.axis, x!.shape) + 1 }),
  samples: [
    { shapes: [[4, 3]], attrs: { axis: 0, from: 1, to: 3 } },
    { shapes: [[2, 3, 4]], attrs: { axis: -1, from: 0, to: 2 } },
    { shapes: [[2, 3, 4]], attrs: { axis: 1, from: 2, to: 3 } },
    { shapes: [[4]], attrs: { axis: 0, from: 1, to: 4 }, dtypes: ['i32'] },
  ],
}

/** `[[0, 0], [1, 2]]` as tf.pad has it: a pair for each axis. */
function padText(
  x: Code,
  shape: Shape,
  attrs: { axis: number; before: Dim; after: Dim; value: number },
  dim: (size: Dim) => Code,
): Code {
  const { axis, before, after, value } = attrs
  const constant = value === 0 ? '' : ts`, ${value}`
  if (hasRest(shape)) return ts`kernels.pad(${x}, ${axis}, ${dim(before)}, ${dim(after)}${constant})`
  const entry = knownEntry(axis, shape)
  const pairs = shape.map((_, i) => (i === entry ? ts`[${dim(before)}, ${dim(after)}]` : '[0, 0]'))
  return ts`tf.pad(${x}, [${join(pairs)}]${constant})`
}

export const pad: Op<{ axis: number; before: Dim; after: Dim; value: number }> = {
  doc: 'An axis made longer at both ends by positions that hold one value.',
  signature: '(x: T[...s]) -> T[...r]',
  attrs: {
    axis: { kind: 'axis' },
    before: { kind: 'dims', default: 0 },
    after: { kind: 'dims', default: 0 },
    value: { kind: 'float', default: 0 },
  },
  infer: ([x], { axis, before, after }) => {
    const entry = entryOf(axis, x!.shape)
    if (entry === undefined) return noAxis(axis, x!.shape)
    return {
      dtype: x!.dtype,
      shape: replaceEntry(x!.shape, entry, add(add(x!.shape[entry]!, before), after)),
    }
  },
  tfjs: ([x], attrs, { inputs, dim }) => padText(x!, inputs[0]!.shape, attrs, dim),
  onnx: ([x], { axis, before, after, value }, context) => {
    const { dtype, shape } = context.inputs[0]!
    const entry = knownEntry(axis, shape)
    const sides = [before, after].flatMap(side => shape.map((_, i) => (i === entry ? fixed(side) : 0)))
    return moved(context, [x!], dtype, (numbers, as) =>
      context.graph.node('Pad', [...numbers, integers(context, sides), scalar(context, value, as)]),
    )
  },
  grad: (dy, { inputs: [x], attrs: { axis, before } }, make) => {
    const size = x!.type.shape[knownEntry(axis, x!.type.shape)]!
    return [make.slice([dy], { axis, from: before, to: add(before, size) })]
  },
  lift: (attrs, [x]) => ({ ...attrs, axis: knownEntry(attrs.axis, x!.shape) + 1 }),
  samples: [
    { shapes: [[2, 3]], attrs: { axis: 0, before: 1, after: 2, value: 0 } },
    { shapes: [[2, 3]], attrs: { axis: -1, before: 0, after: 1, value: -1.5 } },
    { shapes: [[2]], attrs: { axis: 0, before: 1, after: 0, value: 7 }, dtypes: ['i32'] },
  ],
}

/** The wasm kernel reverses a boolean's bytes in fours (4.22.0), so booleans go through integers. */
function reverseText(x: Code, axis: number, type: TensorType): Code {
  const front = frontAxis(axis, type.shape)
  if (type.dtype !== 'bool') return ts`tf.reverse(${x}, ${front})`
  return ts`tf.cast(tf.reverse(tf.cast(${x}, 'int32'), ${front}), 'bool')`
}

export const reverse: Op<{ axis: number }> = {
  doc: 'One axis from its end to its start.',
  signature: '(x: T[...s]) -> T[...s]',
  attrs: { axis: { kind: 'axis' } },
  infer: ([x], { axis }) => (entryOf(axis, x!.shape) === undefined ? noAxis(axis, x!.shape) : x!),
  tfjs: ([x], { axis }, { inputs }) => reverseText(x!, axis, inputs[0]!),
  onnx: ([x], { axis }, context) => {
    if (slicesAs(context)) return reversed(context, x!, [axis])
    return gathered(context, x!, axis, range(0, context.inputs[0]!.shape.at(axis)!).toReversed())
  },
  grad: (dy, { attrs }, make) => [make.reverse([dy], attrs)],
  lift: ({ axis }, [x]) => ({ axis: knownEntry(axis, x!.shape) + 1 }),
  samples: [
    { shapes: [[2, 3]], attrs: { axis: 0 } },
    { shapes: [[2, 3, 2]], attrs: { axis: -2 } },
    { shapes: [[3]], attrs: { axis: 0 }, dtypes: ['bool'], inputs: [{ values: [1, 0, 0] }] },
  ],
}
