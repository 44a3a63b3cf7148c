import type { Rule } from './rule.ts'
import { fixed, isBatch, isNumber, plus, type Size, sameSize, times, type Value } from './values.ts'

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** An axis of a value that may be given up: not that of the batch. */
const freeAxes = ({ dims }: Value): readonly number[] => dims.flatMap((size, i) => (isBatch(size) ? [] : [i]))

const without = (dims: readonly Size[], axis: number): readonly Size[] => dims.filter((_, i) => i !== axis)
const replaced = (dims: readonly Size[], axis: number, size: Size): readonly Size[] => dims.with(axis, size)

const reductions = ['mean', 'mean', 'max', 'min', 'logsumexp', 'sum', 'variance', 'spread', 'length']

export const reduceRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => freeAxes(each).length > 0)
  if (x === undefined) return
  const axis = chance.pick(freeAxes(x))
  const { size = 1 } = x.dims[axis]!
  const text = scope.use(x)
  const kind = chance.pick(reductions)
  const written = chance.maybe(0.3) ? axis - x.dims.length : axis
  if (kind === 'variance') return void scope.bind(`variance(${text}, axis: ${axis})`, without(x.dims, axis))
  if (kind === 'spread')
    return void scope.bind(`sqrt(variance(${text}, axis: ${axis}) + 0.1)`, without(x.dims, axis))
  if (kind === 'length') return void scope.bind(`norm(${text}, axis: ${axis})`, without(x.dims, axis))
  const keep = chance.maybe(0.3)
  const scaled = kind === 'sum' ? `${(1 / size).toFixed(3)} * ` : ''
  scope.bind(
    `${scaled}${kind}(${text}, axis: ${written}${keep ? ', keep: true' : ''})`,
    keep ? replaced(x.dims, axis, fixed(1)) : without(x.dims, axis),
  )
}

/** Over several axes at once. */
export const reduceSeveralRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => freeAxes(each).length > 1)
  if (x === undefined) return
  const axes = chance.shuffled(freeAxes(x)).slice(0, 2).toSorted()
  const kind = chance.pick(['mean', 'max', 'min', 'logsumexp'])
  const dims = x.dims.filter((_, i) => !axes.includes(i))
  scope.bind(`${kind}(${scope.use(x)}, axis: [${axes.join(', ')}])`, dims)
}

const alongAxis: readonly ((x: string, axis: number) => string)[] = [
  (x, axis) => `softmax(${x}, axis: ${axis})`,
  (x, axis) => `log_softmax(${x}, axis: ${axis})`,
  (x, axis) => `0.5 * cumsum(${x}, axis: ${axis})`,
  (x, axis) => `0.5 * cumsum(${x}, axis: ${axis}, exclusive: true)`,
  (x, axis) => `0.5 * cumsum(${x}, axis: ${axis}, reverse: true)`,
  (x, axis) => `${x} - mean(${x}, axis: ${axis}, keep: true)`,
]

export const alongAxisRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => freeAxes(each).length > 0)
  if (x === undefined) return
  scope.bind(chance.pick(alongAxis)(scope.use(x), chance.pick(freeAxes(x))), x.dims)
}

/** Where the largest is, as numbers or as a row with a 1. */
export const argmaxRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => freeAxes(each).length > 0)
  if (x === undefined) return
  const axis = chance.pick(freeAxes(x))
  const name = chance.pick(['argmax', 'argmin'])
  const { size } = x.dims[axis]!
  scope.bind(`${name}(${scope.use(x)}, axis: ${axis})`, without(x.dims, axis), 'i32', size)
}

/** One of a row, by whole numbers that are small enough. */
export const pickRule: Rule = ({ scope, chance }) => {
  const index = scope.find(({ dtype, top }) => dtype === 'i32' && top !== undefined)
  if (index === undefined) return
  const { top = 1 } = index
  const x = scope.float(
    ({ dims }) =>
      dims.length === index.dims.length + 1 &&
      (dims.at(-1)!.size ?? 0) >= top &&
      index.dims.every((size, i) => sameSize(size, dims[i]!)),
  )
  if (x !== undefined && chance.maybe(0.8))
    return void scope.bind(`pick(${scope.use(x)}, ${scope.use(index)})`, index.dims)
  scope.bind(`one_hot(${scope.use(index)}, depth: ${top})`, [...index.dims, fixed(top)])
}

