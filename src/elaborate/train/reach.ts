import type { Span } from '../../base/source.ts'
import type { Cadence, Phase, TrainerSettings, UpdateCount } from '../../ir/ir.ts'
import { complain } from '../context.ts'
import { countText } from '../durations.ts'
import type { Training } from './training.ts'

/** Where each setting of the trainer is written, if it says something. */
type Places = ReadonlyMap<string, Span>

/** Settings that can't meet: an end before what should come first, values that nobody makes, phases without steps. */
export function checkReach(training: Training, settings: TrainerSettings, places: Places): void {
  checkLeast(training, settings, places)
  checkPhases(training, places)
  const blind = blindness(settings, places)
  const reader = training.readings.find(({ reader, name }) => reader === 'trainer' && isOf('val', name))
  if (blind && reader) {
    const labels = [{ span: blind.span, text: blind.reason }]
    complain(training.ctx, 'LTM4206', reader.span, { name: reader.name }, { labels })
  }
  const validation = reader ? [] : validates(settings, places)
  for (const cadence of [...validation, ...training.cadences])
    if (isBeyond(settings, cadence))
      complain(training.ctx, 'LTM4205', cadence.span, {
        waits: durationText(cadence),
        ends: endText(settings, cadence),
      })
}

const isOf = (phase: Phase, name: string): boolean => name.startsWith(`${phase}.`)

/** A cadence, and where it is written. */
type Placed = Cadence & { readonly span: Span }

function validates({ validate }: TrainerSettings, places: Places): readonly Placed[] {
  const span = places.get('validate')
  return validate && span ? [{ ...validate, span }] : []
}

/** Why no validation ever comes to its end. */
function blindness(settings: TrainerSettings, places: Places) {
  const limited = settings.limits?.val
  const limit = places.get('limit_val')
  if (limit && limited && 'batches' in limited && limited.batches === 0)
    return { span: limit, reason: 'no batch is validated' }
  const [cadence] = validates(settings, places)
  if (!cadence || !isBeyond(settings, cadence)) return undefined
  return { span: cadence.span, reason: `the run ends after ${endText(settings, cadence)}` }
}

/** Whether the run is over before a cadence has come round once, as far as they count the same. */
function isBeyond({ epochs, updates, time }: TrainerSettings, { unit, count, of }: Cadence): boolean {
  if (unit === 'epochs') return epochs !== undefined && count > epochs
  if (unit === 'seconds') return time !== undefined && count > time
  return unit === 'updates' && updates !== undefined && updates.of === of && count > updates.count
}

function endText({ epochs, updates, time }: TrainerSettings, { unit }: Cadence): string {
  if (unit === 'epochs') return durationText({ unit, count: epochs ?? 0 })
  if (unit === 'seconds') return durationText({ unit, count: time ?? 0 })
  return durationText({ unit, count: 0, ...updates })
}

function durationText({ count, unit, of }: Cadence): string {
  return `${countText(count, unit)}${of === undefined ? '' : ` of ${of}`}`
}

/** A run that must not stop before an epoch that it never gets to. */
function checkLeast(training: Training, settings: TrainerSettings, places: Places): void {
  const { epochs, minEpochs, updates, minUpdates } = settings
  if (epochs !== undefined && minEpochs !== undefined && minEpochs > epochs)
    tooMany(training, places.get('min_epochs'), 'min_epochs', { count: minEpochs }, { count: epochs })
  if (updates && minUpdates && updates.of === minUpdates.of && minUpdates.count > updates.count)
    tooMany(training, places.get('min_updates'), 'min_updates', minUpdates, updates)
}

function tooMany(
  { ctx }: Training,
  span: Span | undefined,
  key: string,
  least: UpdateCount,
  most: UpdateCount,
): void {
  const unit = key === 'min_epochs' ? 'epochs' : 'updates'
  if (span) complain(ctx, 'LTM4204', span, { key, least: least.count, ends: countText(most.count, unit) })
}

/** Settings that speak of a phase. */
const phaseOf: Readonly<Record<string, Phase>> = {
  validate: 'val',
  sanity: 'val',
  limit_val: 'val',
  limit_test: 'test',
  limit_predict: 'predict',
}

function checkPhases({ ctx, phases }: Training, places: Places): void {
  for (const [key, phase] of Object.entries(phaseOf)) {
    const span = places.get(key)
    if (span && !phases.has(phase)) complain(ctx, 'LTM4208', span, { key, phase })
  }
}
