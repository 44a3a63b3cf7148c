import { takeBest } from './bestWeights.ts'
import { clockReadings, isDueAfterEpoch, isValidationDue } from './cadences.ts'
import { hasEnded } from './ends.ts'
import { RunError } from './errors.ts'
import { evaluate } from './evaluate.ts'
import { runCadences, runHooks } from './hooks.ts'
import { batchesPerEpoch, trainSteps } from './horizon.ts'
import { closeWindows } from './minimize.ts'
import { breathe, isInterrupted } from './pace.ts'
import { type BatchDone, openPass, type Pass, reportStep, runBatch, scopeOf, stepPlace } from './passes.ts'
import { writeRecord } from './records.ts'
import { rehearse } from './rehearsal.ts'
import { rest, restAfterEpoch, restInterrupted, restWithinEpoch } from './saving.ts'
import type { Session } from './session.ts'
import { takeCut } from './snapshot.ts'
import type { Numbers, StepSpec } from './training.ts'
import { watchValues } from './watch.ts'

/** Training batches between two records of single steps, as in Lightning. */
const usualRecordInterval = 50

/**
 * Trains until the program's end, between its hooks. An interrupted run is saved and ends without them. One that goes on
 * from a checkpoint begins at its position, and runs no hook twice.
 */
export async function fit(session: Session): Promise<void> {
  const { position, control } = session
  const restoring = session.training.trainer.restore === 'best'
  if (position.stage === 'ended') return void (restoring && (await takeBest(session)))
  if (position.stage === 'start') {
    await runHooks(session, 'fit_start')
    await rehearse(session)
    await runHooks(session, 'train_start')
    position.stage = 'batches'
  }
  while (isWithinEpoch(session) || !isOver(session, session.clocks.epoch)) {
    await trainEpoch(session)
    if (isInterrupted(session)) return restInterrupted(session)
  }
  // A run that goes on from the end of another has saved nothing of its own so far.
  if (session.saves.count === 0) await rest(session, 'latest')
  control.end ??= { reason: 'finished' }
  if (restoring) await takeBest(session)
  await runHooks(session, 'train_end')
  await runHooks(session, 'fit_end')
  position.stage = 'ended'
  await rest(session)
}

function isWithinEpoch({ position }: Session): boolean {
  return position.stage === 'closing' || position.pass > 0 || position.batch > 0
}

/** Whether no epoch follows where this many have been trained. */
function isOver(session: Session, trained: number): boolean {
  const { epochs } = session.training.trainer
  return session.control.end !== undefined || hasEnded(session) || (epochs !== undefined && trained >= epochs)
}

async function trainEpoch(session: Session): Promise<void> {
  await startEpoch(session)
  if (session.position.stage === 'batches') await trainBatches(session)
  if (!isInterrupted(session)) await endEpoch(session)
}

async function trainBatches(session: Session): Promise<void> {
  const { position } = session
  if (position.evaluation !== undefined) await validateBetween(session)
  for (const [index, step] of trainSteps(session).entries()) await trainPass(session, step, index)
  if (isInterrupted(session)) return
  // A run that ends by a count of updates must not make more of them.
  if (!hasEnded(session)) await endWindows(session)
  else if (isCutShort(session)) session.cut = await takeCut(session)
  checkProgress(session)
  await closeTraining(session)
  position.stage = 'closing'
}

/** Whether a run with a later end would do more in this epoch before it closes. */
function isCutShort(session: Session): boolean {
  const { position, control, optimizers } = session
  if (control.end !== undefined) return false
  const hasOpen = [...optimizers.values()].some(({ windows }) => windows.contents().length > 0)
  return hasOpen || position.pass < trainSteps(session).length
}

/** Their hooks run as those within a step do: what they log counts with the epoch. */
async function endWindows(session: Session): Promise<void> {
  await closeWindows(session, (event, told) => runHooks(session, event, { told, within: true }))
  await session.logbook.commit()
}

async function startEpoch(session: Session): Promise<void> {
  const { clocks, position } = session
  const fresh = !isWithinEpoch(session)
  if (fresh) {
    clocks.place('train', 0)
    const updates = clocks.updates(session.training.trainer.updates?.of)
    position.begun = { seconds: clocks.seconds, updates }
  } else clocks.show('train')
  const batches = batchesPerEpoch(session)
  session.report({ kind: 'epoch_start', epoch: clocks.epoch, ...epochsOf(session), batches })
  if (fresh) await runHooks(session, 'train_epoch_start')
}

