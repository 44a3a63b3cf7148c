import type { CstNode, Place } from '../../../grammar/tokens.ts'
import type { Report } from '../../diagnostics/diagnostic.ts'
import { type Attempt, attempt, type Failure, listPlace } from './attempt.ts'
import { located, slips, structure, unexpected } from './explain.ts'
import { type Finding, placeNames, type Recogniser } from './finding.ts'
import { habits } from './habits.ts'
import { beginsItem, enclosing } from './items.ts'
import { type Repaired, repaired, type Scar, tryRepair } from './repair.ts'
import { segments } from './segments.ts'
import { isDamaged, startsLine, type View } from './view.ts'

/** After so many errors in one declaration the rest of it is left unread. */
const errorLimit = 40

/**
 * Tokens to trees, one for each part of the file, read when it is asked for: its tokens are many times as large as what
 * the caller makes of it. The parser stops at an error; it is explained and reported, the tokens
 * are repaired, and the declaration is parsed again. So each tree is whole, and the siblings of what is wrong are in it.
 */
export function* read(view: View, report: Report): Generator<Part> {
  for (const segment of segments(view)) {
    const part = readSegment(segment, report)
    if (part) yield part
  }
}

/** A tree, and where it has been repaired by a guess. */
export interface Part {
  readonly tree: CstNode
  readonly scars: readonly Scar[]
}

function readSegment(segment: View, report: Report): Part | undefined {
  let view = segment
  let result: Attempt = attempt(view)
  let quiet = false
  let told = 0
  const scars: Scar[] = []
  for (let errors = 0; errors < errorLimit; errors++) {
    if ('tree' in result) break
    const failure = located(view, result.failure)
    const { finding, done } = explained(view, failure)
    const isConsequence = quiet || isDamaged(view, failure.at) || offsetAt(view, failure.at) < told
    if (!isConsequence) report(finding.diagnostic)
    if (!done) return undefined
    if (done.scar !== undefined) {
      scars.push(done.scar)
      told = Math.max(told, nextItem(view, failure))
    }
    view = done.view
    result = done.result
    quiet = done.quiet
  }
  return 'tree' in result ? { tree: result.tree, scars } : undefined
}

const offsetAt = (view: View, i: number): number => view.tokens[i]?.startOffset ?? view.source.text.length

/** Where the next item begins, to all appearance: what is wrong before it is a consequence of a guess. */
function nextItem(view: View, failure: Failure): number {
  const { at, open } = failure
  const outside = listPlace(failure) !== undefined
  const start = outside ? at : (open.at(-1)?.start ?? at)
  for (let i = outside ? at + 1 : at; i < view.tokens.length; i++) {
    if (!startsLine(view, i)) continue
    if (places.some(place => beginsItem(view, i, place))) return offsetAt(view, i)
    if (i > at && enclosing(view, i, start) === undefined) return offsetAt(view, i)
  }
  return Number.POSITIVE_INFINITY
}

const places = Object.keys(placeNames) as readonly Place[] // the table is total

const recognisers: readonly Recogniser[] = [...slips, ...habits, ...structure]

/** What the error means, and the repair that lets the parser go on. */
function explained(
  view: View,
  failure: Failure,
): { readonly finding: Finding; readonly done: Repaired | undefined } {
  for (const recognise of recognisers) {
    const finding = recognise(view, failure)
    const done = finding?.repair && tryRepair(view, finding.repair, !finding.guess)
    const scarred = done && finding?.scar !== undefined ? { ...done, scar: finding.scar } : done
    if (finding && (done || !finding.guess)) return { finding, done: scarred ?? repaired(view, failure) }
  }
  return { finding: unexpected(view, failure), done: repaired(view, failure) }
}
