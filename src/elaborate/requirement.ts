import { type Span, textOf } from '../base/source.ts'
import type { Constraint, Expr, Metric, Node, Optimizer } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expression, unexpecting } from './evaluate.ts'
import { conditionOf } from './operators.ts'
import { knownNumber, type Value } from './values.ts'

/**
 * `require c`, and a `where` clause with the place of the call: a false one is an error that shows the values, at the place
 * that gave them. In a definition it is an assumption; in an instance it must be known. Gives whether it may hold.
 */
export function requirement(ctx: Context, condition: Expr, call?: Span): boolean {
  const made = ctx.instantiations.at(-1)
  const place = call ?? made?.span
  const value = expression(unexpecting(ctx), condition)
  const holds = conditionOf(ctx, value, condition.span)
  if (holds === true || holds === 'error' || (holds === undefined && ctx.generic)) return true
  const within = call || !made ? ctx : { ...ctx, instantiations: ctx.instantiations.slice(0, -1) }
  const text = textOf(condition.span)
  const labels = place ? [{ span: condition.span, text: 'required here' }] : []
  const at = place ?? condition.span
  if (holds === undefined) complain(within, 'LTM2113', at, { condition: text }, { labels })
  else complain(within, 'LTM2118', at, { condition: text, values: valuesIn(ctx, condition) }, { labels })
  return false
}

/** Whether all that a declaration requires of its arguments may hold. */
export function requirementsHold(ctx: Context, { members }: Constraint | Metric | Optimizer): boolean {
  return members.every(member => member.kind !== 'Require' || requirement(ctx, member.condition))
}

/** `low = 2, high = 1`: what the names of a condition stand for. */
function valuesIn(ctx: Context, condition: Expr): string {
  const names = [...new Set(namesIn(condition))]
  return names
    .flatMap(name => {
      const shown = shownValue(ctx.env.lookup(name)?.value)
      return shown === undefined ? [] : [`${name} = ${shown}`]
    })
    .join(', ')
}

function namesIn(node: Node): readonly string[] {
  return node.kind === 'Name' ? [node.text] : children(node).flatMap(namesIn)
}

function shownValue(value: Value | undefined): string | undefined {
  if (value?.kind === 'int') return String(value.dim)
  if (value?.kind === 'bool' && value.expr.kind === 'bool') return String(value.expr.value)
  if (value?.kind === 'list')
    return `[${value.items.map(item => shownValue(item) ?? describe(item)).join(', ')}]`
  const known = value && knownNumber(value)
  return known === undefined ? undefined : String(known)
}
