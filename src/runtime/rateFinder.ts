import { RunError } from './errors.ts'
import type { Reporter } from './events.ts'
import { train } from './program.ts'
import type { RunOptions } from './start.ts'
import type {
  Clocks,
  Numbers,
  OptimizerGroupSpec,
  OptimizerHolder,
  OptimizerSpec,
  Training,
} from './training.ts'

/** How learning rates are tried: `steps` of them from `from` to `to`, each the same factor from the last. */
export interface RateSearch {
  /** The hyper that holds the learning rate. */
  readonly hyper: string
  readonly from: number
  readonly to: number
  readonly steps: number
  /** The search ends where the smoothed loss is so many times its least. */
  readonly stopAt: number
}

/** A rate, the loss of the batch before it moved anything, and the loss as smoothed over the batches so far. */
export interface RateTrial {
  readonly rate: number
  readonly loss: number
  readonly smoothed: number
}

export interface RatesFound {
  readonly trials: readonly RateTrial[]
  /** Where the smoothed loss falls fastest on a logarithmic scale; absent where it falls nowhere. */
  readonly suggestion: number | undefined
  readonly end: 'tried all' | 'diverged' | 'not finite'
}

/** Weight of what was before, in the mean of the losses: as in fastai and Lightning. */
const momentum = 0.98
/** Trials at the start and at the end that the suggestion doesn't look at. */
const skipped = { first: 10, last: 1 }

/**
 * The range test of learning rates (Smith 2015): a short training whose rate grows from batch to batch. It keeps nothing:
 * no folder, no checkpoint, no hooks of the program.
 */
export async function findRate(
  training: Training,
  search: RateSearch,
  options: RunOptions,
): Promise<RatesFound> {
  const { hyper } = search
  const before = training.settings[hyper]
  const trials: RateTrial[] = []
  const rateOf = (trial: number) => search.from * (search.to / search.from) ** (trial / search.steps)
  let mean = 0
  let least = Number.POSITIVE_INFINITY
  let end: RatesFound['end'] = 'tried all'
  const reporter: Reporter = event => {
    if (event.kind === 'step' && event.phase === 'train') {
      const loss = lossIn(event.values)
      const n = trials.length
      mean = momentum * mean + (1 - momentum) * loss
      const smoothed = mean / (1 - momentum ** (n + 1))
      trials.push({ rate: rateOf(n), loss, smoothed })
      if (n > 0 && smoothed > search.stopAt * least) end = 'diverged'
      least = Math.min(least, smoothed)
    }
  }
  const rate = () => rateOf(trials.length)
  const restore = withoutSchedules(training, rate)
  try {
    const tried = withRates(training, search, rate, () => end === 'diverged')
    await train(tried, { ...options, runs: false, reporter })
  } catch (error) {
    if (!(error instanceof RunError) || error.code !== 'LTM6101') throw error
    end = 'not finite'
  } finally {
    restore()
    if (before !== undefined) Object.assign(training.settings, { [hyper]: before })
  }
  return { trials, suggestion: steepest(trials), end }
}

function lossIn(values: Numbers): number {
  return values.loss ?? Object.values(values)[0] ?? Number.NaN
}

/** The program as the search trains it. */
function withRates(
  training: Training,
  { hyper, steps }: RateSearch,
  rate: () => number,
  isOver: () => boolean,
): Training {
  const trace = training.file
  return {
    ...training,
    steps: training.steps.filter(({ phase }) => phase === 'train'),
    hooks: [
      {
        on: { event: 'train_batch_start' },
        run: async () => void Object.assign(training.settings, { [hyper]: rate() }),
        trace,
      },
      {
        on: { event: 'train_batch_end' },
        run: async run => {
          if (isOver()) run.stop()
        },
        trace,
      },
    ],
    trainer: { seed: training.trainer.seed, accumulate: 1, nonfinite: 'stop', updates: { count: steps } },
  }
}

/** A rate that goes by a clock would not be the one that is tried: for the search it is given as it is. */
function withoutSchedules({ optimizers }: Training, rate: () => number): () => void {
  const groups = optimizers.flatMap(({ spec }) => settingsOf(spec))
  const before = groups.map(({ settings }) => settings)
  for (const group of groups) {
    const { settings } = group
    if (settings(middle).lr === settings(early).lr) continue
    Object.assign(group, { settings: (clock: Clocks) => ({ ...settings(clock), lr: rate() }) })
  }
  return () => {
    for (const [i, group] of groups.entries()) Object.assign(group, { settings: before[i] })
  }
}

/**
 * The trial at which the smoothed loss falls fastest over equal steps of the logarithm: the slope of the line through it
 * and its neighbours, a tenth of the trials on either side, that has the least squares. Two neighbours alone would find the noise.
 */
export function steepest(trials: readonly RateTrial[]): number | undefined {
  const inner = trials.slice(skipped.first, -skipped.last)
  const reach = Math.max(1, Math.round(trials.length / 10))
  const slopes = inner.map((_, i) => slopeOf(inner.slice(Math.max(i - reach, 0), i + reach + 1)))
  const least = Math.min(...slopes)
  return least < 0 ? inner[slopes.indexOf(least)]?.rate : undefined
}

function slopeOf(trials: readonly RateTrial[]): number {
  const middle = (trials.length - 1) / 2
  const mean = trials.reduce((sum, { smoothed }) => sum + smoothed, 0) / trials.length
  const products = trials.map(({ smoothed }, i) => (i - middle) * (smoothed - mean))
  const squares = trials.map((_, i) => (i - middle) ** 2)
  const total = squares.reduce((sum, x) => sum + x, 0)
  return total === 0 ? 0 : products.reduce((sum, x) => sum + x, 0) / total
}

// ── Which hyper it is ───────────────────────────────────────────────────────────────────────────────────────────────

/** The hypers that decide a setting called `lr`, found by trying: those are the learning rates. */
export function rateHypers({ settings, optimizers }: Training): readonly string[] {
  const rates = () => optimizers.flatMap(ratesOf).join()
  const before = rates()
  return Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value !== 'number') return []
    Object.assign(settings, { [name]: value * 2 + 1 })
    const after = rates()
    Object.assign(settings, { [name]: value })
    return after === before ? [] : [name]
  })
}

/** In the middle of a run, where schedules have begun and not ended. */
const middle: Clocks = {
  ...{ epoch: 1, batchIndex: 0, batches: 50, examples: 500, seconds: 10 },
  updates: () => 50,
  ...{ totalUpdates: 100, updatesPerEpoch: 50 },
}

const early: Clocks = { ...middle, epoch: 0, batches: 1, updates: () => 1 }

/** What has settings: groups, or all parameters together. */
function settingsOf({ groups, closure }: OptimizerSpec): readonly Pick<OptimizerGroupSpec, 'settings'>[] {
  return closure === undefined ? groups : [closure]
}

function ratesOf({ spec }: OptimizerHolder): readonly (number | undefined)[] {
  return settingsOf(spec).map(({ settings }) => settings(middle).lr)
}
