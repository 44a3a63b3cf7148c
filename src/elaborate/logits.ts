import type { Step } from '../ir/ir.ts'
import { type Context, complain } from './context.ts'
import type { FormalValue } from './formals.ts'

/** Operators whose results are probabilities, or their logarithms. */
const squashing: readonly string[] = ['softmax', 'log_softmax', 'sigmoid']

/** A loss that asks for `logits` goes through softmax or sigmoid itself; given probabilities it learns, but worse. */
export function checkLogits(ctx: Context, loss: string, args: readonly FormalValue[]): void {
  for (const { formal, value, given } of args) {
    if (formal.name.text !== 'logits' || value.kind !== 'tensor' || !given) continue
    const outer = outermost(ctx, value.name)
    if (outer === undefined) continue
    const made = value.span && value.span.start !== given.span.start ? value.span : undefined
    complain(
      ctx,
      'LTM2121',
      given.span,
      { loss, outer },
      made ? { labels: [{ span: made, text: `\`${outer}\` is here` }] } : {},
    )
  }
}

/** Operators that put elements elsewhere: what is squashed stays so. */
const moving: readonly string[] = ['reshape', 'slice', 'transpose']

type Maker = (name: string) => Step | undefined

/** The squashing operator that made a value, here or at the end of a function that was called for it. */
function outermost(ctx: Context, name: string): string | undefined {
  return squashed(ctx, value => ctx.region.maker(value), name)
}

function squashed(ctx: Context, makerOf: Maker, name: string): string | undefined {
  const step = makerOf(name)
  if (!step || squashing.includes(step.op)) return step?.op
  const [input] = step.inputs
  if (moving.includes(step.op) && input !== undefined) return squashed(ctx, makerOf, input)
  if (step.op !== 'call') return undefined
  const func = ctx.world.functions.list.find(each => each.name === step.attrs.func)
  const result = func?.results[step.outputs.findIndex(output => output.name === name)]
  const inner: Maker = value => func?.steps.find(each => each.outputs.some(output => output.name === value))
  return result === undefined ? undefined : squashed(ctx, inner, result)
}
