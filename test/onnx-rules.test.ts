/** Each rule that lowers several steps at once: it applies to what it is for, and gives what the steps give one by one. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lowerToOnnx } from '../src/emit/onnx/graph.ts'
import { rules } from '../src/emit/onnx/tiles.ts'
import type { Func } from '../src/ir/ir.ts'
import { Scanner } from '../src/ir/parse/scanner.ts'
import { parseFunc } from '../src/ir/parse/tensor.ts'
import type { OnnxProvider } from '../src/ops/onnx.ts'
import { near } from './kit/near.ts'
import { channelBlock, notOnWebgpu, runOnnx } from './kit/onnx.ts'
import { inputsOf, stepByStep } from './kit/stepByStep.ts'

const test = suite('onnx rules')

interface Case {
  /** The name of the rule. */
  readonly rule: string
  /** A function as the IR prints it. */
  readonly func: string
  /** The types of the nodes that it becomes, in order. */
  readonly nodes: string
  /** Numbers of an input; the others are drawn from [-1, 1). */
  readonly given?: Readonly<Record<string, readonly number[]>>
  readonly provider?: OnnxProvider
}

const cases: readonly Case[] = [
  {
    rule: 'conv2d(x, w) + offset, a number a channel, is a convolution with an offset',
    func: `func f(%x: f32[2, 2, 5, 4], %w: f32[3, 2, 3, 3], %offset: f32[3]) -> (%z) fn {
      %y: f32[2, 3, 5, 4] = conv2d %x, %w dilation=[1] pad=[1] stride=[1]
      %b: f32[3, 1, 1] = reshape %offset shape=[3, 1, 1]
      %z: f32[2, 3, 5, 4] = add %y, %b
    }`,
    nodes: 'Conv',
  },
  {
    rule: 'relu(conv2d(x, w) + offset) is one convolution, where nothing else reads what it rectifies',
    func: rectified('%z', ''),
    nodes: 'Conv Relu',
  },
  {
    rule: 'relu(conv2d(x, w) + offset) is one convolution, where nothing else reads what it rectifies',
    func: rectified('%z, %s', '%s: f32[] = sum %p axis=[] keep=false'),
    nodes: 'Conv Relu ReduceSum',
  },
  {
    rule: 'dy * (p > 0) is dy * (relu(p) > 0) for images, where relu(p) is there',
    func: rectified(
      '%z, %dx',
      `%zero: f32[] = const dtype="f32" value=0
      %g: bool[2, 3, 5, 4] = gt %p, %zero
      %m: f32[2, 3, 5, 4] = cast %g dtype="f32"
      %dx: f32[2, 3, 5, 4] = mul %z, %m`,
    ),
    nodes: 'Conv Relu Greater Cast Mul',
  },
  {
    rule: 'the transpose of A·B is Bᵀ·Aᵀ',
    func: `func f(%x: f32[4, 3], %dy: f32[4, 2]) -> (%z) fn {
      %t: f32[3, 4] = transpose %x perm=[]
      %w: f32[3, 2] = matmul %t, %dy
      %z: f32[2, 3] = transpose %w perm=[1, 0]
    }`,
    nodes: 'Gemm',
  },
  {
    rule: 'Aᵀ·B, A·Bᵀ and Aᵀ·Bᵀ are one product',
    func: `func f(%x: f32[5, 4, 3], %y: f32[5, 2, 3]) -> (%z) fn {
      %t: f32[5, 3, 2] = transpose %y perm=[0, 2, 1]
      %z: f32[5, 4, 2] = matmul %x, %t
    }`,
    nodes: 'FusedMatMul',
  },
  {
    rule: 'Aᵀ·B, A·Bᵀ and Aᵀ·Bᵀ are one product',
    func: `func f(%x: f32[5, 4, 3], %y: f32[5, 2, 3]) -> (%z) fn {
      %t: f32[5, 3, 2] = transpose %y perm=[]
      %z: f32[5, 4, 2] = matmul %x, %t
    }`,
    nodes: 'Transpose MatMul',
    provider: 'webgpu',
  },
  {
    rule: 'A·B + offset, a number a column, is one product',
    func: `func f(%x: f32[4, 3], %w: f32[2, 3], %offset: f32[2]) -> (%z) fn {
      %t: f32[3, 2] = transpose %w perm=[]
      %y: f32[4, 2] = matmul %x, %t
      %r: f32[2, 2, 2] = reshape %y shape=[2, 2, 2]
      %z: f32[2, 2, 2] = add %r, %offset
    }`,
    nodes: 'Gemm Reshape',
  },
  {
    rule: "max_pool2d's gradient spreads by the places that the kernel found",
    func: `func f(%x: f32[1, 2, 5, 4], %dy: f32[1, 2, 4, 3]) -> (%z) fn {
      %i: i32[1, 2, 4, 3] = max_pool2d_index %x dilation=[1] kernel=[2] pad=[0] stride=[1]
      %s: f32[40] = scatter_add %dy, %i axis=0 size=40
      %z: f32[1, 2, 5, 4] = reshape %s shape=[1, 2, 5, 4]
    }`,
    nodes: 'MaxPool Reshape Reshape ScatterElements Reshape',
  },
  {
    rule: "max_pool2d's gradient spreads by the places that the kernel found",
    func: `func f(%x: f32[1, 2, 3, 6], %dy: f32[1, 2, 1, 2]) -> (%z) fn {
      %i: i32[1, 2, 1, 2] = max_pool2d_index %x dilation=[1] kernel=[3] pad=[0] stride=[3]
      %s: f32[36] = scatter_add %dy, %i axis=0 size=36
      %z: f32[1, 2, 3, 6] = reshape %s shape=[1, 2, 3, 6]
    }`,
    nodes: 'MaxPool MaxUnpool',
  },
  {
    // Every choice of equal elements and of larger ones.
    rule: "max_pool2d's gradient spreads by the places that the kernel found",
    func: `func f(%x: f32[2, 2, 2, 8], %dy: f32[2, 2, 1, 4]) -> (%z) fn {
      %i: i32[2, 2, 1, 4] = max_pool2d_index %x dilation=[1] kernel=[2] pad=[0] stride=[2]
      %s: f32[64] = scatter_add %dy, %i axis=0 size=64
      %z: f32[2, 2, 2, 8] = reshape %s shape=[2, 2, 2, 8]
    }`,
    nodes:
      'MaxPool MaxPool Equal Cast Mul MaxPool Equal Cast Mul MaxPool Equal Cast Max Sub Cast Add Add MaxUnpool',
    given: { x: Array.from({ length: 64 }, (_, at) => (squareAt(at) >> placeInSquare(at)) & 1) },
  },
  {
    rule: "max_pool2d's gradient * (p > 0), p or relu(p) being pooled, masks the gradient before it is spread",
    func: `func f(%p: f32[1, 2, 3, 3], %dy: f32[1, 2, 1, 1]) -> (%y, %z) fn {
      %x: f32[1, 2, 3, 3] = relu %p
      %y: f32[1, 2, 1, 1] = max_pool2d %x dilation=[1] kernel=[3] pad=[0] stride=[3]
      %i: i32[1, 2, 1, 1] = max_pool2d_index %x dilation=[1] kernel=[3] pad=[0] stride=[3]
      %s: f32[18] = scatter_add %dy, %i axis=0 size=18
      %r: f32[1, 2, 3, 3] = reshape %s shape=[1, 2, 3, 3]
      %zero: f32[] = const dtype="f32" value=0
      %g: bool[1, 2, 3, 3] = gt %p, %zero
      %m: f32[1, 2, 3, 3] = cast %g dtype="f32"
      %z: f32[1, 2, 3, 3] = mul %r, %m
    }`,
    nodes: 'Relu MaxPool Greater Cast Mul MaxUnpool',
    given: { p: [-1, -2, -3, -4, -5, -6, -7, -8, -9, 1, 3, 2, 3, -1, 0, 2, 3, 1] },
  },
  {
    rule: "the sum of max_pool2d's gradient over all places is that of what is spread",
    func: `func f(%p: f32[2, 2, 3, 4], %dy: f32[2, 2, 2, 3]) -> (%y, %z) fn {
      %x: f32[2, 2, 3, 4] = relu %p
      %y: f32[2, 2, 2, 3] = max_pool2d %x dilation=[1] kernel=[2] pad=[0] stride=[1]
      %i: i32[2, 2, 2, 3] = max_pool2d_index %x dilation=[1] kernel=[2] pad=[0] stride=[1]
      %s: f32[48] = scatter_add %dy, %i axis=0 size=48
      %r: f32[2, 2, 3, 4] = reshape %s shape=[2, 2, 3, 4]
      %zero: f32[] = const dtype="f32" value=0
      %g: bool[2, 2, 3, 4] = gt %p, %zero
      %m: f32[2, 2, 3, 4] = cast %g dtype="f32"
      %dp: f32[2, 2, 3, 4] = mul %r, %m
      %t: f32[2, 3, 4] = sum %dp axis=[0] keep=false
      %z: f32[2, 1, 1] = sum %t axis=[1, 2] keep=true
    }`,
    nodes: 'Relu MaxPool Greater Cast Mul ReduceSum Reshape',
  },
  {
    rule: "the sum of max_pool2d's gradient over all places is that of what is spread",
    func: `func f(%x: f32[2, 2, 3, 4], %dy: f32[2, 2, 2, 3]) -> (%z) fn {
      %i: i32[2, 2, 2, 3] = max_pool2d_index %x dilation=[1] kernel=[2] pad=[0] stride=[1]
      %s: f32[48] = scatter_add %dy, %i axis=0 size=48
      %r: f32[2, 2, 3, 4] = reshape %s shape=[2, 2, 3, 4]
      %z: f32[] = sum %r axis=[] keep=false
    }`,
    nodes: 'ReduceSum',
  },
  {
    rule: "conv2d_weight(x, max_pool2d's gradient) of few channels, where nothing else reads the places of the gradient",
    func: `func f(%image: f32[1, 1, 3, 3], %x: f32[1, 2, 3, 3], %dy: f32[1, 2, 1, 1]) -> (%z) fn {
      %i: i32[1, 2, 1, 1] = max_pool2d_index %x dilation=[1] kernel=[3] pad=[0] stride=[3]
      %s: f32[18] = scatter_add %dy, %i axis=0 size=18
      %r: f32[1, 2, 3, 3] = reshape %s shape=[1, 2, 3, 3]
      %z: f32[2, 1, 1, 1] = conv2d_weight %image, %r dilation=[1] pad=[0] size=[1, 1] stride=[1]
    }`,
    nodes: 'MaxPool MaxUnpool Reshape Reshape FusedMatMul ReduceSum Reshape Transpose Reshape',
  },
  {
    rule: '(x - mean) / deviation * weight + offset is LayerNormalization',
    func: layer('(%z)', ''),
    nodes: 'LayerNormalization',
  },
  {
    rule: 'x / deviation is x times what LayerNormalization gives for one over it',
    func: layer('(%z, %normal, %other)', '%other: f32[2, 4] = div %g, %deviation'),
    nodes: 'LayerNormalization Sub Mul Mul',
  },
  {
    rule: 'g less the part along the normalised values, of each row',
    func: layer(
      '(%z, %a)',
      `%p: f32[2, 4] = mul %g, %normal
      %n: f32[2, 4] = neg %p
      %s: f32[2, 1] = sum %n axis=[1] keep=true
      %two: f32[] = const dtype="f32" value=2
      %d: f32[2, 1] = mul %two, %deviation
      %q: f32[2, 1] = div %s, %d
      %count: f32[] = size shape=[4]
      %r: f32[2, 1] = div %q, %count
      %b: f32[2, 4] = broadcast_to %r shape=[2, 4]
      %m: f32[2, 4] = mul %b, %centred
      %o: f32[2, 4] = add %g, %m
      %a: f32[2, 4] = add %o, %m`,
    ),
    nodes: 'LayerNormalization Sub Mul Mul ReduceMean Mul Sub',
  },
  {
    rule: 'the sum of parts of an axis that follow one another, each padded with zeros, is these parts in a row',
    func: `func f(%a: f32[2, 1], %b: f32[2, 2], %c: f32[2, 1]) -> (%z) fn {
      %pa: f32[2, 5] = pad %a after=0 axis=1 before=4 value=0
      %pb: f32[2, 5] = pad %b after=2 axis=-1 before=1 value=0
      %pc: f32[2, 5] = pad %c after=1 axis=1 before=3 value=0
      %ab: f32[2, 5] = add %pa, %pb
      %z: f32[2, 5] = add %ab, %pc
    }`,
    nodes: 'Concat Pad',
  },
  {
    rule: 'sum(sum(x)) is the sum over the axes of both',
    func: `func f(%x: f32[2, 3, 4, 2]) -> (%z) fn {
      %s: f32[3, 4, 2] = sum %x axis=[0] keep=false
      %z: f32[3, 1, 1] = sum %s axis=[1, 2] keep=true
    }`,
    nodes: 'ReduceSum Reshape',
  },
  {
    rule: 'sum(-x) = -sum(x)',
    func: `func f(%x: f32[2, 3]) -> (%z) fn {
      %n: f32[2, 3] = neg %x
      %z: f32[2] = sum %n axis=[1] keep=false
    }`,
    nodes: 'ReduceSum Neg',
  },
  {
    rule: 'sum(one_hot(index)·g) over the classes is g, where pick has found each index among them',
    func: `func f(%x: f32[2, 3], %i: i32[2], %g: f32[2, 1]) -> (%y, %z) fn {
      %y: f32[2] = pick %x, %i
      %h: f32[2, 3] = one_hot %i depth=3
      %m: f32[2, 3] = mul %h, %g
      %s: f32[2, 1] = sum %m axis=[-1] keep=true
      %z: f32[2, 1] = neg %s
    }`,
    nodes: 'Less Where Reshape GatherElements Reshape Neg',
    given: { i: [2, 0] },
  },
  {
    rule: 'gelu(x) = x·Φ(x)',
    func: gelu('%z', ''),
    nodes: 'Gelu',
  },
  {
    rule: 'gelu(x) = x·Φ(x)',
    func: gelu('%z, %two', '%two: f32[6] = mul %h, %h'),
    nodes: 'Div Erf Add Mul Erf HardSigmoid Mul Mul',
  },
  {
    rule: "gelu'(x)·dy = (Φ(x) + x·φ(x))·dy",
    func: gelu(
      '%dx',
      `%b: f32[6] = mul %dy, %u
      %a: f32[6] = mul %dy, %h
      %q: f32[6] = mul %v, %v
      %n: f32[6] = neg %q
      %c: f32[] = const dtype="f32" value=1.1283791670955126
      %e: f32[6] = exp %n
      %s: f32[6] = mul %c, %e
      %t: f32[6] = mul %b, %s
      %l: f32[6] = div %t, %root
      %r: f32[6] = mul %a, %half
      %dx: f32[6] = add %l, %r`,
    ),
    nodes: 'Mul Erf HardSigmoid Mul Sub Exp Mul Add Mul',
    given: { x: [-6, -1, -0.1, 0, 0.7, 5] },
  },
  {
    rule: 'x + (-y) = x - y',
    func: `func f(%x: f32[3], %y: f32[3]) -> (%z) fn {
      %n: f32[3] = neg %y
      %z: f32[3] = add %n, %x
    }`,
    nodes: 'Sub',
  },
  {
    rule: 'what is stretched to meet another value is not stretched before',
    func: `func f(%x: f32[2, 3], %y: f32[2, 1]) -> (%z) fn {
      %b: f32[2, 3] = broadcast_to %y shape=[2, 3]
      %z: f32[2, 3] = mul %b, %x
    }`,
    nodes: 'Mul',
  },
  {
    rule: 'what is stretched to meet another value is not stretched before',
    func: `func f(%x: f32[1, 3], %y: f32[2, 1]) -> (%z) fn {
      %a: f32[4, 2, 3] = broadcast_to %x shape=[4, 2, 3]
      %b: f32[2, 3] = broadcast_to %y shape=[2, 3]
      %z: f32[4, 2, 3] = sub %a, %b
    }`,
    nodes: 'Expand Sub',
  },
]

