import type { CstNode, Token } from '../../../grammar/tokens.ts'
import { bug } from '../../base/bug.ts'
import { spanning } from '../../base/source.ts'
import type {
  Arg,
  Call,
  Comprehension,
  Except,
  Expr,
  For,
  Glob,
  GlobSegment,
  IndexItem,
  ListLiteral,
  Name,
  NumberLiteral,
  Path,
  Pipe,
  RecordField,
  RecordLiteral,
  Ref,
  WrittenUnit,
} from '../ast.ts'
import {
  at,
  base,
  type Context,
  choice,
  isScarred,
  maybe,
  maybeToken,
  name,
  nameOf,
  names,
  node,
  nodes,
  spanOf,
  token,
  tokenSpan,
  tokensOf,
} from './cst.ts'
import { buildForeignName, buildNumber, buildString } from './literals.ts'
import { buildOperation, chainLimit, tooLong } from './operators.ts'
import { buildPattern } from './patterns.ts'
import { buildFormals, buildType } from './types.ts'

/** An expression of any form. */
export function buildExpr(cst: CstNode, ctx: Context): Expr {
  if (isScarred(cst, ctx)) return { kind: 'ErrorExpr', ...base(cst, ctx) }
  const inner = choice(cst) ?? bug('an expression without alternatives')
  switch (inner.name) {
    case 'Pipe':
      return buildRange(cst, ctx)
    case 'Conditional':
      return buildConditional(inner, ctx)
    case 'Lambda':
      return {
        kind: 'Lambda',
        ...base(inner, ctx),
        formals: buildFormals(node(inner, 'Formals'), ctx),
        body: buildExpr(node(inner, 'Expr'), ctx),
      }
    default:
      return buildFor(inner, ctx)
  }
}

function buildConditional(cst: CstNode, ctx: Context): Expr {
  const [condition, then, otherwise] = nodes(cst, 'Expr').map(each => buildExpr(each, ctx))
  if (!condition || !then || !otherwise) return bug('a conditional without its three parts')
  return { kind: 'Conditional', ...base(cst, ctx), condition, then, otherwise }
}

/** `for a, b in xs { … }` */
export function buildFor(cst: CstNode, ctx: Context): For {
  const { names, iterable } = buildForHead(node(cst, 'ForHead'), ctx)
  return { kind: 'For', ...base(cst, ctx), names, iterable, body: ctx.block(node(cst, 'Block'), ctx) }
}

function buildForHead(
  cst: CstNode,
  ctx: Context,
): { readonly names: readonly Name[]; readonly iterable: Expr } {
  return { names: names(cst, ctx), iterable: buildExpr(node(cst, 'Expr'), ctx) }
}

function buildRange(cst: CstNode, ctx: Context): Expr {
  const [from, to] = nodes(cst, 'Pipe')
  if (!from) return bug('a range without a start')
  if (!to) return buildPipe(from, ctx)
  return { kind: 'Range', ...base(cst, ctx), from: buildPipe(from, ctx), to: buildPipe(to, ctx) }
}

function buildPipe(cst: CstNode, ctx: Context): Expr {
  const steps = nodes(cst, 'PipeStep')
  if (steps.length > chainLimit) return tooLong(spanOf(cst, ctx), ctx)
  let value = buildOperation(cst, ctx, buildPostfix)
  for (const step of steps) {
    const where = at(spanning(value.span, spanOf(step, ctx)), ctx)
    const type = maybe(step, 'Type')
    if (type) value = { kind: 'Cast', ...where, value, type: buildType(type, ctx) }
    else value = { kind: 'Pipe', ...where, value, stage: buildStage(node(step, 'Stage'), ctx) } satisfies Pipe
  }
  return value
}

function buildStage(cst: CstNode, ctx: Context): Expr {
  const pattern = maybe(cst, 'PatternStage')
  return pattern ? buildPattern(pattern, buildArgs(pattern, ctx), ctx) : buildTarget(node(cst, 'Target'), ctx)
}

/** A name with its trailers. */
export function buildTarget(cst: CstNode, ctx: Context): Expr {
  if (isScarred(cst, ctx)) return { kind: 'ErrorExpr', ...base(cst, ctx) }
  return withTrailers(buildName(token(cst, 'Name'), ctx), cst, ctx)
}

