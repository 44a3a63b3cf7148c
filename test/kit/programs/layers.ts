import type { Growing, Rule } from './rule.ts'
import { fixed, isBatch, isNumber, type Size, type Value } from './values.ts'

const lasting = (dims: readonly Size[], last: Size): readonly Size[] => [...dims.slice(0, -1), last]

/** Declares a layer and calls it. */
function layer(
  { scope }: Growing,
  instance: string,
  call: (name: string) => string,
  dims: readonly Size[],
): void {
  const name = scope.program.fresh('l')
  scope.members?.lines.push(`layer ${name} = ${instance}`)
  scope.bind(call(name), dims)
}

/** A tensor of floats with an axis of features behind that of the batch. */
const featured = ({ dims }: Value): boolean =>
  dims.length >= 2 &&
  isBatch(dims[0]!) &&
  !isBatch(dims.at(-1)!) &&
  dims.slice(1).every(each => !isBatch(each))

const width = (size: Size): string => size.text

export const linearRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.float(featured)
  if (x === undefined) return
  const outputs = fixed(chance.between(2, 5))
  const bias = chance.maybe(0.3) ? ', bias: false' : ''
  const text = scope.use(x)
  layer(
    growing,
    `Linear(${width(x.dims.at(-1)!)}, ${outputs.text}${bias})`,
    name => `${name}(${text})`,
    lasting(x.dims, outputs),
  )
}

export const normRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.float(featured)
  if (x === undefined) return
  const text = scope.use(x)
  const call = (name: string) => `${name}(${text})`
  if (chance.maybe(0.4) && scope.members && !scope.isLoop) {
    scope.members.stateful = true
    return layer(
      growing,
      `BatchNorm(${width(x.dims[1]!)}${chance.maybe(0.3) ? ', momentum: 0.3' : ''})`,
      call,
      x.dims,
    )
  }
  layer(
    growing,
    `${chance.pick(['LayerNorm', 'RmsNorm'])}(${width(x.dims.at(-1)!)}, eps: 0.01)`,
    call,
    x.dims,
  )
}

export const dropoutRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.float(({ dims }) => dims.length > 0)
  if (x === undefined) return
  const text = scope.use(x)
  layer(growing, `Dropout(${chance.pick([0, 0.2, 0.5])})`, name => `${name}(${text})`, x.dims)
}

const isImage = ({ dims }: Value): boolean =>
  dims.length === 4 && isBatch(dims[0]!) && dims.slice(1).every(each => isNumber(each))

export const imageRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.float(isImage)
  if (x === undefined) return
  const [n, channels, h, w] = x.dims as [Size, Size, Size, Size]
  const call = (name: string) => `${name}(${scope.use(x)})`
  const least = Math.min(h.size!, w.size!)
  if (least >= 4 && chance.maybe(0.4)) {
    const name = chance.pick(['MaxPool2d', 'AvgPool2d'])
    const stride = chance.pick([1, 2])
    const pad = chance.pick([0, 1])
    const after = ({ size = 1 }: Size) => fixed(Math.floor((size + 2 * pad - 2) / stride) + 1)
    return layer(growing, `${name}(2, stride: ${stride}, pad: ${pad})`, call, [
      n,
      channels,
      after(h),
      after(w),
    ])
  }
  const kernel = chance.pick(least >= 3 ? [1, 2, 3] : [1])
  const stride = chance.pick([1, 1, 2])
  const pad = chance.below(kernel)
  const dilation = kernel === 2 && least >= 3 ? chance.pick([1, 2]) : 1
  const outputs = fixed(chance.between(1, 4))
  const after = ({ size = 1 }: Size) =>
    fixed(Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1)
  if (after(h).size! < 1 || after(w).size! < 1) return
  if (dilation === 1)
    return layer(
      growing,
      `Conv2d(${channels.text}, ${outputs.text}, kernel: ${kernel}, stride: ${stride}, pad: ${pad})`,
      call,
      [n, outputs, after(h), after(w)],
    )
  const weight = scope.program.fresh('p')
  scope.members?.lines.push(
    `param ${weight}: f32[${outputs.text}, ${channels.text}, ${kernel}, ${kernel}] = normal(0, 0.3)`,
  )
  scope.bind(`conv2d(${scope.use(x)}, ${weight}, stride: ${stride}, pad: ${pad}, dilation: ${dilation})`, [
    n,
    outputs,
    after(h),
    after(w),
  ])
}

const isSequence = ({ dims }: Value): boolean =>
  dims.length === 3 && isBatch(dims[0]!) && !isBatch(dims[1]!) && !isBatch(dims[2]!)

