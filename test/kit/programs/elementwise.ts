import type { Rule } from './rule.ts'
import { isBatch, type Size, sameShape, sameSize } from './values.ts'

/** Smooth almost everywhere, and no larger than a few times their argument: what is behind them stays finite. */
const unary: readonly ((x: string) => string)[] = [
  ...[
    'tanh sigmoid relu gelu silu softplus erf sin cos atan -tanh',
    'stop_gradient abs tanh relu gelu sigmoid sin',
  ].flatMap(names => names.split(' ').map(name => (x: string) => `${name}(${x})`)),
  x => `leaky_relu(${x}, 0.2)`,
  x => `clamp(${x}, -1, 1)`,
  x => `exp(-${x} ^ 2)`,
  x => `exp(tanh(${x}))`,
  x => `log1p(${x} ^ 2)`,
  x => `log(1.5 + sin(${x}))`,
  x => `sqrt(${x} ^ 2 + 0.5)`,
  x => `rsqrt(${x} ^ 2 + 1)`,
  x => `${x} / (1 + abs(${x}))`,
  x => `where(${x} > 0.3, ${x}, 0.5 * ${x} + 0.15)`,
  x => `where(${x} > 0 and not (${x} > 1), ${x} ^ 2, sin(${x}))`,
  x => `tanh(${x}) ^ 2`,
  x => `tanh(${x}) ^ 3`,
  x => `2 ^ tanh(${x})`,
  x => `(1.2 + sin(${x})) ^ 0.7`,
  x => `0.5 * ${x} - 1`,
  x => `expm1(tanh(${x}))`,
  x => `asin(0.9 * sin(${x}))`,
  x => `acos(0.9 * tanh(${x}))`,
  x => `atanh(0.9 * tanh(${x}))`,
  x => `tan(tanh(${x}))`,
  x => `max(${x}, 0.1)`,
  x => `min(${x}, 0.7)`,
  x => `0.1 * round(3 * tanh(${x})) + ${x}`,
  x => `0.1 * sign(${x}) * ${x}`,
  x => `0.1 * floor(${x}) + 0.1 * ceil(${x})`,
  x => `${x} |> tanh |> sin`,
  x => `${x} |> clamp(-2, 2) |> gelu`,
]

/** The second one broadcasts to the first. */
const binary: readonly ((x: string, y: string) => string)[] = [
  (x, y) => `${x} + ${y}`,
  (x, y) => `${x} - ${y}`,
  (x, y) => `${x} * tanh(${y})`,
  (x, y) => `${x} / (1 + ${y} ^ 2)`,
  (x, y) => `max(${x}, ${y})`,
  (x, y) => `min(${x}, ${y})`,
  (x, y) => `atan2(${x}, 1.2 + ${y} ^ 2)`,
  (x, y) => `where(${x} > ${y}, ${x}, ${y} * ${x})`,
  (x, y) => `(1.1 + tanh(${x})) ^ tanh(${y})`,
  (x, y) => `0.5 * (${x} + ${y}) ^ 2 / (1 + ${x} ^ 2 + ${y} ^ 2)`,
  (x, y) => `where(${x} > 0 or ${y} > 0, ${x}, ${y})`,
]

export const unaryRule: Rule = ({ scope, chance }) => {
  const x = scope.float()
  if (x === undefined) return
  scope.bind(chance.pick(unary)(scope.use(x)), x.dims)
}

/** Whether `y` broadcasts to `x`: axes that it lacks in front, and literal 1. */
function broadcasts(y: readonly Size[], x: readonly Size[]): boolean {
  const front = x.length - y.length
  return front >= 0 && y.every((size, i) => sameSize(size, x[front + i]!) || size.text === '1')
}

export const binaryRule: Rule = ({ scope, chance }) => {
  const x = scope.float()
  const y = x && scope.float(each => each !== x && broadcasts(each.dims, x.dims))
  if (x === undefined || y === undefined) return
  const swapped = sameShape(x.dims, y.dims) && chance.maybe()
  const [a, b] = swapped ? [y, x] : [x, y]
  scope.bind(chance.pick(binary)(scope.use(a), scope.use(b)), x.dims)
}

/** An axis is added to the smaller of two, so that they meet: `x + y[.., _]`. */
export const stretchedRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 2)
  if (x === undefined) return
  const y = scope.float(({ dims }) => dims.length === 1 && isBatch(dims[0]!) && isBatch(x.dims[0]!))
  if (y === undefined) return
  const stretched = `${scope.use(y)}[..${', _'.repeat(x.dims.length - 1)}]`
  scope.bind(chance.pick(binary)(scope.use(x), stretched), x.dims)
}

export const castRule: Rule = ({ scope, chance }) => {
  const x = scope.find(({ dtype }) => dtype !== 'f32')
  if (x === undefined) return
  const text = scope.use(x)
  if (x.dtype === 'bool') return void scope.bind(chance.pick(logic)(text), x.dims)
  if (chance.maybe(0.3)) return void scope.bind(`${text} % 2 == 0`, x.dims, 'bool')
  scope.bind(chance.pick([`0.3 * f32(${text})`, `f32(${text} div 2 + ${text} % 2)`]), x.dims)
}

const logic: readonly ((x: string) => string)[] = [
  x => `f32(${x})`,
  x => `f32(not ${x})`,
  x => `where(${x}, 0.5, -0.5)`,
  x => `f32(${x} and true)`,
]

/** Something that is chosen by bools of the same shape. */
export const chooseRule: Rule = ({ scope }) => {
  const x = scope.float()
  const c = x && scope.find(({ dtype, dims }) => dtype === 'bool' && broadcasts(dims, x.dims))
  if (x === undefined || c === undefined) return
  const text = scope.use(x)
  scope.bind(`where(${scope.use(c)}, ${text}, 0.2 * ${text})`, x.dims)
}