/** Which square of 2×2 of four images 2 high and 8 wide an element lies in, and where there. */
function squareAt(at: number): number {
  return 4 * (at >> 4) + ((at & 7) >> 1)
}

function placeInSquare(at: number): number {
  return 2 * ((at >> 3) & 1) + (at & 1)
}

function rectified(results: string, more: string): string {
  return `func f(%x: f32[2, 2, 5, 4], %w: f32[3, 2, 3, 3], %offset: f32[3]) -> (${results}) fn {
      %y: f32[2, 3, 5, 4] = conv2d %x, %w dilation=[1] pad=[1] stride=[1]
      %b: f32[3, 1, 1] = reshape %offset shape=[3, 1, 1]
      %p: f32[2, 3, 5, 4] = add %y, %b
      %z: f32[2, 3, 5, 4] = relu %p
      ${more}
    }`
}

function layer(results: string, more: string): string {
  return `func f(%x: f32[2, 4], %weight: f32[4], %offset: f32[4], %g: f32[2, 4]) -> ${results} fn {
      %mean: f32[2, 1] = mean %x axis=[-1] keep=true
      %centred: f32[2, 4] = sub %x, %mean
      %square: f32[2, 4] = mul %centred, %centred
      %power: f32[2, 1] = mean %square axis=[1] keep=true
      %eps: f32[] = const dtype="f32" value=0.00001
      %sum: f32[2, 1] = add %power, %eps
      %deviation: f32[2, 1] = sqrt %sum
      %normal: f32[2, 4] = div %centred, %deviation
      %scaled: f32[2, 4] = mul %normal, %weight
      %z: f32[2, 4] = add %scaled, %offset
      ${more}
    }`
}

