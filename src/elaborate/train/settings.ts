import { type Span, textOf } from '../../base/source.ts'
import type { HostExpr, HostVar, Hyper } from '../../ir/ir.ts'
import type { Member, Node, SetStatement, Train } from '../../syntax/ast.ts'
import { children } from '../../syntax/walk.ts'
import { complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import type { FormalValue } from '../formals.ts'
import { apply, choose, constantOf, literal } from '../host.ts'
import { memberValue } from '../members.ts'
import type { OptimizerValue } from '../values.ts'
import type { StepContext } from './stepContext.ts'
import { hostValue } from './variables.ts'

/** Every `set adam.lr` of a `train`, by the name that its `var` has: `adam.lr`. */
export function settingsThatAreSet(train: Train): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (node: Node): void => {
    if (node.kind === 'SetStatement' && 'kind' in node.target) {
      const { target } = node
      if (target.kind === 'Member' && target.object.kind === 'Name')
        found.add(settingName(target.object.text, target.name.text))
    }
    for (const child of children(node)) visit(child)
  }
  visit(train)
  return found
}

export const settingName = (optimizer: string, setting: string): string => `${optimizer}.${setting}`

/** Settings that a step or hook sets are `var`s that start at what was written; schedules stay what they are. */
export function settable(
  optimizer: string,
  settings: readonly FormalValue[],
  isSet: ReadonlySet<string>,
  hypers: readonly Hyper[],
  span: Span,
): { readonly settings: readonly FormalValue[]; readonly vars: readonly HostVar[] } {
  const vars: HostVar[] = []
  const changed = settings.map(setting => {
    const name = settingName(optimizer, setting.formal.name.text)
    const { value } = setting
    if (!isSet.has(name) || setting.type?.kind !== 'float' || value.kind !== 'float') return setting
    const start = constantOf(withHypers(value.expr, hypers))
    if (typeof start !== 'number') return setting
    vars.push({ name, type: 'float', value: start, origin: originOf(span) })
    return { ...setting, value: { kind: 'float' as const, expr: { kind: 'var' as const, name } } }
  })
  return { settings: changed, vars }
}

/** The expression with the values that hypers have in this compilation. */
function withHypers(expr: HostExpr, hypers: readonly Hyper[]): HostExpr {
  const within = (part: HostExpr) => withHypers(part, hypers)
  if (expr.kind === 'apply') return apply(expr.operator, expr.args.map(within))
  if (expr.kind === 'choose') return choose(within(expr.condition), within(expr.then), within(expr.otherwise))
  const hyper = expr.kind === 'hyper' && hypers.find(({ name }) => name === expr.name)
  return hyper && typeof hyper.value !== 'string' ? literal(hyper.value) : expr
}

/** `set adam.lr = …` sets the `var` of a setting, where it has one; others say why not. */
export function setSetting(
  step: StepContext,
  node: SetStatement,
  target: Member,
  optimizer: OptimizerValue,
): void {
  const { ctx } = step
  const setting = target.name.text
  const current = optimizer.settings.get(setting)
  if (!current) return void memberValue(ctx, optimizer, setting, target.span)
  const place = { optimizer: optimizer.name, setting }
  if (current.kind !== 'float') return void complain(ctx, 'LTM4383', target.span, place)
  const name = settingName(optimizer.name, setting)
  if (current.expr.kind !== 'var' || current.expr.name !== name) {
    const span = optimizer.written.get(setting)
    const value = span ? textOf(span) : '…'
    const labels = span ? { labels: [{ span, text: 'its value' }] } : {}
    return void complain(ctx, 'LTM4382', target.span, { ...place, value }, labels)
  }
  const value = expression(ctx, node.value)
  const expr = hostValue(value, 'number')
  const origin = originOf(node.span)
  if (expr) step.region.body.push({ kind: 'set', name, value: expr, origin })
  else if (value.kind !== 'error')
    complain(ctx, 'LTM2102', node.value.span, {
      what: `\`${name}\``,
      expected: 'a number',
      got: describe(value),
    })
}
