/**
 * Pieces of target text. Operator entries and emitters build them with the {@link ts} tag; src/emit/layout.ts turns them
 * into lines.
 *
 * A piece made by {@link annotation} exists only in TypeScript: leaving all of them out gives the same program as
 * JavaScript, which is how a generated program runs on a Node that cannot strip types.
 */
export type Code = string | number | CodeNode

export interface CodeNode {
  readonly parts: readonly Code[]
  readonly typeOnly: boolean
}

/** Target text with holes: ts`tf.matMul(${a}, ${b})`. */
export function ts(text: TemplateStringsArray, ...holes: readonly Code[]): CodeNode {
  const parts: Code[] = []
  text.forEach((piece, i) => {
    if (piece !== '') parts.push(piece)
    const hole = holes[i]
    if (hole !== undefined) parts.push(hole)
  })
  return { parts, typeOnly: false }
}

/** Target text that only TypeScript shows, such as `: tf.Tensor`. */
export function annotation(text: TemplateStringsArray, ...holes: readonly Code[]): CodeNode {
  return { ...ts(text, ...holes), typeOnly: true }
}

/** Pieces with a separator between them. */
export function join(pieces: readonly Code[], separator = ', '): CodeNode {
  return { parts: pieces.flatMap((piece, i) => (i === 0 ? [piece] : [separator, piece])), typeOnly: false }
}

export type Target = 'typescript' | 'javascript'

/** The text of a piece for one target. */
export function renderCode(code: Code, target: Target): string {
  if (typeof code !== 'object') return String(code)
  if (code.typeOnly && target === 'javascript') return ''
  return code.parts.map(part => renderCode(part, target)).join('')
}
