import {
  blankLine,
  choice,
  comment,
  type Doc,
  fill,
  group,
  indent,
  join,
  line,
  newline,
  behind as rest,
  softline,
} from './doc.ts'
import { isWithin, type Marks } from './marks.ts'
import { isSpaced } from './spacing.ts'
import { type Bracket, firstOf, type Leaf, lastOf, type Piece } from './tree.ts'

/** A whole file: its declarations one below the other. */
export function fileDoc(pieces: readonly Piece[], end: Leaf, marks: Marks): Doc {
  const docs = itemsOf(pieces, marks).map((item, i) => itemDoc(item, marks, i > 0))
  return [join(docs, newline), danglingDoc(end, docs.length > 0)]
}

// ── Items ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The pieces of a list of declarations, members or statements, cut where these start. */
function itemsOf(pieces: readonly Piece[], marks: Marks): readonly (readonly Piece[])[] {
  const items: Piece[][] = []
  for (const [i, piece] of pieces.entries()) {
    const before = pieces[i - 1]
    // What follows an `else` belongs to it.
    const starts = marks.items.has(firstOf(piece).offset) && !(before && isLeaf(before, 'else'))
    const current = items.at(-1)
    if (starts || !current) items.push([piece])
    else current.push(piece)
  }
  return items
}

const isLeaf = (piece: Piece, text: string): boolean => piece.kind === 'leaf' && piece.text === text

/** An item with the comments and the empty line in front of it. */
function itemDoc(item: readonly Piece[], marks: Marks, follows: boolean): Doc {
  const [first] = item
  if (!first) return ''
  const leaf = firstOf(first)
  return [follows && leaf.blank ? blankLine : '', commentsBefore(leaf), endedBy(item, marks, '')]
}

/** A sequence that a line ends behind: the comment behind its last token breaks nothing in it. */
function endedBy(pieces: readonly Piece[], marks: Marks, sign: Doc): Doc {
  const { bare, behind } = withoutLastComment(pieces)
  return [assignment(bare, marks), sign, behind]
}

/** Pieces without the comment behind the last token, and the comment. */
function withoutLastComment(pieces: readonly Piece[]): {
  readonly bare: readonly Piece[]
  readonly behind: Doc
} {
  const last = pieces.at(-1)
  const text = last && lastOf(last).behind
  if (!last || text === undefined) return { bare: pieces, behind: '' }
  const piece: Piece =
    last.kind === 'leaf'
      ? { ...last, behind: undefined }
      : { ...last, close: { ...last.close, behind: undefined } }
  return { bare: [...pieces.slice(0, -1), piece], behind: comment(text) }
}

/** `let x = …`: what stands behind the sign may begin on the next line. */
function assignment(pieces: readonly Piece[], marks: Marks): Doc {
  const at = pieces.findIndex(piece => isLeaf(piece, '='))
  const sign = pieces[at]
  const right = pieces.slice(at + 1)
  const [first] = right
  const plain = sign?.kind === 'leaf' && sign.behind === undefined && sign.before.length === 0
  if (!plain || !first || firstOf(first).before.length > 0 || separated(right).length > 1)
    return sequence(pieces, marks, 'written')
  const opens = operatorsIn(right, marks).size === 0
  return [
    sequence(pieces.slice(0, at), marks, 'written'),
    ' =',
    rest(sequence(right, marks, 'written'), opens),
  ]
}

/** Comments on lines of their own, each with the end of its line. */
function commentsBefore({ before }: Leaf): Doc {
  return before.map(({ text, blank }) => [text, newline, blank ? blankLine : ''])
}

/** The comments in front of a closing bracket, or of the end of the file. */
function danglingDoc(leaf: Leaf, follows: boolean): Doc {
  if (leaf.before.length === 0) return ''
  const lines = leaf.before.map(({ text, blank }, i) => [
    text,
    i < leaf.before.length - 1 ? [newline, blank ? blankLine : ''] : '',
  ])
  return [follows ? [newline, leaf.blank ? blankLine : ''] : '', lines]
}

// ── Sequences ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether the comments in front of the first token of a sequence have been written by whoever asks for it. */
type Comments = 'written' | 'open'

