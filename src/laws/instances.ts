import { textOf } from '../base/source.ts'
import type { Expr } from '../syntax/ast.ts'
import type { ConstraintsOfFile, DeclaredConstraint } from './declared.ts'
import { count } from './subject.ts'

/** A constraint with arguments, on a parameter of a shape. */
export interface Instance {
  readonly declared: DeclaredConstraint
  /** `(0, high: 1)`, or nothing. */
  readonly args: string
  readonly shape: readonly number[]
}

/** `interval(0, 1)` */
export const shownConstraint = ({ declared, args }: Instance): string => `${declared.name}${args}`

/** The argument lists that a constraint is tried with; undefined where nothing says what a required one is. */
export function argumentsOf(
  declared: DeclaredConstraint,
  { uses }: ConstraintsOfFile,
  given: ReadonlyMap<string, string>,
): readonly string[] | undefined {
  const named = declared.formals.flatMap(({ name: { text } }) => {
    const value = given.get(text)
    return value === undefined ? [] : [`${text}: ${value}`]
  })
  const missing = declared.formals.some(formal => !formal.value && !given.has(formal.name.text))
  if (named.length > 0 && !missing) return [`(${named.join(', ')})`]
  const used = uses.filter(use => use.constraint === declared.name).map(({ args }) => args)
  if (used.length > 0) return [...new Set(used)]
  return missing ? undefined : ['']
}

/** Small shapes of a value that may fit, the likeliest first. */
export function shapesFor(declared: DeclaredConstraint, { uses }: ConstraintsOfFile): readonly Shape[] {
  const { sizes, formals } = declared
  const known = new Set(formals.map(({ name }) => name.text))
  const names = [...new Set(sizes.flatMap(namesIn).filter(name => !known.has(name)))]
  const rests = sizes.every(size => size.kind === 'RestSize') ? [3] : []
  const made = assignments(names).map(values =>
    sizes.flatMap(size => (size.kind === 'RestSize' ? rests : [sizeOf(size, values)])),
  )
  const used = uses
    .filter(use => use.constraint === declared.name)
    .map(use => use.sizes.map(size => sizeOf(size, new Map())))
  const shapes = [...made, ...used].flatMap(shapeIn).filter(shape => count(shape) <= 64)
  return [...new Map(shapes.map(shape => [shape.join(), shape])).values()]
}

type Shape = readonly number[]

/** The shape that sizes are, where each of them is known. */
function shapeIn(sizes: readonly (number | undefined)[]): readonly Shape[] {
  const known = sizes.filter(size => size !== undefined)
  return known.length === sizes.length && known.every(size => Number.isInteger(size) && size >= 0)
    ? [known]
    : []
}

function namesIn(size: DeclaredConstraint['sizes'][number]): readonly string[] {
  if (size.kind === 'Name') return [size.text]
  if (size.kind === 'Binary') return [...namesIn(size.left), ...namesIn(size.right)]
  return []
}

/** Sizes that differ first, so that none is taken for another; then equal ones, and others for what is demanded of them. */
function assignments(names: readonly string[]): readonly ReadonlyMap<string, number>[] {
  const tried = [
    (i: number) => Math.max(1, 3 - i),
    (i: number) => i + 2,
    () => 3,
    () => 4,
    () => 2,
    () => 1,
    () => 6,
    () => 8,
  ]
  return tried.map(size => new Map(names.map((name, i) => [name, size(i)])))
}

/** A size in numbers, as far as it is made of numbers and these names. */
function sizeOf(
  size: Expr | DeclaredConstraint['sizes'][number],
  values: ReadonlyMap<string, number>,
): number | undefined {
  if (size.kind === 'NumberLiteral') return size.value
  if (size.kind === 'Name') return values.get(size.text)
  if (size.kind !== 'Binary') return undefined
  const left = sizeOf(size.left, values)
  const right = sizeOf(size.right, values)
  if (left === undefined || right === undefined) return undefined
  if (size.operator === '+') return left + right
  if (size.operator === '-') return left - right
  if (size.operator === '*') return left * right
  return size.operator === '/' || size.operator === 'div' ? left / right : undefined
}

/** `low`, `low` and `high`: the required arguments, as one names them. */
export function requiredArguments({ formals }: DeclaredConstraint): readonly string[] {
  return formals.filter(formal => !formal.value).map(formal => textOf(formal.name.span))
}
