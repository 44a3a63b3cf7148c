import { eventNames, runHooks } from './hooks.ts'
import { breathe, isInterrupted } from './pace.ts'
import { hasData, openPass, runBatch } from './passes.ts'
import { writeRecord } from './records.ts'
import type { Session } from './session.ts'
import type { StepSpec } from './training.ts'

/** Runs the `val` or `test` steps over their data; false where there are none, or where the run was interrupted. */
export async function evaluate(session: Session, phase: 'val' | 'test'): Promise<boolean> {
  const steps = evaluationSteps(session, phase)
  if (steps.length === 0) return false
  const event = eventNames[phase]
  session.clocks.place(phase, 0)
  await runHooks(session, `${event}_start`)
  await runHooks(session, `${event}_epoch_start`)
  for (const step of steps) await evaluateStep(session, step)
  if (isInterrupted(session)) return false
  await runHooks(session, `${event}_epoch_end`)
  await runHooks(session, `${event}_end`)
  return true
}

/** The steps of a phase that have something to run on: a split may have been given no share. */
export function evaluationSteps(session: Session, phase: 'val' | 'test'): readonly StepSpec[] {
  return session.training.steps.filter(step => step.phase === phase && hasData(session, step))
}

async function evaluateStep(session: Session, step: StepSpec): Promise<void> {
  const started = session.clocks.seconds
  const pass = openPass(session, step)
  const { scope, batches } = pass
  const place = { phase: step.phase, ...(step.name !== undefined && { step: step.name }) }
  session.report({ kind: 'phase_start', ...place, batches })
  for (let index = 0; index < batches && !isInterrupted(session); index++) {
    await runBatch(session, pass, index, async ({ logged }) => {
      session.report({ kind: 'step', ...place, clocks: session.clocks.values(), batches, values: logged.bar })
    })
    await breathe(session)
  }
  if (isInterrupted(session)) return session.logbook.abandon(scope)
  writeRecord(session, 'epoch', scope, await session.logbook.close(scope))
  session.report({ kind: 'phase_end', ...place, seconds: session.clocks.seconds - started })
}
