import type { Func, Step } from '../../ir/ir.ts'
import { showType } from '../../types/tensor.ts'
import { type Context, complain, type originOf } from '../context.ts'
import { rows } from './table.ts'

/** Every draw of a dataset is one for each example, so that batches and their order make no difference to it. */
export function checkDraws(
  ctx: Context,
  steps: readonly Step[],
  span: Parameters<typeof originOf>[0],
): boolean {
  const shared = sharedDraw(ctx.world.functions.list, steps)
  if (!shared) return true
  complain(ctx, 'LTM4341', span, { what: `is ${shared} for all of them` })
  return false
}

function sharedDraw(functions: readonly Func[], steps: readonly Step[]): string | undefined {
  for (const { op, attrs, outputs } of steps) {
    const called = op === 'call' ? functions.find(func => func.name === attrs.func) : undefined
    const inside = called && sharedDraw(functions, called.steps)
    if (inside !== undefined) return inside
    const [type] = outputs.map(output => output.type)
    if (op.startsWith('random_') && type && type !== 'key' && type.shape[0] !== rows) return showType(type)
  }
  return undefined
}