export const sequenceRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.float(isSequence)
  if (x === undefined) return
  const [n, t, d] = x.dims as [Size, Size, Size]
  const text = scope.use(x)
  const call = (name: string) => `${name}(${text})`
  const isEven = isNumber(d) && d.size! % 2 === 0
  const heads = isEven ? chance.pick([1, 2]) : 1
  const outputs = chance.between(2, 4)
  switch (chance.below(8)) {
    case 0:
      return layer(
        growing,
        `LstmLayer(${d.text}, ${outputs}${reversed(growing)})`,
        name => `${call(name)}.all`,
        [n, t, fixed(outputs)],
      )
    case 1:
      return layer(
        growing,
        `GruLayer(${d.text}, ${outputs}${reversed(growing)})`,
        name => `${call(name)}.all`,
        [n, t, fixed(outputs)],
      )
    case 2: {
      const ways = chance.pick([1, 2])
      const kind = chance.pick(['Lstm', 'Gru'])
      const instance = `${kind}(${d.text}, ${outputs}, depth: ${chance.pick([1, 2])}, dropout: ${chance.pick([0, 0.2])}${ways === 2 ? ', bidirectional: true' : ''})`
      return layer(growing, instance, name => `${call(name)}.all`, [n, t, fixed(ways * outputs)])
    }
    case 3:
      return layer(
        growing,
        `MultiHeadAttention(${d.text}, ${heads}, dropout: ${chance.pick([0, 0.2])}${causal(growing)})`,
        call,
        x.dims,
      )
    case 4:
      return layer(
        growing,
        `TransformerEncoderLayer(${d.text}, ${heads}, hidden: 5, dropout: ${chance.pick([0, 0.1])}, activation: ${chance.pick(['relu', 'gelu', 'silu'])}${chance.maybe() ? ', norm_first: true' : ''}${causal(growing)}, eps: 0.01)`,
        call,
        x.dims,
      )
    case 5:
      return layer(growing, `PositionalEmbedding(${t.text}, ${d.text})`, call, x.dims)
    case 6:
      if (isEven)
        return void scope.bind(
          chance.pick([`rotary(${text})`, `${text} + sinusoidal_positions(${t.text}, ${d.text})`]),
          x.dims,
        )
      return void scope.bind(`attention(${text}, tanh(${text}), ${text})`, x.dims)
    default:
      return void scope.bind(`attention(${text}, sin(${text}), ${text}, causal_mask(${t.text}))`, x.dims)
  }
}

const reversed = ({ chance }: Growing): string => (chance.maybe(0.3) ? ', reverse: true' : '')
const causal = ({ chance }: Growing): string => (chance.maybe(0.4) ? ', causal: true' : '')

export const rowRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.float(each => featured(each) && each.dims.length === 2)
  if (x === undefined) return
  const [n, d] = x.dims as [Size, Size]
  const outputs = fixed(chance.between(2, 4))
  const text = scope.use(x)
  const call = (name: string) => `${name}(${text})`
  switch (chance.below(3)) {
    case 0:
      return layer(growing, `GruCell(${d.text}, ${outputs.text})`, call, [n, outputs])
    case 1:
      return layer(
        growing,
        `LstmCell(${d.text}, ${outputs.text})`,
        name => `${call(name)}.${chance.pick(['h', 'c'])}`,
        [n, outputs],
      )
    default:
      return layer(
        growing,
        `Mlp([${d.text}, 3, ${outputs.text}], activation: ${chance.pick(['tanh', 'relu', 'gelu', 'fn(x) = x * sigmoid(x)'])}, dropout: ${chance.pick([0, 0.3])})`,
        call,
        [n, outputs],
      )
  }
}

export const embeddingRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.find(({ dtype, top, dims }) => dtype === 'i32' && top !== undefined && dims.length <= 2)
  if (x === undefined) return
  const wide = fixed(chance.between(2, 4))
  const text = scope.use(x)
  if (chance.maybe(0.3) && scope.members) {
    const table = scope.program.fresh('p')
    scope.members.lines.push(`param ${table}: f32[${x.top}, ${wide.text}] = normal(0, 0.5)`)
    return void scope.bind(`${table}[${text}]`, [...x.dims, wide])
  }
  layer(growing, `Embedding(${x.top}, ${wide.text})`, name => `${name}(${text})`, [...x.dims, wide])
}

/** A list of layers, one behind the other. */
export const listRule: Rule = growing => {
  const { scope, chance } = growing
  const x = scope.float(featured)
  if (x === undefined || scope.members === undefined) return
  const d = width(x.dims.at(-1)!)
  const name = scope.program.fresh('l')
  const h = scope.program.fresh('h')
  const own = chance.maybe()
  const instance = own ? `Residual(${d}, ${chance.pick(['tanh', 'gelu', 'relu'])})` : `Linear(${d}, ${d})`
  if (own) scope.program.need(residual)
  scope.members.lines.push(`layer ${name} = [${instance} for _i in 0..${chance.between(1, 3)}]`)
  scope.lines.push(
    `var ${h} = ${scope.use(x)}`,
    `for block in ${name} { set ${h} = ${chance.pick(['block', 'tanh'])}(block(${h})) }`.replace(
      'block(block',
      'relu(block',
    ),
  )
  scope.add({ text: h, dtype: 'f32', dims: x.dims })
}

const residual = `module Residual(width: int, activation: fn) {
  layer inner = Linear(width, width)
  fn gate(x: f32[...s, width]) -> f32[...s, width] = sigmoid(x) * inner(x)
  forward(x: f32[...s, width]) -> f32[...s, width] = x + activation(gate(x))
}`
