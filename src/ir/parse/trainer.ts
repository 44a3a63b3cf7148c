import type { TrainerSettings } from '../ir.ts'
import { parseMonitor } from './declarations.ts'
import type { Scanner } from './scanner.ts'

/** The trainer's settings, from behind the word `trainer`. */
export function parseTrainer(s: Scanner): TrainerSettings {
  s.expect('{')
  const limits = {
    ...(s.accept('epochs') ? { epochs: s.number() } : {}),
    ...(s.accept('updates') ? { updates: parseUpdates(s) } : {}),
  }
  const seed = parseSetting(s, 'seed')
  const clip = s.accept('clip') ? { clip: { kind: s.oneOf(['norm', 'value']), limit: s.number() } } : {}
  const accumulate = parseSetting(s, 'accumulate')
  const watching = { ...parseKeep(s), ...parseStop(s), ...parseValidate(s) }
  s.expect('nonfinite')
  const nonfinite = s.oneOf(['stop', 'skip', 'continue'])
  s.expect('}')
  return { ...limits, seed, ...clip, accumulate, ...watching, nonfinite }
}

function parseSetting(s: Scanner, word: string): number {
  s.expect(word)
  return s.number()
}

function parseUpdates(s: Scanner): NonNullable<TrainerSettings['updates']> {
  const count = s.number()
  return s.accept('of') ? { count, of: s.name() } : { count }
}

function parseKeep(s: Scanner): Pick<TrainerSettings, 'keep'> {
  if (!s.accept('keep')) return {}
  return { keep: { ...parseMonitor(s), count: parseSetting(s, 'count') } }
}

function parseStop(s: Scanner): Pick<TrainerSettings, 'stop'> {
  if (!s.accept('stop')) return {}
  const watched = parseMonitor(s)
  return {
    stop: { ...watched, patience: parseSetting(s, 'patience'), minDelta: parseSetting(s, 'min_delta') },
  }
}

function parseValidate(s: Scanner): Pick<TrainerSettings, 'validate'> {
  if (!s.accept('validate')) return {}
  s.expect('every')
  return { validate: { count: s.number(), unit: s.oneOf(['epochs', 'updates']) } }
}