/** Places of an axis, named by a tensor that the program knows. */
export const gatherRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => freeAxes(each).length > 0)
  if (x === undefined) return
  const axis = chance.pick(freeAxes(x))
  const { text } = x.dims[axis]!
  const ids = chance.pick([`arange(${text}) * 3 % (${text})`, `(arange(${text}) + 1) % (${text})`])
  scope.bind(`gather(${scope.use(x)}, ${ids}, axis: ${axis})`, x.dims)
}

/** `rearrange`: axes in another order, two made one, or one made two. */
export const rearrangeRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 2)
  if (x === undefined) return
  const names = x.dims.map((_, i) => letters[i]!)
  const first = isBatch(x.dims[0]!) ? 1 : 0
  const way = chance.below(3)
  const free = names.slice(first)
  if (way === 0) {
    const order = [...names.slice(0, first), ...chance.shuffled(free)]
    const dims = order.map(name => x.dims[names.indexOf(name)]!)
    return void scope.bind(`rearrange(${scope.use(x)} : ${names.join(' ')} -> ${order.join(' ')})`, dims)
  }
  if (way === 1 && free.length >= 2) {
    const [a, b] = free
    const merged = [...names.slice(0, first), `(${a} ${b})`, ...free.slice(2)]
    const dims = [
      ...x.dims.slice(0, first),
      times(x.dims[first]!, x.dims[first + 1]!),
      ...x.dims.slice(first + 2),
    ]
    return void scope.bind(`rearrange(${scope.use(x)} : ${names.join(' ')} -> ${merged.join(' ')})`, dims)
  }
  const axis = x.dims.findIndex(each => isNumber(each) && each.size! % 2 === 0 && each.size! > 2)
  if (axis < 0) return
  const split = names.map((name, i) => (i === axis ? `(${name} z)` : name))
  const order = chance.maybe()
    ? names.flatMap((name, i) => (i === axis ? [name, 'z'] : [name]))
    : [...names, 'z']
  const half = fixed(x.dims[axis]!.size! / 2)
  const dims = order.map(name =>
    name === 'z' ? fixed(2) : name === names[axis] ? half : x.dims[names.indexOf(name)]!,
  )
  scope.bind(`rearrange(${scope.use(x)} : ${split.join(' ')} -> ${order.join(' ')}, z: 2)`, dims)
}

export const reducePatternRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => freeAxes(each).length > 0 && each.dims.length >= 2)
  if (x === undefined) return
  const axis = chance.pick(freeAxes(x))
  const names = x.dims.map((_, i) => letters[i]!)
  const kept = names.filter((_, i) => i !== axis)
  const how = chance.pick(['mean', 'max', 'min'])
  scope.bind(
    `reduce(${scope.use(x)} : ${names.join(' ')} -> ${kept.join(' ')}, ${how})`,
    without(x.dims, axis),
  )
}

/** Sums of products over axes that agree, bounded by `tanh`. */
export const einsumRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 1 && isBatch(dims[0]!))
  const y = x && scope.float(({ dims }) => dims.length >= 1 && dims.length <= 3)
  if (x === undefined || y === undefined || x.dims.length > 4) return
  const names = x.dims.map((_, i) => letters[i]!)
  const taken = new Set<string>()
  const others = y.dims.map((size, i) => {
    const shared = names.find((name, j) => sameSize(x.dims[j]!, size) && !taken.has(name))
    const name = shared !== undefined && (isBatch(size) || chance.maybe(0.7)) ? shared : letters[4 + i]!
    taken.add(name)
    return name
  })
  const all = [...new Set([...names, ...others])]
  const sizeOf = (name: string) => x.dims[names.indexOf(name)] ?? y.dims[others.indexOf(name)]!
  const kept = all.filter(name => isBatch(sizeOf(name)) || chance.maybe(0.6)).slice(0, 4)
  const dims = kept.map(sizeOf)
  if (dims.reduce((product, { size = 1 }) => product * size, 1) > 200) return
  scope.bind(
    `tanh(0.5 * einsum(${scope.use(x)}, ${scope.use(y)} : ${names.join(' ')}, ${others.join(' ')} -> ${kept.join(' ')}))`,
    dims,
  )
}

