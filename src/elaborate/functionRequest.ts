import type { Span } from '../base/source.ts'
import type { Func } from '../ir/ir.ts'
import type { Body, Signature } from '../syntax/ast.ts'
import type { Context } from './context.ts'
import type { Env } from './env.ts'
import type { DeclaredType } from './types.ts'
import type { ModuleValue, Value } from './values.ts'

/** What a specialised function is made from. */
export interface FunctionRequest {
  readonly name: string
  readonly declaration: {
    readonly id: number
    readonly signature: Signature
    readonly body: Body
    readonly doc: string | undefined
    readonly span: Span
  }
  readonly role: Func['role']
  /** The scope of its formals, which are defined in it anew, as the function's own values. */
  readonly scope: Env
  readonly self: ModuleValue | undefined
  /** The instances among its arguments, by what it calls them. */
  readonly given?: ReadonlyMap<string, ModuleValue>
  /** Conditions that hold in its body. */
  readonly holds?: readonly string[]
  readonly args: readonly FunctionArg[]
  readonly rests: ReadonlyMap<string, readonly (number | string)[]> | undefined
  readonly result: DeclaredType | undefined
  /** What else tells this specialisation from others. */
  readonly resultKey: string
  /** Checks and completes the result: the new states of an update. */
  readonly finish?: (ctx: Context, result: Value) => Value
  /** Defined in its scope besides the formals: states, slots. */
  readonly vars?: readonly FunctionArg[]
  /** It is of a constraint, whose buffers are those of a parameter and not of a module. */
  readonly constrains?: boolean
  /** The parameter that it constrains, below which its buffers lie. */
  readonly parameter?: string
}
/** What a call of an instance needs of the request that made it. */
export type CallRequest = Pick<FunctionRequest, 'name' | 'self' | 'given' | 'args' | 'vars' | 'parameter'>
export interface FunctionArg {
  readonly name: string
  readonly value: Value
  readonly span: Span | undefined
}

/** Numbers that only the host knows are passed; known ones are specialised for. */
export function isHostArgument(value: Value): boolean {
  return value.kind === 'float' && value.expr.kind !== 'number'
}
