import { blockNode, fromBlocks, toBlocks } from './channelBlocks.ts'
import type { OnnxAttrs, OnnxContext, OnnxValue } from './onnx.ts'
import { reshapeTo, reversed, transposed } from './onnx.ts'

/** How many channels go into a convolution and come out of it, and its kernel's height and width. */
export interface Kernel {
  readonly channels: number
  readonly outputs: number
  readonly size: readonly number[]
  /** Whether the weight is that of the convolution whose images get a gradient: turned around, channels and outputs exchanged. */
  readonly isTurned?: boolean
}

/** The kernel of a weight of this shape. */
export function kernelOf([outputs, channels, ...size]: readonly number[]): Kernel {
  return { channels: channels!, outputs: outputs!, size }
}

/**
 * A convolution, perhaps with an offset for each output as a third input, perhaps rectified.
 *
 * Where whole blocks of channels come out, and whole blocks or less than one go in, it is done in the layout of blocks, which takes a third
 * less time or more (bench/lowerings.ts), the way there and back included. ONNX Runtime itself brings convolutions there only if their
 * kernels are constant.
 */
export function convolutionNodes(
  inputs: readonly OnnxValue[],
  window: OnnxAttrs,
  kernel: Kernel,
  context: OnnxContext,
  activation?: 'Relu',
): OnnxValue {
  const { graph, channelBlock: block } = context
  const { channels, outputs } = kernel
  const [x, weight, ...offset] = inputs as readonly [OnnxValue, OnnxValue, ...OnnxValue[]]
  if (block === undefined || !fitsBlocks(kernel, block)) {
    const sums = graph.node('Conv', [x, turned(weight, kernel, context), ...offset], window)
    return activation === undefined ? sums : graph.node(activation, [sums])
  }
  // The kernel for less than a block of channels takes them in the plain layout.
  const isWhole = channels % block === 0
  const given = isWhole ? toBlocks(x, context) : x
  const ordered = (isWhole ? kernelInBlocks : outputsInBlocks)(weight, kernel, block, context)
  const attrs = { ...window, kernel_shape: kernel.size, group: 1, auto_pad: 'NOTSET' }
  const activated = activation === undefined ? attrs : { ...attrs, activation }
  return fromBlocks(blockNode('Conv', [given, ordered, ...offset], activated, context), outputs, context)
}

function fitsBlocks({ channels, outputs }: Kernel, block: number): boolean {
  return outputs % block === 0 && channels > 0 && (channels < block || channels % block === 0)
}

/** A kernel as a convolution takes it. */
function turned(weight: OnnxValue, { isTurned = false }: Kernel, context: OnnxContext): OnnxValue {
  if (!isTurned) return weight
  return transposed(context, reversed(context, weight, [2, 3]), [1, 0, 2, 3])
}

/** A kernel block by block, the outputs of a block innermost, under the shape of a kernel. */
function kernelInBlocks(weight: OnnxValue, kernel: Kernel, block: number, context: OnnxContext): OnnxValue {
  const { channels, outputs, size, isTurned = false } = kernel
  const counts = [outputs / block, channels / block]
  const [first, second] = isTurned ? counts.toReversed() : counts
  const split = reshapeTo(context, weight, [first!, block, second!, block, ...size])
  const ordered = transposed(context, split, isTurned ? [2, 0, 4, 5, 1, 3] : [0, 2, 4, 5, 3, 1])
  // Last, since whole blocks are moved then.
  const around = isTurned ? reversed(context, ordered, [2, 3]) : ordered
  return reshapeTo(context, around, [outputs, channels, ...size])
}

/** The same with the outputs alone in blocks. */
function outputsInBlocks(weight: OnnxValue, kernel: Kernel, block: number, context: OnnxContext): OnnxValue {
  const { channels, outputs, size } = kernel
  const given = turned(weight, kernel, context)
  const split = reshapeTo(context, given, [outputs / block, block, channels, ...size])
  return reshapeTo(context, transposed(context, split, [0, 2, 3, 4, 1]), [outputs, channels, ...size])
}