function gelu(result: string, more: string): string {
  return `func f(%x: f32[6], %dy: f32[6]) -> (${result}) fn {
      %half: f32[] = const dtype="f32" value=0.5
      %root: f32[] = const dtype="f32" value=1.4142135623730951
      %one: f32[] = const dtype="f32" value=1
      %u: f32[6] = mul %half, %x
      %v: f32[6] = div %x, %root
      %erf: f32[6] = erf %v
      %h: f32[6] = add %one, %erf
      %z: f32[6] = mul %u, %h
      ${more}
    }`
}

function parsed(text: string): Func {
  const empty: ReadonlySet<string> = new Set()
  const func = parseFunc(new Scanner(text), { args: empty, vars: empty, hypers: empty })
  if (func === undefined) throw new Error('no function')
  return func
}

for (const [i, { rule, func: text, nodes, given, provider = 'cpu' }] of cases.entries())
  test(`${i}: ${rule}${provider === 'cpu' ? '' : `, on ${provider}`}`, async () => {
    const func = parsed(text)
    const model = lowerToOnnx(func, { provider })
    assert.is(model.model.nodes.map(({ type }) => type).join(' '), nodes)
    if (provider !== 'cpu' && nodes.includes('FusedMatMul')) return
    const inputs = inputsOf(func, given)
    const expected = await stepByStep(func, inputs)
    for (const [place, { values }] of runOnnx(model, inputs).entries())
      near(values, expected[place]!, 1e-5, func.results[place]!)
  })

