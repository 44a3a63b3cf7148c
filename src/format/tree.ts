import { type Token, tokenize } from '../../grammar/tokens.ts'

/** A token with the comments that belong to it. */
export interface Leaf {
  readonly kind: 'leaf'
  readonly text: string
  /** The name of its token type. */
  readonly type: string
  readonly reserved: boolean
  readonly offset: number
  readonly end: number
  /** Comments on lines of their own in front of it. */
  readonly before: readonly CommentLine[]
  /** A comment behind it on its line. */
  readonly behind: string | undefined
  /** Whether an empty line stands in front of it and its comments. */
  readonly blank: boolean
  /** Whether space, and whether a new line, stands in front of it in the source. */
  readonly spaced: boolean
  readonly startsLine: boolean
}
export interface CommentLine {
  readonly text: string
  /** Whether an empty line follows. */
  readonly blank: boolean
}
/** What stands between two brackets. */
export interface Bracket {
  readonly kind: 'bracket'
  readonly open: Leaf
  readonly content: readonly Piece[]
  readonly close: Leaf
}
export type Piece = Leaf | Bracket

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** The tokens of a text, brackets nested, and what stands behind the last of them. */
export function readTree(text: string): { readonly pieces: readonly Piece[]; readonly end: Leaf } {
  const leaves = leavesOf(text)
  const end = leaves.pop()
  if (!end) throw new RangeError('a text without an end')
  const reader = { leaves, at: 0 }
  return { pieces: readPieces(reader, undefined), end }
}

function readPieces(
  reader: { readonly leaves: readonly Leaf[]; at: number },
  close: string | undefined,
): readonly Piece[] {
  const pieces: Piece[] = []
  for (let leaf = reader.leaves[reader.at]; leaf !== undefined; leaf = reader.leaves[reader.at]) {
    if (leaf.text === close) break
    reader.at++
    const wanted = closing[leaf.text]
    if (wanted === undefined) {
      pieces.push(leaf)
      continue
    }
    const content = readPieces(reader, wanted)
    const last = reader.leaves[reader.at++]
    // The file has been parsed, so every bracket is closed.
    if (last) pieces.push({ kind: 'bracket', open: leaf, content, close: last })
  }
  return pieces
}

/** Every token, and at last an empty one that holds the comments behind them all. */
function leavesOf(text: string): Leaf[] {
  const { tokens, comments } = tokenize(text)
  let next = 0
  let before = 0
  const leaf = (token: Token | undefined): Leaf => {
    const offset = token?.startOffset ?? text.length
    const own: CommentLine[] = []
    const first = comments[next]?.startOffset
    const blank = hasBlank(text.slice(before, Math.min(offset, first ?? offset)))
    const gap = text.slice(before, offset)
    for (let comment = comments[next]; comment && comment.startOffset < offset; comment = comments[++next]) {
      const end = comment.startOffset + comment.image.length
      const following = comments[next + 1]?.startOffset ?? offset
      own.push({
        text: comment.image.trimEnd(),
        blank: hasBlank(text.slice(end, Math.min(following, offset))),
      })
    }
    const image = token?.image ?? ''
    const end = offset + image.length
    before = end
    const behind = comments[next]
    const trailing =
      token &&
      behind &&
      !text.slice(end, behind.startOffset).includes('\n') &&
      isNext(text, end, behind.startOffset)
        ? behind.image.trimEnd()
        : undefined
    if (trailing !== undefined && behind) {
      next++
      before = behind.startOffset + behind.image.length
    }
    return {
      kind: 'leaf',
      text: image,
      type: token?.tokenType.name ?? '',
      reserved: isReserved(token),
      offset,
      end,
      before: own,
      behind: trailing,
      blank,
      spaced: /\s/.test(gap),
      startsLine: gap.includes('\n'),
    }
  }
  return [...tokens.map(leaf), leaf(undefined)]
}

const isNext = (text: string, from: number, to: number): boolean => text.slice(from, to).trim() === ''

const hasBlank = (gap: string): boolean => /\n[ \t\r]*\n/.test(gap)

/** Words that are never names. */
function isReserved(token: Token | undefined): boolean {
  const categories = token?.tokenType.CATEGORIES ?? []
  return categories.some(each => each.name === 'AnyWord') && !categories.some(each => each.name === 'Name')
}

/** The tokens in order, brackets and all. */
export function leavesIn(pieces: readonly Piece[]): readonly Leaf[] {
  return pieces.flatMap(piece =>
    piece.kind === 'leaf' ? [piece] : [piece.open, ...leavesIn(piece.content), piece.close],
  )
}

export const firstOf = (piece: Piece): Leaf => (piece.kind === 'leaf' ? piece : piece.open)
export const lastOf = (piece: Piece): Leaf => (piece.kind === 'leaf' ? piece : piece.close)
