import type { OnnxGraph, OnnxValue } from '../../src/ops/onnx.ts'
import { channelBlock } from '../../test/kit/onnx.ts'

/** The same computed in several ways. */
export interface Contest {
  readonly name: string
  /** The steps, as a function of the IR; what the compiler makes of them is the first way. */
  readonly steps: string
  /** Whole numbers among the inputs are below this. */
  readonly below?: number
  readonly others: Readonly<Record<string, Way>>
}

/** Nodes from the inputs of the steps to their results. */
export type Way = (graph: OnnxGraph, inputs: readonly OnnxValue[]) => readonly OnnxValue[]

const list = (graph: OnnxGraph, values: readonly number[]) => graph.constant('i64', values, [values.length])
const number = (graph: OnnxGraph, value: number) => graph.constant('f32', [value], [])
const toFloat = (graph: OnnxGraph, x: OnnxValue) => graph.node('Cast', [x], { to: 1 })
const reshape = (graph: OnnxGraph, x: OnnxValue, shape: readonly number[]) =>
  graph.node('Reshape', [x, list(graph, shape)])

interface Convolution {
  readonly n: number
  readonly channels: number
  readonly outputs: number
  readonly size: number
}

/** What a 3×3 kernel of padding 1 meets at each of its places, as [n, channels, size size]. */
function taps(graph: OnnxGraph, x: OnnxValue, { n, channels, size }: Convolution): readonly OnnxValue[] {
  const padded = graph.node('Pad', [x, list(graph, [0, 0, 1, 1, 0, 0, 1, 1]), number(graph, 0)])
  return Array.from({ length: 9 }, (_, i) => {
    const from = [Math.floor(i / 3), i % 3]
    const to = from.map(start => start + size)
    const places = [from, to, [2, 3]].map(each => list(graph, each))
    return reshape(graph, graph.node('Slice', [padded, ...places]), [n, channels, size * size])
  })
}

/** The same by convolutions with kernels of a single 1, in blocks of so many channels. */
function movedTaps(
  graph: OnnxGraph,
  x: OnnxValue,
  { n, channels, size }: Convolution,
  block: number,
): readonly OnnxValue[] {
  const blocks = graph.node('ReorderInput', [x], {}, 'com.microsoft.nchwc')
  const window = { pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1], kernel_shape: [3, 3] }
  return Array.from({ length: 9 }, (_, i) => {
    const ones = Array.from({ length: channels * 9 }, (_, at) => Number(Math.floor(at / block) % 9 === i))
    const weight = graph.constant('f32', ones, [channels, 1, 3, 3])
    const attrs = { ...window, group: channels, auto_pad: 'NOTSET' }
    const moved = graph.node('Conv', [blocks, weight], attrs, 'com.microsoft.nchwc')
    const plain = graph.node('ReorderOutput', [moved], { channels }, 'com.microsoft.nchwc')
    return reshape(graph, plain, [n, channels, size * size])
  })
}

const block = channelBlock()

function sumOfProducts(graph: OnnxGraph, a: OnnxValue, b: OnnxValue): OnnxValue {
  const products = graph.node('FusedMatMul', [a, b], { transB: 1 }, 'com.microsoft')
  return graph.node('ReduceSum', [products, list(graph, [0])], { keepdims: 0 })
}

