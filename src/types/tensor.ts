import { compareDims, type Dim, isRest, product, showDim } from './dim.ts'

export { isRest }

export type DType = 'f32' | 'i32' | 'bool'

/** Sizes from outermost to innermost. At most one entry is a rest such as `...s`, any number of dimensions. */
export type Shape = readonly Dim[]

export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

/** Two sizes that must be equal, which their definition alone can't decide. A rest (`...s`) in a pair stands for all that it met. */
export type Obligation = readonly [Dim, Dim]

/** The type with a dtype and a shape. */
export function tensor(dtype: DType, shape: Shape): TensorType {
  return { dtype, shape }
}

/** The type of a single number. */
export function scalar(dtype: DType): TensorType {
  return { dtype, shape: [] }
}

/** Where the rest of a shape stands; undefined where it has none. */
export function restIndex(shape: Shape): number | undefined {
  const index = shape.findIndex(isRest)
  return index < 0 ? undefined : index
}

/** The number of axes; undefined where a rest leaves it open. */
export function rank(type: TensorType): number | undefined {
  return restIndex(type.shape) === undefined ? type.shape.length : undefined
}

/** The number of elements; undefined where a rest leaves it open. */
export function elementCount(shape: Shape): Dim | undefined {
  return restIndex(shape) === undefined ? product(shape) : undefined
}

/** A type as users write it: `f32[n, 784]`, and `f32` for a single number. */
export function showType(type: TensorType): string {
  return type.shape.length === 0 ? type.dtype : `${type.dtype}${showShape(type.shape)}`
}

/** A shape as users write it: `[n, 784]`. */
export function showShape(shape: Shape): string {
  return `[${shape.map(showDim).join(', ')}]`
}

/** Whether two types are written alike. */
export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape)
}

/** Whether two shapes are written alike. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i])
}

/**
 * The place in a shape of an axis that counts from the end when negative; undefined where there is none such. With a rest
 * only the axes before it can be counted from the start, and only those after it from the end.
 */
export function axisIndex(shape: Shape, axis: number): number | undefined {
  const index = axis < 0 ? shape.length + axis : axis
  const rest = restIndex(shape)
  const inside = index >= 0 && index < shape.length
  if (!inside || rest === undefined) return inside ? index : undefined
  return axis < 0 ? (index > rest ? index : undefined) : index < rest ? index : undefined
}

/** The shape of an elementwise result, with what has to hold for it; or the first axis from the end that rules it out. */
export type Broadcast =
  | { readonly shape: Shape; readonly obligations: readonly Obligation[] }
  | { readonly clash: BroadcastClash }

export interface BroadcastClash {
  /** Counted from the end: -1 is the last axis. */
  readonly axis: number
  readonly left: Dim
  readonly right: Dim
  /** `column`: an `(n, 1)` would be stretched to the `(n)` that it meets. */
  readonly reason: 'different' | 'column'
}

/**
 * Joins the shapes of two operands, aligned at their last axes:
 * 1. axes that the shorter operand lacks are added in front of it;
 * 2. a literal 1 is stretched to the other's size, except
 * 3. a literal 1 that is the last axis of the operand with more axes, where the axes in front of it are those of the other.
 *
 * The third rule is what keeps an `(n)` and an `(n, 1)`, predictions and targets as a rule, from becoming an `(n, n)`. It
 * leaves alone what people mean: `(n, 1) * (n, d)`, `(k, d) - (n, 1, d)`, `(n, 1) - (1, n)`, `(n, t, 1)` against `(k)`, `(n, k, 1)`
 * against `(k, k)`, a bias `(1)` on an `(n, d)`.
 *
 * A symbolic size is never taken for a 1. Two of which nothing is proved become an obligation, and so does a rest that
 * meets anything but itself; the result then has the rest.
 */
export function broadcastShapes(a: Shape, b: Shape): Broadcast {
  const [aRest, bRest] = [restIndex(a), restIndex(b)]
  const ranksKnown = aRest === undefined && bRest === undefined
  const shape: Dim[] = []
  const obligations: Obligation[] = []
  let [i, j] = [a.length, b.length]
  for (; i > 0 && j > 0; i--, j--) {
    const [left, right] = [a[i - 1]!, b[j - 1]!]
    if (isRest(left) || isRest(right)) {
      if (left !== right) return openEnded(a.slice(0, i), b.slice(0, j), shape, obligations)
      shape.unshift(left)
      continue
    }
    const axis = i - 1 - a.length
    if (axis === -1 && ranksKnown && left !== right && isColumn(a, b))
      return { clash: { axis, left, right, reason: 'column' } }
    const joined = joinAxis(left, right)
    if (!joined) return { clash: { axis, left, right, reason: 'different' } }
    if (joined.open) obligations.push([left, right])
    shape.unshift(joined.size)
  }
  return { shape: [...a.slice(0, i), ...b.slice(0, j), ...shape], obligations }
}

type Joined = { readonly size: Dim; readonly open?: boolean } | undefined

/** Whether the operand with more axes is the other one with a 1 behind it: an `(n, 1)` that meets an `(n)`. */
function isColumn(a: Shape, b: Shape): boolean {
  if (a.length === b.length) return false
  const [longer, shorter] = a.length > b.length ? [a, b] : [b, a]
  const bare = longer.slice(0, -1).slice(-shorter.length)
  return longer.at(-1) === 1 && shorter.every((size, i) => compareDims(size, bare[i]!) === 'equal')
}

/** The size of one axis; undefined where the two differ. */
function joinAxis(left: Dim, right: Dim): Joined {
  if (left === right) return { size: left }
  if (left === 1) return { size: right }
  if (right === 1) return { size: left }
  const comparison = compareDims(left, right)
  if (comparison === 'different') return undefined
  return { size: left, open: comparison === 'unknown' }
}

/** What is left of two shapes when a rest meets something else: only an instance can tell. */
function openEnded(a: Shape, b: Shape, joined: Shape, obligations: readonly Obligation[]): Broadcast {
  const kept = restIndex(a) === undefined ? b : a
  return { shape: [...kept, ...joined], obligations: [...obligations, [a.at(-1)!, b.at(-1)!]] }
}
