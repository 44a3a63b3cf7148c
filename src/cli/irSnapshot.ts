import { readFileSync, writeFileSync } from 'node:fs'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { type Cli, Stop } from './cli.ts'
import { type FileProblemCode, fileProblem } from './fileProblems.ts'
import { requireWritable } from './predictions.ts'
import { showWithSummary } from './show.ts'
import { showDiff } from './showDiff.ts'

/** What `ltm ir` would print, and the file that it is held against. */
export interface Comparison {
  readonly text: string
  readonly snapshot: string
  /** What the text is of, for the head of the diff. */
  readonly name: string
  readonly update: boolean
}

/** Compares what was printed with what is kept of it, or keeps the new one. */
export function checkSnapshot(comparison: Comparison, cli: Cli): ExitCode {
  const { text, snapshot, name, update } = comparison
  const kept = readKept(snapshot)
  if (kept === text) {
    cli.terminal.out(`${snapshot} is up to date.\n`)
    return exitCodes.ok
  }
  if (update) return writeKept(comparison, kept === undefined, cli)
  if (kept === undefined) {
    throw stop(
      'LTM0020',
      snapshot,
      'add `--update` to the command to write it, read it, and keep it with the program',
    )
  }
  cli.terminal.out(showDiff(kept, text, [snapshot, name], cli.terminal.page.color))
  const help =
    'where the change is meant, add `--update` to the command; where it is not, the diff says what has moved'
  showWithSummary([fileProblem('LTM0021', snapshot, help)], cli)
  return exitCodes.program
}

/** A snapshot that every run of a continuous integration writes anew can't fail, so it is refused there. */
function writeKept({ text, snapshot }: Comparison, isNew: boolean, cli: Cli): ExitCode {
  if (isContinuousIntegration())
    throw stop(
      'LTM0022',
      snapshot,
      'update it where the change is made, and commit it; `CI=` before the command insists',
    )
  requireWritable(snapshot)
  writeFileSync(snapshot, text)
  cli.terminal.out(`${snapshot} is ${isNew ? 'written' : 'updated'}.\n`)
  return exitCodes.ok
}

function isContinuousIntegration(): boolean {
  return !['', '0', 'false'].includes(process.env.CI ?? '')
}

function stop(code: FileProblemCode, snapshot: string, help: string): Stop {
  const problem = fileProblem(code, snapshot, help)
  return new Stop(exitCodes.program, problem.message, [problem])
}

/** Undefined where there is none. Git may have given lines other ends on the way. */
function readKept(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replaceAll('\r\n', '\n')
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (errno === 'ENOENT') return undefined
    throw stop('LTM0023', path, `the system says ${errno}`)
  }
}
