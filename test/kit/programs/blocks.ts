/** Rules that make blocks: loops, conditions, functions, gradients. */

import type { Grow } from './grow.ts'
import type { Rule } from './rule.ts'
import { Scope } from './scope.ts'
import {
  indented,
  isBatch,
  isNumber,
  type Size,
  sameShape,
  substituted,
  typeText,
  type Value,
} from './values.ts'

const perExample = ({ dims }: Value): boolean => dims.length >= 1 && isBatch(dims[0]!)

/** A loop along an axis, with a state that it carries. */
export const scanRule =
  (grow: Grow): Rule =>
  ({ scope, chance }) => {
    if (scope.isLoop) return
    const x = scope.float(each => perExample(each) && each.dims.length >= 2 && each.dims.length <= 3)
    if (x === undefined) return
    const axis = chance.between(1, x.dims.length - 1)
    const rest = x.dims.filter((_, i) => i !== axis)
    const [now, carried] = [scope.program.fresh('now'), scope.program.fresh('h')]
    scope.lines.push(
      `var ${carried}: ${typeText({ dtype: 'f32', dims: rest })} = ${chance.pick(['zeros()', 'fill(0.1)'])}`,
    )
    const over = `along(${scope.use(x)}, axis: ${axis}${chance.maybe(0.3) ? ', reverse: true' : ''})`
    const inner = scope.within(
      [
        { text: carried, dtype: 'f32', dims: rest },
        { text: now, dtype: 'f32', dims: rest },
      ],
      true,
    )
    grow({ scope: inner, chance }, chance.between(1, 3))
    const body = inner.result(({ dims }) => sameShape(dims, rest))
    const lines = [...inner.lines, `set ${carried} = 0.6 * ${carried} + 0.4 * tanh(${body.text})`]
    if (chance.maybe(0.3)) {
      scope.lines.push([`for ${now} in ${over} {`, ...indented(lines), '}'].join('\n'))
      scope.add({ text: carried, dtype: 'f32', dims: rest })
      return
    }
    const name = scope.program.fresh('v')
    const yielded = chance.pick([carried, body.text])
    scope.lines.push(
      [`let ${name} = for ${now} in ${over} {`, ...indented([...lines, `yield ${yielded}`]), '}'].join('\n'),
    )
    scope.add({ text: name, dtype: 'f32', dims: rest.toSpliced(axis, 0, x.dims[axis]!) })
    if (chance.maybe(0.4)) scope.add({ text: carried, dtype: 'f32', dims: rest })
  }

/** A loop that is written out when the program is compiled. */
export const unrolledRule: Rule = ({ scope, chance }) => {
  const x = scope.float()
  if (x === undefined) return
  const [s, i] = [scope.program.fresh('s'), scope.program.fresh('i')]
  const over = chance.pick(['0..3', '1..4', '0..2'])
  scope.lines.push(
    `var ${s} = ${scope.use(x)}`,
    `for ${i} in ${over} { set ${s} = ${chance.pick([`0.5 * ${s} + sin(${s} * (${i} + 1))`, `tanh(${s} + 0.1 * ${i})`, `if ${i} % 2 == 0 then sin(${s}) else 0.5 * ${s}`])} }`,
  )
  scope.add({ text: s, dtype: 'f32', dims: x.dims })
}

/** A part of a variable that is set. */
export const partRule: Rule = ({ scope, chance }) => {
  const x = scope.float(
    ({ dims }) => dims.length >= 2 && !isBatch(dims.at(-1)!) && (dims.at(-1)!.size ?? 0) >= 2,
  )
  if (x === undefined) return
  const y = scope.program.fresh('y')
  scope.lines.push(
    `var ${y} = ${scope.use(x)}`,
    `set ${y}[..., ${chance.pick(['0', '-1', '1..', '..1'])}] = ${chance.pick(['0.5', '0', '-1'])}`,
  )
  scope.add({ text: y, dtype: 'f32', dims: x.dims })
}

/** A gradient as a value, of a few smooth steps. */
export const gradientRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 1)
  if (x === undefined || scope.isLoop) return
  const p = scope.bind(`tanh(${scope.use(x)})`, x.dims)
  const first = chance.pick(['sin', 'tanh', 'gelu', 'softplus', 'sigmoid', 'atan', 'erf'])
  const s = scope.bind(`${first}(1.3 * ${scope.use(p)})`, x.dims)
  const last = chance.pick([
    `${s.text} ^ 2`,
    `exp(${s.text})`,
    `log_softmax(${s.text}, axis: -1) * ${s.text}`,
    `cos(${s.text}) * ${p.text}`,
  ])
  scope.use(s)
  const isRow = x.dims.length > 1 && !isBatch(x.dims.at(-1)!)
  const y = scope.bind(last.startsWith('log_softmax') && !isRow ? `${s.text} ^ 3` : last, x.dims)
  const g = scope.bind(`gradient(sum(${scope.use(y)}), ${p.text})`, x.dims)
  if (chance.maybe(0.3)) scope.bind(`tanh(gradient(sum(${scope.use(g)} ^ 2), ${p.text}))`, x.dims)
}

