import { type Span, textOf } from '../../base/source.ts'
import type { HostExpr } from '../../ir/ir.ts'
import type { Block, Name } from '../../syntax/ast.ts'
import { visit } from '../../syntax/walk.ts'
import { originOf } from '../context.ts'
import type { Value } from '../values.ts'
import type { StepContext } from './stepContext.ts'

/** The `var`s and settings of a training that a step or hook sets, by their names in the IR. */
export function changedIn(body: Block): ReadonlySet<string> {
  const names = new Set<string>()
  visit(body, {
    SetStatement: ({ target }) => {
      const targets = 'kind' in target ? [target] : target
      for (const each of targets) names.add(textOf(each.span))
    },
  })
  return names
}

/** `let old = boost` keeps the number that it is, whatever `set` does to `boost` behind it (F40). */
export function keepAll(step: StepContext, names: readonly Name[]): void {
  const { env } = step.ctx
  for (const { text, span } of names) {
    const value = env.lookup(text)?.value
    if (value) env.assign(text, kept(step, value, text, span))
  }
}

/** The value with numbers of the host that may change put away in variables of their own. */
export function kept(step: StepContext, value: Value, name: string, span: Span): Value {
  if (value.kind === 'record') {
    const fields = [...value.fields].map(
      ([key, field]) => [key, kept(step, field, `${name}_${key}`, span)] as const,
    )
    return { ...value, fields: new Map(fields) }
  }
  if ((value.kind !== 'float' && value.kind !== 'bool') || !mayChange(step, value.expr)) return value
  const variable = step.region.variable(name)
  step.region.body.push({ kind: 'var', name: variable, value: value.expr, origin: originOf(span) })
  return { ...value, expr: { kind: 'var', name: variable } }
}

function mayChange(step: StepContext, expr: HostExpr): boolean {
  const any = (exprs: readonly HostExpr[]): boolean => exprs.some(each => mayChange(step, each))
  switch (expr.kind) {
    case 'var':
      return (
        step.changing.has(expr.name) || [...step.variables.values()].some(({ name }) => name === expr.name)
      )
    case 'clock':
      // The only clock that moves within a step.
      return expr.clock === 'update' && step.phase === 'train'
    case 'apply':
      return any(expr.args)
    case 'choose':
      return any([expr.condition, expr.then, expr.otherwise])
    default:
      return false
  }
}
