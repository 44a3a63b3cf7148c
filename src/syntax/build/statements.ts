import type { CstNode } from '../../../grammar/tokens.ts'
import { diagnose } from '../../diagnostics/diagnostic.ts'
import type {
  Block,
  Body,
  Freeze,
  If,
  Let,
  Log,
  Minimize,
  SetStatement,
  Statement,
  Term,
  Var,
} from '../ast.ts'
import {
  at,
  base,
  type Context,
  choice,
  documented,
  maybe,
  maybeToken,
  name,
  nameOf,
  names,
  node,
  nodes,
  token,
} from './cst.ts'
import { buildArgs, buildExpr, buildFor, buildGlob, buildTarget } from './expressions.ts'
import { buildString } from './literals.ts'
import { buildType } from './types.ts'

/** `= e` or a block. */
export function buildBody(cst: CstNode, ctx: Context): Body {
  const block = maybe(cst, 'Block')
  return block ? buildBlock(block, ctx) : buildExpr(node(cst, 'Expr'), ctx)
}

export function buildBlock(cst: CstNode, ctx: Context): Block {
  const statements = nodes(cst, 'Statement').map(statement => buildStatement(statement, ctx))
  return { kind: 'Block', ...base(cst, ctx), statements }
}

function buildStatement(outer: CstNode, ctx: Context): Statement {
  const cst = choice(outer)
  if (!cst) return { kind: maybeToken(outer, 'break') ? 'Break' : 'Skip', ...base(outer, ctx) }
  switch (cst.name) {
    case 'Let':
      return buildLet(cst, ctx)
    case 'Var':
      return buildVar(cst, ctx)
    case 'Set':
      return buildSet(cst, ctx)
    case 'For':
      return buildFor(cst, ctx)
    case 'If':
      return buildIf(cst, ctx)
    case 'While':
      return {
        kind: 'While',
        ...base(cst, ctx),
        condition: buildExpr(node(cst, 'Expr'), ctx),
        body: buildBlock(node(cst, 'Block'), ctx),
      }
    case 'Return': {
      const value = maybe(cst, 'Expr')
      return { kind: 'Return', ...base(cst, ctx), value: value && buildExpr(value, ctx) }
    }
    case 'Yield':
      return { kind: 'Yield', ...base(cst, ctx), value: buildExpr(node(cst, 'Expr'), ctx) }
    case 'Debug':
      return { kind: 'Debug', ...base(cst, ctx), value: buildExpr(node(cst, 'Expr'), ctx) }
    case 'Minimize':
      return buildMinimize(cst, ctx)
    case 'Log':
      return buildLog(cst, ctx)
    case 'Freeze':
      return buildFreeze(cst, ctx)
    case 'Unfreeze':
      return { kind: 'Unfreeze', ...base(cst, ctx), glob: buildGlob(node(cst, 'Glob'), ctx) }
    case 'Call':
      return {
        kind: 'CallStatement',
        ...base(cst, ctx),
        callee: name(cst, ctx),
        args: buildArgs(node(cst, 'Args'), ctx),
      }
    default:
      return buildNotice(cst, ctx)
  }
}

/** `stop`, `print` and `checkpoint`: a word and a text. */
function buildNotice(cst: CstNode, ctx: Context): Statement {
  const text = maybeToken(cst, 'StringToken')
  const message = text && buildString(text, ctx)
  if (cst.name === 'Stop') return { kind: 'Stop', ...base(cst, ctx), message }
  const required = message ?? buildString(token(cst, 'StringToken'), ctx)
  if (cst.name === 'Print') return { kind: 'Print', ...base(cst, ctx), message: required }
  return { kind: 'CheckpointStatement', ...base(cst, ctx), name: required }
}

/** `let x: T = e` or `let { a, b } = e`; also a member. */
export function buildLet(cst: CstNode, ctx: Context): Let {
  const braced = maybe(cst, 'BracedNames')
  const type = maybe(cst, 'Type')
  return {
    kind: 'Let',
    ...documented(cst, ctx),
    names: names(braced ?? cst, ctx),
    record: braced !== undefined,
    type: type && buildType(type, ctx),
    value: buildExpr(node(cst, 'Expr'), ctx),
  }
}

/** `var x: T = e`; also a member. */
export function buildVar(cst: CstNode, ctx: Context): Var {
  const type = maybe(cst, 'Type')
  return {
    kind: 'Var',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    type: type && buildType(type, ctx),
    value: buildExpr(node(cst, 'Expr'), ctx),
  }
}

function buildSet(cst: CstNode, ctx: Context): SetStatement {
  const braced = maybe(cst, 'BracedNames')
  return {
    kind: 'SetStatement',
    ...base(cst, ctx),
    target: braced ? names(braced, ctx) : buildTarget(node(cst, 'Target'), ctx),
    value: buildExpr(node(cst, 'Expr'), ctx),
  }
}

function buildIf(cst: CstNode, ctx: Context): If {
  const block = maybe(cst, 'otherwise')
  const chained = maybe(cst, 'If')
  return {
    kind: 'If',
    ...base(cst, ctx),
    condition: buildExpr(node(cst, 'Expr'), ctx),
    then: buildBlock(node(cst, 'then'), ctx),
    otherwise: block ? buildBlock(block, ctx) : chained && blockOf(buildIf(chained, ctx), ctx),
  }
}

function blockOf(statement: If, ctx: Context): Block {
  return { kind: 'Block', ...at(statement.span, ctx), statements: [statement] }
}

function buildMinimize(cst: CstNode, ctx: Context): Minimize {
  const optimizer = maybeToken(cst, 'Name')
  return {
    kind: 'Minimize',
    ...base(cst, ctx),
    terms: nodes(cst, 'Term').map(term => buildTerm(term, ctx)),
    optimizer: optimizer && nameOf(optimizer, ctx),
  }
}

function buildTerm(cst: CstNode, ctx: Context): Term {
  const named = maybeToken(cst, 'Name')
  const [value, over] = nodes(cst, 'Expr')
  return {
    kind: 'Term',
    ...base(cst, ctx),
    name: named && nameOf(named, ctx),
    value: buildExpr(value ?? node(cst, 'Expr'), ctx),
    over: over && buildExpr(over, ctx),
  }
}

function buildLog(cst: CstNode, ctx: Context): Log {
  const first = buildTarget(node(cst, 'Target'), ctx)
  const value = maybe(cst, 'value')
  const over = maybe(cst, 'weight')
  if (value && !isPath(first)) ctx.report(diagnose('LTM1013', first.span, {}))
  return {
    kind: 'Log',
    ...base(cst, ctx),
    target: value && first,
    value: value ? buildExpr(value, ctx) : first,
    over: over && buildExpr(over, ctx),
    on: names(cst, ctx),
    bar: maybeToken(cst, 'bar') !== undefined,
  }
}

const isPath = (expr: ReturnType<typeof buildTarget>): boolean =>
  expr.kind === 'Name' || expr.kind === 'ErrorExpr' || (expr.kind === 'Member' && isPath(expr.object))

/** `freeze net.backbone.**`; also a member. */
export function buildFreeze(cst: CstNode, ctx: Context): Freeze {
  return { kind: 'Freeze', ...base(cst, ctx), glob: buildGlob(node(cst, 'Glob'), ctx) }
}
