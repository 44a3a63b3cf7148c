import { fixedShape, integers, type OnnxContext, type OnnxValue, reshapeTo, transposed } from './onnx.ts'
import { taps } from './taps.ts'
import { type SizedWindow, windowNodes } from './window.ts'

/** Channels up to which the products of single places of the kernel are so narrow that all of them at once are faster. */
export const fewChannels = 8

/**
 * On the processor for each place of the kernel a product over all places of the image, or all of them in one product where they are
 * narrow (bench/lowerings.ts); elsewhere a convolution.
 */
export function weightNodes(
  x: OnnxValue,
  dy: OnnxValue,
  window: SizedWindow,
  context: OnnxContext,
): OnnxValue {
  if (context.provider !== 'cpu') return weightByConvolution(x, dy, window, context)
  const { shape } = context.inputs[0]!
  const by = shape[1]! <= fewChannels ? weightByOneProduct : weightByProducts
  return by(x, dy, window, context)
}

/** The convolution of `x` by `dy`, examples taken for channels; strides and dilations change places. */
function weightByConvolution(
  x: OnnxValue,
  dy: OnnxValue,
  window: SizedWindow,
  context: OnnxContext,
): OnnxValue {
  const { graph } = context
  const { strides, pads, dilations } = windowNodes(window)
  const [channels, outputs] = [x, dy].map(value => transposed(context, value, [1, 0, 2, 3]))
  const sums = graph.node('Conv', [channels, outputs], { strides: dilations, pads, dilations: strides })
  const [rows, columns] = fixedShape(window.size) as [number, number]
  // Where strides left something over at the image's end the windows reach further than the kernel did.
  const cut = graph.node('Slice', [
    sums,
    integers(context, [0, 0]),
    integers(context, [rows, columns]),
    integers(context, [2, 3]),
  ])
  return transposed(context, cut, [1, 0, 2, 3])
}

/** Σ over examples and places of a·bᵀ. */
function sumOfProducts(a: OnnxValue, b: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const products = graph.node('FusedMatMul', [a, b], { transB: 1 }, 'com.microsoft')
  return graph.node('ReduceSum', [products, integers(context, [0])], { keepdims: 0 })
}

function weightByProducts(x: OnnxValue, dy: OnnxValue, window: SizedWindow, context: OnnxContext): OnnxValue {
  const { graph, inputs, outputs } = context
  const [n, outs, h, w] = inputs[1]!.shape as [number, number, number, number]
  const channels = inputs[0]!.shape[1]!
  const flat = reshapeTo(context, dy, [n, outs, h * w])
  const each = taps(x, window, context).map(tap =>
    reshapeTo(context, sumOfProducts(flat, tap, context), [outs, channels, 1]),
  )
  const whole = each.length === 1 ? each[0]! : graph.node('Concat', each, { axis: 2 })
  return reshapeTo(context, whole, outputs[0]!.shape)
}

function weightByOneProduct(
  x: OnnxValue,
  dy: OnnxValue,
  window: SizedWindow,
  context: OnnxContext,
): OnnxValue {
  const { graph, inputs, outputs } = context
  const [n, outs, h, w] = inputs[1]!.shape as [number, number, number, number]
  const channels = inputs[0]!.shape[1]!
  const all = taps(x, window, context)
  const columns = all.length === 1 ? all[0]! : graph.node('Concat', all, { axis: 1 })
  const sums = sumOfProducts(columns, reshapeTo(context, dy, [n, outs, h * w]), context)
  const ordered = transposed(context, reshapeTo(context, sums, [all.length, channels, outs]), [2, 1, 0])
  return reshapeTo(context, ordered, outputs[0]!.shape)
}
