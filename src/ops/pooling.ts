import { type Code, ts } from '../base/code.ts'
import { type Dim, product } from '../types/dim.ts'
import type { DType, TensorType } from '../types/tensor.ts'
import { maxPoolNodes } from './maxPoolNodes.ts'
import { castTo, fixedShape, integers, type OnnxContext, type OnnxValue, scalar } from './onnx.ts'
import type { AttrSpec, Clash, Op, Sample } from './op.ts'
import { listText, shapeText } from './text.ts'
import {
  type AvgPool,
  both,
  type MaxPool,
  poolNodes,
  slide,
  windowAttrs,
  windowClash,
  windowNodes,
  windowOf,
  windowText,
} from './window.ts'

const kernelAttrs: { readonly kernel: AttrSpec; readonly stride: AttrSpec; readonly pad: AttrSpec } = {
  kernel: { kind: 'ints' },
  stride: { kind: 'ints', default: [] },
  pad: windowAttrs.pad,
}
const maxAttrs = { ...kernelAttrs, dilation: windowAttrs.dilation }

function inferPool(x: TensorType, pool: AvgPool, dtype: DType = 'f32'): TensorType | Clash {
  const window = windowOf(pool)
  const wrong = windowClash(window, pool.kernel) ?? emptyWindow(pool)
  if (wrong !== undefined) return wrong
  const size = slide(x.shape.slice(2), both(pool.kernel), window)
  return 'clash' in size ? size : { dtype, shape: [...x.shape.slice(0, 2), ...size] }
}

/** PyTorch's rule, which keeps every window in touch with the image. */
function emptyWindow({ kernel, pad }: AvgPool): Clash | undefined {
  const least = Math.min(...kernel)
  if (Math.max(...pad) * 2 <= least) return undefined
  return {
    clash: `\`pad\` may be at most half of the kernel, which is ${least}, so that no window misses the image`,
  }
}

/** Each element's share for all places of its window: a transposed convolution, channel by channel, by a kernel of equal shares. */
function spread(dy: OnnxValue, pool: AvgPool & { size: readonly Dim[] }, context: OnnxContext): OnnxValue {
  const { graph, inputs } = context
  const small = inputs[0]!.shape
  const [rows, columns] = both(pool.kernel)
  const [, channels = 0] = small
  const shares = Array<number>(channels * rows * columns).fill(1 / (rows * columns))
  const weight = graph.constant('f32', shares, [channels, 1, rows, columns])
  const { strides, pads } = windowNodes(windowOf(pool))
  const left = fixedShape(pool.size).map((size, i) => {
    const reach = both(pool.kernel)[i]! - pads[i]! - pads[i + 2]!
    return size - (strides[i]! * (small[i + 2]! - 1) + reach)
  })
  return graph.node('ConvTranspose', [dy, weight], { strides, pads, output_padding: left, group: channels })
}

function poolText(name: string, x: Code, pool: AvgPool): Code {
  return ts`kernels.${name}(${x}, ${listText(both(pool.kernel))}${windowText(windowOf(pool), pool.kernel)})`
}

/** Distinct values, far enough apart that no small change makes another one the largest; many of them negative. */
function shuffled(count: number): { readonly values: readonly number[] } {
  return { values: Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 10 - 6) }
}

const plain: MaxPool = { kernel: [2], stride: [], pad: [0], dilation: [1] }
const overlapping: MaxPool = { kernel: [3, 2], stride: [2, 1], pad: [1, 0], dilation: [1] }
const maxSamples: readonly Sample<MaxPool>[] = [
  { shapes: [[2, 2, 4, 4]], attrs: plain, inputs: [shuffled(64)] },
  { shapes: [[1, 2, 5, 4]], attrs: overlapping, inputs: [shuffled(40)] },
  { shapes: [[1, 1, 5, 5]], attrs: { ...plain, stride: [1], dilation: [2] }, inputs: [shuffled(25)] },
]

export const max_pool2d: Op<MaxPool> = {
  doc: 'The largest element of each window; of equal ones the first gets the gradient.',
  signature: '(x: F[n, channels, height, width]) -> F[n, channels, h, w]',
  attrs: maxAttrs,
  infer: ([x], pool) => inferPool(x!, pool),
  tfjs: ([x], pool) => poolText('maxPool2d', x!, pool),
  onnx: ([x], pool, context) => maxPoolNodes(x!, context.inputs[0]!.shape[1]!, poolNodes(pool), context),
  grad: (dy, { inputs: [x], attrs }, make) => {
    const { shape } = x!.type
    const index = make.max_pool2d_index([x!], attrs)
    const flat = make.scatter_add([dy, index], { axis: 0, size: product(shape) })
    return [make.reshape([flat], { shape })]
  },
  samples: [
    ...maxSamples,
    { shapes: [[1, 1, 2, 2]], attrs: plain, inputs: [{ values: [-1, 3, 3, 2] }], gradient: [[0, 1, 0, 0]] },
  ],
}

/**
 * The places of the largest elements for WebGPU, whose MaxPool knows none: one place of the window after the other, and each that is
 * larger than all before it takes over.
 */
