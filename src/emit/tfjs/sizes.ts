import { bug } from '../../base/bug.ts'
import { annotation, type Code, ts } from '../../base/code.ts'
import { type Dim, isRest, renderDim, restated, variablesOf } from '../../types/dim.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Line, statement } from '../layout.ts'
import { localName } from './env.ts'
import type { Scope } from './names.ts'

/** The text of a size; symbols are bound when they are first used. */
export type SizeText = (dim: Dim) => Code

/** A tensor at hand whose shape may tell a size. */
export interface Shaped {
  readonly name: string
  readonly read: () => Code
  readonly type: TensorType
}

/** Sizes as a function reads them off its inputs: `const batch = x.shape[0]!`, put into `prologue` when first used. */
export function sizesOf(inputs: readonly Shaped[], scope: Scope, prologue: Line[]): SizeText {
  const bound = new Map<string, string>()
  const bind = (key: string, name: string, code: () => Code): string => {
    const known = bound.get(key)
    if (known !== undefined) return known
    const local = localName(scope, name)
    prologue.push(statement(ts`const ${local} = ${code()}`))
    bound.set(key, local)
    return local
  }
  const symbol = (name: string): string =>
    bind(
      name,
      name.replace(/^\.\.\./, ''),
      () => measured(name, inputs) ?? bug(`no input tells the size \`${name}\``),
    )
  return dim => {
    if (isRest(dim) || [...variablesOf(dim)].every(name => measured(name, inputs) !== undefined))
      return sizeCode(dim, symbol)
    const whole = placesOf(inputs).find(place => place.dim === dim)
    if (whole) return axisSize(whole)
    const axes = axesOf(inputs)
    const inAxes = restated(dim, new Map([...axes].map(([name, place]) => [name, place.dim])))
    return sizeCode(inAxes ?? dim, name => {
      const place = axes.get(name)
      return place ? bind(name, `${place.name}Size`, () => axisSize(place)) : symbol(name)
    })
  }
}

/** Axes that tell something of a size, by names that no size has; where symbols stand bare comes first. */
function axesOf(inputs: readonly Shaped[]): ReadonlyMap<string, Place> {
  const places = placesOf(inputs).filter(({ dim }) => typeof dim === 'string' && !isRest(dim))
  const isBare = ({ dim }: Place): boolean => typeof dim === 'string' && variablesOf(dim).has(dim)
  const sorted = [...places.filter(isBare), ...places.filter(place => !isBare(place))]
  return new Map(sorted.map((place, i) => [`axis'${i}`, place]))
}

/** A size with its symbols replaced. */
export function sizeCode(dim: Dim, symbol: (name: string) => string): Code {
  return isRest(dim) ? `...${symbol(dim)}` : renderDim(dim, symbol)
}

/** The text that reads a number off the shape of an input, tensors of these names first. */
export type SizeReader = (size: number, first: readonly string[]) => Code | undefined

/** Looks for numbers in the shapes of inputs; 1 says too little about where it comes from. */
export function sizeReader(inputs: readonly Shaped[]): SizeReader {
  return (size, first) => {
    if (size < 2) return undefined
    const near = inputs.filter(({ name }) => first.includes(name))
    const { read, type } = [...near, ...inputs].find(each => each.type.shape.includes(size)) ?? {}
    return read && type && axisSize({ read, shape: type.shape, i: type.shape.indexOf(size) })
  }
}

interface Place extends Axis {
  /** The input's. */
  readonly name: string
  readonly dim: Dim
}

function placesOf(inputs: readonly Shaped[]): readonly Place[] {
  return inputs.flatMap(({ name, read, type }) =>
    type.shape.map((dim, i) => ({ name, read, dim, shape: type.shape, i })),
  )
}

/** Where a size stands bare in the shape of an input, or as in `2 * n` or `n - 1`. */
function measured(symbol: string, inputs: readonly Shaped[]): Code | undefined {
  const places = placesOf(inputs)
  const bare = places.find(place => place.dim === symbol)
  if (bare !== undefined) return symbol.startsWith('...') ? restSlice(bare) : axisSize(bare)
  if (isRest(symbol)) return undefined
  for (const place of places) {
    if (typeof place.dim !== 'string' || isRest(place.dim)) continue
    const alone = restated(symbol, new Map([["axis'", place.dim]]))
    if (alone === undefined) continue
    const [before, after] = renderDim(alone, () => "axis'").split("axis'")
    return ts`${before ?? ''}${axisSize(place)}${after ?? ''}`
  }
  return undefined
}

interface Axis {
  readonly read: () => Code
  readonly shape: readonly Dim[]
  readonly i: number
}

/** Behind a rest, axes count from the end. */
function axisSize({ read, shape, i }: Axis): Code {
  const rest = shape.findIndex(isRest)
  if (rest < 0 || i < rest) return ts`${read()}.shape[${i}]${annotation`!`}`
  return ts`${read()}.shape.at(${i - shape.length})${annotation`!`}`
}

function restSlice({ read, shape, i }: Axis): Code {
  const behind = i + 1 - shape.length
  if (behind === 0) return i === 0 ? ts`${read()}.shape` : ts`${read()}.shape.slice(${i})`
  return ts`${read()}.shape.slice(${i}, ${behind})`
}
