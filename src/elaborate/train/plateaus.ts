import { NameSupply } from '../../base/fresh.ts'
import { textOf } from '../../base/source.ts'
import type { Hook, HostExpr, HostVar, Plateau } from '../../ir/ir.ts'
import type { Call } from '../../syntax/ast.ts'
import { type Context, complain, originOf } from '../context.ts'
import type { Value } from '../values.ts'
import { loggedName, plateauOf, plateauOptions } from './monitors.ts'
import { checkOptions, direction, numberOption, option } from './options.ts'
import type { Reading } from './training.ts'

/** A factor that begins at 1 and shrinks each time a value has stalled: a `var`, and the hook that sets it. */
interface Shrinking {
  readonly factor: HostVar
  readonly hook: Hook
  readonly reading: Reading
}

/** The plateaus of a `train`: each place where one is written is one, however many parameters read it. */
export class Plateaus {
  readonly #byPlace = new Map<number, Shrinking>()
  readonly #names = new NameSupply()

  /** `plateau(min: val.loss, factor: 0.5, patience: 3)` in a setting of an optimizer. */
  read(ctx: Context, node: Pick<Call, 'args' | 'span'>): Value {
    const plateau = this.#byPlace.get(node.span.start) ?? this.#make(ctx, node)
    if (!plateau) return { kind: 'error' }
    this.#byPlace.set(node.span.start, plateau)
    return { kind: 'float', expr: { kind: 'var', name: plateau.factor.name } }
  }

  #make(ctx: Context, node: Pick<Call, 'args' | 'span'>): Shrinking | undefined {
    if (!checkOptions(ctx, node.args, 'plateau', [...plateauOptions, 'factor', 'eps'])) return undefined
    const found = direction(node.args)
    if (!found) {
      const wanted = '`plateau(min: val.loss, factor: 0.5, patience: 3)`'
      return void complain(ctx, 'LTM4202', node.span, { key: 'plateau', wanted })
    }
    const monitor = loggedName(ctx, found.value) ?? textOf(found.value.span).replace(/\s+/g, '')
    const stall = plateauOf(ctx, node.args, { direction: found.direction, monitor }, usualPatience)
    const shrink = numberOption(ctx, node.args, 'factor', 'a number between 0 and 1', x => x > 0 && x < 1)
    const name = this.#names.fresh(`${ctx.optimizer ?? 'optimizer'}.plateau`)
    const origin = originOf(node.span)
    return {
      factor: { name, type: 'float', value: 1, origin },
      hook: hookOf(
        name,
        stall,
        { by: shrink ?? usualFactor, atLeast: option(ctx, node.args, 'eps', 0) },
        origin,
      ),
      reading: { name: monitor, span: found.value.span, reader: 'trainer' },
    }
  }

  get vars(): readonly HostVar[] {
    return [...this.#byPlace.values()].map(({ factor }) => factor)
  }
  get hooks(): readonly Hook[] {
    return [...this.#byPlace.values()].map(({ hook }) => hook)
  }
  get readings(): readonly Reading[] {
    return [...this.#byPlace.values()].map(({ reading }) => reading)
  }
}

/** Those of PyTorch's ReduceLROnPlateau. */
const usualPatience = 10
const usualFactor = 0.1

/** Values of validation are looked at when it has ended, those of training at the end of the epoch. */
function hookOf(name: string, stall: Plateau, shrink: Shrinkage, origin: Hook['origin']): Hook {
  const event = stall.monitor.startsWith('val.') ? 'validation_end' : 'train_epoch_end'
  return {
    event: { kind: 'event', name: event },
    condition: { kind: 'stalled', place: name, ...stall },
    body: [{ kind: 'set', name, value: shrunk({ kind: 'var', name }, shrink), origin }],
    origin,
  }
}

interface Shrinkage {
  readonly by: number
  /** What would change the factor by no more than this is left out. */
  readonly atLeast: number
}

function shrunk(factor: HostExpr, { by, atLeast }: Shrinkage): HostExpr {
  const apply = (operator: 'mul' | 'sub' | 'gt', ...args: readonly HostExpr[]): HostExpr => ({
    kind: 'apply',
    operator,
    args,
  })
  const smaller = apply('mul', factor, { kind: 'number', value: by })
  if (atLeast === 0) return smaller
  const condition = apply('gt', apply('sub', factor, smaller), { kind: 'number', value: atLeast })
  return { kind: 'choose', condition, then: smaller, otherwise: factor }
}
