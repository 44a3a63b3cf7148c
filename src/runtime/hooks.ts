import type { HookEvent } from '../base/hookEvents.ts'
import { commitBuffers, dropWrites } from './buffers.ts'
import { tellShown } from './debug.ts'
import { SkipBatch } from './errors.ts'
import type { LogScope } from './logbook.ts'
import { scoped } from './memory.ts'
import { part } from './probe.ts'
import { writeRecord } from './records.ts'
import { StepRun } from './run.ts'
import type { Session } from './session.ts'
import type { Batch, HookSpec, Phase, Tensors, Told } from './training.ts'

/** What a phase is called in the names of its events. */
export const eventNames = { train: 'train', val: 'validation', test: 'test', predict: 'predict' } as const

/** Whether one of the hooks said `skip`. */
export type Skipped = boolean

/** Where hooks log to, and what the step before them returned. */
export interface HookContext {
  readonly scope: LogScope
  readonly size?: number
  readonly outputs?: Tensors | undefined
  readonly batches?: readonly Batch[]
  /** Inside a step, whose logs are not to be counted or dropped yet. */
  readonly within?: boolean
  readonly told?: Partial<Told>
}

/** Runs the hooks of an event in the order they are written in. */
export async function runHooks(
  session: Session,
  event: HookEvent,
  context?: Partial<HookContext>,
): Promise<Skipped> {
  // What was computed outside of steps, such as metrics at the end of an epoch.
  await tellShown(session)
  const hooks = session.training.hooks.filter(({ on }) => 'event' in on && on.event === event)
  const settled = !event.includes('_batch_') && context?.within !== true
  return runEach(session, hooks, { scope: { phase: phaseOf(event) }, ...context }, settled)
}

type Cadence = Extract<HookSpec['on'], { readonly every: number }>

/** Runs the `every` hooks whose clock has passed another multiple of their interval. */
export async function runCadences(session: Session, units: readonly Cadence['unit'][]): Promise<void> {
  const due = session.training.hooks.filter(hook => {
    const { on } = hook
    if (!('every' in on) || !units.includes(on.unit)) return false
    const times = timesPassed(session, hook)
    const before = session.cadences.get(hook) ?? 0
    session.cadences.set(hook, times)
    return times > before
  })
  await runEach(session, due, { scope: { phase: 'train' } }, units.includes('epochs'))
}

/** How many times the clock of an `every` hook has passed its interval by now. */
export function timesPassed(session: Session, { on }: HookSpec): number {
  return 'every' in on ? Math.floor(clockOf(session, on) / on.every) : 0
}

function clockOf(session: Session, { unit, of }: Cadence): number {
  const { clocks, position } = session
  if (unit === 'updates') return clocks.updates(of)
  // The clock still shows the epoch that has just ended.
  return unit === 'epochs' ? clocks.epoch + (position.stage === 'closing' ? 1 : 0) : clocks[unit]
}

/** Outside batches nothing averages what hooks log: it is `settled` at once, and recorded. */
async function runEach(
  session: Session,
  hooks: readonly HookSpec[],
  context: HookContext,
  settled: boolean,
): Promise<Skipped> {
  let skipped = false
  const run = (hook: HookSpec) => part('hooks', () => scoped(() => runHook(session, hook, context)))
  for (const hook of hooks) skipped = (await run(hook)) || skipped
  if (settled && hooks.length > 0) {
    writeRecord(session, 'epoch', context.scope, await session.logbook.close(context.scope))
  }
  return skipped
}

async function runHook(session: Session, hook: HookSpec, context: HookContext): Promise<Skipped> {
  const { scope, size = 1, outputs = {}, batches = [], told = {} } = context
  const key = session.rootKey.at('hook').at(session.training.hooks.indexOf(hook)).at(session.clocks.batches)
  const run = new StepRun(session, {
    scope,
    key,
    size,
    last: true,
    told,
  })
  try {
    if (hook.condition?.(run) === false) return false
    await hook.run(run, outputs, ...batches)
    if (context.within) return false
    commitBuffers(session.buffers)
    await session.logbook.commit()
    return false
  } catch (error) {
    if (!(error instanceof SkipBatch)) throw error
    if (!context.within) session.logbook.drop()
    return true
  } finally {
    await tellShown(session)
    // The step around it goes on with what it has written.
    if (!context.within) dropWrites(session.buffers)
    run.dispose()
  }
}

function phaseOf(event: HookEvent): Phase {
  if (event.startsWith('validation')) return 'val'
  if (event.startsWith('test')) return 'test'
  return event.startsWith('predict') ? 'predict' : 'train'
}
