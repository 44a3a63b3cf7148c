import type { Limit, Limits, Phase, TrainerOptions, Training } from './training.ts'

/** Batches as they are typed: a whole number, 1 or more. */
export function batchesIn(text: string): number | undefined {
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}

/** A limit as it is typed: batches, or a share of them, which has a dot or an exponent. */
export function limitIn(text: string): Limit | undefined {
  const share = Number(text)
  if (/[.e]/.test(text)) return share > 0 && share <= 1 ? { share } : undefined
  const batches = batchesIn(text)
  return batches === undefined ? undefined : { batches }
}

/** What a person asks of one run beside what the program says. */
export interface Trials {
  /** So many batches of each phase and one epoch of them, of which nothing is kept: whether the program runs at all. */
  readonly fastDevRun?: number | undefined
  /** Trains on so many batches over and over, in the order of the data: whether the model can learn them. */
  readonly overfit?: number | undefined
  /** What each phase sees of its data, as the settings `limit_…` say it. */
  readonly limit?: Limit | undefined
}

/** The training as one run tries it, and whether it keeps what it makes. */
export function tried(
  training: Training,
  { fastDevRun, overfit, limit }: Trials,
): { readonly training: Training; readonly keeps: boolean } {
  const cut = [
    ...(limit === undefined ? [] : [limitAll(limit)]),
    ...(overfit === undefined ? [] : [limitSome(['train', 'val'], { batches: overfit })]),
    ...(fastDevRun === undefined ? [] : [limitAll({ batches: fastDevRun })]),
  ]
  if (cut.length === 0) return { training, keeps: true }
  const limits: Limits = Object.fromEntries(
    [training.trainer.limits ?? {}, ...cut].flatMap(Object.entries<Limit>),
  )
  const own = fastDevRun === undefined ? training.trainer : once(training.trainer)
  const data =
    overfit === undefined ? training.data : training.data.map(spec => ({ ...spec, shuffle: false }))
  return {
    training: { ...training, data, trainer: { ...own, limits } },
    keeps: fastDevRun === undefined,
  }
}

/** One epoch, with nothing that could end or keep it. */
function once({ seed, clip, accumulate, logEvery, nonfinite }: TrainerOptions): TrainerOptions {
  const kept = { seed, accumulate, nonfinite, epochs: 1, sanity: 0 }
  return { ...kept, ...(clip && { clip }), ...(logEvery !== undefined && { logEvery }) }
}

const phases: readonly Phase[] = ['train', 'val', 'test', 'predict']

const limitAll = (limit: Limit): Limits => limitSome(phases, limit)

function limitSome(some: readonly Phase[], limit: Limit): Limits {
  return Object.fromEntries(some.map(phase => [phase, limit]))
}
