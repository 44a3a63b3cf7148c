import { checkCompiler, checkQuiet } from './compiling.ts'
import { randomProgram } from './program.ts'
import { checkEngines, checkResumed } from './running.ts'
import { type Failure, shrunk } from './shrink.ts'

/** What is asked of a program: that it compiles, and that it comes to the same on both engines, interrupted or not. */
export type Check = 'compiles' | 'runs'

/** The failure of a seed, as a program that is as small as may be. */
export interface Found {
  readonly seed: number
  readonly problem: string
  readonly program: string
}

/** Checks the program of a seed; a failure comes with a smaller program that has it. */
export async function checkSeed(
  seed: number,
  size: number,
  checks: readonly Check[],
): Promise<Found | undefined> {
  const text = randomProgram(seed, size)
  const quiet = problemOf(async () => checkQuiet(text))
  const problem = (await quiet) ?? (await failureOf(text, seed, checks))
  if (problem === undefined) return undefined
  const kind: Failure = async smaller => kindOf(await failureOf(smaller, seed, checks))
  return { seed, problem, program: await shrunk(text, kind) }
}

async function failureOf(text: string, seed: number, checks: readonly Check[]): Promise<string | undefined> {
  return problemOf(async () => {
    checkCompiler(text)
    if (checks.includes('runs')) await checkResumed(await checkEngines(text), 1 + (seed % 7))
  })
}

async function problemOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    return error instanceof Error
      ? (error.stack ?? error.message).split('\n').slice(0, 12).join('\n')
      : String(error)
  }
}

/** Failures of one kind have one text: the first words, up to names and numbers. */
const kindOf = (problem: string | undefined): string | undefined =>
  problem?.split('\n')[0]?.replace(/[:`"].*$|\d+/g, '')
