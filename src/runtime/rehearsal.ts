import * as tf from '@tensorflow/tfjs-core'
import { evaluate, evaluationSteps } from './evaluate.ts'
import { runHooks } from './hooks.ts'
import { Logbook } from './logbook.ts'
import { variableOf } from './model.ts'
import type { Session } from './session.ts'

/** Batches of each validation step that are tried, as in Lightning. */
const usualBatches = 2

/**
 * Tries the validation before there is anything to lose, so that a fault in it is found now and not after an epoch. Its
 * hooks run as well, and nothing of what either does is left behind: logs, `var`s, buffers and patience are as before, and
 * `print`, `call`, `stop` and `checkpoint` do nothing.
 */
export async function rehearse(session: Session): Promise<void> {
  const { sanity = usualBatches } = session.training.trainer
  if (sanity === 0 || evaluationSteps(session, 'val').length === 0) return
  await runHooks(session, 'sanity_check_start')
  await withoutTrace(session, sanity)
  await runHooks(session, 'sanity_check_end')
}

async function withoutTrace(session: Session, batches: number): Promise<void> {
  const logbook = new Logbook()
  const vars = { ...session.training.vars }
  const buffers = [...session.buffers.values()].map(state => ({
    variable: variableOf(state),
    value: tf.keep(tf.clone(variableOf(state))),
  }))
  const isolated: Session = {
    ...session,
    ...{ rehearsal: batches, logbook, records: undefined, folder: undefined, report: () => undefined },
    control: { interrupted: false, failed: undefined, moved: false, end: undefined, checkpoints: [] },
    stalls: new Map(),
    frozen: { now: session.frozen.now, next: new Set(session.frozen.next) },
  }
  try {
    await evaluate(isolated, 'val')
  } finally {
    logbook.dispose()
    Object.assign(session.training.vars ?? {}, vars)
    for (const { variable, value } of buffers) {
      variable.assign(value)
      value.dispose()
    }
    session.clocks.place('val', 0)
    session.clocks.show('train')
  }
}
