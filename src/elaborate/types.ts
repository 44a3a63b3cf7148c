import { nearest } from '../base/names.ts'
import { type Span, textOf } from '../base/source.ts'
import type { Expr, FnType, Name, Size, Type, Unit } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'
import type { Dim } from '../types/dim.ts'
import { isRest, type Shape, showType, type TensorType } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expression } from './evaluate.ts'
import { errorValue, int } from './values.ts'

/** A type as a declaration writes it. Shapes may hold dimension variables and a rest, which a call binds. */
export type DeclaredType =
  | { readonly kind: 'tensor'; readonly type: TensorType }
  | { readonly kind: 'int' | 'bool' | 'string' | 'error' }
  | { readonly kind: 'float'; readonly unit?: Unit }
  | { readonly kind: 'list'; readonly item: DeclaredType }
  | { readonly kind: 'record'; readonly fields: ReadonlyMap<string, DeclaredType> }
  | FunctionType
  | { readonly kind: 'like'; readonly name: string }

/**
 * `fn(f32[n], f32[n]) -> f32[n]`; `params` is undefined for a bare `fn`, any elementwise function. `module(…) -> …` is a
 * module whose `forward` is such a function, and a bare `module` is any.
 */
export interface FunctionType {
  readonly kind: 'function' | 'module'
  readonly params: readonly DeclaredType[] | undefined
  readonly result: DeclaredType | undefined
  /** Its own dimension variables and rests. */
  readonly sizes: ReadonlySet<string>
}

const errorType: DeclaredType = { kind: 'error' }
const units: readonly string[] = ['batches', 'updates', 'epochs', 'examples', 'seconds']
const isUnit = (name: string): name is Unit => units.includes(name)

/**
 * The type that a node writes. With `variables`, lower-case names that mean nothing here become dimension variables: they
 * are defined in the context's scope as sizes and added to the set, as are rests (`...s`).
 */
export function declaredType(ctx: Context, node: Type, variables?: Set<string>): DeclaredType {
  switch (node.kind) {
    case 'NamedType':
      return namedType(ctx, node.name, node.shape, node.span, variables)
    case 'ListType': {
      const item = declaredType(ctx, node.item, variables)
      return item.kind === 'error' ? item : { kind: 'list', item }
    }
    case 'RecordType':
      return {
        kind: 'record',
        fields: new Map(
          node.fields.map(field => [field.name.text, declaredType(ctx, field.type, variables)]),
        ),
      }
    case 'FnType':
      return functionType({ ...ctx, env: ctx.env.child() }, node)
    case 'LikeType':
      return { kind: 'like', name: node.name.text }
  }
}

/** The sizes in the type of a function are its own. */
function functionType(ctx: Context, node: FnType): DeclaredType {
  const variables = new Set<string>()
  const params = node.params?.map(param => declaredType(ctx, param, variables))
  const result = node.result && declaredType(ctx, node.result, variables)
  return { kind: node.callee === 'module' ? 'module' : 'function', params, result, sizes: variables }
}

function namedType(
  ctx: Context,
  name: Name,
  shape: readonly Size[] | undefined,
  span: Span,
  variables: Set<string> | undefined,
): DeclaredType {
  const { text } = name
  if (text === 'f32' || text === 'i32' || (text === 'bool' && shape !== undefined)) {
    return { kind: 'tensor', type: { dtype: text, shape: shapeOf(ctx, shape ?? [], variables) } }
  }
  if (text === 'f16' || text === 'bf16') {
    complain(ctx, 'LTM2125', span, { dtype: text })
    return errorType
  }
  if (shape === undefined) {
    if (text === 'int' || text === 'bool' || text === 'float') return { kind: text }
    if (text === 'string' || text === 'path') return { kind: 'string' }
    if (isUnit(text)) return { kind: 'float', unit: text }
    if (text === 'module') return { kind: 'module', params: undefined, result: undefined, sizes: new Set() }
  }
  const known = shape === undefined ? hostTypes : dtypes
  // Its sizes are there all the same.
  if (shape) shapeOf(ctx, shape, variables)
  if (text !== '') complain(ctx, 'LTM2119', span, { type: textOf(span), near: nearest(text, known) })
  return errorType
}

