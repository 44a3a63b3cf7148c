import { ts } from '../base/code.ts'
import { type Dim, product } from '../types/dim.ts'
import type { TensorType } from '../types/tensor.ts'
import { convolutionNodes, kernelOf } from './convolutionNodes.ts'
import { weightNodes } from './convolutionWeight.ts'
import { filled, fixedShape, type OnnxContext, type OnnxValue } from './onnx.ts'
import type { Op } from './op.ts'
import { shapeText } from './text.ts'
import {
  type SizedWindow,
  slide,
  type Window,
  windowAttrs,
  windowClash,
  windowNodes,
  windowText,
} from './window.ts'

// The three operators are linear in both arguments, and each one's gradients are the other two.

const plain: Window = { stride: [1], pad: [0], dilation: [1] }
const samePad: Window = { stride: [1], pad: [1], dilation: [1] }
const strided: Window = { stride: [2, 1], pad: [1, 0], dilation: [1] }
const dilated: Window = { stride: [1], pad: [2, 1, 0, 1], dilation: [2, 1] }
const stridedDilated: Window = { stride: [2], pad: [1], dilation: [1, 2] }

/** Each output of the convolution takes one product for each weight of its own kernel. */
function products(output: TensorType, weight: TensorType): Dim {
  return product([...output.shape, ...weight.shape.slice(1)])
}

export const conv2d: Op<Window> = {
  doc: 'Cross-correlation of images with a kernel, laid out as in PyTorch.',
  signature:
    '(x: F[n, channels, height, width], weight: F[outputs, channels, rows, columns]) -> F[n, outputs, h, w]',
  attrs: windowAttrs,
  infer: ([x, weight], window) => {
    const wrong = windowClash(window, [1])
    if (wrong !== undefined) return wrong
    const size = slide(x!.shape.slice(2), weight!.shape.slice(2), window)
    return 'clash' in size ? size : { dtype: 'f32', shape: [x!.shape[0]!, weight!.shape[0]!, ...size] }
  },
  tfjs: ([x, weight], window) => ts`kernels.conv2d(${x!}, ${weight!}${windowText(window)})`,
  onnx: ([x, weight], window, context) => {
    return convolutionNodes([x!, weight!], windowNodes(window), kernelOf(context.inputs[1]!.shape), context)
  },
  grad: (dy, { inputs: [x, weight], attrs }, make) => [
    make.conv2d_input([dy, weight!], { ...attrs, size: x!.type.shape.slice(2) }),
    make.conv2d_weight([x!, dy], { ...attrs, size: weight!.type.shape.slice(2) }),
  ],
  multiplyAdds: ([, weight], output) => products(output, weight!),
  samples: [
    {
      shapes: [
        [2, 2, 5, 4],
        [3, 2, 3, 3],
      ],
      attrs: plain,
    },
    {
      shapes: [
        [1, 1, 4, 4],
        [2, 1, 3, 3],
      ],
      attrs: samePad,
    },
    {
      shapes: [
        [2, 2, 6, 5],
        [2, 2, 3, 2],
      ],
      attrs: strided,
    },
    {
      shapes: [
        [1, 2, 6, 5],
        [2, 2, 2, 3],
      ],
      attrs: dilated,
    },
    {
      shapes: [
        [1, 2, 6, 6],
        [2, 2, 2, 2],
      ],
      attrs: stridedDilated,
    },
  ],
}

const sizedAttrs = { ...windowAttrs, size: { kind: 'dims' } } as const

/**
 * With a stride of 1 the convolution of `dy` by the kernel turned around, its channels and outputs exchanged; else, or where the padding
 * goes beyond the kernel's reach, a transposed convolution.
 */
function inputNodes(dy: OnnxValue, weight: OnnxValue, window: SizedWindow, context: OnnxContext): OnnxValue {
  const { strides, pads, dilations } = windowNodes(window)
  const kernel = context.inputs[1]!.shape.slice(2)
  const reach = kernel.map((size, i) => dilations[i]! * (size - 1))
  const around = pads.map((pad, i) => reach[i % 2]! - pad)
  if (strides.some(stride => stride !== 1) || around.some(pad => pad < 0))
    return transposedConvolution(dy, weight, window, context)
  const { channels, outputs, size } = kernelOf(context.inputs[1]!.shape)
  const turned = { channels: outputs, outputs: channels, size, isTurned: true }
  return convolutionNodes([dy, weight], { strides, pads: around, dilations }, turned, context)
}

