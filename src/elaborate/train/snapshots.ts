import { type Span, textOf } from '../../base/source.ts'
import type { HostExpr, Phase } from '../../ir/ir.ts'
import type { Block } from '../../syntax/ast.ts'
import { visit } from '../../syntax/walk.ts'
import { originOf } from '../context.ts'
import type { Value } from '../values.ts'
import type { StepRegion } from './stepRegion.ts'

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

/** The step or hook whose numbers are put away. */
export interface Keeper {
  readonly region: StepRegion
  readonly phase: Phase | undefined
  /** What it sets of the host `var`s of its training, and of settings. */
  readonly changing: ReadonlySet<string>
}

/**
 * The value with numbers of the host that may change put away in variables of their own: `let old = boost` keeps the number that it is,
 * whatever `set` does to `boost` behind it (F40), and what counts how often it is looked at is looked at once.
 */
export function kept(step: Keeper, value: Value, name: string, span: Span): Value {
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

function mayChange(step: Keeper, expr: HostExpr): boolean {
  const any = (exprs: readonly HostExpr[]): boolean => exprs.some(each => mayChange(step, each))
  switch (expr.kind) {
    case 'var':
      return step.changing.has(expr.name) || step.region.isOpen(expr.name)
    case 'stalled':
      return true
    case 'clock':
      // The other clocks stand still within a step.
      return expr.clock === 'seconds' || (expr.clock === 'update' && step.phase === 'train')
    case 'apply':
      return any(expr.args)
    case 'choose':
      return any([expr.condition, expr.then, expr.otherwise])
    default:
      return false
  }
}
