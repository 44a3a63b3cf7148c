import type { Attr, Func, HostExpr, Step, ValueType } from '../ir/ir.ts'
import { findOp } from '../ops/index.ts'
import { type Dim, substitute, variablesOf } from '../types/dim.ts'
import { isRest, type Shape } from '../types/tensor.ts'
import { type Bindings, newBindings, substituteShape, undecided, unifyShape } from '../types/unify.ts'
import { isAttrList, isHostExpr, mapLeaves } from './values.ts'

/** What the sizes in a function's types stand for at one call. */
export type Sizes = Pick<Bindings, 'dims' | 'rests'>

/** The sizes, and rests as `...s`, that the parameters of a function bind. */
export function sizesOf(func: Func): ReadonlySet<string> {
  return new Set(func.params.flatMap(param => sizesIn(param.type)))
}

/** The sizes, and rests as `...s`, that a type mentions. */
export function sizesIn(type: ValueType): readonly string[] {
  return type === 'key' ? [] : type.shape.flatMap(namesIn)
}

/** The sizes that an entry of a shape mentions. */
export function namesIn(dim: Dim): readonly string[] {
  return isRest(dim) ? [dim] : [...variablesOf(dim)]
}

/** Binds a function's sizes to the types of arguments, or says why they don't fit. */
export function bindSizes(func: Func, args: readonly ValueType[]): Sizes | { readonly clash: string } {
  if (args.length !== func.params.length)
    return { clash: `${func.name} takes ${func.params.length} tensors, not ${args.length}` }
  const flexible = sizesOf(func)
  const bindings = newBindings()
  for (const [i, { name, type }] of func.params.entries()) {
    const clash = bindOne(type, args[i]!, flexible, bindings)
    if (clash !== undefined) return { clash: `%${name} of ${func.name} is ${clash}` }
  }
  const open = undecided(flexible, bindings)
  if (open.length === 0) return bindings
  return (
    asTheyStand(func, args, open, bindings) ?? { clash: `the size ${open[0]} of ${func.name} is left open` }
  )
}

/** Sizes that no argument tells by themselves, as in `batch * t`, are the caller's where all types are the same then. */
function asTheyStand(
  func: Func,
  args: readonly ValueType[],
  open: readonly string[],
  { dims, rests }: Bindings,
): Sizes | undefined {
  const sizes = { dims: new Map([...dims, ...open.map(name => [name, name] as const)]), rests }
  const same = func.params.every(
    ({ type }, i) => showValueType(typeAt(type, sizes)) === showValueType(args[i]!),
  )
  return same ? sizes : undefined
}

function bindOne(type: ValueType, arg: ValueType, flexible: ReadonlySet<string>, bindings: Bindings) {
  const clash = `${showValueType(type)}, the argument ${showValueType(arg)}`
  if (type === 'key' || arg === 'key') return type === arg ? undefined : clash
  if (type.dtype !== arg.dtype) return clash
  return unifyShape(type.shape, flexible, arg.shape, bindings).ok ? undefined : clash
}

/** A type as the IR prints it. */
export function showValueType(type: ValueType): string {
  return type === 'key' ? type : `${type.dtype}[${type.shape.join(', ')}]`
}

/** A type with a function's sizes put in. */
export function typeAt(type: ValueType, sizes: Sizes): ValueType {
  return type === 'key' ? type : { ...type, shape: substituteShape(type.shape, sizes) }
}

/** A host expression with a function's sizes put in. */
export function exprAt(expr: HostExpr, sizes: Sizes): HostExpr {
  return mapLeaves(expr, leaf => {
    if (leaf.kind !== 'size') return leaf
    const dim = substitute(leaf.dim, sizes.dims)
    return typeof dim === 'number' ? { kind: 'number', value: dim } : { kind: 'size', dim }
  })
}

/** A step of a function with the function's sizes put in: in the types, and in attributes that are sizes or tell of them. */
export function stepAt(step: Step, sizes: Sizes): Step {
  const specs = findOp(step.op)?.attrs ?? {}
  const attrs = Object.entries(step.attrs).map(([key, attr]) => {
    const isSize = Object.entries(specs).some(([name, spec]) => name === key && spec.kind === 'dims')
    return [key, isSize ? dimsAt(attr, sizes) : attrAt(attr, sizes)] as const
  })
  const outputs = step.outputs.map(value => ({ ...value, type: typeAt(value.type, sizes) }))
  return { ...step, attrs: Object.fromEntries(attrs), outputs }
}

function attrAt(attr: Attr, sizes: Sizes): Attr {
  if (isHostExpr(attr)) return exprAt(attr, sizes)
  return isAttrList(attr) ? attr.map(item => attrAt(item, sizes)) : attr
}

function dimsAt(attr: Attr, sizes: Sizes): Attr {
  if (isShape(attr)) return substituteShape(attr, sizes)
  return isDim(attr) ? substitute(attr, sizes.dims) : attr
}

function isShape(attr: Attr): attr is Shape {
  return isAttrList(attr) && attr.every(isDim)
}

function isDim(attr: Attr): attr is Dim {
  return typeof attr === 'number' || typeof attr === 'string'
}
