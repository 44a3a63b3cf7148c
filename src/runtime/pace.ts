import { setImmediate } from 'node:timers/promises'
import type { Session } from './session.ts'

/** How long a run may keep the event loop to itself, in milliseconds. */
const breath = 20

/**
 * Lets signals, timers and output have their turn. Kernels on the CPU never wait for anything, so without this a run
 * would not hear Ctrl-C.
 */
export async function breathe({ pace, signal, control }: Session): Promise<void> {
  if (performance.now() - pace.last >= breath) {
    await setImmediate()
    pace.last = performance.now()
  }
  if (signal?.aborted === true) control.interrupted = true
}

export function isInterrupted({ control }: Session): boolean {
  return control.interrupted
}