function weightGradient(shape: Convolution): Contest {
  const { n, channels, outputs, size } = shape
  const flat = (graph: OnnxGraph, dy: OnnxValue) => reshape(graph, dy, [n, outputs, size * size])
  const products = (graph: OnnxGraph, dy: OnnxValue, taps: readonly OnnxValue[]) => {
    const each = taps.map(tap =>
      reshape(graph, sumOfProducts(graph, flat(graph, dy), tap), [outputs, channels, 1]),
    )
    return [reshape(graph, graph.node('Concat', each, { axis: 2 }), [outputs, channels, 3, 3])]
  }
  const moved: Contest['others'] =
    block === undefined || channels % block !== 0
      ? {}
      : {
          'a product for each place of the kernel, images moved by convolutions': (graph, [x, dy]) =>
            products(graph, dy!, movedTaps(graph, x!, shape, block)),
        }
  return {
    name: `conv2d_weight, ${n}×${channels}×${size}×${size} to ${outputs}`,
    steps: `func f(%x: f32[${n}, ${channels}, ${size}, ${size}], %dy: f32[${n}, ${outputs}, ${size}, ${size}]) -> (%dw) fn {
      %dw: f32[${outputs}, ${channels}, 3, 3] = conv2d_weight %x, %dy dilation=[1] pad=[1] size=[3, 3] stride=[1]
    }`,
    others: {
      'a product for each place of the kernel': (graph, [x, dy]) =>
        products(graph, dy!, taps(graph, x!, shape)),
      ...moved,
      'one product': (graph, [x, dy]) => {
        const columns = graph.node('Concat', taps(graph, x!, shape), { axis: 1 })
        const sums = reshape(graph, sumOfProducts(graph, columns, flat(graph, dy!)), [9, channels, outputs])
        return [
          reshape(graph, graph.node('Transpose', [sums], { perm: [2, 1, 0] }), [outputs, channels, 3, 3]),
        ]
      },
      'a convolution, examples for channels': (graph, [x, dy]) => {
        const [a, b] = [x, dy].map(each => graph.node('Transpose', [each], { perm: [1, 0, 2, 3] }))
        return [
          graph.node('Transpose', [graph.node('Conv', [a, b], { pads: [1, 1, 1, 1] })], {
            perm: [1, 0, 2, 3],
          }),
        ]
      },
    },
  }
}

function convolution({ n, channels, outputs, size }: Convolution): Contest {
  const window = { pads: [1, 1, 1, 1] }
  return {
    name: `conv2d, ${n}×${channels}×${size}×${size} to ${outputs}`,
    steps: `func f(%x: f32[${n}, ${channels}, ${size}, ${size}], %w: f32[${outputs}, ${channels}, 3, 3]) -> (%y) fn {
      %y: f32[${n}, ${outputs}, ${size}, ${size}] = conv2d %x, %w dilation=[1] pad=[1] stride=[1]
    }`,
    others: { Conv: (graph, inputs) => [graph.node('Conv', inputs, window)] },
  }
}

function inputGradient({ n, channels, outputs, size }: Convolution): Contest {
  return {
    name: `conv2d_input, ${n}×${channels}×${size}×${size} to ${outputs}`,
    steps: `func f(%dy: f32[${n}, ${outputs}, ${size}, ${size}], %w: f32[${outputs}, ${channels}, 3, 3]) -> (%dx) fn {
      %dx: f32[${n}, ${channels}, ${size}, ${size}] = conv2d_input %dy, %w dilation=[1] pad=[1] size=[${size}, ${size}] stride=[1]
    }`,
    others: {
      'Conv by the kernel turned around': (graph, [dy, w]) => {
        const [last, before] = [list(graph, [-1, -1]), list(graph, [-4, -4])]
        const turned = graph.node('Slice', [w, last, before, list(graph, [2, 3]), last])
        const exchanged = graph.node('Transpose', [turned], { perm: [1, 0, 2, 3] })
        return [graph.node('Conv', [dy, exchanged], { pads: [1, 1, 1, 1] })]
      },
      ConvTranspose: (graph, inputs) => [graph.node('ConvTranspose', inputs, { pads: [1, 1, 1, 1] })],
    },
  }
}