test('what other providers get is the same, and leaves WebGPU for nothing that it lacks', async () => {
  for (const { rule, func: text, given } of cases) {
    const func = parsed(text)
    const inputs = inputsOf(func, given)
    const expected = await stepByStep(func, inputs)
    for (const other of ['webgpu', 'cuda'] as const) {
      const model = lowerToOnnx(func, { provider: other })
      if (other === 'webgpu') assert.equal(notOnWebgpu(model.model), [], rule)
      for (const [place, { values }] of runOnnx(model, inputs).entries())
        near(values, expected[place]!, 1e-5, `${rule}, ${other}, ${func.results[place]}`)
    }
  }
})

test('every rule has a case', () => {
  const named = new Set(cases.map(({ rule }) => rule))
  assert.equal(
    rules.map(({ name }) => name).filter(name => !named.has(name)),
    [],
  )
})

const block = channelBlock()

/** A function whose images may be in blocks of channels gives what its steps give one by one. Returns the types of its nodes. */
async function inBlocks(
  text: string,
  given: Readonly<Record<string, readonly number[]>> = {},
): Promise<string[]> {
  const func = parsed(text)
  const model = lowerToOnnx(func, {
    provider: 'cpu',
    ...(block === undefined ? {} : { channelBlock: block }),
  })
  const inputs = inputsOf(func, given)
  const expected = await stepByStep(func, inputs)
  for (const [place, { values }] of runOnnx(model, inputs).entries())
    near(values, expected[place]!, 1e-4, func.results[place]!)
  return model.model.nodes.map(({ type }) => type)
}

