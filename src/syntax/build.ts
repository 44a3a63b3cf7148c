import { theParser } from '../../grammar/parser.ts'
import type { Token } from '../../grammar/tokens.ts'
import { type Lexed, tokenize } from '../../grammar/tokens.ts'
import type { Source, Span } from '../base/source.ts'
import { diagnose, type Report } from '../diagnostics/diagnostic.ts'
import type { File } from './ast.ts'
import { type Context, type NodeIds, nodes, tokenSpan } from './build/cst.ts'
import { buildDeclaration } from './build/declarations.ts'

export { NodeIds } from './build/cst.ts'

/** Text to tree. Every syntax error is reported; what could be read is in the tree, and a part that couldn't is left out. */
export function parse(source: Source, report: Report, ids: NodeIds): File {
  const lexed = tokenize(source.text)
  const parser = theParser()
  parser.start(lexed.tokens)
  const cst = parser.File()
  for (const e of parser.errors) {
    report(
      diagnose('LTM1010', tokenSpan(e.token, source), {
        found: e.token.image,
        expected: e.message,
        context: '',
      }),
    )
  }
  const ctx: Context = { source, report, ids, docs: docsOf(lexed) }
  const declarations = cst ? nodes(cst, 'Declaration').map(each => buildDeclaration(each, ctx)) : []
  return { kind: 'File', id: ids.fresh(), span: { source, start: 0, end: source.text.length }, declarations }
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

/** The `///` lines between one token and the next, by the offset of the next. */
function docsOf({ tokens, comments }: Lexed): ReadonlyMap<number, string> {
  const docs = new Map<number, string>()
  let next = 0
  for (const comment of comments) {
    if (comment.tokenType.name !== 'DocComment') continue
    while (next < tokens.length && startOf(tokens[next]) < comment.startOffset) next++
    const owner = tokens[next]
    if (!owner) break
    const line = comment.image.replace(/^\/\/\/ ?/, '').trimEnd()
    const above = docs.get(owner.startOffset)
    docs.set(owner.startOffset, above === undefined ? line : `${above}\n${line}`)
  }
  return docs
}

const startOf = (token: Token | undefined): number => token?.startOffset ?? Number.POSITIVE_INFINITY
