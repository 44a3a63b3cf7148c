import { blockNode, fromBlocks, inBlocks, toBlocks } from '../../../ops/channelBlocks.ts'
import {
  castTo,
  filled,
  integers,
  type OnnxContext,
  type OnnxValue,
  reshapeTo,
  scalar,
} from '../../../ops/onnx.ts'
import type { poolNodes } from '../../../ops/window.ts'
import { maskedBy } from './mask.ts'

/** What hands the gradient of a max pooling back to the places that were largest. */
export interface PoolGradient {
  readonly dy: string
  /** What was pooled, and how. */
  readonly x: string
  readonly shape: readonly number[]
  readonly pool: ReturnType<typeof poolNodes>
}

interface Spreading {
  /** Whether nothing goes to places whose elements are not positive. */
  readonly isMasked: boolean
}

/** The elements of `dy` at the places of the largest elements of `x`, and zeros elsewhere. */
export function spread(
  dy: OnnxValue,
  x: OnnxValue,
  gradient: PoolGradient,
  { isMasked }: Spreading,
  context: OnnxContext,
): OnnxValue {
  const squares = areSquares(gradient)
  const blocks = squares ? inBlocks(x, context) : undefined
  if (blocks !== undefined) {
    const [, channels] = gradient.shape
    const pool: Pooling = kernel =>
      blockNode('MaxPool', [blocks], { ...gradient.pool, kernel_shape: kernel }, context)
    const largest = pool([2, 2])
    const given = toBlocks(dy, context)
    const left = isMasked ? maskedBy(largest, given, context) : given
    return fromBlocks(spreadInBlocks(left, largest, pool, gradient, context), channels!, context)
  }
  const pool: Pooling = kernel =>
    context.graph.node('MaxPool', [x], { ...gradient.pool, kernel_shape: kernel })
  const left = isMasked ? maskedBy(pool(gradient.pool.kernel_shape), dy, context) : dy
  const places = squares ? placesInSquares(pool, gradient, context) : placesFound(x, gradient, context)
  return spreadByPlaces(left, places, gradient, context)
}

/** The largest elements of windows of another size at the same places. */
type Pooling = (kernel: readonly number[]) => OnnxValue

/** Whether the windows are squares of 2×2, side by side, which fill the image. */
function areSquares({ shape, pool }: PoolGradient): boolean {
  const { kernel_shape, strides, dilations, pads } = pool
  const isSide = [kernel_shape, strides].every(sizes => sizes.every(size => size === 2))
  return (
    isSide &&
    [...dilations, 1].every(d => d === 1) &&
    pads.every(p => p === 0) &&
    shape.slice(2).every(s => s % 2 === 0)
  )
}

/**
 * What each corner of a square gets, all corners brought together row by row. The first of equals is at the top left if that is the
 * largest, at the top if the top row has it, and on the left if the left column has it and none of these. Blocks are so wide that they are
 * copied fast; nothing looks for a place (bench/lowerings.ts).
 */
function spreadInBlocks(
  dy: OnnxValue,
  largest: OnnxValue,
  pool: Pooling,
  { shape }: PoolGradient,
  context: OnnxContext,
): OnnxValue {
  const { graph } = context
  const [, , _height, width] = shape as [number, number, number, number]
  const where = (kernel: readonly number[]): OnnxValue =>
    castTo(context, graph.node('Equal', [pool(kernel), largest]), 'f32')
  const topLeft = graph.node('Mul', [dy, where([1, 1])])
  const top = graph.node('Mul', [dy, where([1, 2])])
  const bottom = graph.node('Sub', [dy, top])
  const bottomLeft = graph.node('Mul', [bottom, where([2, 1])])
  const rows = [
    [topLeft, graph.node('Sub', [top, topLeft])],
    [bottomLeft, graph.node('Sub', [bottom, bottomLeft])],
  ]
  const count = shape.reduce((product, size) => product * size, 1)
  const block = context.channelBlock ?? 1
  const sideBySide = rows.map(row => {
    const places = row.map(corner => reshapeTo(context, corner, [count / block / 4, block]))
    return reshapeTo(context, graph.node('Concat', places, { axis: 1 }), [
      count / width / block / 2,
      width * block,
    ])
  })
  return reshapeTo(context, graph.node('Concat', sideBySide, { axis: 1 }), shape)
}

function spreadByPlaces(
  dy: OnnxValue,
  places: OnnxValue,
  { shape, pool }: PoolGradient,
  context: OnnxContext,
): OnnxValue {
  const { graph, provider } = context
  const areApart = pool.kernel_shape.every((size, i) => pool.dilations[i] === 1 && pool.strides[i]! >= size)
  if (areApart && provider === 'cpu') {
    const { dilations: _, ...window } = pool
    return graph.node('MaxUnpool', [dy, places, integers(context, shape)], window)
  }
  const count = shape.reduce((product, size) => product * size, 1)
  const [flat, at] = [dy, places].map(value => reshapeTo(context, value, [-1]))
  const zeros = filled(context, 'f32', 0, [count])
  const sums = graph.node('ScatterElements', [zeros, at, flat], areApart ? {} : { reduction: 'add' })
  return reshapeTo(context, sums, shape)
}

/** Where the largest elements are among all, as the kernel that looks for them says. */
function placesFound(x: OnnxValue, { pool }: PoolGradient, { graph }: OnnxContext): OnnxValue {
  return graph.nodes('MaxPool', [x], 2, pool)[1]!
}

/**
 * The same for squares, without a branch an element: the kernel that looks for places takes seven times as long where it can't foresee
 * which one wins (bench/lowerings.ts).
 */
function placesInSquares(pool: Pooling, { shape }: PoolGradient, context: OnnxContext): OnnxValue {
  const { graph } = context
  const [n, channels, height, width] = shape as [number, number, number, number]
  const largest = pool([2, 2])
  const has = (kernel: readonly number[], rank: number): OnnxValue => {
    const holds = castTo(context, graph.node('Equal', [pool(kernel), largest]), 'f32')
    return rank === 1 ? holds : graph.node('Mul', [holds, scalar(context, rank)])
  }
  // The further in front, the more is taken off the way to the last place of the square.
  const ahead = graph.node('Max', [has([1, 1], width + 1), has([1, 2], width), has([2, 1], 1)])
  const within = castTo(context, graph.node('Sub', [scalar(context, width + 1), ahead]), 'i64')
  const corners = Array.from({ length: (height / 2) * (width / 2) }, (_, i) => {
    const row = Math.floor(i / (width / 2))
    return 2 * row * width + 2 * (i - (row * width) / 2)
  })
  const images = Array.from({ length: n * channels }, (_, i) => i * height * width)
  const inImage = graph.node('Add', [within, graph.constant('i64', corners, [height / 2, width / 2])])
  return graph.node('Add', [inImage, graph.constant('i64', images, [n, channels, 1, 1])])
}
