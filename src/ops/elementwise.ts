import { ts } from '../base/code.ts'
import type { Make } from './builder.ts'
import { castTo, type OnnxContext, type OnnxValue, one, scalar } from './onnx.ts'
import type { Op, Operand } from './op.ts'
import { indicator, number } from './unbroadcast.ts'

interface Unary {
  readonly doc: string
  /** The function of tfjs, or of the runtime's kernels where tfjs has none that is right everywhere. */
  readonly lowering: string
  /** The type of ONNX's node, or the nodes where it has none. */
  readonly onnx: string | ((x: OnnxValue, context: OnnxContext) => OnnxValue)
  /** The derivative from the argument and the result, or the product with `dy` where that is simpler. */
  readonly grad: Op['grad']
  /** `N` where integers are allowed as well. */
  readonly dtype?: 'F' | 'N'
  /** Where the function is smooth and the test draws from. */
  readonly low?: number
  readonly high?: number
}

/** The parts that all functions of one argument share. */
function unary({ doc, lowering, onnx, grad, dtype = 'F', low = -2, high = 2 }: Unary): Op {
  const inputs = [{ low, high }]
  return {
    doc,
    signature: `(x: ${dtype}[...s]) -> ${dtype}[...s]`,
    tfjs: ([x]) => ts`${lowering}(${x!})`,
    onnx: typeof onnx === 'string' ? one(onnx) : ([x], _, context) => onnx(x!, context),
    grad,
    lift: 'elementwise',
    samples: [
      { shapes: [[2, 3]], attrs: {}, inputs },
      { shapes: [[]], attrs: {}, inputs },
    ],
  }
}

/** A gradient that multiplies `dy` by the derivative. */
function chain(derivative: (x: Operand, y: Operand, make: Make) => Operand): Op['grad'] {
  return (dy, { inputs, outputs }, make) => [make.mul([dy, derivative(inputs[0]!, outputs[0]!, make)])]
}

/** 1 - v². */
function oneMinusSquare(v: Operand, make: Make): Operand {
  return make.sub([number(make, 1), make.mul([v, v])])
}

/** Whether it is positive less whether it is negative: WebGPU leaves Sign to the processor, where it is no faster. */
function signNodes(x: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph, inputs } = context
  const { dtype } = inputs[0]!
  const zero = scalar(context, 0, dtype)
  const [above, below] = ['Greater', 'Less'].map(type => castTo(context, graph.node(type, [x, zero]), dtype))
  return graph.node('Sub', [above, below])
}

/** WebGPU leaves Round to the processor: there ⌊x + ½⌋, less 1 where that is an odd number half above x. */
function roundNodes(x: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph, provider } = context
  if (provider !== 'webgpu') return graph.node('Round', [x])
  const half = scalar(context, 0.5)
  const up = graph.node('Floor', [graph.node('Add', [x, half])])
  const isHalf = graph.node('Equal', [graph.node('Sub', [up, x]), half])
  const pair = graph.node('Mul', [graph.node('Floor', [graph.node('Mul', [up, half])]), scalar(context, 2)])
  const isOdd = graph.node('Greater', [graph.node('Sub', [up, pair]), half])
  return graph.node('Sub', [up, castTo(context, graph.node('And', [isHalf, isOdd]), 'f32')])
}

/**
 * log(1 + x) where the sum loses nothing that matters, else 2·artanh(x / (2 + x)), which is the same: near 0 the one is inexact, and for
 * large x the other.
 */
function log1pNodes(x: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const two = scalar(context, 2)
  const far = graph.node('Log', [graph.node('Add', [x, scalar(context, 1)])])
  const near = graph.node('Atanh', [graph.node('Div', [x, graph.node('Add', [x, two])])])
  const isNear = graph.node('Less', [graph.node('Abs', [x]), scalar(context, 0.5)])
  return graph.node('Where', [isNear, graph.node('Mul', [near, two]), far])
}

