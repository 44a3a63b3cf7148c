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

/**
 * What is known where a condition is true: `a and b` holds where both do. Parentheses, spaces, a `not` of a `not`, which
 * side of a comparison is which, and where a `not` stands make no difference.
 */
const parts = (condition: string): readonly string[] => known(condition.replace(/\s+/g, ' ').trim(), true)

/** What holds together where a condition is true, or where it is false: `not (a or b)` is `not a and not b`. */
function known(condition: string, truth: boolean): readonly string[] {
  const text = bare(condition)
  const choices = split(text, ' or ')
  if (choices.length > 1) return truth ? [oneOf(choices, true)] : choices.flatMap(each => known(each, false))
  const both = split(text, ' and ')
  if (both.length > 1) return truth ? both.flatMap(each => known(each, true)) : [oneOf(both, false)]
  const denied = negated(text)
  if (denied !== undefined) return known(denied, !truth)
  return [truth ? ascending(text) : `not ${ascending(text)}`]
}

const oneOf = (choices: readonly string[], truth: boolean): string =>
  choices
    .map(each => `(${[...known(each, truth)].sort().join(' and ')})`)
    .sort()
    .join(' or ')

/** `k > 1` as `1 < k`; the sides of `==` and `!=` by name. */
function ascending(text: string): string {
  const compared = /^([\w.]+) (<|<=|>|>=|==|!=) ([\w.]+)$/.exec(text)
  if (!compared) return text
  const [, left = '', operator = '', right = ''] = compared
  if (operator.startsWith('>')) return `${right} ${operator.replace('>', '<')} ${left}`
  return operator.startsWith('<') ? text : [left, right].sort().join(` ${operator} `)
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

/** At the words that stand in no parentheses. What an `if` or a string holds is left as it is. */
function split(text: string, word: ' and ' | ' or '): readonly string[] {
  if (/"|\bthen\b/.test(text)) return [text]
  const pieces: string[] = []
  for (const piece of text.split(word)) {
    const open = pieces.at(-1)
    if (open === undefined || balanced(open)) pieces.push(piece)
    else pieces[pieces.length - 1] = open + word + piece
  }
  return pieces.map(piece => piece.trim())
}
