/** What came of one test file. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** Why the file failed as a whole, where that is not one of its tests. */
  readonly problem: string | undefined
}

/** What a child process left behind: its output, and its exit code or the signal that ended it. */
export interface Ended {
  readonly output: string
  readonly code: number | null
  readonly signal: string | null
}

/** Reads uvu's closing lines. A file that crashes, runs no test or leaves one out counts as a failure of its own. */
export function outcomeOf(ended: Ended): Outcome {
  const total = lastCount(ended.output, 'Total')
  const passed = lastCount(ended.output, 'Passed')
  const failed = total - passed
  const problem = problemOf(ended, total, failed, lastCount(ended.output, 'Skipped'))
  return { passed, failed: failed + (problem === undefined ? 0 : 1), problem }
}

/** What a file says of tests that it can't run here, such as those that need Python: lines that begin with `note: `. */
export function notesIn(output: string): readonly string[] {
  return [...output.matchAll(/^note: .*$/gm)].map(([line]) => line)
}

function problemOf(ended: Ended, total: number, failed: number, skipped: number): string | undefined {
  if (ended.signal !== null) return `ended by ${ended.signal}`
  if (ended.code !== 0 && failed === 0) return `crashed with exit code ${ended.code}`
  if (total === 0) return 'ran no test'
  if (skipped > 0) return `left out ${skipped} ${skipped === 1 ? 'test' : 'tests'}`
  return undefined
}

/** The last one, since a test may show the closing lines of another. */
function lastCount(output: string, word: string): number {
  const found = [...output.matchAll(new RegExp(`^ {2}${word}: +(\\d+)$`, 'gm'))].at(-1)
  return Number(found?.[1] ?? 0)
}

/** The sum over all files, as the last line of a test run says it. */
export function closingLine(outcomes: readonly Outcome[]): string {
  const sum = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0)
  return `${sum(o => o.passed)} passed, ${sum(o => o.failed)} failed`
}
