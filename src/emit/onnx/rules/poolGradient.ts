import { blockNode, fromBlocks, inBlocks, toBlocks } from '../../../ops/channelBlocks.ts'
import { maxPoolNodes } from '../../../ops/maxPoolNodes.ts'
import {
  castTo,
  filled,
  integers,
  type OnnxContext,
  type OnnxValue,
  reshapeTo,
  scalar,
  transposed,
} from '../../../ops/onnx.ts'
import { tapsOfCorner } from '../../../ops/taps.ts'
import type { poolNodes, SizedWindow } from '../../../ops/window.ts'
import { maskedBy } from './mask.ts'

/** What hands the gradient of a max pooling back to the places that were largest. */
export interface PoolGradient {
  readonly dy: string
  /** What was pooled, and how. */
  readonly x: string
  readonly shape: readonly number[]
  readonly pool: ReturnType<typeof poolNodes>
  /** Whether nothing goes to places whose elements are not positive. */
  readonly isMasked: boolean
}

/** What each window hands back: `dy`, or 0 where nothing positive is in the window and the gradient is masked. */
export function handedBack(
  dy: OnnxValue,
  x: OnnxValue,
  gradient: PoolGradient,
  context: OnnxContext,
): OnnxValue {
  if (!gradient.isMasked) return dy
  const [, channels] = gradient.shape
  const largest = maxPoolNodes(x, channels!, gradient.pool, context)
  // Where it is not spread in blocks it has to come back from them.
  const blocks = areSquares(gradient) ? inBlocks(largest, context) : undefined
  return blocks === undefined
    ? maskedBy(largest, dy, context)
    : fromBlocks(maskedBy(blocks, toBlocks(dy, context), context), channels!, context)
}

/** The elements of `dy` at the places of the largest elements of `x`, and zeros elsewhere. */
export function spread(dy: OnnxValue, x: OnnxValue, gradient: PoolGradient, context: OnnxContext): OnnxValue {
  const corners = cornersInBlocks(dy, x, gradient, context)
  if (corners !== undefined)
    return fromBlocks(broughtTogether(corners, gradient, context), gradient.shape[1]!, context)
  const pool: Pooling = kernel =>
    context.graph.node('MaxPool', [x], { ...gradient.pool, kernel_shape: kernel })
  const places = areSquares(gradient)
    ? placesInSquares(pool, gradient, context)
    : placesFound(x, gradient, context)
  return spreadByPlaces(handedBack(dy, x, gradient, context), places, gradient, context)
}

/**
 * The gradient of the kernel of a convolution whose results are pooled in squares, corner by corner: the products of what each place of
 * the kernel meets from that corner with what the corner gets. Undefined where the results are not in blocks.
 */
export function weightOfSquares(
  x: OnnxValue,
  dy: OnnxValue,
  pooled: OnnxValue,
  gradient: PoolGradient,
  window: SizedWindow,
  context: OnnxContext,
): OnnxValue | undefined {
  const { graph, channelBlock: block = 1 } = context
  const corners = cornersInBlocks(dy, pooled, gradient, context)
  if (corners === undefined) return undefined
  const [n, outputs, height, width] = gradient.shape as [number, number, number, number]
  const [, channels, rows, columns] = context.outputs[0]!.shape as [number, number, number, number]
  const places = (height * width) / 4
  const products = corners.map((corner, i) => {
    const taps = tapsOfCorner(x, window, [Math.floor(i / 2), i % 2], context)
    const met = taps.length === 1 ? taps[0]! : graph.node('Concat', taps, { axis: 1 })
    return graph.node('MatMul', [
      reshapeTo(context, met, [n, 1, rows * columns * channels, places]),
      reshapeTo(context, corner, [n, outputs / block, places, block]),
    ])
  })
  const all = products.reduce((sum, each) => graph.node('Add', [sum, each]))
  const sums = graph.node('ReduceSum', [all, integers(context, [0])], { keepdims: 0 })
  const split = reshapeTo(context, sums, [outputs / block, rows * columns, channels, block])
  return reshapeTo(context, transposed(context, split, [0, 3, 2, 1]), context.outputs[0]!.shape)
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
 * What each corner of a square gets, in blocks, row by row; undefined where what is pooled is not in blocks, or not in squares. The first
 * of equals is at the top left if that is the largest, at the top if the top row has it, and on the left if the left column has it and none
 * of these.
 */
function cornersInBlocks(
  dy: OnnxValue,
  x: OnnxValue,
  gradient: PoolGradient,
  context: OnnxContext,
): readonly OnnxValue[] | undefined {
  const { graph } = context
  const blocks = areSquares(gradient) ? inBlocks(x, context) : undefined
  if (blocks === undefined) return undefined
  const pool: Pooling = kernel =>
    blockNode('MaxPool', [blocks], { ...gradient.pool, kernel_shape: kernel }, context)
  const largest = pool([2, 2])
  const where = (kernel: readonly number[]): OnnxValue =>
    castTo(context, graph.node('Equal', [pool(kernel), largest]), 'f32')
  const given = toBlocks(handedBack(dy, x, gradient, context), context)
  const topLeft = graph.node('Mul', [given, where([1, 1])])
  const top = graph.node('Mul', [given, where([1, 2])])
  const bottom = graph.node('Sub', [given, top])
  const bottomLeft = graph.node('Mul', [bottom, where([2, 1])])
  return [topLeft, graph.node('Sub', [top, topLeft]), bottomLeft, graph.node('Sub', [bottom, bottomLeft])]
}

/** The corners of squares at their places. Blocks are so wide that they are copied fast, and nothing looks for a place (bench/lowerings.ts). */
function broughtTogether(
  corners: readonly OnnxValue[],
  { shape }: PoolGradient,
  context: OnnxContext,
): OnnxValue {
  const { graph, channelBlock: block = 1 } = context
  const width = shape[3]!
  const places = shape.reduce((product, size) => product * size, 1) / block
  const flat = corners.map(corner => reshapeTo(context, corner, [places / 4, block]))
  const rows = [flat.slice(0, 2), flat.slice(2)].map(row =>
    reshapeTo(context, graph.node('Concat', row, { axis: 1 }), [places / width / 2, width * block]),
  )
  return reshapeTo(context, graph.node('Concat', rows, { axis: 1 }), shape)
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
