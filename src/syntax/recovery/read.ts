import type { CstNode } from '../../../grammar/tokens.ts'
import type { Report } from '../../diagnostics/diagnostic.ts'
import { type Attempt, attempt, type Failure } from './attempt.ts'
import { located, slips, structure, unexpected } from './explain.ts'
import type { Finding, Recogniser } from './finding.ts'
import { habits } from './habits.ts'
import { type Repaired, repaired, tryRepair } from './repair.ts'
import { segments } from './segments.ts'
import { isDamaged, type View } from './view.ts'

/** After so many errors in one declaration the rest of it is left unread. */
const errorLimit = 40

/**
 * Tokens to trees, one for each part of the file, read when it is asked for: its tokens are many times as large as what
 * the caller makes of it. The parser stops at an error; it is explained and reported, the tokens
 * are repaired, and the declaration is parsed again. So each tree is whole, and the siblings of what is wrong are in it.
 */
export function* read(view: View, report: Report): Generator<CstNode> {
  for (const segment of segments(view)) {
    const tree = readSegment(segment, report)
    if (tree) yield tree
  }
}

function readSegment(segment: View, report: Report): CstNode | undefined {
  let view = segment
  let result: Attempt = attempt(view)
  let quiet = false
  for (let errors = 0; errors < errorLimit; errors++) {
    if ('tree' in result) return result.tree
    const failure = located(view, result.failure)
    const { finding, done } = explained(view, failure)
    if (!quiet && !isDamaged(view, failure.at)) report(finding.diagnostic)
    if (!done) return undefined
    view = done.view
    result = done.result
    quiet = done.quiet
  }
  return 'tree' in result ? result.tree : undefined
}

const recognisers: readonly Recogniser[] = [...slips, ...habits, ...structure]

/** What the error means, and the repair that lets the parser go on. */
function explained(
  view: View,
  failure: Failure,
): { readonly finding: Finding; readonly done: Repaired | undefined } {
  for (const recognise of recognisers) {
    const finding = recognise(view, failure)
    const done = finding?.repair && tryRepair(view, finding.repair, !finding.guess)
    if (finding && (done || !finding.guess)) return { finding, done: done ?? repaired(view, failure) }
  }
  return { finding: unexpected(view, failure), done: repaired(view, failure) }
}