export const matmulRule: Rule = ({ scope }) => {
  const x = scope.float(({ dims }) => dims.length === 3)
  const y =
    x &&
    scope.float(
      ({ dims }) => dims.length === 3 && sameSize(dims[0]!, x.dims[0]!) && sameSize(dims[2]!, x.dims[2]!),
    )
  if (x === undefined || y === undefined) return
  const { size = 1 } = x.dims[2]!
  scope.bind(`${(1 / size).toFixed(2)} * ${scope.use(x)} @ ${scope.use(y)}.T`, [
    x.dims[0]!,
    x.dims[1]!,
    y.dims[1]!,
  ])
}

/** A stretch of an axis, a place of it, or a new axis. */
export const indexRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 2)
  if (x === undefined) return
  const axis = chance.pick(freeAxes(x).length > 0 ? freeAxes(x) : [0])
  const items = (item: string) => x.dims.map((_, i) => (i === axis ? item : '..')).join(', ')
  const size = x.dims[axis]!
  if (isBatch(size)) return
  const way = chance.below(5)
  const text = scope.use(x)
  if (way === 0) return void scope.bind(`${text}[${items('-1')}]`, without(x.dims, axis))
  if (way === 1) return void scope.bind(`${text}[..., 0]`, x.dims.slice(0, -1))
  if (way === 2) {
    const dims = x.dims.toSpliced(axis, 0, fixed(1))
    return void scope.bind(`${text}[${items('_, ..')}]`, dims)
  }
  if ((size.size ?? 0) < 3) return void scope.bind(`${text}[${items('0')}]`, without(x.dims, axis))
  const cut = replaced(x.dims, axis, plus(size, -1))
  scope.bind(`${text}[${items(way === 3 ? '1..' : '..-1')}]`, cut)
}

export const padRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => freeAxes(each).length > 0)
  if (x === undefined || x.dims.length > 3) return
  const axis = chance.pick(freeAxes(x))
  const dims = replaced(x.dims, axis, plus(x.dims[axis]!, 1))
  const side = chance.pick(['before: 1', 'after: 1', 'before: 1, value: 0.5'])
  scope.bind(`pad(${scope.use(x)}, axis: ${axis}, ${side})`, dims)
}

/** Two of one shape side by side, or one upon the other. */
export const joinRule: Rule = ({ scope, chance }) => {
  const x = scope.float(each => each.dims.length >= 2 && each.dims.length <= 4)
  const y =
    x &&
    scope.float(
      ({ dims }) => dims.length === x.dims.length && dims.every((size, i) => sameSize(size, x.dims[i]!)),
    )
  if (x === undefined || y === undefined) return
  if (chance.maybe(0.4) && x.dims.length <= 3) {
    const axis = chance.between(1, x.dims.length)
    return void scope.bind(
      `stack([${scope.use(x)}, ${scope.use(y)}], axis: ${axis})`,
      x.dims.toSpliced(axis, 0, fixed(2)),
    )
  }
  const axis = chance.pick(freeAxes(x).length > 0 ? freeAxes(x) : [1])
  const { size } = x.dims[axis]!
  if (!isNumber(x.dims[axis]!) || (size ?? 0) > 8) return
  scope.bind(
    `concat([${scope.use(x)}, ${scope.use(y)}], axis: ${axis})`,
    replaced(x.dims, axis, fixed(2 * size!)),
  )
}

export const reverseRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 2 && !isBatch(dims.at(-1)!))
  if (x === undefined) return
  const [a, b] = [x.dims.at(-2)!, x.dims.at(-1)!]
  if (isBatch(a) || chance.maybe(0.3)) {
    scope.program.need('fn backwards(x: f32[...s, k]) -> f32[...s, k] = x[..., k - 1 - arange(k)]')
    return void scope.bind(`backwards(${scope.use(x)})`, x.dims)
  }
  scope.bind(`${scope.use(x)}.T`, [...x.dims.slice(0, -2), b, a])
}