/** An operand with its trailers, without the prefixes before it. */
function buildPostfix(cst: CstNode, ctx: Context): Expr {
  return withTrailers(buildPrimary(cst, ctx), cst, ctx)
}

function withTrailers(object: Expr, cst: CstNode, ctx: Context): Expr {
  const trailers = nodes(cst, 'Trailer')
  if (trailers.length > chainLimit) return tooLong(spanOf(cst, ctx), ctx)
  return trailers.reduce((inner, trailer) => buildTrailer(inner, trailer, ctx), object)
}

function buildTrailer(object: Expr, trailer: CstNode, ctx: Context): Expr {
  const where = at(spanning(object.span, spanOf(trailer, ctx)), ctx)
  const args = maybe(trailer, 'Args')
  if (args) return { kind: 'Call', ...where, callee: object, args: buildArgs(args, ctx) } satisfies Call
  const items = maybe(trailer, 'IndexItems')
  if (items) {
    return {
      kind: 'Index',
      ...where,
      object,
      items: nodes(items, 'IndexItem').map(item => buildIndexItem(item, ctx)),
    }
  }
  return { kind: 'Member', ...where, object, name: name(trailer, ctx, 'AnyWord') }
}

function buildIndexItem(cst: CstNode, ctx: Context): IndexItem {
  if (maybeToken(cst, 'Ellipsis')) return { kind: 'Ellipsis', ...base(cst, ctx) }
  if (maybeToken(cst, 'Underscore')) return { kind: 'NewAxis', ...base(cst, ctx) }
  const from = maybe(cst, 'from')
  if (from && !maybeToken(cst, 'DotDot')) return buildPipe(from, ctx)
  const to = maybe(cst, 'to')
  return {
    kind: 'Range',
    ...base(cst, ctx),
    from: from && buildPipe(from, ctx),
    to: to && buildPipe(to, ctx),
  }
}

function buildPrimary(cst: CstNode, ctx: Context): Expr {
  const named = maybeToken(cst, 'Name')
  if (named) return buildName(named, ctx)
  const text = maybeToken(cst, 'StringToken')
  if (text) return buildString(text, ctx)
  const truth = maybeToken(cst, 'true') ?? maybeToken(cst, 'false')
  if (truth)
    return {
      kind: 'BoolLiteral',
      ...at(tokenSpan(truth, ctx.source), ctx),
      value: truth.tokenType.name === 'true',
    }
  const inner = choice(cst) ?? bug('an operand without alternatives')
  switch (inner.name) {
    case 'Quantity':
      return buildQuantity(inner, ctx)
    case 'Group':
      // With its parentheses, so that what is built on it begins and ends where it does.
      return { ...buildExpr(node(inner, 'Expr'), ctx), span: spanOf(inner, ctx) }
    case 'Record':
      return buildRecord(inner, ctx)
    case 'List':
      return buildList(inner, ctx)
    default:
      return buildPattern(inner, buildArgs(inner, ctx), ctx)
  }
}

function buildName(from: Token, ctx: Context): Expr {
  if (from.tokenType.name === 'Missing') return { kind: 'ErrorExpr', ...at(tokenSpan(from, ctx.source), ctx) }
  return buildForeignName(from, ctx) ?? nameOf(from, ctx)
}

function buildQuantity(cst: CstNode, ctx: Context): NumberLiteral {
  const of = maybeToken(cst, 'Name')
  return {
    ...buildNumber(token(cst, 'NumberToken'), ctx),
    span: spanOf(cst, ctx),
    unit: maybeToken(cst, 'Unit')?.image as WrittenUnit | undefined, // the category Unit holds exactly these
    of: of && nameOf(of, ctx),
  }
}

/** `{ h, c: e }` */
export function buildRecord(cst: CstNode, ctx: Context): RecordLiteral {
  const fields = nodes(cst, 'RecordField').map(field => buildRecordField(field, ctx))
  return { kind: 'RecordLiteral', ...base(cst, ctx), fields }
}