function pooling(n: number, channels: number, size: number): Contest {
  const [half, count] = [size / 2, n * channels * size * size]
  const [whole, small] = [`[${n}, ${channels}, ${size}, ${size}]`, `[${n}, ${channels}, ${half}, ${half}]`]
  const pool = { kernel_shape: [2, 2], strides: [2, 2] }
  const attrs = 'dilation=[1] kernel=[2] pad=[0] stride=[2]'
  const stretched = (graph: OnnxGraph, x: OnnxValue) =>
    graph.node('Resize', [x, undefined, undefined, list(graph, [n, channels, size, size])], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    })
  return {
    name: `max_pool2d and its gradient, ${n}×${channels}×${size}×${size}`,
    steps: `func f(%x: f32${whole}, %dy: f32${small}) -> (%y, %dx) fn {
      %y: f32${small} = max_pool2d %x ${attrs}
      %i: i32${small} = max_pool2d_index %x ${attrs}
      %s: f32[${count}] = scatter_add %dy, %i axis=0 size=${count}
      %dx: f32${whole} = reshape %s shape=${whole}
    }`,
    others: {
      'MaxUnpool by the places of MaxPool': (graph, [x, dy]) => {
        const [y, places] = graph.nodes('MaxPool', [x], 2, pool)
        return [y!, graph.node('MaxUnpool', [dy, places], pool)]
      },
      'ScatterElements by the places of MaxPool': (graph, [x, dy]) => {
        const [y, places] = graph.nodes('MaxPool', [x], 2, pool)
        const zeros = graph.node('Expand', [number(graph, 0), list(graph, [count])])
        const [at, flat] = [places, dy].map(each => reshape(graph, each!, [-1]))
        const sums = graph.node('ScatterElements', [zeros, at, flat])
        return [y!, reshape(graph, sums, [n, channels, size, size])]
      },
      'Resize and Equal, of equals by their weights the first': (graph, [x, dy]) => {
        const y = graph.node('MaxPool', [x], pool)
        const isLargest = toFloat(graph, graph.node('Equal', [x, stretched(graph, y)]))
        const order = Array.from(
          { length: size * size },
          (_, i) => 4 - 2 * (Math.floor(i / size) % 2) - (i % 2),
        )
        const weights = graph.node('Mul', [isLargest, graph.constant('f32', order, [size, size])])
        const first = graph.node('Equal', [weights, stretched(graph, graph.node('MaxPool', [weights], pool))])
        return [y, graph.node('Mul', [toFloat(graph, first), stretched(graph, dy!)])]
      },
    },
  }
}

/** A convolution, rectified and pooled, with the gradients of the kernel, of the offset and, of more than one channel, of the images. */
function pooledConvolution(shape: Convolution): Contest {
  const { n, channels, outputs, size } = shape
  const [half, count] = [size / 2, n * outputs * size * size]
  const [image, small] = [`[${n}, ${channels}, ${size}, ${size}]`, `[${n}, ${outputs}, ${half}, ${half}]`]
  const whole = `[${n}, ${outputs}, ${size}, ${size}]`
  const pool = { kernel_shape: [2, 2], strides: [2, 2] }
  const attrs = 'dilation=[1] kernel=[2] pad=[0] stride=[2]'
  const window = 'dilation=[1] pad=[1] stride=[1]'
  const isFirst = channels === 1
  const pads = { pads: [1, 1, 1, 1] }
  return {
    name: `conv2d, relu and max_pool2d and their gradients, ${n}×${channels}×${size}×${size} to ${outputs}`,
    steps: `func f(%x: f32${image}, %w: f32[${outputs}, ${channels}, 3, 3], %offset: f32[${outputs}], %dy: f32${small}) -> (%y, %dw, %db${isFirst ? '' : ', %dx'}) fn {
      %sums: f32${whole} = conv2d %x, %w ${window}
      %b: f32[${outputs}, 1, 1] = reshape %offset shape=[${outputs}, 1, 1]
      %p: f32${whole} = add %sums, %b
      %r: f32${whole} = relu %p
      %y: f32${small} = max_pool2d %r ${attrs}
      %i: i32${small} = max_pool2d_index %r ${attrs}
      %s: f32[${count}] = scatter_add %dy, %i axis=0 size=${count}
      %dr: f32${whole} = reshape %s shape=${whole}
      %zero: f32[] = const dtype="f32" value=0
      %g: bool${whole} = gt %p, %zero
      %m: f32${whole} = cast %g dtype="f32"
      %dp: f32${whole} = mul %dr, %m
      %db: f32[${outputs}] = sum %dp axis=[0, 2, 3] keep=false
      %dw: f32[${outputs}, ${channels}, 3, 3] = conv2d_weight %x, %dp size=[3, 3] ${window}
      ${isFirst ? '' : `%dx: f32${image} = conv2d_input %dp, %w size=[${size}, ${size}] ${window}`}
    }`,
    others: {
      'all in the plain layout': (graph, [x, w, offset, dy]) => {
        const r = graph.node('Relu', [graph.node('Conv', [x, w, offset], pads)])
        const [y, places] = graph.nodes('MaxPool', [r], 2, pool)
        const isPositive = toFloat(graph, graph.node('Greater', [y, number(graph, 0)]))
        const dp = graph.node('MaxUnpool', [graph.node('Mul', [dy, isPositive]), places], pool)
        const flat = reshape(graph, dp, [n, outputs, size * size])
        const columns = graph.node('Concat', taps(graph, x!, shape), { axis: 1 })
        const sums = reshape(graph, sumOfProducts(graph, columns, flat), [9, channels, outputs])
        const dw = graph.node('Transpose', [sums], { perm: [2, 1, 0] })
        const db = graph.node('ReduceSum', [dp, list(graph, [0, 2, 3])], { keepdims: 0 })
        const gradients = [y!, reshape(graph, dw, [outputs, channels, 3, 3]), db]
        return isFirst ? gradients : [...gradients, graph.node('ConvTranspose', [dp, w], pads)]
      },
    },
  }
}

