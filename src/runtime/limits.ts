import { RunError } from './errors.ts'
import type { Limits, StepSpec } from './training.ts'

/** The batches that a step sees of those that there are. */
export function limited(limits: Limits | undefined, step: StepSpec, batches: number): number {
  const limit = limits?.[step.phase]
  if (limit === undefined || step.streams.length === 0) return batches
  if ('batches' in limit) return Math.min(limit.batches, batches)
  const count = Math.floor(limit.share * batches)
  if (count > 0) return count
  throw new RunError({
    code: 'LTM6108',
    message: `${limit.share} of ${batches} ${batches === 1 ? 'batch' : 'batches'} is not even one, for step ${step.phase}`,
    trace: step.trace,
    help: `say how many batches instead of which share of them: \`limit_${step.phase}: 1\``,
  })
}

/** Whether a phase is left out altogether. */
export function isLeftOut(limits: Limits | undefined, { phase }: StepSpec): boolean {
  const limit = limits?.[phase]
  return limit !== undefined && 'batches' in limit && limit.batches === 0
}
