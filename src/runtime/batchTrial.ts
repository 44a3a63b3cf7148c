import type { Reporter } from './events.ts'
import { train } from './program.ts'
import type { RunOptions } from './start.ts'
import type { Training } from './training.ts'

/** What a few batches of one size came to. */
export interface BatchTrial {
  /** Examples of a batch, the largest seen. */
  readonly examples: number
  /** One batch has all examples that there are. */
  readonly whole: boolean
  /** Of a batch from data to update, the median. */
  readonly seconds: number
  /** The most that the process has held at once, in bytes. */
  readonly memory: number
}

/**
 * Trains on `steps` batches and one before them, in which what a size needs is made ready. It keeps nothing: no folder, no
 * checkpoint, no hooks of the program.
 */
export async function tryBatches(
  training: Training,
  steps: number,
  options: RunOptions,
): Promise<BatchTrial> {
  const ends: number[] = []
  let examples = 0
  let seen = 0
  let whole = false
  const reporter: Reporter = event => {
    if (event.kind === 'run_start') whole = event.batchesPerEpoch === 1
    if (event.kind !== 'step' || event.phase !== 'train') return
    ends.push(performance.now())
    examples = Math.max(examples, event.clocks.examples - seen)
    seen = event.clocks.examples
  }
  await train(briefly(training, steps + 1), { ...options, runs: false, reporter })
  const times = ends.slice(1).map((end, i) => end - (ends[i] ?? end))
  return {
    examples,
    whole,
    seconds: (times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN) / 1000,
    // In KiB.
    memory: process.resourceUsage().maxRSS * 1024,
  }
}

/** The training steps alone, for so many batches; each epoch has one at least. */
function briefly(training: Training, batches: number): Training {
  const { seed, accumulate, clip } = training.trainer
  return {
    ...training,
    steps: training.steps.filter(({ phase }) => phase === 'train'),
    hooks: [
      {
        on: { event: 'train_batch_end' },
        run: async run => {
          if (run.batches >= batches) run.stop()
        },
        trace: training.file,
      },
    ],
    trainer: { seed, accumulate, nonfinite: 'continue', epochs: batches, ...(clip && { clip }) },
  }
}
