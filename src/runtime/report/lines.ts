import type { CheckpointSaved, EpochEnd, RunEnd, RunStart, WarningEvent } from '../events.ts'
import { fitted, formatCount, formatDuration, formatNumber, widthOf } from './format.ts'
import { groupValues, type ValueGroup, withoutElements } from './table.ts'
import { epochsOf, roundStep } from './thinning.ts'

/** What a run says of itself when it starts: what it is, what it learns, and from what. */
export function startLines(event: RunStart, width = Number.POSITIVE_INFINITY): readonly string[] {
  // The parameters that stand in the program itself belong to no model; a model may have none.
  const learning = event.models.filter(model => model.parameters > 0)
  const models = learning.map(model => `${model.name || 'others'} ${formatCount(model.parameters)}`)
  const trained = event.trained === event.parameters ? '' : `, ${formatCount(event.trained)} trained`
  const parameters = `parameters: ${formatCount(event.parameters)}${trained}`
  const parts = models.length > 1 ? ` (${models.join(', ')})` : ''
  return [
    titleLine(event, width),
    ...(event.parameters > 0 ? [`${parameters}${parts}`] : []),
    ...event.data.map(({ name, splits }) => `${name}: ${splitsInWords(splits)}`),
    ...(event.checkpoint === undefined ? [] : [`from checkpoint ${event.checkpoint}`]),
    ...thinningLines(event),
  ]
}

/** What the backend says of itself is left out where there is no room. */
function titleLine({ name, version, mode, backend, device, seed }: RunStart, width: number): string {
  const title = version === undefined ? name : `${name} ${version}`
  const line = (where: string) => `${title} · ${verbs[mode]} on ${where} · seed ${seed}`
  const whole = line(device === '' ? backend : `${backend} (${device})`)
  return widthOf(whole) <= width ? whole : line(backend)
}

function thinningLines(event: RunStart): readonly string[] {
  const step = event.mode === 'train' ? roundStep(epochsOf(event) ?? 1) : 1
  return step === 1 ? [] : [`one line for every ${formatCount(step)} epochs`]
}

const verbs = { train: 'training', validate: 'validating', test: 'testing', predict: 'predicting' } as const

function splitsInWords(splits: Readonly<Record<string, number>>): string {
  return Object.entries(splits)
    .map(([split, count]) => `${formatCount(count)} ${split}`)
    .join(', ')
}

/** `epoch 3/20`, counted from 1. */
export function epochLabel(epoch: number, epochs: number | undefined): string {
  if (epochs === undefined) return `epoch ${epoch + 1}`
  return `epoch ${String(epoch + 1).padStart(String(epochs).length)}/${epochs}`
}

/**
 * An epoch in one line: the values of each phase, how long it took, and whether it is the best so far. Where `width` is
 * short, the values of training go first.
 */
export function epochLine(
  event: EpochEnd,
  prefixes: Iterable<string>,
  width = Number.POSITIVE_INFINITY,
): string {
  const head = epochLabel(event.epoch, event.epochs)
  const tail = [formatDuration(event.seconds), ...(event.best ? ['best'] : [])].join(separator)
  const taken = widthOf(head) + Math.max(widthOf(tail), widestTail) + 2 * separator.length
  const groups = groupValues(event.values, prefixes).map(group => withoutElements(group).numbers)
  const middle = groupsThatFit(
    groups.filter(group => group.values.length > 0),
    width - taken,
  )
  return fitted([head, ...(middle === '' ? [] : [middle]), tail].join(separator), width)
}

/** Room is kept for this, so that an epoch which is the best doesn't look otherwise than the rest. */
const widestTail = widthOf('12.3s · best')

/** All values; else those of the later groups, of which validation is one; else as much as there is room for. */
function groupsThatFit(groups: readonly ValueGroup[], width: number): string {
  const texts = groups.map(({ prefix, values }) => {
    const shown = values.map(([name, value]) => `${name} ${formatNumber(value)}`)
    return `${prefix} ${shown.join(', ')}`
  })
  const choices = texts.map((_, from) => texts.slice(from).join(separator))
  return choices.find(text => widthOf(text) <= width) ?? fitted(choices.at(-1) ?? '', width)
}

const separator = ' · '

/** A warning as the compiler shows its own. */
export function warningLines(event: WarningEvent): readonly string[] {
  return [
    `warning${event.code === undefined ? '' : `[${event.code}]`}: ${event.message}`,
    ...(event.trace === undefined ? [] : [`  --> ${event.trace}`]),
    ...(event.help === undefined ? [] : [`  = help: ${event.help}`]),
  ]
}

/** Checkpoints that the program or the person asked for are told; the trainer's own come with every epoch. */
export function checkpointLines(event: CheckpointSaved): readonly string[] {
  const told: readonly CheckpointSaved['reason'][] = ['asked', 'interrupted', 'failed']
  return told.includes(event.reason) ? [`saved checkpoint ${event.path}`] : []
}

/** How a run ended, and where to go on from. */
export function endLine(event: RunEnd): string {
  const epochs = event.clocks.epoch
  const after =
    event.mode === 'train' && epochs > 0 ? ` after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}` : ''
  const detail = event.detail === undefined ? '' : `: ${event.detail}`
  return `${endings[event.reason]}${after} in ${formatDuration(event.seconds)}${detail}`
}

const endings = {
  finished: 'finished',
  stalled: 'stopped early',
  reached: 'stopped early',
  diverged: 'stopped early',
  stopped: 'stopped',
  interrupted: 'interrupted',
} as const

export function finalCheckpointLines(event: RunEnd): readonly string[] {
  return event.checkpoint === undefined ? [] : [`checkpoint: ${event.checkpoint}`]
}
