import type { Body, Expr } from '../syntax/ast.ts'
import type { TensorType } from '../types/tensor.ts'
import type { CallSite } from './arguments.ts'
import type { Context } from './context.ts'
import type { Value } from './values.ts'

/**
 * Elaboration is one recursion over the tree, spread over many files. They meet here: the rules travel in the context, so
 * that the files that use them need not import the dispatch that imports them.
 */
export interface Rules {
  /** The value of an expression. */
  readonly expression: (ctx: Context, node: Expr) => Value
  /** The value of a function's body. */
  readonly body: (ctx: Context, body: Body) => Value
  /** The value of a call. */
  readonly call: (ctx: Context, callee: Value, site: CallSite) => Value
}

export function expression(ctx: Context, node: Expr): Value {
  return ctx.world.rules.expression(ctx, node)
}

export function executeBody(ctx: Context, body: Body): Value {
  return ctx.world.rules.body(ctx, body)
}

export function callValue(ctx: Context, callee: Value, site: CallSite): Value {
  return ctx.world.rules.call(ctx, callee, site)
}

/** A context in which a value of this type is wanted; `lost` where an error has hidden what is. */
export function expecting(ctx: Context, expected: TensorType | undefined, lost = ctx.lost): Context {
  return ctx.expected === expected && ctx.lost === lost ? ctx : { ...ctx, expected, lost }
}

/** A context in which nothing is known of the type that is wanted. */
export function unexpecting(ctx: Context): Context {
  return expecting(ctx, undefined)
}
