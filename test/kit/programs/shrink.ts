/** Makes a program that fails smaller, as long as it fails in the same way. */

/** How a program fails: undefined where it does not, and equal texts for one kind of failure. */
export type Failure = (text: string) => Promise<string | undefined>

/** The smallest program that was found with so many tries. What does not compile fails in another way. */
export async function shrunk(text: string, failure: Failure, tries = 500): Promise<string> {
  const kind = await failure(text)
  if (kind === undefined) return text
  let smallest = text
  let left = tries
  for (let before = ''; before !== smallest && left > 0; ) {
    before = smallest
    for (const change of [blocksDropped, linesDropped, namesReplaced, termsDropped]) {
      // Places are looked at from the end: what stands there is used by nobody.
      for (let place = placesOf(smallest) - 1; place >= 0 && left > 0; place--)
        for (const candidate of change(smallest.split('\n'), place)) {
          if (left-- <= 0) break
          if ((await failure(candidate)) !== kind) continue
          smallest = candidate
          break
        }
    }
  }
  return smallest
}

const placesOf = (text: string): number => text.split('\n').length

/** Texts to try in place of one whose lines are these, by what stands in one of them. */
type Change = (lines: readonly string[], place: number) => readonly string[]

const without = (lines: readonly string[], from: number, to: number): string =>
  [...lines.slice(0, from), ...lines.slice(to)].join('\n')

/** A block with all that is in it, or only what stands around its inside. */
const blocksDropped: Change = (lines, place) => {
  const end = endOf(lines, place)
  if (end === undefined) return []
  const inside = [...lines.slice(0, place), ...lines.slice(place + 1, end), ...lines.slice(end + 1)].join(
    '\n',
  )
  return [without(lines, place, end + 1), inside]
}

/** The line that closes what a line opens. */
function endOf(lines: readonly string[], place: number): number | undefined {
  let open = 0
  for (let i = place; i < lines.length; i++) {
    for (const sign of lines[i]!) open += '{[('.includes(sign) ? 1 : '}])'.includes(sign) ? -1 : 0
    if (open === 0) return i > place ? i : undefined
    if (open < 0) return undefined
  }
  return undefined
}

const linesDropped: Change = (lines, place) => [without(lines, place, place + 1)]

/** A value that stands for another one, of which it was made. */
const namesReplaced: Change = (lines, place) => {
  const [, name, expression = ''] = /^\s*(?:let|var) (\w+)(?:: [^=]+)? = (.*)$/.exec(lines[place]!) ?? []
  if (name === undefined) return []
  const names = new Set(expression.match(/[a-z]\w*\d+\b(?!\()/g) ?? [])
  const word = new RegExp(`\\b${name}\\b`, 'g')
  return [...names].map(each => without(lines, place, place + 1).replace(word, each))
}

/** One of several terms, arguments or settings of a line. */
const termsDropped: Change = (lines, place) => {
  const line = lines[place]!
  const pieces = [
    ...line.matchAll(
      / \+ 0\.1 \* (?:\([^()]*\([^()]*\)\)|\w+(?:\([^()]*\))?)(?:\[[^\]]*\])?|, \w+: [^,()]+(?:\([^()]*\))?|, loss\d+ = .*$/g,
    ),
  ]
  return pieces.map(({ 0: piece, index }) =>
    lines.with(place, line.slice(0, index) + line.slice(index + piece.length)).join('\n'),
  )
}
