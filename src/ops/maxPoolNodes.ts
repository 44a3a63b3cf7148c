import { blockNode, fromBlocks, inBlocks } from './channelBlocks.ts'
import type { OnnxAttrs, OnnxContext, OnnxValue } from './onnx.ts'

/** The largest element of each window, in blocks of channels where the image is. */
export function maxPoolNodes(
  x: OnnxValue,
  channels: number,
  pool: OnnxAttrs,
  context: OnnxContext,
): OnnxValue {
  const blocks = inBlocks(x, context)
  if (blocks === undefined) return context.graph.node('MaxPool', [x], pool)
  return fromBlocks(blockNode('MaxPool', [blocks], pool, context), channels, context)
}
