import { isWithin, type Marks } from './marks.ts'
import type { Leaf } from './tree.ts'

/** Statements and clauses whose word is followed by an expression: a parenthesis behind it is no call. */
const takesExpression: ReadonlySet<string> = new Set(
  'minimize require filter log print debug stop checkpoint yield while with over pad from raw'.split(' '),
)

/** Whether a space stands between two tokens that follow each other on a line. */
export function isSpaced(left: Leaf, right: Leaf, marks: Marks): boolean {
  const within = marks.globs.some(glob => left.offset >= glob.start && right.end <= glob.end)
  if (within || left.text === '.' || right.text === '.' || right.text === ',') return false
  if (isWithin(left.offset, marks.axes) && isWithin(right.offset, marks.axes)) return true
  if (left.text === '..' || right.text === '..' || left.text === '...') return isAroundRange(left, right)
  if (marks.unary.has(left.offset) && left.text === '-') return false
  if (right.text === ':') return isWithin(right.offset, marks.patternColons)
  if (right.text === '(') return isGrouping(left, right, marks)
  if (right.text === '[') return marks.lists.has(right.offset) || isOperatorLike(left)
  return true
}

/** `0..4` has no spaces; a range at the edge of something keeps its distance, as in `in ..4`. */
function isAroundRange(left: Leaf, right: Leaf): boolean {
  if (right.text === '..') return left.reserved || left.text === ',' || left.text === '=' || left.text === ':'
  return left.text === '...' && right.text === '->'
}

/** A parenthesis that holds no arguments: of an expression, or of axes in a pattern. */
function isGrouping(left: Leaf, right: Leaf, marks: Marks): boolean {
  if (left.type === 'fn' || left.type === 'rearrange' || left.type === 'reduce' || left.type === 'einsum')
    return false
  if (isWithin(right.offset, marks.axes)) return true
  if (isOperatorLike(left)) return true
  return takesExpression.has(left.text) && right.spaced
}

/** Neither a name nor the end of an operand. */
function isOperatorLike({ reserved, type, text }: Leaf): boolean {
  if (text === ')' || text === ']' || text === '}') return false
  if (reserved) return text !== 'true' && text !== 'false' && text !== 'fn'
  return !/^[A-Za-z_"\d]/.test(text) || type === 'Underscore'
}
