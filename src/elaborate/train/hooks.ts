import { hookEvents } from '../../base/hookEvents.ts'
import { nearest } from '../../base/names.ts'
import type { Hook, HostStatement, Phase, TrainingStep } from '../../ir/ir.ts'
import type { Hook as HookNode } from '../../syntax/ast.ts'
import { type Context, complain, originOf } from '../context.ts'
import { clockUnits } from '../durations.ts'
import { expression } from '../evaluate.ts'
import { errorValue, knownNumber } from '../values.ts'
import { watching } from './monitors.ts'
import { bindPayload, stepsAround } from './payload.ts'
import { changedIn } from './snapshots.ts'
import type { StepContext } from './stepContext.ts'
import { StepRegion } from './stepRegion.ts'
import { hostCondition, statements } from './steps.ts'
import type { Training } from './training.ts'

/** Short names for what people look for first (F30). */
const aliases: Readonly<Record<string, string>> = {
  epoch_end: 'train_epoch_end',
  epoch_start: 'train_epoch_start',
}

/** Elsewhere the names of events begin with `on_`. */
function nearEvent(name: string): string | undefined {
  const known = [...hookEvents, ...Object.keys(aliases)]
  const own = name.replace(/^on_/, '')
  return known.find(event => event === own) ?? nearest(own, known)
}

/** `on EVENT if CONDITION { … }`, `on every 500 updates of d { … }`. */
export function elaborateHook(
  training: Training,
  node: HookNode,
  steps: readonly TrainingStep[],
): Hook | undefined {
  const region = new StepRegion(training.frozen)
  const env = training.ctx.env.child()
  const changing = changedIn(node.body)
  const ctx: Context = {
    ...training.ctx,
    env,
    region,
    watching: watching(training, readerOf(node), { region, phase: undefined, changing }),
    mode: { phase: undefined, training: false, onRead: () => {} },
    declaration: node.id,
  }
  const step: StepContext = {
    training,
    ctx,
    region,
    phase: undefined,
    event: node.event.kind === 'HookCadence' ? 'every' : readerOf(node),
    prefix: prefixOf(readerOf(node)),
    names: new Map(),
    variables: new Map(),
    changing,
    updated: false,
  }
  const event = eventOf(training, node, ctx)
  const { event: written } = node
  if (!event && written.kind === 'HookEvent')
    for (const name of written.payload) env.define(name.text, errorValue, name.span)
  const payload =
    event?.kind === 'event' && written.kind === 'HookEvent'
      ? bindPayload(step, event.name, written.payload, stepsAround(event.name, steps))
      : undefined
  const condition = node.condition && hostCondition(step, node.condition)
  const body = region.branch(() => statements(step, node.body))
  if (!event || (node.condition && !condition)) return undefined
  const origin = originOf(node.span)
  const taken = payload ? { payload } : {}
  if (!condition) return { event, ...taken, body, origin }
  if (region.body.length === 0 && !payload) return { event, condition, body, origin }
  // A condition that looks at a tensor is computed in the hook itself.
  const choice: HostStatement = { kind: 'if', condition, then: body, otherwise: [], origin }
  return { event, ...taken, body: [...region.body, choice], origin }
}

/** The phase that a hook logs in. */
function prefixOf(event: string): Phase {
  if (event.startsWith('validation')) return 'val'
  if (event.startsWith('test')) return 'test'
  return event.startsWith('predict') ? 'predict' : 'train'
}

/** Who reads logged values here; cadences run in training. */
function readerOf({ event }: HookNode): string {
  if (event.kind === 'HookCadence') return 'train'
  return aliases[event.name.text] ?? event.name.text
}

function eventOf(training: Training, node: HookNode, ctx: Context): Hook['event'] | undefined {
  const { event } = node
  if (event.kind === 'HookCadence') {
    const count =
      event.count.kind === 'NumberLiteral' ? event.count.value : knownNumber(expression(ctx, event.count))
    const of = event.of?.text
    if (count === undefined || count < 1)
      return void complain(ctx, 'LTM4202', event.span, { key: 'every', wanted: 'a whole number, 1 or more' })
    if (of !== undefined && training.failedOptimizers.has(of)) return undefined
    if (of !== undefined && !training.optimizers.some(optimizer => optimizer.name === of)) {
      return void complain(ctx, 'LTM3001', event.of!.span, {
        name: of,
        near: nearest(
          of,
          training.optimizers.map(optimizer => optimizer.name),
        ),
      })
    }
    const cadence = { ...clockUnits(count, event.unit), ...(of === undefined ? {} : { of }) }
    training.cadences.push({ ...cadence, span: event.span })
    return { kind: 'every', ...cadence }
  }
  // What recovery left without a name has been reported.
  if (event.name.text === '') return undefined
  const name = aliases[event.name.text] ?? event.name.text
  if (hookEvents.some(known => known === name)) return { kind: 'event', name }
  return void complain(ctx, 'LTM4501', event.name.span, {
    event: event.name.text,
    near: nearEvent(event.name.text),
  })
}
