import type { MessagePort } from 'node:worker_threads'
import type { ExitCode } from '../runtime/errors.ts'
import type { TrainingEvent } from '../runtime/events.ts'
import type { Cli } from './cli.ts'
import type { TrainingOrder } from './trainingCommand.ts'

/** What the thread that trains is given at its start. */
export interface ThreadStart extends Pick<Cli, 'version' | 'runtimeUrl'> {
  readonly order: TrainingOrder
  /** How diagnostics are shown. */
  readonly style: Cli['terminal']['style']
  readonly page: Cli['terminal']['page']
  readonly port: MessagePort
}

/** What the thread that trains tells the one that has the terminal. */
export type ThreadMessage =
  | { readonly kind: 'out' | 'err'; readonly text: string }
  /** A run begins to tell of itself; `closed` ends it. */
  | { readonly kind: 'reporter'; readonly json: boolean; readonly beside: boolean }
  | { readonly kind: 'event'; readonly event: TrainingEvent }
  | { readonly kind: 'closed' }
  /** Whether a wish to end is heard, and not the end at once. */
  | { readonly kind: 'interrupts'; readonly heard: boolean }
  | { readonly kind: 'done'; readonly code: ExitCode }

/** What it is told: to finish its batch, save and end; or to end where it is. */
export type ThreadOrder = 'interrupt' | 'leave'