function epochsOf({ training }: Session): { epochs?: number } {
  const { epochs } = training.trainer
  return epochs === undefined ? {} : { epochs }
}

async function trainPass(session: Session, step: StepSpec, number: number): Promise<void> {
  const { position } = session
  if (number < position.pass || endsEarly(session)) return
  const pass = openPass(session, step)
  const first = number === position.pass ? position.batch : 0
  session.report({ kind: 'phase_start', ...stepPlace(step), batches: pass.batches })
  for (let index = first; index < pass.batches && !endsEarly(session); index++) {
    await trainBatch(session, pass, number, index)
    await breathe(session)
  }
}

function endsEarly(session: Session): boolean {
  return session.control.end !== undefined || isInterrupted(session) || hasEnded(session)
}

async function trainBatch(session: Session, pass: Pass, number: number, index: number): Promise<void> {
  const { clocks } = session
  session.frozen.now = new Set(session.frozen.next)
  const before = clockReadings(session)
  const trained = await runBatch(session, pass, index, async done => {
    clocks.countBatch(done.examples ?? 0)
    passBatch(session, pass, number, index)
    await recordStep(session, pass, done)
  })
  if (!trained) {
    clocks.skipped += 1
    passBatch(session, pass, number, index)
  }
  await runCadences(session, ['batches', 'updates', 'examples', 'seconds'])
  if (isValidationDue(session, before)) await validateBetween(session)
  else await restWithinEpoch(session)
}

/** A run that goes on from here starts with the batch after. */
function passBatch({ position }: Session, pass: Pass, number: number, index: number): void {
  const last = index + 1 === pass.batches
  position.pass = last ? number + 1 : number
  position.batch = last ? 0 : index + 1
}

/** Tells of a batch; of every so many there is a record. */
async function recordStep(session: Session, pass: Pass, { logged }: BatchDone): Promise<void> {
  const clocks = await reportStep(session, pass, logged)
  const { logEvery = usualRecordInterval } = session.training.trainer
  if (clocks.batches % logEvery === 0) writeRecord(session, 'step', pass.scope, logged.values, clocks)
}

async function validateBetween(session: Session): Promise<void> {
  if (await validateNow(session)) watchValues(session, ['val'])
  if (!isInterrupted(session)) await restWithinEpoch(session)
}

/** Goes on with the validation that the position tells of. */
async function validateNow(session: Session): Promise<boolean> {
  const { position, clocks } = session
  position.evaluation ??= { step: 0, batch: 0 }
  const done = await evaluate(session, 'val', position.evaluation)
  if (isInterrupted(session)) return false
  position.evaluation = undefined
  position.validated = clocks.seconds
  clocks.show('train')
  return done
}

async function endEpoch(session: Session): Promise<void> {
  const { clocks, logbook, position } = session
  const validated = isDueAfterEpoch(session) && (await validateNow(session))
  if (isInterrupted(session)) return
  await runHooks(session, 'train_epoch_end')
  const best = watchValues(session, validated ? ['train', 'val'] : ['train'])
  await runCadences(session, ['epochs'])
  const last = isOver(session, clocks.epoch + 1)
  const { seconds: started } = position.begun
  Object.assign(position, { stage: 'batches', epoch: clocks.epoch + 1, pass: 0, batch: 0 })
  await restAfterEpoch(session, last)
  const seconds = clocks.seconds - started
  const values = position.validated > started ? logbook.finalValues() : ofTraining(logbook.finalValues())
  const place = { epoch: clocks.epoch, ...epochsOf(session) }
  session.report({ kind: 'epoch_end', ...place, seconds, values, clocks: clocks.values(), best, last })
  clocks.epoch += 1
}

async function closeTraining(session: Session): Promise<void> {
  for (const step of trainSteps(session))
    writeRecord(session, 'epoch', scopeOf(step), await session.logbook.close(scopeOf(step)))
}

function ofTraining(values: Numbers): Numbers {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith('train.')))
}

/** A run that counts updates and makes none would never end. */
function checkProgress(session: Session): void {
  const { updates, epochs } = session.training.trainer
  const none = updates !== undefined && session.clocks.updates(updates.of) === session.position.begun.updates
  if (!none || epochs !== undefined || session.control.end !== undefined) return
  throw new RunError({
    code: 'LTM6105',
    message: `a whole epoch made no update${updates.of === undefined ? '' : ` of \`${updates.of}\``}, so the run would never end`,
    help: 'see whether its `minimize` is ever reached, or give `epochs` instead',
  })
}
