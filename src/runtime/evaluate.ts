import { eventNames, runHooks } from './hooks.ts'
import { isLeftOut } from './limits.ts'
import { breathe, isInterrupted } from './pace.ts'
import { hasData, openPass, reportStep, runBatch, stepPlace } from './passes.ts'
import { writeRecord } from './records.ts'
import { restWithinEpoch } from './saving.ts'
import type { Cursor, Session } from './session.ts'
import type { StepSpec } from './training.ts'

/**
 * Runs the `val` or `test` steps over their data; false where there are none, or where the run was interrupted. With a
 * `cursor` it goes on from there, and the run can be saved between its batches.
 */
export async function evaluate(session: Session, phase: 'val' | 'test', cursor?: Cursor): Promise<boolean> {
  const steps = evaluationSteps(session, phase)
  if (steps.length === 0) return false
  const event = eventNames[phase]
  const { step: first, batch } = cursor ?? { step: 0, batch: 0 }
  if (first > 0 || batch > 0) session.clocks.show(phase)
  else {
    session.clocks.place(phase, 0)
    await runHooks(session, `${event}_start`)
    await runHooks(session, `${event}_epoch_start`)
  }
  for (const [index, step] of steps.entries()) {
    if (index < first || isInterrupted(session)) continue
    const start = index === first ? batch : 0
    if (cursor !== undefined) Object.assign(cursor, { step: index, batch: start } satisfies Cursor)
    await evaluateStep(session, step, start, cursor)
  }
  if (isInterrupted(session)) return false
  await runHooks(session, `${event}_epoch_end`)
  await runHooks(session, `${event}_end`)
  return true
}

/** The steps of a phase that have something to run on: a split may have been given no share. */
export function evaluationSteps(session: Session, phase: 'val' | 'test'): readonly StepSpec[] {
  const { steps, trainer } = session.training
  return steps.filter(
    step => step.phase === phase && !isLeftOut(trainer.limits, step) && hasData(session, step),
  )
}

async function evaluateStep(
  session: Session,
  step: StepSpec,
  first: number,
  cursor: Cursor | undefined,
): Promise<void> {
  const started = session.clocks.seconds
  const pass = openPass(session, step)
  const { scope, batches } = pass
  const place = stepPlace(step)
  session.report({ kind: 'phase_start', ...place, batches })
  for (let index = first; index < batches && !isInterrupted(session); index++) {
    await runBatch(session, pass, index, async ({ logged }) => {
      await reportStep(session, pass, logged)
    })
    if (cursor !== undefined) {
      cursor.batch = index + 1
      await restWithinEpoch(session)
    }
    await breathe(session)
  }
  if (isInterrupted(session)) return
  writeRecord(session, 'epoch', scope, await session.logbook.close(scope))
  session.report({ kind: 'phase_end', ...place, seconds: session.clocks.seconds - started })
}
