import type { Clocks, OptimizerSpec, TrainerOptions } from './training.ts'

/** Batches of a window of this optimizer, in the epoch that the clock shows. */
export function windowSize(
  trainer: Pick<TrainerOptions, 'accumulate'>,
  spec: Pick<OptimizerSpec, 'accumulate'> | undefined,
  clock: Pick<Clocks, 'epoch'>,
): number {
  const { accumulate } = spec?.accumulate === undefined ? trainer : { accumulate: spec.accumulate }
  return typeof accumulate === 'number' ? accumulate : Math.max(Math.round(accumulate(clock)), 1)
}