for (const [channels, outputs, rows, columns, stride, dilation, h, w] of [
  [16, 32, 3, 3, 1, 1, 6, 5],
  [32, 16, 1, 1, 1, 1, 6, 5],
  [8, 16, 3, 3, 1, 1, 6, 5],
  [1, 16, 3, 3, 1, 1, 6, 5],
  [17, 16, 3, 3, 1, 1, 6, 5],
  [16, 16, 3, 3, 2, 1, 3, 3],
  [16, 16, 3, 3, 1, 2, 4, 3],
  [16, 16, 3, 5, 2, 1, 3, 3],
  [16, 16, 3, 5, 1, 2, 4, 1],
  [16, 16, 5, 7, 1, 1, 6, 5],
  [16, 16, 1, 1, 2, 1, 3, 3],
] as const)
  test(`convolutions from ${channels} to ${outputs} channels by ${rows}×${columns}, stride ${stride}, dilation ${dilation}, in blocks where the processor has some`, async () => {
    const pad = [(rows - 1) / 2, (columns - 1) / 2]
    const attrs = `dilation=[${dilation}] pad=[${pad}] stride=[${stride}]`
    const types =
      await inBlocks(`func f(%x: f32[2, ${channels}, 6, 5], %w: f32[${outputs}, ${channels}, ${rows}, ${columns}], %dy: f32[2, ${outputs}, ${h}, ${w}]) -> (%y, %dx, %dw) fn {
      %y: f32[2, ${outputs}, ${h}, ${w}] = conv2d %x, %w ${attrs}
      %dx: f32[2, ${channels}, 6, 5] = conv2d_input %dy, %w dilation=[${dilation}] pad=[${pad}] size=[6, 5] stride=[${stride}]
      %dw: f32[${outputs}, ${channels}, ${rows}, ${columns}] = conv2d_weight %x, %dy dilation=[${dilation}] pad=[${pad}] size=[${rows}, ${columns}] stride=[${stride}]
    }`)
    const isWhole = block !== undefined && channels % block === 0
    assert.is(types.includes('ReorderInput'), isWhole)
    assert.is(types.includes('ReorderOutput'), block !== undefined && (isWhole || channels < block))
  })

