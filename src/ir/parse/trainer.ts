import type { HostScope } from '../host.ts'
import type {
  Accumulation,
  Cadence,
  Clip,
  Limit,
  Monitor,
  Phase,
  StopRule,
  TrainerSettings,
  UpdateCount,
} from '../ir.ts'
import { parseExpr } from './expression.ts'
import type { Scanner } from './scanner.ts'

/** The trainer's settings, from behind the word `trainer`. */
export function parseTrainer(s: Scanner, scope: HostScope): TrainerSettings {
  s.expect('{')
  const lengths = {
    ...(s.accept('epochs') ? { epochs: s.number() } : {}),
    ...(s.accept('updates') ? { updates: parseUpdates(s) } : {}),
    ...(s.accept('time') ? { time: s.number() } : {}),
    ...(s.accept('min_epochs') ? { minEpochs: s.number() } : {}),
    ...(s.accept('min_updates') ? { minUpdates: parseUpdates(s) } : {}),
  }
  const seed = parseSetting(s, 'seed')
  const clip = parseClip(s)
  const accumulate = parseAccumulate(s, scope) ?? s.fail('expected `accumulate`')
  const watching = { ...parseKeep(s), ...parseStops(s) }
  const looking = {
    ...(s.accept('validate') ? { validate: parseValidate(s) } : {}),
    ...(s.accept('sanity') ? { sanity: s.number() } : {}),
    ...parseLimits(s),
    ...(s.accept('log_every') ? { logEvery: s.number() } : {}),
  }
  s.expect('nonfinite')
  const nonfinite = s.oneOf(['stop', 'skip', 'continue'])
  s.expect('}')
  return { ...lengths, seed, ...clip, accumulate, ...watching, ...looking, nonfinite }
}

function parseSetting(s: Scanner, word: string): number {
  s.expect(word)
  return s.number()
}

function parseUpdates(s: Scanner): UpdateCount {
  const count = s.number()
  return s.accept('of') ? { count, of: s.name() } : { count }
}

/** `clip norm 1`, where it is. */
export function parseClip(s: Scanner): { readonly clip?: Clip } {
  return s.accept('clip') ? { clip: { kind: s.oneOf(['norm', 'value']), limit: s.number() } } : {}
}

/** `accumulate 4`, or by the epoch, where it is. */
export function parseAccumulate(s: Scanner, scope: HostScope): Accumulation | undefined {
  if (!s.accept('accumulate')) return undefined
  const batches = parseExpr(s, scope)
  return batches.kind === 'number' ? batches.value : batches
}

/** `max val.accuracy`. */
function parseMonitor(s: Scanner): Monitor {
  return { direction: s.oneOf(['min', 'max']), monitor: s.name() }
}

function parseKeep(s: Scanner): Pick<TrainerSettings, 'keep' | 'keepEvery' | 'restore'> {
  const kept: { keep?: TrainerSettings['keep']; every: Cadence[] } = { every: [] }
  while (s.accept('keep')) {
    if (s.accept('every')) kept.every.push(parseCadence(s))
    else kept.keep = { ...parseMonitor(s), count: parseSetting(s, 'count') }
  }
  return {
    ...(kept.keep && { keep: kept.keep }),
    ...(kept.every.length > 0 && { keepEvery: kept.every }),
    ...(s.accept('restore') ? { restore: s.oneOf(['best']) } : {}),
  }
}

function parseStops(s: Scanner): Pick<TrainerSettings, 'stop'> {
  const stop: StopRule[] = []
  while (s.accept('stop')) stop.push(parseStop(s))
  return stop.length === 0 ? {} : { stop }
}

function parseStop(s: Scanner): StopRule {
  const watched = parseMonitor(s)
  const waits = { patience: parseSetting(s, 'patience'), minDelta: parseSetting(s, 'min_delta') }
  const thresholds = {
    ...(s.accept('stopping_threshold') ? { stoppingThreshold: s.number() } : {}),
    ...(s.accept('divergence_threshold') ? { divergenceThreshold: s.number() } : {}),
  }
  const checkFinite = s.accept('check_finite') ? s.oneOf(['true', 'false']) === 'true' : true
  return { ...watched, ...waits, ...thresholds, checkFinite }
}

function parseValidate(s: Scanner): Cadence {
  s.expect('every')
  return parseCadence(s)
}

/** `500 updates of g`. */
function parseCadence(s: Scanner): Cadence {
  const count = s.number()
  const unit = s.oneOf(['epochs', 'batches', 'updates', 'examples', 'seconds'])
  return s.accept('of') ? { count, unit, of: s.name() } : { count, unit }
}

function parseLimits(s: Scanner): Pick<TrainerSettings, 'limits'> {
  const limits: Partial<Record<Phase, Limit>> = {}
  while (s.accept('limit')) {
    const phase = s.oneOf(['train', 'val', 'test', 'predict'])
    limits[phase] = parseLimit(s)
  }
  return Object.keys(limits).length === 0 ? {} : { limits }
}

function parseLimit(s: Scanner): Limit {
  if (s.accept('share')) return { share: s.number() }
  const batches = s.number()
  s.expect('batches')
  return { batches }
}
