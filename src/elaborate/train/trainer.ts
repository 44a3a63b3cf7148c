import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import type { Phase, TrainerSettings } from '../../ir/ir.ts'
import type { Expr, Trainer } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { knownNumber } from '../values.ts'
import { cadenceOf, epochsOf, lengthOf, type Said, timeOf, updatesOf, wanted } from './lengths.ts'
import { limitOf } from './limits.ts'
import { checkReach } from './reach.ts'
import { keepOf, restoreOf, stopOf } from './stopping.ts'
import type { Training } from './training.ts'
import { accumulationOf, clipOf } from './updating.ts'

type Setter = (training: Training, node: Expr) => Said

/** Every setting of `trainer`, each read by its own rule. */
const setters: Readonly<Record<string, Setter>> = {
  epochs: (training, node) => said('epochs', epochsOf(training, node, 'epochs')),
  updates: (training, node) => said('updates', updatesOf(training, node, 'updates')),
  time: (training, node) => said('time', timeOf(training, node)),
  run: lengthOf,
  min_epochs: (training, node) => said('minEpochs', epochsOf(training, node, 'min_epochs')),
  min_updates: (training, node) => said('minUpdates', updatesOf(training, node, 'min_updates')),
  seed: ({ ctx }, node) => said('seed', whole(ctx, node, 'seed', 0)),
  accumulate: ({ ctx }, node) => said('accumulate', accumulationOf(ctx, node)),
  clip: ({ ctx }, node) => said('clip', clipOf(ctx, node)),
  keep: keepOf,
  restore: restoreOf,
  stop: stopOf,
  validate: (training, node) => said('validate', cadenceOf(training, node, 'validate')),
  sanity: ({ ctx }, node) => said('sanity', whole(ctx, node, 'sanity', 0)),
  limit_train: limitOn('train'),
  limit_val: limitOn('val'),
  limit_test: limitOn('test'),
  limit_predict: limitOn('predict'),
  log_every: ({ ctx }, node) => said('logEvery', whole(ctx, node, 'log_every', 1)),
  nonfinite: ({ ctx }, node) => {
    const word = node.kind === 'Name' ? node.text : ''
    if (word === 'stop' || word === 'skip' || word === 'continue') return { nonfinite: word }
    complain(ctx, 'LTM4202', node.span, { key: 'nonfinite', wanted: '`stop`, `skip` or `continue`' })
    return {}
  },
  precision: ({ ctx }, node) => {
    if (node.kind !== 'Name' || node.text !== 'f32')
      complain(ctx, 'LTM4507', node.span, { precision: textOf(node.span) })
    return {}
  },
}

function said<K extends keyof TrainerSettings>(key: K, value: TrainerSettings[K] | undefined): Said {
  return value === undefined ? {} : { [key]: value }
}

function limitOn(phase: Phase): Setter {
  return (training, node) => {
    const limit = limitOf(training, node, phase)
    return limit ? { limits: { [phase]: limit } } : {}
  }
}

/** Settings that say when a training ends. */
const lengths = ['epochs', 'updates', 'time', 'run']

export function elaborateTrainer(
  training: Training,
  node: Trainer | undefined,
  /** The `train` whose end is to be said; undefined where it trains nothing. */
  trains: Span | undefined,
): TrainerSettings {
  let settings: TrainerSettings = { seed: 1, accumulate: 1, nonfinite: 'stop' }
  const written = new Map<string, Span>()
  const understood = new Map<string, Span>()
  const failed = new Set<string>()
  let unread = false
  for (const { name, value } of node?.settings.fields ?? []) {
    const key = name.text
    // What could not be read has been reported.
    if (key === '' || value.kind === 'ErrorExpr') {
      unread = true
      continue
    }
    checkRepeated(training.ctx, key, name.span, written.get(key))
    written.set(key, name.span)
    const setter = Object.hasOwn(setters, key) ? setters[key] : undefined
    if (!setter) {
      complain(training.ctx, 'LTM4201', name.span, { key, near: nearest(key, Object.keys(setters)) })
      continue
    }
    const { reported } = training.ctx.world
    const before = reported.count
    const more = setter(training, value)
    if (reported.count > before) failed.add(key)
    settings = merged(settings, more)
    if (Object.keys(more).length > 0) understood.set(key, name.span)
  }
  // What is misspelt may have been meant to say it.
  const misspelt = [...written.keys()].some(key => !Object.hasOwn(setters, key))
  const says = misspelt || lengths.some(key => written.has(key))
  if (trains && !says && !unread) complain(training.ctx, 'LTM4203', node?.span ?? trains, undefined)
  const restore = understood.get('restore')
  const saysBest = settings.keep !== undefined || failed.has('keep') || misspelt
  if (restore && !saysBest) complain(training.ctx, 'LTM4207', restore, {})
  checkReach(training, settings, understood)
  return settings
}

/** Each phase has its limit in a setting of its own. */
function merged(before: TrainerSettings, more: Said): TrainerSettings {
  const limits = more.limits && { limits: { ...before.limits, ...more.limits } }
  return { ...before, ...more, ...limits }
}

function checkRepeated(ctx: Context, key: string, span: Span, before: Span | undefined): void {
  if (!before) return
  const labels = [{ span: before, text: 'the other one' }]
  complain(ctx, 'LTM3002', span, { name: key, what: '`trainer`' }, { labels })
}

function whole(ctx: Context, node: Expr, key: string, least: number): number | undefined {
  const value = expression(ctx, node)
  const count =
    value.kind === 'int'
      ? knownNumber(value)
      : value.kind === 'duration' && value.unit === 'batches' && key !== 'seed'
        ? value.count
        : undefined
  if (count !== undefined && Number.isInteger(count) && count >= least) return count
  wanted(ctx, node, key, `a whole number, ${least} or more`, value)
  return undefined
}