for (const [name, kernel, stride, pad, dilation, h, w] of [
  ['in squares', 2, 2, 0, 1, 3, 4],
  ['that overlap', 3, 2, 1, 1, 3, 4],
  ['with gaps', 2, 1, 0, 2, 4, 6],
] as const)
  test(`what is convolved, rectified and pooled in windows ${name} stays in blocks, and so do its gradients`, async () => {
    const attrs = `dilation=[${dilation}] kernel=[${kernel}] pad=[${pad}] stride=[${stride}]`
    const small = `[2, 16, ${h}, ${w}]`
    const types = await inBlocks(
      `func f(%image: f32[2, 16, 6, 8], %v: f32[16, 16, 3, 3], %dy: f32${small}) -> (%y, %dx, %dv) fn {
      %c: f32[2, 16, 6, 8] = conv2d %image, %v dilation=[1] pad=[1] stride=[1]
      %x: f32[2, 16, 6, 8] = relu %c
      %y: f32${small} = max_pool2d %x ${attrs}
      %i: i32${small} = max_pool2d_index %x ${attrs}
      %s: f32[1536] = scatter_add %dy, %i axis=0 size=1536
      %r: f32[2, 16, 6, 8] = reshape %s shape=[2, 16, 6, 8]
      %zero: f32[] = const dtype="f32" value=0
      %g: bool[2, 16, 6, 8] = gt %c, %zero
      %m: f32[2, 16, 6, 8] = cast %g dtype="f32"
      %dc: f32[2, 16, 6, 8] = mul %r, %m
      %dx: f32[2, 16, 6, 8] = conv2d_input %dc, %v dilation=[1] pad=[1] size=[6, 8] stride=[1]
      %dv: f32[16, 16, 3, 3] = conv2d_weight %image, %dc dilation=[1] pad=[1] size=[3, 3] stride=[1]
    }`,
      // A kernel of one place, so that many of what is pooled are equal.
      {
        image: Array.from({ length: 1536 }, (_, at) => ((at * 7) % 5) - 2),
        v: Array.from({ length: 2304 }, (_, at) =>
          Number(at % 9 === 4 && Math.floor(at / 144) === Math.floor(at / 9) % 16),
        ),
      },
    )
    // One for the image, and one for the gradient that comes in or for the one that places have spread.
    const waysIn = types.filter(type => type === 'ReorderInput').length
    assert.is(waysIn, block === undefined ? 0 : 2)
    assert.is(types.includes('MaxUnpool'), block === undefined && name === 'in squares')
  })

