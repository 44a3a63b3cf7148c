import { type Lexed, type Token, tokenize } from '../../grammar/tokens.ts'
import type { Source, Span } from '../base/source.ts'
import type { Report } from '../diagnostics/diagnostic.ts'
import type { Declaration, File } from './ast.ts'
import { type Context, type NodeIds, nodes, tokenSpan } from './build/cst.ts'
import { buildDeclaration } from './build/declarations.ts'
import { buildExpr } from './build/expressions.ts'
import { buildBlock } from './build/statements.ts'
import { withinDepth } from './depth.ts'
import { reportFloorDivision } from './floorDivision.ts'
import { clean } from './recovery/lexical.ts'
import { read } from './recovery/read.ts'

export { NodeIds } from './build/cst.ts'

/** Text to tree. Every syntax error is reported; what could be read is in the tree, and a part that couldn't is left out. */
export function parse(source: Source, report: Report, ids: NodeIds): File {
  const span = { source, start: 0, end: source.text.length }
  const declarations = parsePiece(source, span, report, ids)
  return { kind: 'File', id: ids.fresh(), span, declarations }
}

/** The declarations of a piece of a source, which must begin and end between two of them. */
export function parsePiece(
  source: Source,
  { start, end }: { readonly start: number; readonly end: number },
  report: Report,
  ids: NodeIds,
): readonly Declaration[] {
  const lexed = tokenize(source.text.slice(start, end), start)
  const damaged = [...lexed.unknown.map(each => each.offset), ...reportFloorDivision(source, lexed, report)]
  const parts = read({ ...clean(source, lexed, report), damaged }, report)
  const shared = {
    source,
    report,
    ids,
    docs: docsOf(lexed, source.text),
    expr: buildExpr,
    block: buildBlock,
  }
  const declarations: Declaration[] = []
  for (const { tree, scars } of parts) {
    const ctx: Context = { ...shared, scars }
    for (const declaration of nodes(tree, 'Declaration').map(each => buildDeclaration(each, ctx)))
      if (withinDepth(declaration, report)) declarations.push(declaration)
  }
  return declarations
}

/** A comment as written, slashes included. */
export interface CommentText {
  readonly text: string
  readonly span: Span
}

/** All comments of a text in order; the formatter puts them back. */
export function comments(source: Source): readonly CommentText[] {
  return tokenize(source.text).comments.map(comment => ({
    text: comment.image,
    span: tokenSpan(comment, source),
  }))
}

/** The `///` lines between one token and the next, by the offset of the next. One behind code documents nothing. */
function docsOf({ tokens, comments }: Lexed, text: string): ReadonlyMap<number, string> {
  const docs = new Map<number, string>()
  let next = 0
  for (const comment of comments) {
    if (comment.tokenType.name !== 'DocComment' || !startsLine(comment, text)) continue
    while (next < tokens.length && startOf(tokens[next]) < comment.startOffset) next++
    const owner = tokens[next]
    if (!owner) break
    const line = comment.image.replace(/^\/\/\/ ?/, '').trimEnd()
    const above = docs.get(owner.startOffset)
    docs.set(owner.startOffset, above === undefined ? line : `${above}\n${line}`)
  }
  return docs
}

/** Whether only space stands before a token on its line. */
function startsLine(token: Token, text: string): boolean {
  return text.slice(text.lastIndexOf('\n', token.startOffset) + 1, token.startOffset).trim() === ''
}

const startOf = (token: Token | undefined): number => token?.startOffset ?? Number.POSITIVE_INFINITY
