import { RunError } from './errors.ts'
import type { RaggedColumn, TextColumn } from './sources/column.ts'
import type { TokensSpec, Trace } from './training.ts'

/** The texts that have a number, in the order of their numbers. */
export type Vocabulary = readonly string[]

/** What stands at 0 in a vocabulary of words or characters: whatever the training split never showed. */
export const unknown = ''

/** How to speak of a column of texts. */
export interface TextPlace {
  /** `column("kind")`. */
  readonly column: string
  readonly dataset: string
  readonly trace: Trace
  place(row: number): string
}

/** Runs of letters and digits, with an apostrophe inside; any other sign by itself. Case makes no difference. */
const word = /[\p{L}\p{N}]+(?:['’]\p{L}+)*|[^\s\p{L}\p{N}]/gu

export function piecesOf(text: string, unit: TokensSpec['unit']): readonly string[] {
  if (unit === 'characters') return [...text]
  return unit === 'whole' ? [text.trim()] : (text.toLowerCase().match(word) ?? [])
}

/**
 * Learns which texts there are. Whole texts are numbered in the order of their code units; words and characters by how
 * often they occur, so that a bound on their number leaves the rarest out.
 */
export function learn(
  columns: readonly TextColumn[],
  rows: ArrayLike<number>,
  { unit, size }: TokensSpec,
  place: TextPlace,
): Vocabulary {
  const counts = new Map<string, number>()
  for (const { values } of columns)
    for (let i = 0; i < rows.length; i++) {
      for (const piece of piecesOf(values[rows[i] ?? 0] ?? '', unit))
        counts.set(piece, (counts.get(piece) ?? 0) + 1)
    }
  const found = [...counts].sort(([a, m], [b, n]) => (unit === 'whole' ? 0 : n - m) || (a < b ? -1 : 1))
  const texts = found.map(([text]) => text)
  if (unit !== 'whole') return [unknown, ...texts.slice(0, size === undefined ? texts.length : size - 1)]
  if (size === undefined || texts.length <= size) return texts
  throw new RunError({
    code: 'LTM5113',
    message: `dataset \`${place.dataset}\`: ${place.column} has ${texts.length} different texts, more than the ${size} of \`size:\``,
    trace: place.trace,
    help: `they are ${shownTexts(texts)}`,
  })
}

function shownTexts(texts: readonly string[]): string {
  const shown = texts.slice(0, 6).map(text => `“${text}”`)
  return texts.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}

/** The numbers of the pieces of every text. */
export function numbered(
  column: TextColumn,
  vocabulary: Vocabulary,
  { unit }: TokensSpec,
  place: TextPlace,
): RaggedColumn {
  const numbers = new Map(vocabulary.map((text, number) => [text, number]))
  const offsets = new Int32Array(column.values.length + 1)
  const ids: number[] = []
  for (const [row, text] of column.values.entries()) {
    for (const piece of piecesOf(text, unit)) {
      const id = numbers.get(piece) ?? (unit === 'whole' ? undefined : 0)
      if (id === undefined) throw notLearned(piece, vocabulary, row, place)
      ids.push(id)
    }
    offsets[row + 1] = ids.length
  }
  return { kind: 'ragged', name: column.name, offsets, values: Int32Array.from(ids) }
}

function notLearned(text: string, vocabulary: Vocabulary, row: number, place: TextPlace): RunError {
  return new RunError({
    code: 'LTM5114',
    message: `${place.place(row)}: “${text}” in ${place.column} does not occur in the training split, so it has no number`,
    trace: place.trace,
    help: `the training split has ${shownTexts(vocabulary)}; \`split … by:\` gives every split some of each`,
  })
}
