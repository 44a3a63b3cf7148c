import { positionAt } from '../../base/source.ts'
import { Brackets, fits } from './items.ts'
import { endsOperand, kindAt, startsIn, startsLine, type View, wordAt } from './view.ts'

/**
 * Cuts a file before each declaration, so that an error in one is read again without the others.
 *
 * Outside of all brackets no expression has a word between an operand and a name, so the cuts are exact where brackets
 * match. Where they don't, a declaration at the left margin begins anew, whatever is still open above it.
 */
export function segments(view: View): readonly View[] {
  const cuts = cutsOf(view, false) ?? cutsOf(view, true) ?? []
  return cuts.map((from, i) => {
    const to = cuts[i + 1] ?? view.tokens.length
    return { ...view, tokens: view.tokens.slice(from, to), next: view.tokens[to] }
  })
}

/** The first tokens of the segments; nothing if brackets do not match and `trustMargin` is not set. */
function cutsOf(view: View, trustMargin: boolean): readonly number[] | undefined {
  const brackets = new Brackets()
  const cuts: number[] = []
  for (let i = 0; i < view.tokens.length; i++) {
    const outside = brackets.open.length === 0
    if (i === 0) cuts.push(i)
    else if (
      (outside || trustMargin) &&
      declares(view, i) &&
      (trustMargin ? atMargin(view, i) : endsAbove(view, i))
    ) {
      cuts.push(i)
      brackets.open.length = 0
    }
    if (brackets.step(view, i) && !trustMargin) return undefined
  }
  return brackets.open.length > 0 && !trustMargin ? undefined : cuts
}

/** Whether a declaration may have ended before a token: with an operand, or with a point where a line ends. */
function endsAbove(view: View, i: number): boolean {
  return endsOperand(view, i - 1) || (kindAt(view, i - 1) === 'Dot' && startsLine(view, i))
}

function declares(view: View, i: number): boolean {
  const name = wordAt(view, i)
  return name !== undefined && startsIn(name, 'file') && fits(name, view, i + 1)
}

function atMargin(view: View, i: number): boolean {
  const token = view.tokens[i]
  return token !== undefined && startsLine(view, i) && positionAt(view.source, token.startOffset).column === 1
}
