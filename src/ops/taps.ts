import { blockNode, fromBlocks, toBlocks } from './channelBlocks.ts'
import {
  type FixedType,
  fixedShape,
  integers,
  type OnnxContext,
  type OnnxValue,
  reshapeTo,
  scalar,
} from './onnx.ts'
import { type SizedWindow, windowNodes } from './window.ts'

/** A kernel that moves over an image, and the image. */
interface Sliding {
  readonly x: OnnxValue
  readonly shape: readonly number[]
  /** Height and width of what it gives. */
  readonly places: readonly [number, number]
  readonly kernel: readonly [number, number]
  readonly window: ReturnType<typeof windowNodes>
  /** Where the kernel begins, beyond the padding. */
  readonly start: readonly [number, number]
}

/** What each place of the kernel meets of the image, row by row, each as [n, channels, h w]. */
export function taps(x: OnnxValue, window: SizedWindow, context: OnnxContext): readonly OnnxValue[] {
  const [image, small] = context.inputs as readonly [FixedType, FixedType]
  const sliding: Sliding = {
    x,
    shape: image.shape,
    places: small.shape.slice(2) as [number, number],
    kernel: fixedShape(window.size) as [number, number],
    window: windowNodes(window),
    start: [0, 0],
  }
  const [n, channels] = image.shape as [number, number]
  const [h, w] = sliding.places
  return each(sliding, context).map(tap => reshapeTo(context, tap, [n, channels, h * w]))
}

/** The same, met from one corner of squares of 2×2 places that lie side by side: row 0 or 1 of them, and column. */
export function tapsOfCorner(
  x: OnnxValue,
  window: SizedWindow,
  [row, column]: readonly [number, number],
  context: OnnxContext,
): readonly OnnxValue[] {
  const [image, whole] = context.inputs as readonly [FixedType, FixedType]
  const [n, channels] = image.shape as [number, number]
  const [h, w] = whole.shape.slice(2).map(size => size / 2) as [number, number]
  const { strides, pads, dilations } = windowNodes(window)
  const [down, right] = strides
  const sliding: Sliding = {
    x,
    shape: image.shape,
    places: [h, w],
    kernel: fixedShape(window.size) as [number, number],
    window: { strides: strides.map(stride => 2 * stride), pads, dilations },
    start: [row * down!, column * right!],
  }
  return cutTaps(sliding, context).map(tap => reshapeTo(context, tap, [n, channels, h * w]))
}

/** Kernels of more places, and rows that are longer, are cut out faster than they are moved (bench/lowerings.ts). */
const [mostMoved, longestMoved] = [9, 24]

function each(sliding: Sliding, context: OnnxContext): readonly OnnxValue[] {
  const { kernel, places, shape, window, x } = sliding
  const count = kernel[0] * kernel[1]
  const { channelBlock: block } = context
  if (count === 1 && window.pads.every(pad => pad === 0) && window.strides.every(stride => stride === 1))
    return [x]
  const isShort = count <= mostMoved && places[1] <= longestMoved
  return isShort && block !== undefined && shape[1]! % block === 0
    ? movedTaps(sliding, block, context)
    : cutTaps(sliding, context)
}

/** Cut out of the padded image. */
function cutTaps({ x, places, kernel, window, start }: Sliding, context: OnnxContext): readonly OnnxValue[] {
  const { graph } = context
  const { strides, pads, dilations } = window
  const [top, left, bottom, right] = pads as [number, number, number, number]
  const around = integers(context, [0, 0, top, left, 0, 0, bottom, right])
  const padded = pads.every(pad => pad === 0) ? x : graph.node('Pad', [x, around, scalar(context, 0)])
  const steps = strides.every(stride => stride === 1) ? [] : [integers(context, strides)]
  return placesOf(kernel).map(([row, column]) => {
    const from = [start[0] + row * dilations[0]!, start[1] + column * dilations[1]!]
    const to = from.map((first, i) => first + (places[i]! - 1) * strides[i]! + 1)
    const ends = [from, to, [2, 3]].map(end => integers(context, end))
    return graph.node('Slice', [padded, ...ends, ...steps])
  })
}

/**
 * The image convolved channel by channel with kernels of a single 1. In blocks these run on all threads, which what cuts does not
 * (bench/lowerings.ts). Where an element is infinite those around it are not numbers, as what the convolution itself gives there.
 */
function movedTaps(
  { x, shape, kernel, window }: Sliding,
  block: number,
  context: OnnxContext,
): readonly OnnxValue[] {
  const { graph } = context
  const [, channels] = shape as [number, number]
  const [rows, columns] = kernel
  const blocks = toBlocks(x, context)
  return placesOf(kernel).map(([row, column]) => {
    const isHere = (at: number) => Math.floor(at / block) === row * columns + column
    const ones = Array.from({ length: rows * columns * block }, (_, at) => Number(isHere(at)))
    const one = graph.constant('f32', ones, [1, 1, rows, columns, block])
    const all = graph.node('Expand', [one, integers(context, [channels / block, 1, rows, columns, block])])
    const weight = reshapeTo(context, all, [channels, 1, rows, columns])
    const attrs = { ...window, kernel_shape: kernel, group: channels, auto_pad: 'NOTSET' }
    return fromBlocks(blockNode('Conv', [blocks, weight], attrs, context), channels, context)
  })
}

/** The places of a kernel, row by row. */
function placesOf([rows, columns]: readonly [number, number]): readonly (readonly [number, number])[] {
  return Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns])
}
