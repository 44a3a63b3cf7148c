import type { CstNode } from '../../../grammar/tokens.ts'
import type { Arg, Pattern, PatternAxes, PatternAxis } from '../ast.ts'
import { at, base, type Context, maybeToken, name, node, nodes, spanOf, token, tokenSpan } from './cst.ts'
import { numberValue } from './literals.ts'

/** `rearrange(x : n (h w) -> n h w, h: 4)`; a stage of a pipe has no operands of its own. */
export function buildPattern(cst: CstNode, args: readonly Arg[], ctx: Context): Pattern {
  const body = node(cst, 'PatternBody')
  const arrow = tokenSpan(token(body, 'Arrow'), ctx.source)
  return {
    kind: 'Pattern',
    ...base(cst, ctx),
    operation: token(cst, 'operation').image as Pattern['operation'], // the rule takes exactly these words
    operands: nodes(cst, 'Expr').map(each => ctx.expr(each, ctx)),
    inputs: nodes(body, 'Axes').map(axes => buildAxes(axes, arrow.start, ctx)),
    output: buildAxes(node(body, 'output'), arrow.end, ctx),
    args,
  }
}

/** Axes may be empty (`n -> `): then they lie at the arrow. */
function buildAxes(cst: CstNode, otherwise: number, ctx: Context): PatternAxes {
  const axes = nodes(cst, 'Axis').map(axis => buildAxis(axis, ctx))
  return { kind: 'PatternAxes', ...at(spanOf(cst, ctx, otherwise), ctx), axes }
}

function buildAxis(cst: CstNode, ctx: Context): PatternAxis {
  if (maybeToken(cst, 'LParen')) {
    const axes = nodes(cst, 'GroupedAxis').map(axis => buildAxis(axis, ctx))
    return { kind: 'PatternGroup', ...base(cst, ctx), axes }
  }
  if (maybeToken(cst, 'Name')) return { kind: 'PatternName', ...base(cst, ctx), name: name(cst, ctx) }
  if (maybeToken(cst, 'Underscore')) return { kind: 'PatternOne', ...base(cst, ctx) }
  if (maybeToken(cst, 'Ellipsis')) return { kind: 'PatternRest', ...base(cst, ctx) }
  return { kind: 'PatternNumber', ...base(cst, ctx), value: numberValue(token(cst, 'NumberToken')) }
}
