import { textOf } from '../base/source.ts'
import type { Call, Expr } from '../syntax/ast.ts'
import { argumentValue, type CallSite, elaborateArguments, matchArguments, type Piped } from './arguments.ts'
import { evaluateClosure } from './closureCalls.ts'
import { callConstraint, callConstraintDeclaration } from './constraintCalls.ts'
import { type Context, complain, spend } from './context.ts'
import { heldFast } from './declaring.ts'
import { describe } from './describe.ts'
import { expression, unexpecting } from './evaluate.ts'
import { callFunction } from './functions.ts'
import { intrinsicSite } from './intrinsicArguments.ts'
import { intrinsics } from './intrinsics.ts'
import { methodOf } from './members.ts'
import { instantiate } from './modules.ts'
import { conditionHolds, settle, unknownName } from './naming.ts'
import { callOpaque } from './opaque.ts'
import { callOperator } from './operatorCalls.ts'
import { predeclared } from './predeclared.ts'
import { errorValue, type LambdaValue, type Value } from './values.ts'

export function call(ctx: Context, node: Pick<Call, 'callee' | 'args' | 'span'>, piped?: Piped): Value {
  if (isWord(ctx, node.callee, 'stalled')) {
    const asks = ctx.region.kind === 'step' ? ctx.watching?.stalled : undefined
    return asks ? asks(ctx, node) : complain(ctx, 'LTM4381', node.span, { phase: undefined })
  }
  if (isWord(ctx, node.callee, 'plateau'))
    return ctx.plateau?.(ctx, node) ?? complain(ctx, 'LTM4210', node.span, {})
  const callee = calleeOf(unexpecting(ctx), node.callee)
  return callValue(ctx, callee, { args: node.args, span: node.span, shown: textOf(node.callee.span) }, piped)
}

/** `stalled` and `plateau` are predeclared; a declaration of that name comes first. */
function isWord(ctx: Context, node: Expr, word: 'stalled' | 'plateau'): boolean {
  return node.kind === 'Name' && node.text === word && !ctx.env.lookup(word)
}

/** A name in front of `(` is the nearest thing of that name that can be called (F46). */
function calleeOf(ctx: Context, node: Expr): Value {
  if (node.kind !== 'Name') return expression(ctx, node)
  const binding = ctx.env.lookupWhere(node.text, callable) ?? ctx.env.lookup(node.text)
  if (binding && !conditionHolds(ctx, binding, node)) return errorValue
  if (binding) return settle(ctx, binding.value, node.span)
  return predeclared(ctx, node) ?? unknownName(ctx, node)
}

function callable(value: Value): boolean {
  return [
    'function',
    'lambda',
    'opaque_function',
    'operator',
    'declaration',
    'constraint',
    'host_function',
    'module',
    'error',
  ].includes(value.kind)
}

/** Calls any value that can be. */
export function callValue(ctx: Context, callee: Value, site: CallSite, piped?: Piped): Value {
  switch (callee.kind) {
    case 'error':
      elaborateArguments(ctx, site)
      return errorValue
    case 'host_function':
      elaborateArguments(ctx, site)
      return complain(ctx, 'LTM3026', site.span, { name: callee.name, file: callee.file })
    case 'operator': {
      const intrinsic = Object.hasOwn(intrinsics, callee.name) ? intrinsics[callee.name] : undefined
      if (!intrinsic) return callOperator(ctx, callee.name, site, piped)
      const checked = intrinsicSite(ctx, callee.name, site, piped)
      return checked ? intrinsic(ctx, checked, piped) : errorValue
    }
    case 'function':
      return callFunction(ctx, callee, site, piped)
    case 'lambda':
      return callLambda(ctx, callee, site, piped)
    case 'opaque_function':
      return callOpaque(ctx, callee, site, piped)
    case 'closure':
      return evaluateClosure(ctx, callee, site, piped)
    case 'module': {
      const forward = methodOf(callee, 'forward')
      if (forward)
        return callFunction(ctx, forward, { ...site, shown: callee.spec.declaration.name.text }, piped)
      return complain(ctx, 'LTM3014', site.span, { name: callee.spec.declaration.name.text })
    }
    case 'declaration':
      if (callee.declaration.kind === 'Module') return instantiate(ctx, callee.declaration, callee.env, site)
      if (callee.declaration.kind === 'Constraint') {
        const { declaration } = callee
        return callConstraintDeclaration(ctx, { ...callee, declaration }, site, piped)
      }
      return complain(ctx, 'LTM3008', site.span, { callee: `\`${site.shown}\``, got: describe(callee) })
    case 'constraint':
      return callConstraint(ctx, callee, site, piped)
    case 'metric':
      elaborateArguments(ctx, site)
      return complain(ctx, 'LTM4109', site.span, { name: callee.name })
    default:
      elaborateArguments(ctx, site)
      return complain(ctx, 'LTM3008', site.span, { callee: `\`${site.shown}\``, got: describe(callee) })
  }
}

/** A lambda is spliced in where it is called. */
function callLambda(ctx: Context, callee: LambdaValue, site: CallSite, piped?: Piped): Value {
  const args = matchArguments(ctx, callee.declaration.formals, site, piped)
  if (!args) return errorValue
  if (!spend(ctx, site.span, `\`${site.shown}\``)) return errorValue
  const env = callee.env.child()
  for (const formal of callee.declaration.formals) {
    const given = args.get(formal.name.text)
    if (!given) continue
    const value = heldFast(ctx, argumentValue(unexpecting(ctx), given), formal.name)
    env.define(formal.name.text, value, formal.name.span)
  }
  return expression(
    { ...ctx, env, active: [...ctx.active, `fn#${callee.declaration.id}`] },
    callee.declaration.body,
  )
}
