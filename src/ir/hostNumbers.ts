import type { Attr, Func, HostExpr, Step } from './ir.ts'

/**
 * What a function that takes tensors and numbers of the host has the host compute, each expression once, in the order of its
 * steps. Undefined where one of them looks at more than the function's arguments, or gives something else than a single float.
 */
export function hostNumbers({ steps }: Func): readonly HostExpr[] | undefined {
  const found = new Map<string, HostExpr>()
  for (const step of steps) {
    if (step.op !== 'host') continue
    const expr = hostNumberOf(step)
    if (expr === undefined) return undefined
    found.set(JSON.stringify(expr), expr)
  }
  return [...found.values()]
}

/** The expression of a `host` step that only looks at arguments. */
export function hostNumberOf({ attrs: { value }, outputs: [output] }: Step): HostExpr | undefined {
  const type = output?.type
  const isFloat = type !== undefined && type !== 'key' && type.dtype === 'f32'
  return isFloat && isExpr(value) && isOfArguments(value) ? value : undefined
}

function isExpr(value: Attr | undefined): value is HostExpr {
  return typeof value === 'object' && 'kind' in value
}

function isOfArguments(expr: HostExpr): boolean {
  if (expr.kind === 'apply') return expr.args.every(isOfArguments)
  if (expr.kind === 'choose') return [expr.condition, expr.then, expr.otherwise].every(isOfArguments)
  return expr.kind === 'argument' || expr.kind === 'number' || expr.kind === 'bool'
}