/** What the strides leave over of the image's end is padded to its size. */
function transposedConvolution(
  dy: OnnxValue,
  weight: OnnxValue,
  window: SizedWindow,
  { graph, inputs: [small, kernel] }: OnnxContext,
): OnnxValue {
  const { strides, pads, dilations } = windowNodes(window)
  const left = fixedShape(window.size).map((size, i) => {
    const reach = dilations[i]! * (kernel!.shape[i + 2]! - 1) + 1
    return size - (strides[i]! * (small!.shape[i + 2]! - 1) + reach - pads[i]! - pads[i + 2]!)
  })
  return graph.node('ConvTranspose', [dy, weight], { strides, pads, dilations, output_padding: left })
}

export const conv2d_input: Op<SizedWindow> = {
  doc: 'The gradient of `conv2d` for its images, whose height and width are `size`: a transposed convolution.',
  signature:
    '(dy: F[n, outputs, h, w], weight: F[outputs, channels, rows, columns]) -> F[n, channels, height, width]',
  attrs: sizedAttrs,
  call: false,
  infer: ([dy, weight], { size }) => ({ dtype: 'f32', shape: [dy!.shape[0]!, weight!.shape[1]!, ...size] }),
  tfjs: ([dy, weight], { size, ...window }, context) =>
    ts`kernels.conv2dInput(${dy!}, ${weight!}, ${shapeText(size, context)}${windowText(window)})`,
  onnx: ([dy, weight], window, context) => inputNodes(dy!, weight!, window, context),
  grad: (dx, { inputs: [dy, weight], attrs: { size: _, ...window } }, make) => [
    make.conv2d([dx, weight!], window),
    make.conv2d_weight([dx, dy!], { ...window, size: weight!.type.shape.slice(2) }),
  ],
  multiplyAdds: ([dy, weight]) => products(dy!, weight!),
  samples: [
    {
      shapes: [
        [2, 3, 3, 2],
        [3, 2, 3, 3],
      ],
      attrs: { ...plain, size: [5, 4] },
    },
    {
      shapes: [
        [2, 2, 3, 4],
        [2, 2, 3, 2],
      ],
      attrs: { ...strided, size: [6, 5] },
    },
    {
      shapes: [
        [1, 2, 7, 4],
        [2, 2, 2, 3],
      ],
      attrs: { ...dilated, size: [6, 5] },
    },
    {
      shapes: [
        [1, 2, 4, 3],
        [2, 2, 2, 2],
      ],
      attrs: { ...stridedDilated, size: [6, 6] },
    },
  ],
}

export const conv2d_weight: Op<SizedWindow> = {
  doc: 'The gradient of `conv2d` for its kernel, whose height and width are `size`.',
  signature:
    '(x: F[n, channels, height, width], dy: F[n, outputs, h, w]) -> F[outputs, channels, rows, columns]',
  attrs: sizedAttrs,
  call: false,
  infer: ([x, dy], { size }) => ({ dtype: 'f32', shape: [dy!.shape[1]!, x!.shape[1]!, ...size] }),
  tfjs: ([x, dy], { size, ...window }, context) =>
    ts`kernels.conv2dWeight(${x!}, ${dy!}, ${shapeText(size, context)}${windowText(window)})`,
  onnx: ([x, dy], window, context) =>
    context.inputs[0]!.shape.includes(0)
      ? filled(context, 'f32', 0, context.outputs[0]!.shape)
      : weightNodes(x!, dy!, window, context),
  grad: (dw, { inputs: [x, dy], attrs: { size: _, ...window } }, make) => [
    make.conv2d_input([dy!, dw], { ...window, size: x!.type.shape.slice(2) }),
    make.conv2d([x!, dw], window),
  ],
  multiplyAdds: ([, dy], output) => products(dy!, output),
  samples: [
    {
      shapes: [
        [2, 2, 5, 4],
        [2, 3, 3, 2],
      ],
      attrs: { ...plain, size: [3, 3] },
    },
    {
      shapes: [
        [2, 2, 6, 5],
        [2, 2, 3, 4],
      ],
      attrs: { ...strided, size: [3, 2] },
    },
    {
      shapes: [
        [1, 2, 6, 5],
        [1, 2, 7, 4],
      ],
      attrs: { ...dilated, size: [2, 3] },
    },
    {
      shapes: [
        [1, 2, 6, 6],
        [1, 2, 4, 3],
      ],
      attrs: { ...stridedDilated, size: [2, 2] },
    },
  ],
}
