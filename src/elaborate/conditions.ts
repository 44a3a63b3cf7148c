import type { Context } from './context.ts'
import type { Binding } from './env.ts'

/** Conditions as text: a name that exists only under one may be used where the same one is known to hold (F35). */
export function holding(ctx: Context, condition: string): Context {
  return { ...ctx, holds: [...ctx.holds, ...parts(condition)] }
}

/** Where a condition has an error, any may hold. */
export const holdingAny = (ctx: Context): Context => ({ ...ctx, holds: [...ctx.holds, any] })

/** No condition is written so. */
const any = ''

/** The first condition of a name that isn't known to hold here. */
export function missingCondition(ctx: Context, binding: Binding): string | undefined {
  if (ctx.holds.includes(any)) return undefined
  return binding.conditions?.find(condition => !parts(condition).every(part => ctx.holds.includes(part)))
}

/** `a and b` holds where both do. Parentheses, spaces and a `not` of a `not` make no difference. */
function parts(condition: string): readonly string[] {
  const text = plain(condition.replace(/\s+/g, ' ').trim())
  return topLevelAnd(text).map(part => (part === text ? text : plain(part)))
}

function plain(condition: string): string {
  const text = bare(condition)
  const denied = negated(text)
  if (denied === undefined) return text
  const twice = negated(denied)
  return twice === undefined ? `not ${denied}` : plain(twice)
}

/** What `not` stands before: a name, or something in parentheses, or another `not`. */
function negated(text: string): string | undefined {
  if (!text.startsWith('not ')) return undefined
  const rest = text.slice('not '.length).trim()
  const inner = bare(rest)
  if (/^[\w.]+$/.test(inner) || inner.startsWith('not ')) return inner
  return rest.startsWith('(') && inner !== rest ? `(${inner})` : undefined
}

/** Without parentheses around all of it. */
function bare(text: string): string {
  const inner = text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1) : undefined
  return inner === undefined || !balanced(inner) ? text : bare(inner.trim())
}

function balanced(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if (character === '(') depth++
    if (character === ')' && --depth < 0) return false
  }
  return depth === 0
}

function topLevelAnd(text: string): readonly string[] {
  const pieces = text.split(' and ')
  return pieces.every(balanced) && !text.includes(' or ') ? pieces.map(piece => piece.trim()) : [text]
}
