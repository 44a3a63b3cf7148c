import { textOf } from '../base/source.ts'
import type { Expr } from '../syntax/ast.ts'
import { type Context, complain } from './context.ts'
import { expression } from './evaluate.ts'
import { conditionOf } from './operators.ts'

/** `require c`: a known false one is an error that shows the values. */
export function requirement(ctx: Context, condition: Expr): void {
  const value = expression(ctx, condition)
  const holds = conditionOf(ctx, value, condition.span)
  if (holds === false)
    complain(ctx, 'LTM2118', condition.span, { condition: textOf(condition.span), values: '' })
}
