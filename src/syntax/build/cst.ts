import type { CstElement, CstNode, Token } from '../../../grammar/tokens.ts'
import { bug } from '../../base/bug.ts'
import type { Source, Span } from '../../base/source.ts'
import type { Report } from '../../diagnostics/diagnostic.ts'
import type { Block, Expr, Name } from '../ast.ts'
import type { Scar } from '../recovery/repair.ts'

/** Gives fresh node ids; one for a compilation, so that ids are unique over all its files. */
export class NodeIds {
  #next = 0
  fresh(): number {
    return this.#next++
  }
}

/** What every builder needs. */
export interface Context {
  readonly source: Source
  readonly report: Report
  readonly ids: NodeIds
  /** The `///` text above the token that starts at an offset. */
  readonly docs: ReadonlyMap<number, string>
  /** Where the text has been repaired by a guess: types and expressions that these touch are unknown. */
  readonly scars: readonly Scar[]
  /** Expressions stand in types and patterns, and blocks in expressions: these two close the circle between the files. */
  readonly expr: (cst: CstNode, ctx: Context) => Expr
  readonly block: (cst: CstNode, ctx: Context) => Block
}

const isNode = (element: CstElement | undefined): element is CstNode =>
  element !== undefined && 'children' in element

const isToken = (element: CstElement): element is Token => !isNode(element)

/** The child nodes of one rule, in order. */
export function nodes(cst: CstNode, rule: string): readonly CstNode[] {
  const found = cst.children[rule]
  return found?.every(isNode) ? found : []
}

/** The first child node of a rule, if there is one. */
export function maybe(cst: CstNode, rule: string): CstNode | undefined {
  const element = cst.children[rule]?.[0]
  return isNode(element) ? element : undefined
}

/** The first child node of a rule that always has one. */
export function node(cst: CstNode, rule: string): CstNode {
  return maybe(cst, rule) ?? bug(`${cst.name} without ${rule}`)
}

/** The tokens under one name, in order. */
export function tokensOf(cst: CstNode, name: string): readonly Token[] {
  const found = cst.children[name]
  return found?.every(isToken) ? found : []
}

/** The first token under a name, if there is one. */
export function maybeToken(cst: CstNode, name: string): Token | undefined {
  const element = cst.children[name]?.[0]
  return element === undefined || isNode(element) ? undefined : element
}

/** The first token under a name that is always there. */
export function token(cst: CstNode, name: string): Token {
  return maybeToken(cst, name) ?? bug(`${cst.name} without ${name}`)
}

/** The one child node of a rule that is a choice between rules. */
export function choice(cst: CstNode): CstNode | undefined {
  for (const name in cst.children) {
    const element = cst.children[name]?.[0]
    if (isNode(element)) return element
  }
  return undefined
}

/** The characters that a rule covers; a rule that matched nothing lies at `otherwise`. */
export function spanOf(cst: CstNode, ctx: Context, otherwise = 0): Span {
  const start = cst.location?.startOffset ?? Number.NaN
  if (Number.isNaN(start)) return { source: ctx.source, start: otherwise, end: otherwise }
  return { source: ctx.source, start, end: (cst.location?.endOffset ?? start) + 1 }
}

/** Whether a piece of text was repaired by a guess: in it or at its edge, and not in a block of its own. */
export function isScarred(cst: CstNode, ctx: Context): boolean {
  return ctx.scars.some(scar => touches(cst, ctx, scar) && !inBlock(cst, ctx, scar))
}

function touches(cst: CstNode, ctx: Context, { from, to }: Scar): boolean {
  const { start, end } = spanOf(cst, ctx)
  return start <= to && from <= end
}

function inBlock(cst: CstNode, ctx: Context, scar: Scar): boolean {
  return Object.values(cst.children).some(elements =>
    elements.some(
      each => isNode(each) && touches(each, ctx, scar) && (each.name === 'Block' || inBlock(each, ctx, scar)),
    ),
  )
}

/** The characters of a token. */
export function tokenSpan(at: Token, source: Source): Span {
  return { source, start: at.startOffset, end: (at.endOffset ?? at.startOffset) + 1 }
}

/** A fresh id, and the span of a rule. */
export function base(cst: CstNode, ctx: Context): { readonly id: number; readonly span: Span } {
  return { id: ctx.ids.fresh(), span: spanOf(cst, ctx) }
}

/** A fresh id and a given span. */
export function at(span: Span, ctx: Context): { readonly id: number; readonly span: Span } {
  return { id: ctx.ids.fresh(), span }
}

/** A fresh id, the span of a rule, and the `///` lines above it. */
export function documented(
  cst: CstNode,
  ctx: Context,
): { readonly id: number; readonly span: Span; readonly doc: string | undefined } {
  const { id, span } = base(cst, ctx)
  return { id, span, doc: ctx.docs.get(span.start) }
}

/** The token as a name. What recovery put in place of an unreadable piece becomes a name without text. */
export function nameOf(from: Token, ctx: Context): Name {
  const text = from.tokenType.name === 'Missing' ? '' : from.image
  return { kind: 'Name', ...at(tokenSpan(from, ctx.source), ctx), text }
}

/** The rule's own name. */
export function name(cst: CstNode, ctx: Context, under = 'Name'): Name {
  return nameOf(token(cst, under), ctx)
}

/** All names that stand directly in the rule. */
export function names(cst: CstNode, ctx: Context, under = 'Name'): readonly Name[] {
  return tokensOf(cst, under).map(one => nameOf(one, ctx))
}