/** Noise with a shape of its own, or drawn like a value. */
export const drawRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 1)
  if (x === undefined) return
  const text = scope.use(x)
  const kind = chance.below(4)
  if (kind === 0) return void scope.bind(`${text} + normal(0, 0.1, like: ${text})`, x.dims)
  if (kind === 1) return void scope.bind(`${text} * uniform(0.5, 1.5, like: ${text})`, x.dims)
  const name = scope.program.fresh('z')
  const isBool = kind === 2
  const type = typeText({ dtype: isBool ? 'bool' : 'f32', dims: x.dims })
  scope.lines.push(`let ${name}: ${type} = ${isBool ? 'bernoulli(0.4)' : 'normal()'}`)
  if (isBool) return void scope.bind(`where(${name}, ${text}, 0.5 * ${text})`, x.dims)
  scope.bind(`if training then ${text} + 0.05 * ${name} else ${text}`, x.dims)
}

/** A record of two, taken apart. */
export const recordRule: Rule = ({ scope, chance }) => {
  const x = scope.float(({ dims }) => dims.length >= 2 && !isBatch(dims.at(-1)!))
  if (x === undefined) return
  scope.program.need(moments)
  const dims = x.dims.slice(0, -1)
  const isTaken = scope.values.some(({ text }) => text === 'centre')
  if (isTaken || chance.maybe()) {
    const name = scope.program.fresh('m')
    scope.lines.push(`let ${name} = moments(${scope.use(x)})`)
    return void scope.bind(`${name}.centre + 0.5 * ${name}.spread`, dims)
  }
  scope.lines.push(`let { centre, spread } = moments(${scope.use(x)})`)
  for (const text of ['centre', 'spread']) scope.add({ text, dtype: 'f32', dims })
}

const moments = `fn moments(x: f32[...s, k]) -> { centre: f32[...s], spread: f32[...s] } {
  let centre = mean(x, axis: -1)
  return { centre, spread: sqrt(mean((x - centre[..., _]) ^ 2, axis: -1) + 0.1) }
}`

/** A function that takes functions. */
export const higherRule: Rule = ({ scope, chance }) => {
  const x = scope.float()
  if (x === undefined) return
  scope.program.need('fn twice(f: fn, x: f32[...s]) -> f32[...s] = f(f(x))')
  const f = chance.pick(['tanh', 'sin', 'gelu', 'fn(y) = 0.5 * tanh(y)', 'fn(y) = y / (1 + y ^ 2)'])
  scope.bind(`twice(${f}, ${scope.use(x)})`, x.dims)
}

/** A function of its own, whose sizes each call decides. */
export const functionRule =
  (grow: Grow): Rule =>
  ({ scope, chance }) => {
    const x = scope.float(each => perExample(each) && each.dims.length <= 4)
    if (x === undefined || scope.program.depth > 1) return
    const y = chance.maybe(0.4) ? scope.float(each => each !== x && perExample(each)) : undefined
    const names = new Map<string, Size>()
    const symbol = (size: Size): Size => {
      if (isBatch(size)) return { text: 'n', size: undefined }
      if (chance.maybe(0.3) && isNumber(size)) return size
      const known = [...names].find(([, given]) => given.text === size.text)?.[0]
      const text = known ?? `k${names.size}`
      names.set(text, size)
      return { text, size: size.size }
    }
    const given = (y === undefined ? [x] : [x, y]).map(value => ({
      name: scope.program.fresh('a'),
      dims: value.dims.map(symbol),
    }))
    const inner = new Scope(
      { program: scope.program, chance },
      given.map(({ name, dims }) => ({ text: name, dtype: 'f32', dims })),
    )
    scope.program.depth += 1
    grow({ scope: inner, chance }, chance.between(1, 4))
    scope.program.depth -= 1
    const result = inner.result()
    const name = scope.program.fresh('fun')
    const formals = given
      .map(each => `${each.name}: ${typeText({ dtype: 'f32', dims: each.dims })}`)
      .join(', ')
    const type = chance.maybe(0.7) ? ` -> ${typeText(result)}` : ''
    scope.program.declare(
      [`fn ${name}(${formals})${type} {`, ...indented([...inner.lines, `return ${result.text}`]), '}'].join(
        '\n',
      ),
    )
    const call = `${name}(${[x, ...(y === undefined ? [] : [y])].map(each => scope.use(each)).join(', ')})`
    scope.bind(
      call,
      result.dims.map(size => substituted(size, new Map([...names, ['n', x.dims[0]!]]))),
    )
  }
