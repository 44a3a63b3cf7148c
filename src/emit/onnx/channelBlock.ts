import { elementType } from '../../ops/onnx.ts'
import { GraphBuilder } from './builder.ts'
import { encodeModel } from './proto.ts'

/**
 * A model that tells how many channels lie side by side in the layout in which the processor's kernels convolve: it takes `x`, a float of
 * shape [1, 1, 1, 1], and gives `sizes`, those of the same in blocks, whose second is the number of channels in one. Where there is no
 * such layout the model can't be loaded, or the number is 1.
 */
export function channelBlockProbe(): Uint8Array {
  const graph = new GraphBuilder()
  const x = graph.input()
  const blocks = graph.node('ReorderInput', [x], {}, 'com.microsoft.nchwc')
  const sizes = graph.node('Cast', [graph.node('Shape', [blocks])], { to: elementType('i32') })
  const names = new Map([
    [x.name, 'x'],
    [sizes.name, 'sizes'],
  ])
  return encodeModel({
    name: 'channel block',
    ...graph.finish([sizes], name => names.get(name) ?? name),
    inputs: [{ name: 'x', dtype: 'f32', shape: [1, 1, 1, 1] }],
    outputs: [{ name: 'sizes', dtype: 'i32', shape: [4] }],
  })
}
