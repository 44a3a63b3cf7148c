import type { Attrs } from '../ir/ir.ts'
import type { ops } from './index.ts'
import type { Op, Operand } from './op.ts'

type AttrsOf<O> = O extends Op<infer A> ? A : Attrs

/** One typed constructor per operator: infers the result's type, appends the step, returns the value. */
export type Make = {
  readonly [K in keyof typeof ops]: (inputs: readonly Operand[], attrs?: Partial<AttrsOf<(typeof ops)[K]>>) => Operand
}
