import type { EpochEnd, RunStart, TrainingEvent } from '../events.ts'

/** About so many epochs of a run get a line of their own. */
const lines = 100

/** Says which epochs get a line: thousands of them would bury what else there is to read. */
export class Thinning {
  private epochs: number | undefined

  follow(event: TrainingEvent): void {
    if (event.kind === 'run_start') this.epochs = epochsOf(event)
  }

  /** The first epoch, the last, and those that a round number divides; it grows where the end is not known. */
  shows({ epoch, last }: EpochEnd): boolean {
    const number = epoch + 1
    const whole = Math.max(this.epochs ?? 2 * number, number)
    return last || number === 1 || number % roundStep(whole) === 0
  }
}

/** The epochs that a run will have, where it is known or can be reckoned. */
export function epochsOf({ epochs, expectedEpochs }: RunStart): number | undefined {
  return epochs ?? expectedEpochs
}

/** 1, 2, 5, 10, 20, 50, …: the first by which so many epochs make no more than the lines that are wanted. */
export function roundStep(epochs: number): number {
  const least = epochs / lines
  if (least <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5].find(digit => digit * power >= least) ?? 10) * power
}
