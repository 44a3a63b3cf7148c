import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Choice } from './space.ts'

/** What a trial came to at a rung: trained up to `epochs`, with the best value of the objective so far. */
export interface Outcome {
  readonly trial: number
  readonly hypers: Choice
  /** Epochs trained in all. */
  readonly epochs: number
  readonly rung: number
  readonly value?: number
  /** Why there is no value. */
  readonly failure?: string
  readonly seconds: number
}

/** The file of a sweep's folder with one outcome a line. */
export const trialsFile = 'trials.jsonl'

/** What was found so far; a line that a killed sweep did not finish is left out. */
export function readOutcomes(folder: string): readonly Outcome[] {
  const path = join(folder, trialsFile)
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8').split('\n').flatMap(outcomeOf)
}

function outcomeOf(line: string): readonly Outcome[] {
  try {
    const read: unknown = JSON.parse(line)
    return isOutcome(read) ? [read] : []
  } catch {
    return []
  }
}

function isOutcome(value: unknown): value is Outcome {
  return (
    typeof value === 'object' && value !== null && 'trial' in value && 'rung' in value && 'hypers' in value
  )
}

/** Adds a line; one that was cut off before it is ended first. */
export function writeOutcome(folder: string, outcome: Outcome): void {
  const path = join(folder, trialsFile)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  appendFileSync(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}${JSON.stringify(outcome)}\n`)
}
