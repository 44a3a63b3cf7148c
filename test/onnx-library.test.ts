/** Whole steps over the library's layers and losses, forward and backward: their graphs give what the steps give one by one. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, formGraphs } from '../src/compiler.ts'
import { lowerToOnnx } from '../src/emit/onnx/graph.ts'
import type { Func } from '../src/ir/ir.ts'
import { specialise } from '../src/passes/specialise.ts'
import { filesOf } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { runOnnx } from './kit/onnx.ts'
import { inputsOf, stepByStep } from './kit/stepByStep.ts'

const test = suite('onnx library')

interface Case {
  /** The members of the program besides its optimizer and trainer. */
  readonly train: string
  /** What the fields of the data are: `x: f32[4]`. */
  readonly fields: string
  readonly loss: string
  /** How many nodes of some types there must be, where that shows that a rule knew the gradient as the compiler makes it. */
  readonly nodes?: Readonly<Record<string, number>>
}

const image = 'field image: f32[1, 8, 8] = images\n field label: i32 = labels'
const row = 'field x: f32[6] = xs\n field y: f32[3] = ys\n field label: i32 = labels'
const text = 'field now: i32[5] = tokens\n field following: i32[5] = following'

const cases: Readonly<Record<string, Case>> = {
  'convolutions and poolings': {
    train: 'model net = Net()',
    fields: image,
    loss: 'cross_entropy(net(batch.image), batch.label)',
    nodes: { ScatterND: 0, MaxUnpool: 2, Conv: 3 },
  },
  transformer: {
    train: 'model net = Writer()',
    fields: text,
    loss: 'cross_entropy(net(batch.now), batch.following)',
    nodes: { LayerNormalization: 5, HardSigmoid: 2, Pad: 0, Sqrt: 0, ScatterND: 1 },
  },
  'batch normalisation': {
    train: 'model net = Batched()',
    fields: row,
    loss: 'mse(net(batch.x), batch.y)',
  },
  'root-mean-square and layer normalisation': {
    train: 'model net = Normalised()',
    fields: row,
    loss: 'bce(net(batch.x), batch.y)',
    nodes: { LayerNormalization: 1 },
  },
  recurrence: {
    train: 'model net = Recurrent()',
    fields: row,
    loss: 'mse(net(batch.x), batch.y)',
  },
}

const source = `
module Net() {
  layer first = Conv2d(1, 4, kernel: 3, pad: 1)
  layer second = Conv2d(4, 3, kernel: 3, pad: 1)
  layer pool = MaxPool2d(2)
  layer head = Linear(3 * 2 * 2, 4)
  forward(image: f32[n, 1, 8, 8]) -> f32[n, 4] = image |> first |> relu |> pool |> second |> relu |> pool |> flatten |> head
}
module Batched() {
  layer first = Linear(6, 4)
  layer norm = BatchNorm(4)
  layer head = Linear(4, 3)
  forward(x: f32[n, 6]) -> f32[n, 3] = x |> first |> norm |> silu |> head
}
module Normalised() {
  layer first = Linear(6, 4)
  layer rms = RmsNorm(4)
  layer norm = LayerNorm(4)
  layer head = Linear(4, 3)
  forward(x: f32[n, 6]) -> f32[n, 3] = x |> first |> rms |> softplus |> norm |> tanh |> head
}
module Recurrent() {
  layer cells = GruLayer(2, 4)
  layer head = Linear(4, 3)
  forward(x: f32[n, 6]) -> f32[n, 3] = head(cells(rearrange(x : n (t k) -> n t k, t: 3)).h)
}
module Writer() {
  layer embed = Embedding(7, 8)
  layer place = PositionalEmbedding(5, 8)
  layer body = TransformerEncoder(2, 8, 2, hidden: 16, dropout: 0.0, activation: gelu, norm_first: true, causal: true)
  layer head = Linear(8, 7)
  forward(text: i32[n, t]) -> f32[n, t, 7] = text |> embed |> place |> body |> head
}
`

function graphsOf({ train, fields, loss }: Case): readonly Func[] {
  const program = `${source}
dataset Data from idx(images: "i", labels: "l", xs: "x", ys: "y", tokens: "t", following: "f") {
 ${fields}
}
train T {
  data data = Data(batch: 3, drop_last: true)
  ${train}
  optimizer sgd = Sgd(net, lr: 0.1)
  step train(batch) { minimize ${loss} }
  trainer { epochs: 1 }
}
`
  const { programs, diagnostics } = compile('test.ltm', filesOf(program))
  assert.equal(
    diagnostics.map(({ code, message }) => `${code} ${message}`),
    [],
  )
  const compiled = formGraphs(programs[0]!)
  return compiled.functions.flatMap(func => {
    if (func.role !== 'graph') return []
    const shapes = func.params.map(({ type }) =>
      type === 'key' ? undefined : type.shape.map(size => (typeof size === 'number' ? size : 3)),
    )
    return [specialise(compiled, func, shapes).func]
  })
}

for (const [name, c] of Object.entries(cases))
  test(name, async () => {
    const graphs = graphsOf(c)
    assert.ok(graphs.length > 0, 'no graph')
    for (const func of graphs) {
      const model = lowerToOnnx(func, { provider: 'cpu' })
      const types = model.model.nodes.map(({ type }) => type)
      for (const [type, count] of Object.entries(c.nodes ?? {}))
        assert.is(types.filter(each => each === type).length, count, `${type} in ${types.join(' ')}`)
      const inputs = inputsOf(func)
      const expected = await stepByStep(func, inputs)
      for (const [place, { values }] of runOnnx(model, inputs).entries())
        near(values, expected[place]!, 1e-4, func.results[place]!)
    }
  })

test.run()
