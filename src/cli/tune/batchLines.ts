import { formatCount, formatDuration } from '../../runtime/report/format.ts'
import type { Hypers } from '../hypers.ts'
import { runCommand } from '../runCommand.ts'
import { bytes } from '../summaryText.ts'
import { type Attempt, fastest, largestThatFits, speedOf, type Tried } from './sizes.ts'

/** Columns behind the size: each is told as soon as it is known, so nobody knows yet how wide they will be. */
const widths = [9, 8, 11]

/** The heads of the columns. */
export function headLine(hyper: string): string {
  return lineOf(hyper, hyper, ['memory', 'a batch', 'examples/s'], '')
}

/** What came of a size. */
export function triedLine(hyper: string, { size, attempt }: Tried): string {
  return lineOf(hyper, String(size), cellsOf(attempt), remarkOn(attempt))
}

function lineOf(hyper: string, size: string, cells: readonly string[], remark: string): string {
  const padded = widths.map((width, i) => (cells[i] ?? '').padStart(width))
  return [size.padStart(Math.max(hyper.length, 5)), ...padded, remark].join('  ').trimEnd()
}

function cellsOf(attempt: Attempt): readonly string[] {
  if (attempt.kind !== 'fits') return []
  const { memory, seconds, examples } = attempt
  return [bytes(memory), formatDuration(seconds), formatCount(Math.round(examples / seconds))]
}

function remarkOn(attempt: Attempt): string {
  if (attempt.kind !== 'fits') return attempt.why
  return attempt.whole ? `all ${formatCount(attempt.examples)} examples` : ''
}

export interface Found {
  /** The `.ltm` file. */
  readonly path: string
  readonly train: string | undefined
  /** The other hypers that were given. */
  readonly given: Hypers
  readonly hyper: string
  /** Bytes. */
  readonly limit: number
  readonly tried: readonly Tried[]
}

/** What to make of it. */
export function adviceLines({ path, train, given, hyper, limit, tried }: Found): readonly string[] {
  const [largest, best] = [largestThatFits(tried), fastest(tried)]
  if (largest === undefined || best === undefined)
    return [`no ${hyper} that was tried fits into ${bytes(limit)}`]
  return [
    `largest that fits into ${bytes(limit)}: ${hyper} = ${largest.size}`,
    `fastest: ${hyper} = ${best.size}, ${formatCount(Math.round(speedOf(best)))} examples a second`,
    `  ${runCommand(path, train, new Map([...given, [hyper, String(best.size)]]))}`,
  ]
}
