import { type Code, ts } from '../base/code.ts'
import type { TensorType } from '../types/tensor.ts'
import { entryOf, frontAxis, knownEntry, noAxis } from './axes.ts'
import { integers, type OnnxContext, type OnnxValue } from './onnx.ts'
import type { Op, Sample } from './op.ts'

/** tfjs normalises the last axis only; the runtime brings another one there and back. */
function softmaxText(x: Code, axis: number, { shape }: TensorType): Code {
  const isLast = knownEntry(axis, shape) === shape.length - 1
  return isLast ? ts`tf.softmax(${x})` : ts`kernels.softmax(${x}, ${frontAxis(axis, shape)})`
}

/** The runtime's own, since the second derivative of tf.logSoftmax is wrong (4.22.0). */
function logSoftmaxText(x: Code, axis: number, { shape }: TensorType): Code {
  const isLast = knownEntry(axis, shape) === shape.length - 1
  return isLast ? ts`kernels.logSoftmax(${x})` : ts`kernels.logSoftmax(${x}, ${frontAxis(axis, shape)})`
}

/** WebGPU leaves LogSoftmax to the processor. */
function logSoftmaxNodes(x: OnnxValue, axis: number, context: OnnxContext): OnnxValue {
  const { graph, provider } = context
  if (provider !== 'webgpu') return graph.node('LogSoftmax', [x], { axis })
  const along = (type: string, of: OnnxValue) =>
    graph.node(type, [of, integers(context, [axis])], { keepdims: 1 })
  const below = graph.node('Sub', [x, along('ReduceMax', x)])
  return graph.node('Sub', [below, graph.node('Log', [along('ReduceSum', graph.node('Exp', [below]))])])
}

const samples: readonly Sample<{ axis: number }>[] = [
  { shapes: [[2, 3]], attrs: { axis: -1 } },
  { shapes: [[2, 3, 4]], attrs: { axis: 1 } },
  { shapes: [[3, 2]], attrs: { axis: -2 } },
  { shapes: [[2, 2]], attrs: { axis: -1 }, inputs: [{ values: [90, 89, -95, -95.5] }] },
]

export const softmax: Op<{ axis: number }> = {
  doc: 'exp(x) divided by its sum along an axis.',
  signature: '(x: F[...s]) -> F[...s]',
  attrs: { axis: { kind: 'axis', default: -1 } },
  infer: ([x], { axis }) => (entryOf(axis, x!.shape) === undefined ? noAxis(axis, x!.shape) : x!),
  tfjs: ([x], { axis }, { inputs }) => softmaxText(x!, axis, inputs[0]!),
  onnx: ([x], { axis }, { graph }) => graph.node('Softmax', [x], { axis }),
  grad: (dy, { outputs: [y], attrs: { axis } }, make) => {
    const weighted = make.mul([dy, y!])
    return [make.sub([weighted, make.mul([y!, make.sum([weighted], { axis: [axis], keep: true })])])]
  },
  lift: ({ axis }, [x]) => ({ axis: knownEntry(axis, x!.shape) + 1 }),
  samples,
}

export const log_softmax: Op<{ axis: number }> = {
  doc: 'The logarithm of softmax, without overflow.',
  signature: '(x: F[...s]) -> F[...s]',
  attrs: { axis: { kind: 'axis', default: -1 } },
  infer: ([x], { axis }) => (entryOf(axis, x!.shape) === undefined ? noAxis(axis, x!.shape) : x!),
  tfjs: ([x], { axis }, { inputs }) => logSoftmaxText(x!, axis, inputs[0]!),
  onnx: ([x], { axis }, context) => logSoftmaxNodes(x!, axis, context),
  grad: (dy, { outputs: [y], attrs: { axis } }, make) => [
    make.sub([dy, make.mul([make.exp([y!]), make.sum([dy], { axis: [axis], keep: true })])]),
  ],
  lift: ({ axis }, [x]) => ({ axis: knownEntry(axis, x!.shape) + 1 }),
  samples,
}