/** Tokens and brackets that follow each other: blocks apart from what stands between them. */
function sequence(pieces: readonly Piece[], marks: Marks, comments: Comments): Doc {
  const at = pieces.findIndex(piece => isBlock(piece, marks))
  const block = pieces[at]
  if (block?.kind !== 'bracket') return list(pieces, marks, comments)
  const head = pieces.slice(0, at)
  const tail = pieces.slice(at + 1)
  const last = head.at(-1)
  const own = ownLines(block.open)
  const open = last ? between(lastOf(last), ' ', own) : comments === 'open' ? own : ''
  const [next] = tail
  const space = next ? between(block.close, isSpaced(block.close, firstOf(next), marks) ? ' ' : '', '') : ''
  return [list(head, marks, comments), open, blockDoc(block, marks), space, sequence(tail, marks, 'open')]
}

/** Braces that hold items. */
const isBlock = (piece: Piece, marks: Marks): boolean =>
  piece.kind === 'bracket' && piece.open.text === '{' && !marks.records.has(piece.open.offset)

/** What commas outside of brackets separate, as in `minimize a = x, b = y`. */
function list(pieces: readonly Piece[], marks: Marks, comments: Comments): Doc {
  const items = separated(pieces)
  if (items.length < 2) return operation(pieces, marks, comments)
  const docs = items.map(({ pieces: each, comma }, i) => {
    const { bare, behind } = withoutLastComment(each)
    const sign = i === items.length - 1 ? '' : ','
    return [operation(bare, marks, i === 0 ? comments : 'open'), sign, behind, commaDoc(comma)]
  })
  return group([docs[0] ?? '', indent(docs.slice(1).map(doc => [line, doc]))])
}

/** An expression; where it is too long it is broken at its loosest operators. */
function operation(pieces: readonly Piece[], marks: Marks, comments: Comments): Doc {
  const cuts = operatorsIn(pieces, marks)
  if (cuts.size === 0) return chain(pieces, marks, comments)
  const loosest = Math.min(...cuts.values())
  const at = [...cuts].filter(([, looseness]) => looseness === loosest).map(([position]) => position)
  const head = operation(pieces.slice(0, at[0]), marks, comments)
  const rest = at.map((position, i) => {
    const [operator, ...operand] = pieces.slice(position, at[i + 1])
    const sign = operator?.kind === 'leaf' ? [commentsBefore(operator), leafDoc(operator)] : ''
    const space = operator?.kind === 'leaf' && operator.behind !== undefined ? newline : ' '
    return [line, sign, space, operation(operand, marks, 'open')]
  })
  return group([head, indent(rest)])
}

/** Where operators of this level stand, by position, with how loosely they bind. */
function operatorsIn(pieces: readonly Piece[], marks: Marks): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (const [i, piece] of pieces.entries()) {
    const next = pieces[i + 1]
    const looseness =
      next && piece.kind === 'leaf' && i > 0 ? marks.operators.get(firstOf(next).offset) : undefined
    if (looseness !== undefined) found.set(i, looseness)
  }
  return found
}

/** Pieces with the space that stands between them. */
function chain(pieces: readonly Piece[], marks: Marks, comments: Comments): Doc {
  return pieces.map((piece, i) => {
    const before = pieces[i - 1]
    const space = before && isSpaced(lastOf(before), firstOf(piece), marks) ? ' ' : ''
    const own = i > 0 || comments === 'open' ? ownLines(firstOf(piece)) : ''
    return [before ? between(lastOf(before), space, own) : own, pieceDoc(piece, marks, before)]
  })
}

/** What stands between two tokens: a line ends behind a comment, and comments on lines of their own bring theirs. */
function between(left: Leaf, space: string, own: Doc): Doc {
  if (own !== '') return own
  return left.behind === undefined ? space : newline
}

/** Comments in the middle of something stand on lines of their own. */
function ownLines(leaf: Leaf): Doc {
  return leaf.before.length === 0 ? '' : [newline, commentsBefore(leaf)]
}

function pieceDoc(piece: Piece, marks: Marks, before: Piece | undefined): Doc {
  if (piece.kind === 'leaf') return leafDoc(piece)
  if (piece.open.text === '{') return recordDoc(piece, marks)
  return isWithin(piece.open.offset, marks.axes) ? axesDoc(piece, marks) : listDoc(piece, marks, before)
}

/** A token with the comment behind it. */
function leafDoc({ text, behind }: Leaf): Doc {
  return behind === undefined ? text : [text, comment(behind)]
}