const dtypes = ['f32', 'i32', 'bool']
const hostTypes = [...dtypes, 'int', 'float', 'string', 'path', 'module', ...units]

/** The sizes of a shape. A rest stays symbolic here; unknown lower-case names become variables where that is allowed. */
export function shapeOf(ctx: Context, sizes: readonly Size[], variables?: Set<string>): Shape {
  const [, second] = sizes.filter(size => size.kind === 'RestSize')
  if (second) complain(ctx, 'LTM2152', second.span, { rest: textOf(second.span) })
  return sizes.flatMap((size): Shape => {
    // A second rest has been reported, and is left out.
    if (size === second) return []
    if (size.kind === 'RestSize') {
      variables?.add(`...${size.name.text}`)
      return ctx.rests?.get(size.name.text) ?? [`...${size.name.text}`]
    }
    if (variables) defineVariables(ctx, size, variables)
    return [sizeOf(ctx, size)]
  })
}

/** Reported where it first stands, and unknown from there on. */
function smallConstant(ctx: Context, { text, span }: Name): Dim {
  complain(ctx, 'LTM2116', span, { name: text })
  ctx.env.define(text, errorValue, span)
  return '_'
}

/** A size expression as a dimension. */
export function sizeOf(ctx: Context, node: Expr): Dim {
  if (node.kind === 'Name') {
    const binding = ctx.env.lookup(node.text)
    if (binding?.constant && /^[a-z]/.test(node.text)) return smallConstant(ctx, node)
  }
  const value = expression(ctx, node)
  if (value.kind === 'int' && (typeof value.dim !== 'number' || (value.dim >= 0 && value.dim <= largest)))
    return value.dim
  if (value.kind !== 'error')
    complain(ctx, 'LTM2106', node.span, { got: value.kind === 'int' ? String(value.dim) : describe(value) })
  return '_'
}

/** No machine has room for more. */
const largest = 2 ** 40

function defineVariables(ctx: Context, node: Expr, variables: Set<string>): void {
  if (node.kind === 'Name') {
    if (!variables.has(node.text) && isFree(ctx, node.text) && /^[a-z_]/.test(node.text)) {
      variables.add(node.text)
      ctx.env.define(node.text, int(node.text), node.span, { size: true })
    }
    return
  }
  if (node.kind === 'Call' || node.kind === 'Member' || node.kind === 'Index') return
  for (const child of children(node)) defineVariables(ctx, child as Expr, variables)
}

/** A name that means nothing in a shape: none at all, or a function, which is told from a size by being called (F46). */
function isFree(ctx: Context, name: string): boolean {
  const kind = ctx.env.lookup(name)?.value.kind
  return kind === undefined || kind === 'function' || kind === 'operator'
}

/** A declared type as the user would write it. */
export function showDeclared(type: DeclaredType): string {
  switch (type.kind) {
    case 'tensor':
      return showType(type.type)
    case 'float':
      return type.unit ?? 'float'
    case 'list':
      return `[${showDeclared(type.item)}]`
    case 'record':
      return `{ ${[...type.fields].map(([name, field]) => `${name}: ${showDeclared(field)}`).join(', ')} }`
    case 'function':
    case 'module': {
      const word = type.kind === 'module' ? 'module' : 'fn'
      if (!type.params) return word
      return `${word}(${type.params.map(showDeclared).join(', ')}) -> ${type.result ? showDeclared(type.result) : '…'}`
    }
    case 'like':
      return `like ${type.name}`
    default:
      return type.kind
  }
}

/** Whether a shape still has a rest in it. */
export const hasRest = (shape: Shape): boolean => shape.some(isRest)
