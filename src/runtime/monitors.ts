import { RunError } from './errors.ts'
import { evaluationSteps } from './evaluate.ts'
import { batchesPerEpoch } from './horizon.ts'
import type { Session } from './session.ts'
import type { Trace } from './training.ts'

/** What watches a value of validations that never come, since the run is too short for the first of them. */
export function monitorInVain(session: Session): RunError | undefined {
  const { validate, keep, stop = [] } = session.training.trainer
  if (validate === undefined || evaluationSteps(session, 'val').length === 0) return undefined
  const readers = [...(keep === undefined ? [] : [{ ...keep, reader: 'keep' }]), ...stop]
  const watching = readers.find(({ monitor }) => monitor.startsWith('val.'))
  const length = lengthIn(session, validate)
  if (watching === undefined || length >= validate.count) return undefined
  const reader = 'reader' in watching ? watching.reader : 'stop'
  return new RunError({
    code: 'LTM6102',
    message: `\`${reader}\` watches \`${watching.monitor}\`, which never comes: \`validate\` waits for ${validate.count} ${validate.unit}, and the run has ${length}`,
    help: 'validate more often, or train longer',
  })
}

/** What waits for more than the run has, and so never happens, in words. */
export function cadencesInVain(
  session: Session,
): readonly { readonly text: string; readonly trace?: Trace }[] {
  const { training } = session
  const { validate, keepEvery = [] } = training.trainer
  const own = validate === undefined || evaluationSteps(session, 'val').length === 0 ? [] : [validate]
  const hooks = training.hooks.flatMap(({ on, trace }) =>
    'every' in on ? [{ what: 'a hook', cadence: { ...on, count: on.every }, trace }] : [],
  )
  const all = [
    ...own.map(cadence => ({ what: '`validate`', cadence })),
    ...keepEvery.map(cadence => ({ what: '`keep: every(…)`', cadence })),
    ...hooks,
  ]
  return all.flatMap(({ what, cadence, ...place }) => {
    const length = lengthIn(session, cadence)
    const { count, unit } = cadence
    return length >= count
      ? []
      : [
          {
            ...place,
            text: `${what} waits for ${count} ${unit}, and the run has ${length}: it never happens`,
          },
        ]
  })
}

/** How long a run is by a clock, where that is known before it begins. */
function lengthIn(session: Session, { unit, of }: { readonly unit: string; readonly of?: string }): number {
  const { training, clocks } = session
  const { epochs = Number.POSITIVE_INFINITY } = training.trainer
  if (unit === 'batches' && training.trainer.updates === undefined) return epochs * batchesPerEpoch(session)
  const [first] = training.optimizers
  if (unit === 'updates' && (of === undefined || of === first?.spec.name)) return clocks.totalUpdates
  return Number.POSITIVE_INFINITY
}
