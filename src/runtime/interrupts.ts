import { exitCodes } from './errors.ts'

/** Watches for a wish to end: the first lets the run save, the second leaves at once. */
export interface Interrupts {
  readonly signal: AbortSignal
  /** Stops watching. */
  release(): void
}

/** Listens for Ctrl-C and for being told to terminate. */
export function watchInterrupts(
  tell: (text: string) => void,
  leave: () => void = () => process.exit(exitCodes.interrupted),
): Interrupts {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) return leave()
    controller.abort()
    tell('\nInterrupted: finishing this batch and saving. Interrupt again to leave at once.\n')
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.on(name, onSignal)
  const release = () => {
    for (const name of signals) process.off(name, onSignal)
  }
  return { signal: controller.signal, release }
}
