import type { Clock } from '../ir/ir.ts'
import type { Name, Unit } from '../syntax/ast.ts'
import { type Context, complain } from './context.ts'
import { float, type Value } from './values.ts'

const clocks: Readonly<Record<string, { readonly clock: Clock; readonly unit?: Unit }>> = {
  epoch: { clock: 'epoch', unit: 'epochs' },
  batch_index: { clock: 'batch_index', unit: 'batches' },
  batches: { clock: 'batches', unit: 'batches' },
  update: { clock: 'update', unit: 'updates' },
  examples: { clock: 'examples', unit: 'examples' },
  seconds: { clock: 'seconds', unit: 'seconds' },
  total_updates: { clock: 'total_updates', unit: 'updates' },
}

export const predeclaredNames: readonly string[] = ['pi', 'inf', 'training', 'phase', ...Object.keys(clocks)]

/** Names that mean something everywhere without being declared: constants, the mode, the phase and the clocks. */
export function predeclared(ctx: Context, node: Name): Value | undefined {
  if (node.text === 'pi') return float(Math.PI)
  if (node.text === 'inf') return float(Number.POSITIVE_INFINITY)
  if (node.text === 'training') return training(ctx)
  if (node.text === 'phase') return phase(ctx, node)
  const known = Object.hasOwn(clocks, node.text) ? clocks[node.text] : undefined
  if (!known) return undefined
  const of = known.clock === 'update' ? ctx.optimizer : undefined
  const expr =
    of === undefined
      ? { kind: 'clock' as const, clock: known.clock }
      : { kind: 'clock' as const, clock: known.clock, of }
  return known.unit ? { kind: 'float', expr, unit: known.unit } : { kind: 'float', expr }
}

function training(ctx: Context): Value {
  ctx.mode.onRead('training')
  const { training } = ctx.mode
  return {
    kind: 'bool',
    expr: training === undefined ? { kind: 'argument', name: 'training' } : { kind: 'bool', value: training },
  }
}

function phase(ctx: Context, node: Name): Value {
  ctx.mode.onRead('phase')
  if (ctx.mode.phase !== undefined) return { kind: 'string', text: ctx.mode.phase }
  if (ctx.generic) return { kind: 'error' }
  const help = 'steps have a phase, and what they call; an optimizer and a hook have none'
  return complain(ctx, 'LTM3001', node.span, { name: node.text, near: undefined }, { help })
}