// ── Brackets ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Items in braces: on one line where they stood on one and fit. */
function blockDoc({ open, content, close }: Bracket, marks: Marks): Doc {
  const [first] = content
  if (!first) return emptyDoc(open, close)
  const wide = firstOf(first).startsLine || close.startsLine
  const docs = itemsOf(content, marks).map((item, i) => itemDoc(item, marks, i > 0))
  const inner = [line, join(docs, choice(newline, '  ')), danglingDoc(close, true)]
  return group([leafDoc(open), indent(inner), line, leafDoc(close)], wide, true)
}

function emptyDoc(open: Leaf, close: Leaf): Doc {
  const inner = danglingDoc(close, false)
  return inner === ''
    ? [leafDoc(open), leafDoc(close)]
    : [leafDoc(open), indent([newline, inner]), newline, leafDoc(close)]
}

/** `{ h, c: 2 }`: on several lines where its first field stands on a line of its own. */
function recordDoc({ open, content, close }: Bracket, marks: Marks): Doc {
  const [first] = content
  if (!first) return emptyDoc(open, close)
  const inner = [line, join(itemDocs(separated(content), marks, true), line), danglingDoc(close, true)]
  return group([leafDoc(open), indent(inner), line, leafDoc(close)], firstOf(first).startsLine)
}

/** Arguments, formals, items of a list, or an expression in parentheses. */
function listDoc(bracket: Bracket, marks: Marks, before: Piece | undefined): Doc {
  const { open, content, close } = bracket
  if (content.length === 0) return emptyDoc(open, close)
  const items = separated(content)
  const docs = itemDocs(items, marks, mayTrail(bracket, items, marks, before))
  const numbers = items.length > 8 && items.every(({ pieces }) => isNumber(pieces))
  const inner = numbers ? fill(docs.flatMap((doc, i) => (i === 0 ? [doc] : [line, doc]))) : join(docs, line)
  return group([leafDoc(open), indent([softline, inner, danglingDoc(close, true)]), softline, leafDoc(close)])
}

/** Whether a comma may stand behind the last item: not in a pattern, a comprehension, or around an expression. */
function mayTrail(
  { open, content }: Bracket,
  items: readonly Item[],
  marks: Marks,
  before: Piece | undefined,
): boolean {
  if (content.some(piece => isWithin(firstOf(piece).offset, marks.axes) || isLeaf(piece, 'for'))) return false
  if (items.length > 1 || open.text === '[') return true
  return before !== undefined && !isSpaced(lastOf(before), open, marks) && !isLeaf(before, '-')
}

function isNumber(pieces: readonly Piece[]): boolean {
  const last = pieces.at(-1)
  return pieces.length <= 2 && last?.kind === 'leaf' && last.type === 'NumberToken'
}

/** `(h w)` in a pattern stays together. */
function axesDoc({ open, content, close }: Bracket, marks: Marks): Doc {
  return [leafDoc(open), chain(content, marks, 'open'), ownLines(close), leafDoc(close)]
}

interface Item {
  readonly pieces: readonly Piece[]
  readonly comma: Leaf | undefined
}

/** Pieces cut at their commas. */
function separated(content: readonly Piece[]): readonly Item[] {
  const items: Item[] = []
  let pieces: Piece[] = []
  for (const piece of content) {
    if (piece.kind === 'leaf' && piece.text === ',') {
      items.push({ pieces, comma: piece })
      pieces = []
    } else pieces.push(piece)
  }
  return pieces.length > 0 ? [...items, { pieces, comma: undefined }] : items
}

/** Items with the commas behind them; the last has one where it is followed by the end of a line. */
function itemDocs(items: readonly Item[], marks: Marks, mayEnd: boolean): readonly Doc[] {
  return items.map(({ pieces, comma }, i) => {
    const [first] = pieces
    const last = i === items.length - 1
    return [
      first ? commentsBefore(firstOf(first)) : '',
      last ? endedBy(pieces, marks, mayEnd ? choice(',', '') : '') : endedBy(pieces, marks, ','),
      commaDoc(comma),
    ]
  })
}

/** The comments of a comma; the comma itself is not the source's to say. */
function commaDoc(comma: Leaf | undefined): Doc {
  if (!comma) return ''
  const comments = [...comma.before.map(({ text }) => text), ...(comma.behind ? [comma.behind] : [])]
  return comments.map(text => comment(text))
}