for (const [channels, stride, dilation, pad, size, height, width] of [
  [1, 1, 1, '[1]', 3, 6, 8],
  [3, 2, 1, '[2, 1, 0, 2]', 3, 11, 15],
  [2, 1, 2, '[1, 0]', 2, 6, 10],
  [1, 1, 1, '[0]', 1, 6, 8],
] as const)
  test(`kernels of ${channels} channels, stride ${stride}, dilation ${dilation} have gradients from corners of squares`, async () => {
    const [image, whole, small] = [`[2, ${channels}, ${height}, ${width}]`, '[2, 32, 6, 8]', '[2, 32, 3, 4]']
    const weight = `[32, ${channels}, ${size}, ${size}]`
    const attrs = 'dilation=[1] kernel=[2] pad=[0] stride=[]'
    const types =
      await inBlocks(`func f(%image: f32${image}, %v: f32${weight}, %dy: f32${small}) -> (%y, %dv, %db) fn {
      %c: f32${whole} = conv2d %image, %v dilation=[${dilation}] pad=${pad} stride=[${stride}]
      %x: f32${whole} = relu %c
      %y: f32${small} = max_pool2d %x ${attrs}
      %i: i32${small} = max_pool2d_index %x ${attrs}
      %s: f32[3072] = scatter_add %dy, %i axis=0 size=3072
      %r: f32${whole} = reshape %s shape=${whole}
      %zero: f32[] = const dtype="f32" value=0
      %g: bool${whole} = gt %c, %zero
      %m: f32${whole} = cast %g dtype="f32"
      %dc: f32${whole} = mul %r, %m
      %db: f32[32] = sum %dc axis=[0, 2, 3] keep=false
      %dv: f32${weight} = conv2d_weight %image, %dc dilation=[${dilation}] pad=${pad} size=[${size}, ${size}] stride=[${stride}]
    }`)
    assert.is(types.filter(type => type === 'MatMul').length, block === undefined ? 0 : 4)
    assert.is(types.includes('MaxUnpool'), block === undefined)
  })

test('what is convolved, rectified and convolved again stays in blocks, and so do its gradients', async () => {
  const whole = '[2, 16, 4, 5]'
  const types =
    await inBlocks(`func f(%image: f32[2, 1, 4, 5], %v: f32[16, 1, 3, 3], %w: f32[16, 16, 3, 3], %dy: f32${whole}) -> (%y, %dv) fn {
      %c: f32${whole} = conv2d %image, %v dilation=[1] pad=[1] stride=[1]
      %x: f32${whole} = relu %c
      %y: f32${whole} = conv2d %x, %w dilation=[1] pad=[1] stride=[1]
      %dx: f32${whole} = conv2d_input %dy, %w dilation=[1] pad=[1] size=[4, 5] stride=[1]
      %zero: f32[] = const dtype="f32" value=0
      %g: bool${whole} = gt %c, %zero
      %m: f32${whole} = cast %g dtype="f32"
      %dc: f32${whole} = mul %dx, %m
      %dv: f32[16, 1, 3, 3] = conv2d_weight %image, %dc dilation=[1] pad=[1] size=[3, 3] stride=[1]
    }`)
  const count = (wanted: string) => types.filter(type => type === wanted).length
  assert.equal([count('ReorderInput'), count('ReorderOutput')], block === undefined ? [0, 0] : [1, 2])
})

test.run()
