import type { Place } from '../../../grammar/tokens.ts'
import type { Diagnostic } from '../../diagnostics/diagnostic.ts'
import type { Failure } from './attempt.ts'
import type { Repair, Scar } from './repair.ts'
import { imageAt, isNameAt, kindAt, type View, wordAt } from './view.ts'

/** What an error means, and how the text was probably meant. */
export interface Finding {
  readonly diagnostic: Diagnostic
  readonly repair?: Repair | undefined
  /** Set where the finding is only a guess: it holds if the repair lets the parser go further. */
  readonly guess?: boolean
  /** Where the repair leaves a place of which nobody knows what it is. */
  readonly scar?: Scar | undefined
}

/** Looks at an error for one thing that it could mean. */
export type Recogniser = (view: View, failure: Failure) => Finding | undefined

/** A token as a sentence names it. */
export function describe(view: View, i: number): string {
  switch (kindAt(view, i)) {
    case 'EOF':
      return view.next ? `\`${view.next.image}\`` : 'the end of the file'
    case 'StringToken':
    case 'OpenString':
      return 'a string'
    default:
      return `\`${imageAt(view, i)}\``
  }
}

/** `` in `forward` of `module Mlp` ``: the items that have a name, the innermost first. */
export function contextOf(view: View, failure: Failure): string {
  const named = failure.open.filter(
    item => item.place !== 'block' && !(item.place === 'module' && isIf(view, item.start)),
  )
  const texts = named.map(item => itemName(view, item.start)).reverse()
  return texts.length === 0 ? '' : `, in ${texts.join(' of ')}`
}

const isIf = (view: View, i: number): boolean => wordAt(view, i) === 'if'

function itemName(view: View, start: number): string {
  const word = imageAt(view, start)
  const next = start + 1
  return isNameAt(view, next) ? `\`${word} ${imageAt(view, next)}\`` : `\`${word}\``
}

/** A place as a sentence names it. */
export const placeNames: Readonly<Record<Place, string>> = {
  file: 'at the top of a file',
  constraint: 'in a `constraint`',
  module: 'in a `module`',
  metric: 'in a `metric`',
  optimizer: 'in an `optimizer`',
  dataset: 'in a `dataset`',
  train: 'in a `train`',
  block: 'among statements',
}
