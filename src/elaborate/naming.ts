import { nearest } from '../base/names.ts'
import type { Span } from '../base/source.ts'
import type { Let, Name } from '../syntax/ast.ts'
import { type Context, complain } from './context.ts'
import type { Env } from './env.ts'
import { expression } from './evaluate.ts'
import { pendingNames } from './pending.ts'
import { declaredType } from './types.ts'
import type { Value } from './values.ts'

export function unknownName(ctx: Context, node: Name): Value {
  if (pendingNames.has(node.text)) return complain(ctx, 'LTM9001', node.span, { what: `\`${node.text}\`` })
  return complain(ctx, 'LTM3001', node.span, { name: node.text, near: nearest(node.text, ctx.env.names()) })
}

/** What a binding gives where it is used: parameters are read, `let` members computed. */
export function settle(ctx: Context, value: Value, span: Span): Value {
  if (value.kind === 'param') return ctx.region.member(ctx, value.path, value.spec, span)
  if (value.kind === 'lazy') return letMember(ctx, value.declaration, value.env)
  return value
}

function letMember(ctx: Context, declaration: Let, env: Env): Value {
  const within = { ...ctx, env, expected: undefined }
  const type = declaration.type && declaredType(within, declaration.type)
  return expression(type?.kind === 'tensor' ? { ...within, expected: type.type } : within, declaration.value)
}
