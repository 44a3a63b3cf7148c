import { bug } from '../../base/bug.ts'
import { annotation, type Code, ts } from '../../base/code.ts'
import { type Dim, exactDivide, isRest, renderDim, variablesOf } from '../../types/dim.ts'
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
  const symbol = (name: string): string => {
    const known = bound.get(name)
    if (known !== undefined) return known
    const local = localName(scope, name.replace(/^\.\.\./, ''))
    const code = measured(name, inputs) ?? bug(`no input tells the size \`${name}\``)
    prologue.push(statement(ts`const ${local} = ${code}`))
    bound.set(name, local)
    return local
  }
  return dim => (isMeasured(dim, inputs) ? undefined : measuredWhole(dim, inputs)) ?? sizeCode(dim, symbol)
}

function isMeasured(dim: Dim, inputs: readonly Shaped[]): boolean {
  return isRest(dim) || [...variablesOf(dim)].every(name => measured(name, inputs) !== undefined)
}

/** A size such as `batch * t` that an input has as it is, or a multiple of one, where nothing tells its symbols one by one. */
function measuredWhole(dim: Dim, inputs: readonly Shaped[]): Code | undefined {
  for (const place of placesOf(inputs)) {
    if (place.dim === dim) return axisSize(place)
    const factor = isRest(place.dim) || isRest(dim) ? undefined : exactDivide(dim, place.dim)
    if (typeof factor === 'number') return ts`${factor} * ${axisSize(place)}`
  }
  return undefined
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
  readonly dim: Dim
}

function placesOf(inputs: readonly Shaped[]): readonly Place[] {
  return inputs.flatMap(({ read, type }) => type.shape.map((dim, i) => ({ read, dim, shape: type.shape, i })))
}

/** Where a size stands bare, as a multiple, or with a number added to it, in the shape of an input. */
function measured(symbol: string, inputs: readonly Shaped[]): Code | undefined {
  const places = placesOf(inputs)
  const bare = places.find(place => place.dim === symbol)
  if (bare !== undefined) return symbol.startsWith('...') ? restSlice(bare) : axisSize(bare)
  for (const place of places) {
    const factor = typeof place.dim === 'string' ? multipleOf(place.dim, symbol) : undefined
    if (factor !== undefined) return ts`${axisSize(place)} / ${factor}`
  }
  for (const place of places) {
    const [name, sign, number, ...more] = typeof place.dim === 'string' ? place.dim.split(' ') : []
    if (name === symbol && more.length === 0 && /^\d+$/.test(number ?? '')) {
      if (sign === '-') return ts`${axisSize(place)} + ${number ?? ''}`
      if (sign === '+') return ts`${axisSize(place)} - ${number ?? ''}`
    }
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

function multipleOf(dim: string, symbol: string): string | undefined {
  const [factor, name, ...more] = dim.split(' * ')
  return name === symbol && more.length === 0 && factor !== undefined && /^\d+$/.test(factor)
    ? factor
    : undefined
}
