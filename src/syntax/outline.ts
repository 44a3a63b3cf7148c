import type { Source } from '../base/source.ts'
import type { Declaration } from './ast.ts'
import { type NodeIds, parsePiece } from './build.ts'

/** A declaration that is read when it is first asked for. */
export interface Outlined {
  readonly name: string
  readonly read: () => Declaration | undefined
}

const head =
  /^(?:const|fn|loss|schedule|constraint|module|metric|optimizer|dataset) +([\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}\p{N}_]+)*)/gmu

/**
 * The declarations of a formatted text without syntax errors and imports, such as the files of the standard library:
 * each begins a line with its word, and nothing else does. Most programs use few of them, so the others are never read.
 */
export function outline(source: Source, ids: NodeIds): readonly Outlined[] {
  const heads = [...source.text.matchAll(head)]
  // A piece goes from one head to the next; the comment in front of the first word of a piece ends the one before.
  const starts = heads.map(({ index }) => docStart(source.text, index))
  return heads.map(([, name = ''], i) => {
    const piece = { start: starts[i] ?? 0, end: starts[i + 1] ?? source.text.length }
    let declaration: Declaration | undefined
    return {
      name,
      read: () => {
        declaration ??= parsePiece(source, piece, () => {}, ids)[0]
        return declaration
      },
    }
  })
}

/** Where the `///` lines above a declaration begin. */
function docStart(text: string, at: number): number {
  let start = at
  while (start > 0) {
    const line = text.lastIndexOf('\n', start - 2) + 1
    if (!text.startsWith('///', line)) break
    start = line
  }
  return start
}