function buildRecordField(cst: CstNode, ctx: Context): RecordField {
  const quoted = maybeToken(cst, 'StringToken')
  const literal = quoted && buildString(quoted, ctx)
  const key: Name = literal ? { ...literal, kind: 'Name' } : name(cst, ctx, 'AnyWord')
  const value = maybe(cst, 'Expr')
  return {
    kind: 'RecordField',
    ...base(cst, ctx),
    name: key,
    value: value ? buildExpr(value, ctx) : shortValue(cst, ctx),
  }
}

function shortValue(cst: CstNode, ctx: Context): Expr {
  const quoted = maybeToken(cst, 'StringToken')
  return quoted ? buildString(quoted, ctx) : buildName(token(cst, 'AnyWord'), ctx)
}

function buildList(cst: CstNode, ctx: Context): ListLiteral | Comprehension {
  const items = nodes(cst, 'Expr').map(each => buildExpr(each, ctx))
  const head = maybe(cst, 'ForHead')
  const item = items[0]
  if (!head || !item) return { kind: 'ListLiteral', ...base(cst, ctx), items }
  return { kind: 'Comprehension', ...base(cst, ctx), item, ...buildForHead(head, ctx) }
}

/** The arguments between parentheses. */
export function buildArgs(cst: CstNode, ctx: Context): readonly Arg[] {
  return nodes(cst, 'Arg').map(arg => buildArg(arg, ctx))
}

/** One argument: by position, by name, or an exception for some paths. */
function buildArg(cst: CstNode, ctx: Context): Arg {
  const except = maybe(cst, 'Except')
  if (except) return buildExcept(except, ctx)
  const value = buildExpr(node(cst, 'Expr'), ctx)
  if (!maybeToken(cst, 'AnyWord')) return { kind: 'Positional', ...base(cst, ctx), value }
  return { kind: 'Named', ...base(cst, ctx), name: name(cst, ctx, 'AnyWord'), value }
}

function buildExcept(cst: CstNode, ctx: Context): Except {
  const head = maybe(cst, 'ForHead')
  return {
    kind: 'Except',
    ...base(cst, ctx),
    glob: buildGlob(node(cst, 'Glob'), ctx),
    value: buildExpr(node(cst, 'Expr'), ctx),
    ...(head ? buildForHead(head, ctx) : { names: [], iterable: undefined }),
  }
}

/** `net.blocks[*].**` */
export function buildGlob(cst: CstNode, ctx: Context): Glob {
  const segments = nodes(cst, 'GlobSegment').map(segment => buildGlobSegment(segment, ctx))
  return { kind: 'Glob', ...base(cst, ctx), root: name(cst, ctx), segments }
}

function buildGlobSegment(cst: CstNode, ctx: Context): GlobSegment {
  const stars = tokensOf(cst, 'Star').length
  if (maybeToken(cst, 'LBracket')) {
    const index = maybe(cst, 'Expr')
    return { kind: 'GlobIndex', ...base(cst, ctx), index: index && buildExpr(index, ctx) }
  }
  if (maybeToken(cst, 'AnyWord')) {
    return { kind: 'GlobName', ...base(cst, ctx), name: name(cst, ctx, 'AnyWord'), prefix: stars > 0 }
  }
  return { kind: stars > 1 ? 'GlobSubtree' : 'GlobAny', ...base(cst, ctx) }
}

/** `simplex.ilr` */
export function buildPath(cst: CstNode, ctx: Context): Path {
  const parts = [...tokensOf(cst, 'Name'), ...tokensOf(cst, 'AnyWord')].map(part => nameOf(part, ctx))
  return { kind: 'Path', ...base(cst, ctx), parts }
}

/** `interval(0, 1)` */
export function buildRef(cst: CstNode, ctx: Context): Ref {
  const args = maybe(cst, 'Args')
  const path = buildPath(node(cst, 'Path'), ctx)
  // Of what could not be read nobody says what it is.
  if (isScarred(cst, ctx)) {
    const nameless: Name = { kind: 'Name', ...at(path.span, ctx), text: '' }
    return { kind: 'Ref', ...base(cst, ctx), path: { ...path, parts: [nameless] }, args: undefined }
  }
  return { kind: 'Ref', ...base(cst, ctx), path, args: args && buildArgs(args, ctx) }
}
