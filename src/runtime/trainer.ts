import { RunError } from './errors.ts'
import { evaluate, evaluationSteps } from './evaluate.ts'
import { runCadences, runHooks } from './hooks.ts'
import { closeWindows } from './minimize.ts'
import { breathe, isInterrupted } from './pace.ts'
import { type BatchDone, openPass, type Pass, runBatch, scopeOf } from './passes.ts'
import { writeRecord } from './records.ts'
import { save, saveEpoch, saveWithinEpoch } from './saving.ts'
import type { Session } from './session.ts'
import type { Numbers, StepSpec } from './training.ts'
import { watchValues } from './watch.ts'

/** Training batches between two records of single steps. */
const stepRecordInterval = 50

/** Trains until the program's end, between its hooks. An interrupted run is saved and ends without them. */
export async function fit(session: Session): Promise<void> {
  await runHooks(session, 'fit_start')
  await runHooks(session, 'train_start')
  while (!isOver(session, session.clocks.epoch)) await trainEpoch(session)
  if (isInterrupted(session)) return
  session.control.end ??= { reason: 'finished' }
  await runHooks(session, 'train_end')
  await runHooks(session, 'fit_end')
}

/** Whether no epoch follows where this many have been trained. */
function isOver(session: Session, trained: number): boolean {
  const { epochs } = session.training.trainer
  return (
    session.control.end !== undefined ||
    reachedUpdates(session) ||
    (epochs !== undefined && trained >= epochs)
  )
}

function reachedUpdates({ training, clocks }: Session): boolean {
  const { updates } = training.trainer
  return updates !== undefined && clocks.updates(updates.of) >= updates.count
}

async function trainEpoch(session: Session): Promise<void> {
  const started = session.clocks.seconds
  const updates = session.clocks.updates(session.training.trainer.updates?.of)
  await startEpoch(session)
  for (const [index, step] of trainSteps(session).entries()) await trainPass(session, step, index)
  if (isInterrupted(session)) return saveInterrupted(session)
  // A run that ends by a count of updates must not make more of them.
  if (!reachedUpdates(session)) closeWindows(session)
  checkProgress(session, updates)
  session.position.epoch = session.clocks.epoch + 1
  session.position.pass = 0
  session.position.batch = 0
  await endEpoch(session, started)
}

async function startEpoch(session: Session): Promise<void> {
  const { clocks } = session
  clocks.place('train', 0)
  const batches = trainSteps(session).map(step => openPass(session, step).batches)
  const total = batches.reduce((sum, count) => sum + count, 0)
  session.report({ kind: 'epoch_start', epoch: clocks.epoch, ...epochsOf(session), batches: total })
  if (session.position.batch === 0 && session.position.pass === 0)
    await runHooks(session, 'train_epoch_start')
}

function epochsOf({ training }: Session): { epochs?: number } {
  const { epochs } = training.trainer
  return epochs === undefined ? {} : { epochs }
}

export function trainSteps({ training }: Session): readonly StepSpec[] {
  return training.steps.filter(step => step.phase === 'train')
}

async function trainPass(session: Session, step: StepSpec, number: number): Promise<void> {
  const { position } = session
  if (number < position.pass || session.control.end !== undefined) return
  const pass = openPass(session, step)
  const first = number === position.pass ? position.batch : 0
  session.report({ kind: 'phase_start', ...placeOf(step), batches: pass.batches })
  for (let index = first; index < pass.batches && !endsEarly(session); index++) {
    await trainBatch(session, pass, number, index)
    await saveWithinEpoch(session)
    await breathe(session)
  }
}

function endsEarly(session: Session): boolean {
  return session.control.end !== undefined || reachedUpdates(session)
}

function placeOf(step: StepSpec): { phase: StepSpec['phase']; step?: string } {
  return { phase: step.phase, ...(step.name !== undefined && { step: step.name }) }
}

async function trainBatch(session: Session, pass: Pass, number: number, index: number): Promise<void> {
  const { clocks, position } = session
  session.frozen.now = new Set(session.frozen.next)
  const updates = clocks.updates()
  const trained = await runBatch(session, pass, index, async done => {
    clocks.countBatch(done.examples ?? 0)
    const last = index + 1 === pass.batches
    position.pass = last ? number + 1 : number
    position.batch = last ? 0 : index + 1
    reportStep(session, pass, done)
  })
  if (!trained) clocks.skipped += 1
  await runCadences(session, ['batches', 'updates', 'examples', 'seconds'])
  await validateBetween(session, updates)
}

function reportStep(session: Session, pass: Pass, { logged }: BatchDone): void {
  const clocks = session.clocks.values()
  const { batches, scope, step } = pass
  session.report({ kind: 'step', ...placeOf(step), clocks, batches, values: logged.bar })
  if (clocks.batches % stepRecordInterval === 0) writeRecord(session, 'step', scope, logged.values, clocks)
}

/** Validation that is due every so many updates falls between batches. */
async function validateBetween(session: Session, before: number): Promise<void> {
  const { validate } = session.training.trainer
  if (validate?.unit !== 'updates') return
  const passed = (updates: number) => Math.floor(updates / validate.count)
  if (passed(session.clocks.updates()) > passed(before)) await validateNow(session)
}

async function validateNow(session: Session): Promise<boolean> {
  const done = await evaluate(session, 'val')
  session.clocks.show('train')
  if (done && session.training.trainer.validate?.unit === 'updates') await watchValues(session, ['val'])
  return done
}

async function endEpoch(session: Session, started: number): Promise<void> {
  const values = await closeTraining(session)
  const validated = isDueAfterEpoch(session) && (await validateNow(session))
  if (isInterrupted(session)) return saveInterrupted(session)
  await runHooks(session, 'train_epoch_end')
  const best = await watchValues(session, validated ? ['train', 'val'] : ['train'])
  await runCadences(session, ['epochs'])
  const last = isOver(session, session.clocks.epoch + 1)
  await saveEpoch(session, last)
  const { clocks, logbook } = session
  const seconds = clocks.seconds - started
  const shown = validated ? logbook.finalValues() : values
  const place = { epoch: clocks.epoch, ...epochsOf(session) }
  session.report({ kind: 'epoch_end', ...place, seconds, values: shown, clocks: clocks.values(), best, last })
  clocks.epoch += 1
}

async function closeTraining(session: Session): Promise<Numbers> {
  const values: Record<string, number> = {}
  for (const step of trainSteps(session)) {
    const closed = await session.logbook.close(scopeOf(step))
    writeRecord(session, 'epoch', scopeOf(step), closed)
    Object.assign(values, closed)
  }
  return values
}

/** Unless said otherwise every epoch is validated. */
function isDueAfterEpoch(session: Session): boolean {
  if (evaluationSteps(session, 'val').length === 0) return false
  const { validate } = session.training.trainer
  if (validate === undefined) return true
  return validate.unit === 'epochs' && (session.clocks.epoch + 1) % validate.count === 0
}

async function saveInterrupted(session: Session): Promise<void> {
  await save(session, 'latest', 'interrupted')
}

/** A run that counts updates and makes none would never end. */
function checkProgress(session: Session, before: number): void {
  const { updates, epochs } = session.training.trainer
  const none = updates !== undefined && session.clocks.updates(updates.of) === before
  if (!none || epochs !== undefined || session.control.end !== undefined) return
  throw new RunError({
    code: 'LTM6105',
    message: `a whole epoch made no update${updates.of === undefined ? '' : ` of \`${updates.of}\``}, so the run would never end`,
    help: 'see whether its `minimize` is ever reached, or give `epochs` instead',
  })
}
