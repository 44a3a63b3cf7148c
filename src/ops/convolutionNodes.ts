import type { OnnxAttrs, OnnxContext, OnnxValue } from './onnx.ts'
import { reshapeTo, transposed } from './onnx.ts'

/** How many channels go into a convolution and come out of it, and its kernel's height and width. */
export interface Kernel {
  readonly channels: number
  readonly outputs: number
  readonly size: readonly number[]
}

/** The kernel of a weight of this shape. */
export function kernelOf([outputs, channels, ...size]: readonly number[]): Kernel {
  return { channels: channels!, outputs: outputs!, size }
}

/**
 * A convolution, perhaps with an offset for each output as a third input.
 *
 * Where whole blocks of channels go in and come out it is done in the layout of blocks, which takes a third less time or more
 * (bench/lowerings.ts), the way there and back included. ONNX Runtime itself brings convolutions there only if their kernels are constant.
 */
export function convolutionNodes(
  inputs: readonly OnnxValue[],
  window: OnnxAttrs,
  kernel: Kernel,
  context: OnnxContext,
): OnnxValue {
  const { channelBlock: block } = context
  const whole = block !== undefined && kernel.channels % block === 0 && kernel.outputs % block === 0
  if (!whole) return context.graph.node('Conv', inputs, window)
  const { graph } = context
  const [x, weight, ...offset] = inputs
  const blocks = graph.node('ReorderInput', [x], {}, 'com.microsoft.nchwc')
  const attrs = { ...window, kernel_shape: kernel.size, group: 1, auto_pad: 'NOTSET' }
  const blocked = [blocks, inBlocks(weight!, kernel, block, context), ...offset]
  const y = graph.node('Conv', blocked, attrs, 'com.microsoft.nchwc')
  return graph.node('ReorderOutput', [y], { channels: kernel.outputs }, 'com.microsoft.nchwc')
}

/** A kernel block by block, the outputs of a block innermost, under its former shape. */
function inBlocks(weight: OnnxValue, kernel: Kernel, block: number, context: OnnxContext): OnnxValue {
  const { channels, outputs, size } = kernel
  const split = reshapeTo(context, weight, [outputs / block, block, channels / block, block, ...size])
  return reshapeTo(context, transposed(context, split, [0, 2, 4, 5, 3, 1]), [outputs, channels, ...size])
}