const rectified: Contest = {
  name: "relu's gradient, 1024×512",
  steps: `func f(%x: f32[1024, 512], %dy: f32[1024, 512]) -> (%dx) fn {
    %zero: f32[] = const dtype="f32" value=0
    %g: bool[1024, 512] = gt %x, %zero
    %m: f32[1024, 512] = cast %g dtype="f32"
    %dx: f32[1024, 512] = mul %dy, %m
  }`,
  others: {
    Where: (graph, [x, dy]) => [
      graph.node('Where', [graph.node('Greater', [x, number(graph, 0)]), dy, number(graph, 0)]),
    ],
    'Sign of relu': (graph, [x, dy]) => [
      graph.node('Mul', [dy, graph.node('Sign', [graph.node('Relu', [x])])]),
    ],
  },
}

const affine: Contest = {
  name: 'x @ w.T + offset, 1024×128 to 512',
  steps: `func f(%x: f32[1024, 128], %w: f32[512, 128], %offset: f32[512]) -> (%y) fn {
    %t: f32[128, 512] = transpose %w perm=[]
    %p: f32[1024, 512] = matmul %x, %t
    %y: f32[1024, 512] = add %p, %offset
  }`,
  others: {
    'FusedMatMul, then Add': (graph, [x, w, offset]) => [
      graph.node('Add', [graph.node('FusedMatMul', [x, w], { transB: 1 }, 'com.microsoft'), offset]),
    ],
  },
}

const weight: Contest = {
  name: '(x.T @ dy).T, 1024×128 and 1024×512',
  steps: `func f(%x: f32[1024, 128], %dy: f32[1024, 512]) -> (%dw) fn {
    %t: f32[128, 1024] = transpose %x perm=[]
    %p: f32[128, 512] = matmul %t, %dy
    %dw: f32[512, 128] = transpose %p perm=[]
  }`,
  others: {
    'product, then Transpose': (graph, [x, dy]) => [
      graph.node('Transpose', [graph.node('Gemm', [x, dy], { transA: 1 })], { perm: [1, 0] }),
    ],
    'Transpose, then MatMul': (graph, [x, dy]) => [
      graph.node('MatMul', [graph.node('Transpose', [dy], { perm: [1, 0] }), x]),
    ],
  },
}