/** exp(x) - 1 = tanh(x / 2)·(exp(x) + 1), where nothing cancels. */
function expm1Nodes(x: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const half = graph.node('Tanh', [graph.node('Mul', [x, scalar(context, 0.5)])])
  return graph.node('Mul', [half, graph.node('Add', [graph.node('Exp', [x]), scalar(context, 1)])])
}

/** Negation, written `-x`. */
export const neg: Op = {
  ...unary({
    doc: 'The negative of each element.',
    lowering: 'tf.neg',
    onnx: 'Neg',
    dtype: 'N',
    grad: (dy, _, make) => [make.neg([dy])],
  }),
  call: false,
}

export const exp: Op = unary({
  doc: 'e to the power of each element.',
  lowering: 'tf.exp',
  onnx: 'Exp',
  grad: chain((_, y) => y),
})

export const log: Op = unary({
  doc: 'Natural logarithm.',
  lowering: 'tf.log',
  onnx: 'Log',
  low: 0.5,
  high: 3,
  grad: (dy, { inputs: [x] }, make) => [make.div([dy, x!])],
})

export const log1p: Op = unary({
  doc: 'log(1 + x), exact for small x.',
  lowering: 'kernels.log1p',
  onnx: log1pNodes,
  low: -0.5,
  grad: (dy, { inputs: [x] }, make) => [make.div([dy, make.add([x!, number(make, 1)])])],
})

export const expm1: Op = unary({
  doc: 'exp(x) - 1, exact for small x.',
  lowering: 'tf.expm1',
  onnx: expm1Nodes,
  grad: chain((_, y, make) => make.add([y, number(make, 1)])),
})

export const sqrt: Op = unary({
  doc: 'Square root.',
  lowering: 'tf.sqrt',
  onnx: 'Sqrt',
  low: 0.5,
  high: 3,
  grad: (dy, { outputs: [y] }, make) => [make.div([dy, make.mul([number(make, 2), y!])])],
})

export const rsqrt: Op = unary({
  doc: '1 / sqrt(x).',
  lowering: 'tf.rsqrt',
  onnx: (x, { graph }) => graph.node('Reciprocal', [graph.node('Sqrt', [x])]),
  low: 0.5,
  high: 3,
  grad: chain((_, y, make) => make.mul([number(make, -0.5), make.mul([y, make.mul([y, y])])])),
})

const kinkAtZero = { shapes: [[3]], attrs: {}, inputs: [{ values: [-1, 0, 2] }] }

const absolute: Op = unary({
  doc: 'Absolute value; its gradient at 0 is 0.',
  lowering: 'tf.abs',
  onnx: 'Abs',
  dtype: 'N',
  low: 0.3,
  grad: chain((x, _, make) => make.sign([x])),
})
export const abs: Op = {
  ...absolute,
  samples: [...absolute.samples, { ...kinkAtZero, gradient: [[-1, 0, 1]] }],
}

export const relu: Op = {
  ...unary({
    doc: 'max(x, 0); its gradient at 0 is 0.',
    lowering: 'tf.relu',
    onnx: 'Relu',
    grad: chain((x, _, make) => indicator(make, make.gt([x, number(make, 0)]))),
  }),
  samples: [
    { shapes: [[4]], attrs: {}, inputs: [{ values: [-1.5, -0.5, 0.5, 1.5] }] },
    { ...kinkAtZero, gradient: [[0, 0, 1]] },
  ],
}

export const sign: Op = unary({
  doc: '-1, 0 or 1; no gradient flows.',
  lowering: 'tf.sign',
  onnx: signNodes,
  dtype: 'N',
  low: 0.3,
  grad: 'none',
})

/** Steps between whole numbers are flat, so samples keep off them. */
const offWhole = { inputs: [{ values: [-1.7, -0.3, 0.3, 0.7, 1.2] }], shapes: [[5]], attrs: {} }
const halves = {
  inputs: [{ values: [-1.5, -0.5, 0.5, 1.5, 2.5] }],
  shapes: [[5]],
  attrs: {},
  gradient: [[0, 0, 0, 0, 0]],
}

