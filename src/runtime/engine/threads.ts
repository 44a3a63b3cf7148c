import { availableParallelism } from 'node:os'

/** Processors that graphs may take: all that this process has, or as many as `LTM_THREADS` in the environment says. */
export function threadsAllowed(
  env: Readonly<Record<string, string | undefined>> = process.env,
  all: number = availableParallelism(),
): number {
  const { LTM_THREADS: asked = '' } = env
  return /^[1-9]\d*$/.test(asked) ? Math.min(Number(asked), all) : all
}