const normalised: Contest = {
  name: 'layer normalisation, 1024×128',
  steps: `func f(%x: f32[1024, 128], %w: f32[128], %offset: f32[128]) -> (%y) fn {
    %mean: f32[1024, 1] = mean %x axis=[-1] keep=true
    %centred: f32[1024, 128] = sub %x, %mean
    %square: f32[1024, 128] = mul %centred, %centred
    %power: f32[1024, 1] = mean %square axis=[-1] keep=true
    %eps: f32[] = const dtype="f32" value=0.00001
    %sum: f32[1024, 1] = add %power, %eps
    %deviation: f32[1024, 1] = sqrt %sum
    %normal: f32[1024, 128] = div %centred, %deviation
    %scaled: f32[1024, 128] = mul %normal, %w
    %y: f32[1024, 128] = add %scaled, %offset
  }`,
  others: {
    'step by step': (graph, [x, w, offset]) => {
      const mean = (of: OnnxValue) => graph.node('ReduceMean', [of, list(graph, [-1])], { keepdims: 1 })
      const centred = graph.node('Sub', [x, mean(x!)])
      const variance = graph.node('Add', [mean(graph.node('Mul', [centred, centred])), number(graph, 1e-5)])
      const normal = graph.node('Div', [centred, graph.node('Sqrt', [variance])])
      return [graph.node('Add', [graph.node('Mul', [normal, w]), offset])]
    },
  },
}

const geluSteps = `
    %half: f32[] = const dtype="f32" value=0.5
    %root: f32[] = const dtype="f32" value=1.4142135623730951
    %one: f32[] = const dtype="f32" value=1
    %u: f32[1024, 512] = mul %half, %x
    %v: f32[1024, 512] = div %x, %root
    %erf: f32[1024, 512] = erf %v
    %h: f32[1024, 512] = add %one, %erf
    %y: f32[1024, 512] = mul %u, %h`

const gelu: Contest = {
  name: 'GELU, 1024×512',
  steps: `func f(%x: f32[1024, 512]) -> (%y) fn {${geluSteps}
  }`,
  others: {
    'step by step': (graph, [x]) => {
      const erf = graph.node('Erf', [graph.node('Div', [x, number(graph, Math.SQRT2)])])
      const doubled = graph.node('Add', [erf, number(graph, 1)])
      return [graph.node('Mul', [graph.node('Mul', [x, number(graph, 0.5)]), doubled])]
    },
    'Mul, Erf, HardSigmoid, Mul': (graph, [x]) => {
      const erf = graph.node('Erf', [graph.node('Mul', [x, number(graph, Math.SQRT1_2)])])
      return [
        graph.node('Mul', [
          x,
          graph.node('HardSigmoid', [erf], { alpha: { float: 0.5 }, beta: { float: 0.5 } }),
        ]),
      ]
    },
    "ONNX Runtime's own Gelu": (graph, [x]) => [graph.node('Gelu', [x], {}, 'com.microsoft')],
    Gelu: (graph, [x]) => [graph.node('Gelu', [x])],
  },
}

const geluGradient: Contest = {
  name: 'GELU and its gradient, 1024×512',
  steps: `func f(%x: f32[1024, 512], %dy: f32[1024, 512]) -> (%y, %dx) fn {${geluSteps}
    %b: f32[1024, 512] = mul %dy, %u
    %a: f32[1024, 512] = mul %dy, %h
    %q: f32[1024, 512] = mul %v, %v
    %n: f32[1024, 512] = neg %q
    %c: f32[] = const dtype="f32" value=1.1283791670955126
    %e: f32[1024, 512] = exp %n
    %s: f32[1024, 512] = mul %c, %e
    %t: f32[1024, 512] = mul %b, %s
    %l: f32[1024, 512] = div %t, %root
    %r: f32[1024, 512] = mul %a, %half
    %dx: f32[1024, 512] = add %l, %r
  }`,
  others: {
    'step by step': (graph, [x, dy]) => {
      const v = graph.node('Div', [x, number(graph, Math.SQRT2)])
      const doubled = graph.node('Add', [graph.node('Erf', [v]), number(graph, 1)])
      const half = graph.node('Mul', [x, number(graph, 0.5)])
      const bump = graph.node('Exp', [graph.node('Neg', [graph.node('Mul', [v, v])])])
      const scaled = graph.node('Mul', [bump, number(graph, 2 / Math.sqrt(Math.PI))])
      const left = graph.node('Mul', [graph.node('Mul', [dy, half]), scaled])
      const right = graph.node('Mul', [graph.node('Mul', [dy, doubled]), number(graph, 0.5)])
      const sum = graph.node('Add', [graph.node('Div', [left, number(graph, Math.SQRT2)]), right])
      return [graph.node('Mul', [half, doubled]), sum]
    },
  },
}

