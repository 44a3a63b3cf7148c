import { bug } from '../base/bug.ts'
import type { Source } from '../base/source.ts'
import { type Diagnostic, Diagnostics } from '../diagnostics/diagnostic.ts'
import { NodeIds, parse } from '../syntax/build.ts'
import { print } from './doc.ts'
import { fileDoc } from './layout.ts'
import { marksOf } from './marks.ts'
import { type Leaf, leavesIn, readTree } from './tree.ts'

/** How wide a line may be. */
export const formatWidth = 100

/**
 * The text of a file as ltm writes it: at most 100 columns where breaks allow, comments kept, empty lines kept one at a
 * time. Formatting a formatted text changes nothing. A text with syntax errors is left alone; these are given.
 */
export function format(
  source: Source,
): { readonly text: string } | { readonly errors: readonly Diagnostic[] } {
  const diagnostics = new Diagnostics()
  const file = parse(source, diagnostics.report, new NodeIds())
  if (diagnostics.hasErrors) return { errors: diagnostics.list }
  const { pieces, end } = readTree(source.text)
  const text = print(fileDoc(pieces, end, marksOf(file)), formatWidth)
  const before = [...leavesIn(pieces), end]
  const after = readTree(text)
  if (wordsOf(before) !== wordsOf([...leavesIn(after.pieces), after.end]))
    bug(`formatting ${source.name} would change what it says`)
  return { text: text === '\n' ? '' : text }
}

/** All that a text says, but for commas in front of a closing bracket, and its comments. */
function wordsOf(leaves: readonly Leaf[]): string {
  const words = leaves.filter((leaf, i) => !(leaf.text === ',' && /^[)\]}]$/.test(leaves[i + 1]?.text ?? '')))
  const comments = leaves.flatMap(leaf => [
    ...leaf.before.map(line => line.text),
    ...(leaf.behind === undefined ? [] : [leaf.behind]),
  ])
  return `${words.map(leaf => leaf.text).join(' ')}\n${comments.toSorted().join('\n')}`
}
