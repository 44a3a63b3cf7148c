import type { HostScope } from '../host.ts'
import type {
  Accumulation,
  Cadence,
  Clip,
  Limit,
  Monitor,
  StopRule,
  TrainerSettings,
  UpdateCount,
} from '../ir.ts'
import { printExpr } from './expression.ts'
import { indent, type Line, line } from './lines.ts'
import { printName, printNumber } from './names.ts'

/** How long it trains, what it looks at on the way, and what it keeps. */
export function trainerLines(trainer: TrainerSettings, scope: HostScope): readonly Line[] {
  const settings = [
    ...setting(trainer.epochs, count => `epochs ${printNumber(count)}`),
    ...setting(trainer.updates, updates => `updates ${countText(updates)}`),
    ...setting(trainer.time, seconds => `time ${printNumber(seconds)}`),
    ...setting(trainer.minEpochs, count => `min_epochs ${printNumber(count)}`),
    ...setting(trainer.minUpdates, updates => `min_updates ${countText(updates)}`),
    line(`seed ${printNumber(trainer.seed)}`),
    ...setting(trainer.clip, clipText),
    line(accumulateText(trainer.accumulate, scope)),
    ...setting(trainer.keep, keep => `keep ${monitorText(keep)} count ${printNumber(keep.count)}`),
    ...(trainer.keepEvery ?? []).map(cadence => line(`keep ${everyText(cadence)}`)),
    ...setting(trainer.restore, which => `restore ${which}`),
    ...(trainer.stop ?? []).map(rule => line(stopText(rule))),
    ...setting(trainer.validate, cadence => `validate ${everyText(cadence)}`),
    ...setting(trainer.sanity, batches => `sanity ${printNumber(batches)}`),
    ...Object.entries(trainer.limits ?? {}).map(([phase, limit]) => line(limitText(phase, limit))),
    ...setting(trainer.logEvery, batches => `log_every ${printNumber(batches)}`),
    line(`nonfinite ${trainer.nonfinite}`),
  ]
  return [line('trainer {'), ...indent(settings), line('}')]
}

/** The line of a setting that is there. */
export function setting<T>(value: T | undefined, text: (value: T) => string): readonly Line[] {
  return value === undefined ? [] : [line(text(value))]
}

export function clipText({ kind, limit }: Clip): string {
  return `clip ${kind} ${printNumber(limit)}`
}

export function accumulateText(batches: Accumulation, scope: HostScope): string {
  return `accumulate ${typeof batches === 'number' ? printNumber(batches) : printExpr(batches, scope)}`
}

function countText({ count, of }: UpdateCount): string {
  return of === undefined ? printNumber(count) : `${printNumber(count)} of ${printName(of)}`
}

function monitorText({ direction, monitor }: Monitor): string {
  return `${direction} ${printName(monitor)}`
}

function stopText(rule: StopRule): string {
  const { patience, minDelta, stoppingThreshold, divergenceThreshold, checkFinite } = rule
  const thresholds = [
    ...(stoppingThreshold === undefined ? [] : [` stopping_threshold ${printNumber(stoppingThreshold)}`]),
    ...(divergenceThreshold === undefined
      ? []
      : [` divergence_threshold ${printNumber(divergenceThreshold)}`]),
    ...(checkFinite ? [] : [' check_finite false']),
  ]
  const waits = `patience ${printNumber(patience)} min_delta ${printNumber(minDelta)}`
  return `stop ${monitorText(rule)} ${waits}${thresholds.join('')}`
}

function everyText({ count, unit, of }: Cadence): string {
  const updates = of === undefined ? '' : ` of ${printName(of)}`
  return `every ${printNumber(count)} ${unit}${updates}`
}

function limitText(phase: string, limit: Limit): string {
  const text =
    'batches' in limit ? `${printNumber(limit.batches)} batches` : `share ${printNumber(limit.share)}`
  return `limit ${phase} ${text}`
}
