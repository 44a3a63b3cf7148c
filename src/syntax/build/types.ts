import type { CstNode } from '../../../grammar/tokens.ts'
import { bug } from '../../base/bug.ts'
import { diagnose } from '../../diagnostics/diagnostic.ts'
import type { FnType, Formal, NamedType, RecordType, Signature, Size, Type } from '../ast.ts'
import {
  base,
  type Context,
  choice,
  isScarred,
  maybe,
  maybeToken,
  name,
  node,
  nodes,
  token,
  tokenSpan,
} from './cst.ts'

/** `(x: f32[n], k: int = 2) -> f32[n] where n > 1` */
export function buildSignature(cst: CstNode, ctx: Context): Signature {
  const result = maybe(cst, 'Type')
  const where = maybe(cst, 'Where')
  return {
    kind: 'Signature',
    ...base(cst, ctx),
    formals: buildFormals(node(cst, 'Formals'), ctx),
    result: result && buildType(result, ctx),
    where: where ? buildWhere(where, ctx) : [],
    scarred: isScarred(cst, ctx),
  }
}

/** The conditions after `where`. */
export function buildWhere(cst: CstNode, ctx: Context) {
  return nodes(cst, 'Expr').map(each => ctx.expr(each, ctx))
}

/** The formals between parentheses. */
export function buildFormals(cst: CstNode, ctx: Context): readonly Formal[] {
  return nodes(cst, 'Formal').map(formal => {
    const type = maybe(formal, 'Type')
    const value = maybe(formal, 'Expr')
    return {
      kind: 'Formal',
      ...base(formal, ctx),
      name: name(formal, ctx),
      type: type && buildType(type, ctx),
      value: value && ctx.expr(value, ctx),
    }
  })
}

/** A type as written. */
export function buildType(cst: CstNode, ctx: Context): Type {
  if (isScarred(cst, ctx)) return unknownType(cst, ctx)
  const inner = choice(cst) ?? bug('a type without alternatives')
  switch (inner.name) {
    case 'LikeType':
      return { kind: 'LikeType', ...base(inner, ctx), name: name(inner, ctx) }
    case 'NamedType':
      return buildNamedType(inner, ctx)
    case 'FnType':
      return buildFnType(inner, 'fn', ctx)
    case 'ListType':
      return { kind: 'ListType', ...base(inner, ctx), item: buildType(node(inner, 'Type'), ctx) }
    default:
      return buildRecordType(inner, ctx)
  }
}

/** What has been reported is a type without a name. */
function unknownType(cst: CstNode, ctx: Context): NamedType {
  const where = base(cst, ctx)
  return {
    kind: 'NamedType',
    ...where,
    name: { kind: 'Name', ...base(cst, ctx), text: '' },
    shape: undefined,
  }
}

function buildNamedType(cst: CstNode, ctx: Context): NamedType | FnType {
  if (maybe(cst, 'FnTypeSignature')) {
    const callee = token(cst, 'Name')
    if (callee.image === 'module') return buildFnType(cst, 'module', ctx)
    ctx.report(diagnose('LTM1012', tokenSpan(callee, ctx.source), { name: callee.image }))
  }
  const shape = maybe(cst, 'Shape')
  const own = name(cst, ctx)
  return {
    kind: 'NamedType',
    ...base(cst, ctx),
    // What has been reported is no name of a type.
    name: maybe(cst, 'FnTypeSignature') ? { ...own, text: '' } : own,
    shape: shape && nodes(shape, 'Size').map(size => buildSize(size, ctx)),
  }
}

function buildFnType(cst: CstNode, callee: 'fn' | 'module', ctx: Context): FnType {
  const signature = maybe(cst, 'FnTypeSignature')
  return {
    kind: 'FnType',
    ...base(cst, ctx),
    callee,
    params: signature && nodes(signature, 'Type').map(type => buildType(type, ctx)),
    result: signature && buildType(node(signature, 'result'), ctx),
  }
}

function buildRecordType(cst: CstNode, ctx: Context): RecordType {
  const fields = nodes(cst, 'RecordTypeField').map(field => ({
    kind: 'RecordTypeField' as const,
    ...base(field, ctx),
    name: name(field, ctx, 'AnyWord'),
    type: buildType(node(field, 'Type'), ctx),
  }))
  return { kind: 'RecordType', ...base(cst, ctx), fields }
}

function buildSize(cst: CstNode, ctx: Context): Size {
  if (maybeToken(cst, 'Ellipsis')) return { kind: 'RestSize', ...base(cst, ctx), name: name(cst, ctx) }
  return ctx.expr(node(cst, 'Expr'), ctx)
}