const embedding: Contest = {
  name: "an embedding's gradient, 1024×128 into 256",
  below: 256,
  steps: `func f(%dy: f32[1024, 128], %i: i32[1024]) -> (%dw) fn {
    %dw: f32[256, 128] = scatter_add %dy, %i axis=0 size=256
  }`,
  others: {
    'product with a one-hot matrix': (graph, [dy, i]) => {
      const places = graph.constant(
        'i32',
        Array.from({ length: 256 }, (_, k) => k),
        [256],
      )
      const hot = toFloat(graph, graph.node('Equal', [reshape(graph, i!, [1024, 1]), places]))
      return [graph.node('Gemm', [hot, dy], { transA: 1 })]
    },
  },
}

const offset: Contest = {
  name: "an offset's gradient, 1024×512",
  steps: `func f(%dy: f32[1024, 512]) -> (%db) fn {
    %db: f32[512] = sum %dy axis=[0] keep=false
  }`,
  others: {
    'product with a row of ones': (graph, [dy]) => [
      reshape(graph, graph.node('Gemm', [graph.constant('f32', Array(1024).fill(1), [1, 1024]), dy]), [512]),
    ],
  },
}

const parts: Contest = {
  name: 'the gradient of three slices, 3×16×4×64×32',
  steps: `func f(%a: f32[1, 16, 4, 64, 32], %b: f32[1, 16, 4, 64, 32], %c: f32[1, 16, 4, 64, 32]) -> (%y) fn {
    %pa: f32[3, 16, 4, 64, 32] = pad %a after=2 axis=0 before=0 value=0
    %pb: f32[3, 16, 4, 64, 32] = pad %b after=1 axis=0 before=1 value=0
    %ab: f32[3, 16, 4, 64, 32] = add %pa, %pb
    %pc: f32[3, 16, 4, 64, 32] = pad %c after=0 axis=0 before=2 value=0
    %y: f32[3, 16, 4, 64, 32] = add %ab, %pc
  }`,
  others: {
    'Pad and Add': (graph, inputs) => {
      const padded = inputs.map((each, i) =>
        graph.node('Pad', [each, list(graph, [i, 0, 0, 0, 0, 2 - i, 0, 0, 0, 0]), number(graph, 0)]),
      )
      return [padded.reduce((sum, each) => graph.node('Add', [sum, each]))]
    },
  },
}

const logarithm: Contest = {
  name: 'logsumexp, 1024×256',
  steps: `func f(%x: f32[1024, 256]) -> (%y) fn {
    %y: f32[1024] = logsumexp %x axis=[-1] keep=false
  }`,
  others: {
    ReduceLogSumExp: (graph, [x]) => [graph.node('ReduceLogSumExp', [x, list(graph, [-1])], { keepdims: 0 })],
  },
}

const signs: Contest = {
  name: 'sign, 1024×512',
  steps: `func f(%x: f32[1024, 512]) -> (%y) fn {
    %y: f32[1024, 512] = sign %x
  }`,
  others: { Sign: (graph, inputs) => [graph.node('Sign', inputs)] },
}

export const contests: readonly Contest[] = [
  convolution({ n: 64, channels: 32, outputs: 64, size: 14 }),
  inputGradient({ n: 64, channels: 32, outputs: 64, size: 14 }),
  weightGradient({ n: 64, channels: 32, outputs: 64, size: 14 }),
  weightGradient({ n: 8, channels: 32, outputs: 32, size: 56 }),
  weightGradient({ n: 64, channels: 1, outputs: 32, size: 28 }),
  pooling(64, 32, 28),
  pooledConvolution({ n: 64, channels: 1, outputs: 32, size: 28 }),
  pooledConvolution({ n: 64, channels: 32, outputs: 64, size: 14 }),
  rectified,
  affine,
  weight,
  normalised,
  gelu,
  geluGradient,
  embedding,
  offset,
  parts,
  logarithm,
  signs,
]
