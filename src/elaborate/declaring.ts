import type { Name } from '../syntax/ast.ts'
import { type Context, complain } from './context.ts'
import type { Binding } from './env.ts'
import type { Value } from './values.ts'

/** Gives a value its name in the scope at hand, unless that hides a name that must not be hidden. */
export function declare(
  ctx: Context,
  name: Name,
  value: Value,
  traits: Partial<Pick<Binding, 'mutable'>> = {},
): void {
  const twice = ctx.region.kind !== 'step' && ctx.env.owns(name.text) && !ctx.env.lookup(name.text)?.size
  if (twice) declaredTwice(ctx, name)
  else checkShadowing(ctx, name)
  ctx.env.define(name.text, heldFast(ctx, value, name), name.span, {
    ...traits,
    unshadowed: ctx.region.kind === 'step',
  })
}

/** An argument, `let` or `var` as it is at its place, whatever its steps and hooks do behind it. */
export function heldFast(ctx: Context, value: Value, name: Name): Value {
  return ctx.region.kind === 'step' && ctx.watching ? ctx.watching.keep(value, name) : value
}

function declaredTwice(ctx: Context, name: Name): void {
  const before = ctx.env.lookup(name.text)
  if (name.text !== '')
    complain(
      ctx,
      'LTM3002',
      name.span,
      { name: name.text, what: 'block' },
      {
        labels: before?.span ? [{ span: before.span, text: 'the other one' }] : [],
        help: `to give it another value, declare it with \`var\` and write \`set ${name.text} = …\``,
      },
    )
}

/** A dimension variable must not be hidden (F16), nor a name of the `train` at hand (F18). */
export function checkShadowing(ctx: Context, name: Name): void {
  const before = ctx.env.lookup(name.text)
  if (!before || name.text === '') return
  const labels = before.span ? [{ span: before.span, text: 'declared here' }] : []
  if (before.size) complain(ctx, 'LTM2117', name.span, { what: 'the new', name: name.text }, { labels })
  else if (before.unshadowed) complain(ctx, 'LTM3010', name.span, { name: name.text }, { labels })
}