export const floor: Op = {
  ...unary({
    doc: 'The next whole number below; no gradient flows.',
    lowering: 'tf.floor',
    onnx: 'Floor',
    grad: 'none',
  }),
  samples: [offWhole, halves],
}

export const ceil: Op = {
  ...unary({
    doc: 'The next whole number above; no gradient flows.',
    lowering: 'tf.ceil',
    onnx: 'Ceil',
    grad: 'none',
  }),
  samples: [offWhole, halves],
}

export const round: Op = {
  ...unary({
    doc: 'The nearest whole number, halves to the even one; no gradient flows.',
    lowering: 'tf.round',
    onnx: roundNodes,
    grad: 'none',
  }),
  samples: [offWhole, halves],
}

export const sin: Op = unary({
  doc: 'Sine.',
  lowering: 'tf.sin',
  onnx: 'Sin',
  grad: chain((x, _, make) => make.cos([x])),
})

export const cos: Op = unary({
  doc: 'Cosine.',
  lowering: 'tf.cos',
  onnx: 'Cos',
  grad: chain((x, _, make) => make.neg([make.sin([x])])),
})

export const tan: Op = unary({
  doc: 'Tangent.',
  lowering: 'tf.tan',
  onnx: 'Tan',
  low: -1,
  high: 1,
  grad: chain((_, y, make) => make.add([number(make, 1), make.mul([y, y])])),
})

export const asin: Op = unary({
  doc: 'Inverse sine.',
  lowering: 'tf.asin',
  onnx: 'Asin',
  low: -0.8,
  high: 0.8,
  grad: chain((x, _, make) => make.rsqrt([oneMinusSquare(x, make)])),
})

export const acos: Op = unary({
  doc: 'Inverse cosine.',
  lowering: 'tf.acos',
  onnx: 'Acos',
  low: -0.8,
  high: 0.8,
  grad: chain((x, _, make) => make.neg([make.rsqrt([oneMinusSquare(x, make)])])),
})

export const atan: Op = unary({
  doc: 'Inverse tangent.',
  lowering: 'tf.atan',
  onnx: 'Atan',
  grad: (dy, { inputs: [x] }, make) => [make.div([dy, make.add([number(make, 1), make.mul([x!, x!])])])],
})

export const tanh: Op = unary({
  doc: 'Hyperbolic tangent.',
  lowering: 'tf.tanh',
  onnx: 'Tanh',
  grad: chain((_, y, make) => oneMinusSquare(y, make)),
})

export const atanh: Op = unary({
  doc: 'Inverse hyperbolic tangent.',
  lowering: 'tf.atanh',
  onnx: 'Atanh',
  low: -0.7,
  high: 0.7,
  grad: (dy, { inputs: [x] }, make) => [make.div([dy, oneMinusSquare(x!, make)])],
})

export const sigmoid: Op = unary({
  doc: 'The logistic function 1 / (1 + exp(-x)).',
  lowering: 'tf.sigmoid',
  onnx: 'Sigmoid',
  grad: chain((_, y, make) => make.mul([y, make.sub([number(make, 1), y])])),
})

// d/dx erf(x) = 2/√π · exp(-x²) by definition.
export const erf: Op = unary({
  doc: 'The error function.',
  lowering: 'tf.erf',
  onnx: 'Erf',
  grad: chain((x, _, make) =>
    make.mul([number(make, 2 / Math.sqrt(Math.PI)), make.exp([make.neg([make.mul([x, x])])])]),
  ),
})

export const stop_gradient: Op = {
  ...unary({
    doc: 'Its argument, through which no gradient flows.',
    lowering: 'kernels.stopGradient',
    onnx: x => x,
    grad: 'none',
  }),
  signature: '(x: T[...s]) -> T[...s]',
  samples: [
    { shapes: [[2, 3]], attrs: {}, gradient: [[0, 0, 0, 0, 0, 0]] },
    { shapes: [[2]], attrs: {}, dtypes: ['bool'] },
  ],
}
