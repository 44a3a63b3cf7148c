import type { Span } from '../base/source.ts'
import type { Expr } from '../syntax/ast.ts'
import type { TensorType } from '../types/tensor.ts'
import { type Bindings, newBindings, substituteShape } from '../types/unify.ts'
import type { CallSite } from './arguments.ts'

/** The sizes of a signature while a call binds them. */
export interface Sizes {
  /** Dimension variables, and rests with their dots. */
  readonly variables: Set<string>
  readonly bindings: Bindings
  /** An argument did not fit: what the others would have to be is not known. */
  clashed: boolean
  /** One was refused: arguments in the wrong order are one mistake. */
  refused: boolean
}

export const freshSizes = (): Sizes => ({
  variables: new Set(),
  bindings: newBindings(),
  clashed: false,
  refused: false,
})

/** The type with its sizes bound, where all of them are. */
export function knownShape(type: TensorType, sizes: Sizes): TensorType | undefined {
  const shape = substituteShape(type.shape, sizes.bindings)
  const open = shape.some(
    size => typeof size === 'string' && sizes.variables.has(size) && !sizes.bindings.dims.has(size),
  )
  return open ? undefined : { dtype: type.dtype, shape }
}

/** What is being given a value, for messages. */
export interface Receiver {
  readonly what: string
  /** The argument's name, where it is one: it says which of them has decided a size. */
  readonly name?: string
  readonly callee: string
  /** The function in full, `Mlp.forward`. */
  readonly owner?: string
  readonly instance?: string | undefined
  readonly declaration?: NonNullable<CallSite['declaration']>
  readonly span: Span
  /** The expression, where it is one: of plain numbers only those written out take a unit. */
  readonly node?: Expr
  readonly declared: Span | undefined
}

export function declaredLabel(receiver: Receiver): { labels: { span: Span; text: string }[] } {
  return { labels: receiver.declared ? [{ span: receiver.declared, text: 'declared here' }] : [] }
}
