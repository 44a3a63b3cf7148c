import type { Expr } from '../syntax/ast.ts'
import type { Context } from './context.ts'

/** Names of functions that take their shape from where they stand. */
const shaped = new Set(['fill', 'normal', 'uniform', 'bernoulli', 'eye', 'linspace'])

/** Whether an expression is a number, or a call that wants a shape, so that the sizes must be known first. */
export function needsShape(ctx: Context, node: Expr): boolean {
  if (node.kind === 'NumberLiteral') return true
  if (node.kind === 'Unary') return needsShape(ctx, node.operand)
  if (node.kind !== 'Call' || node.callee.kind !== 'Name') return false
  if (node.args.some(arg => arg.kind === 'Named' && (arg.name.text === 'shape' || arg.name.text === 'like')))
    return false
  const binding = ctx.env.lookup(node.callee.text)
  if (binding?.value.kind === 'operator') return shaped.has(binding.value.name)
  return (
    binding?.value.kind === 'function' &&
    !binding.value.declaration.signature.formals.some(
      formal => formal.type?.kind === 'NamedType' && formal.type.shape !== undefined,
    )
  )
}
