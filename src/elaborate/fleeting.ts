import type { Attr, Func, HostExpr, Step } from '../ir/ir.ts'

/** Whether a function looks at what only the run knows at a moment: a clock, a variable, what was logged. */
export function looksAtRun(func: Func, others: readonly Func[]): boolean {
  return func.steps.some(step => stepLooks(step, others))
}

function stepLooks({ op, attrs }: Step, others: readonly Func[]): boolean {
  const body = op === 'scan' ? others.find(other => other.name === attrs.func) : undefined
  return Object.values(attrs).some(attrLooks) || (body !== undefined && looksAtRun(body, others))
}

function attrLooks(attr: Attr): boolean {
  if (Array.isArray(attr)) return attr.some(attrLooks)
  return typeof attr === 'object' && 'kind' in attr && exprLooks(attr)
}

function exprLooks(expr: HostExpr): boolean {
  switch (expr.kind) {
    case 'clock':
    case 'var':
    case 'logged':
    case 'stalled':
    case 'told':
      return true
    case 'apply':
      return expr.args.some(exprLooks)
    case 'choose':
      return [expr.condition, expr.then, expr.otherwise].some(exprLooks)
    default:
      return false
  }
}
