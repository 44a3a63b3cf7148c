import type { OnnxAttrs, OnnxContext, OnnxValue } from './onnx.ts'

/**
 * Images in the layout in which the processor's kernels convolve and pool: [n, channels / block, height, width, block], under the shape
 * [n, channels, height, width]. Each also has a value in the plain layout, which is computed only where something reads it, so that what
 * goes from one such kernel to the next stays in blocks.
 */

const domain = 'com.microsoft.nchwc'

/** A value in blocks, where it was computed in them. */
export function inBlocks(x: OnnxValue, { graph }: OnnxContext): OnnxValue | undefined {
  const maker = graph.maker(x)
  return maker?.type === 'ReorderOutput' ? maker.inputs[0] : undefined
}

/** A value in blocks, of which its channels are a whole number. */
export function toBlocks(x: OnnxValue, context: OnnxContext): OnnxValue {
  return inBlocks(x, context) ?? context.graph.node('ReorderInput', [x], {}, domain)
}

/** What is in blocks in the plain layout. */
export function fromBlocks(blocks: OnnxValue, channels: number, { graph }: OnnxContext): OnnxValue {
  return graph.node('ReorderOutput', [blocks], { channels }, domain)
}

/** A node of a kernel for values in blocks. */
export function blockNode(
  type: 'Conv' | 'MaxPool',
  inputs: readonly OnnxValue[],
  attrs: OnnxAttrs,
  { graph }: OnnxContext,
): OnnxValue {
  return graph.node(type, inputs, attrs, domain)
}