function placesByComparing(x: OnnxValue, pool: MaxPool, context: OnnxContext): OnnxValue {
  const { graph, inputs, outputs } = context
  const { kernel_shape, strides, pads, dilations } = poolNodes(pool)
  const [n, channels, height, width] = inputs[0]!.shape as [number, number, number, number]
  const [h, w] = outputs[0]!.shape.slice(2) as [number, number]
  const [top, left, bottom, right] = pads as [number, number, number, number]
  const around = integers(context, [0, 0, top, left, 0, 0, bottom, right])
  const padded = graph.node('Pad', [x, around, scalar(context, Number.NEGATIVE_INFINITY)])
  const [rows, columns] = kernel_shape as readonly [number, number]
  const taps = Array.from({ length: rows * columns }, (_, i) => {
    const from = [Math.floor(i / columns) * dilations[0]!, (i % columns) * dilations[1]!]
    const to = from.map((start, axis) => start + ([h, w][axis]! - 1) * strides[axis]! + 1)
    const value = graph.node('Slice', [
      padded,
      ...[from, to, [2, 3], strides].map(each => integers(context, each)),
    ])
    const places = Array.from({ length: h * w }, (_, at) => {
      const row = from[0]! + Math.floor(at / w) * strides[0]! - top
      return row * width + from[1]! + (at % w) * strides[1]! - left
    })
    return { value, place: graph.constant('i32', places, [h, w]) }
  })
  const [first, ...others] = taps
  const start = {
    value: first!.value,
    place: graph.node('Expand', [first!.place, integers(context, [n, channels, h, w])]),
  }
  const largest = others.reduce((best, tap) => {
    const isLarger = graph.node('Greater', [tap.value, best.value])
    return {
      value: graph.node('Max', [best.value, tap.value]),
      place: graph.node('Where', [isLarger, tap.place, best.place]),
    }
  }, start)
  const images = Array.from({ length: n * channels }, (_, i) => i * height * width)
  return graph.node('Add', [largest.place, graph.constant('i32', images, [n, channels, 1, 1])])
}

export const max_pool2d_index: Op<MaxPool> = {
  doc: 'Where the largest element of each window is, as its place among all elements of `x`.',
  signature: '(x: F[n, channels, height, width]) -> i32[n, channels, h, w]',
  attrs: maxAttrs,
  call: false,
  infer: ([x], pool) => inferPool(x!, pool, 'i32'),
  tfjs: ([x], pool) => poolText('maxPool2dIndex', x!, pool),
  onnx: (inputs, pool, context) =>
    context.provider === 'webgpu'
      ? placesByComparing(inputs[0]!, pool, context)
      : castTo(context, context.graph.nodes('MaxPool', inputs, 2, poolNodes(pool))[1]!, 'i32'),
  grad: 'none',
  samples: maxSamples,
}

const side: AvgPool = { kernel: [2], stride: [], pad: [0] }
const avgOverlap: AvgPool = { kernel: [3, 2], stride: [2, 1], pad: [1] }
const gaps: AvgPool = { kernel: [1, 2], stride: [2, 3], pad: [0] }

export const avg_pool2d: Op<AvgPool> = {
  doc: "The mean of each window; padding counts as zeros, as with PyTorch's `count_include_pad`.",
  signature: '(x: F[n, channels, height, width]) -> F[n, channels, h, w]',
  attrs: kernelAttrs,
  infer: ([x], pool) => inferPool(x!, pool),
  tfjs: ([x], pool) => poolText('avgPool2d', x!, pool),
  onnx: (inputs, pool, { graph }) => {
    const { dilations: _, ...window } = poolNodes(pool)
    return graph.node('AveragePool', inputs, { ...window, count_include_pad: 1 })
  },
  grad: (dy, { inputs: [x], attrs }, make) => [
    make.avg_pool2d_input([dy], { ...attrs, size: x!.type.shape.slice(2) }),
  ],
  samples: [
    { shapes: [[2, 2, 4, 4]], attrs: side },
    { shapes: [[1, 2, 5, 4]], attrs: avgOverlap },
    { shapes: [[1, 1, 5, 6]], attrs: gaps },
  ],
}

export const avg_pool2d_input: Op<AvgPool & { size: readonly Dim[] }> = {
  doc: 'The gradient of `avg_pool2d` for images whose height and width are `size`.',
  signature: '(dy: F[n, channels, h, w]) -> F[n, channels, height, width]',
  attrs: { ...kernelAttrs, size: { kind: 'dims' } },
  call: false,
  infer: ([dy], { size }) => ({ dtype: 'f32', shape: [...dy!.shape.slice(0, 2), ...size] }),
  tfjs: ([dy], { size, ...pool }, context) =>
    ts`kernels.avgPool2dInput(${dy!}, ${shapeText(size, context)}, ${listText(both(pool.kernel))}${windowText(windowOf(pool), pool.kernel)})`,
  onnx: ([dy], pool, context) => spread(dy!, pool, context),
  grad: (dx, { attrs: { size: _, ...pool } }, make) => [make.avg_pool2d([dx], pool)],
  samples: [
    { shapes: [[2, 2, 2, 2]], attrs: { ...side, size: [4, 4] } },
    { shapes: [[1, 2, 3, 5]], attrs: { ...avgOverlap, size: [5, 4] } },
    { shapes: [[1, 1, 3, 2]], attrs: { ...gaps, size: [5, 6] } },
  ],
}
