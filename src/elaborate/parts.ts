import { type Span, textOf } from '../base/source.ts'
import type { Index } from '../syntax/ast.ts'
import { add, compareDims, type Dim, subtract } from '../types/dim.ts'
import { isRest, type Shape, showType, type TensorType } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { checkDeclared } from './conversion.ts'
import { describe } from './describe.ts'
import { type Selector, selectorsAt } from './indexing.ts'
import { applyOperator, toTensor } from './tensors.ts'
import { type ErrorValue, errorValue, type TensorValue, type Value } from './values.ts'

/** A part of one axis: a stretch whose ends are known, or the position that a tensor holds. */
type Cut = Extract<Selector, { readonly kind: 'item' | 'slice' | 'gather' }>

/**
 * `set x[i, a..b] = v`: `x` with a part replaced. Where the program knows the place, what lies around the part is put
 * together with it; where only the run knows, a mask chooses.
 */
export function withPart(
  ctx: Context,
  whole: TensorValue,
  node: Index,
  span: Span,
  value: (expected: TensorType | undefined) => Value,
): Value {
  const cuts = cutsOf(ctx, whole, node)
  if (!cuts) {
    value(undefined)
    return errorValue
  }
  const part = partType(whole.type, cuts)
  const given = partValue(ctx, value(part), part, node, span)
  if (given.kind === 'error') return given
  // With every axis of the whole, one position long where the part has none.
  const shape = whole.type.shape.map((size, axis) => lengthOf(cuts, axis) ?? size)
  const laid =
    part.shape.length === shape.length ? given : applyOperator(ctx, 'reshape', [given], { shape }, span)
  const known = cuts.filter(cut => cut.kind !== 'gather')
  const asked = cuts.filter(cut => cut.kind === 'gather')
  return laid.kind === 'error' ? laid : replaced(ctx, whole, known, asked, laid, span)
}

/** The places that an index names; undefined where it can't be set, or where a definition can't know it. */
function cutsOf(ctx: Context, whole: TensorValue, node: Index): readonly Cut[] | undefined {
  if (whole.type.shape.some(isRest)) {
    if (!ctx.generic) complain(ctx, 'LTM2151', node.span, { problem: 'the axes are not known here' })
    return undefined
  }
  const selectors = selectorsAt(ctx, whole, node)
  if (!selectors) return undefined
  const [fresh] = node.items.filter(item => item.kind === 'NewAxis')
  if (fresh) {
    complain(ctx, 'LTM2151', fresh.span, { problem: 'a new axis is not there yet' })
    return undefined
  }
  const several = selectors.find(each => each.kind === 'gather' && each.index.type.shape.length > 0)
  if (several?.kind === 'gather') {
    complain(ctx, 'LTM2151', several.index.span ?? node.span, {
      problem: `${describe(several.index)} names several positions, and might name one of them twice`,
    })
    return undefined
  }
  return selectors.filter(each => each.kind !== 'whole' && each.kind !== 'new')
}

const lengthOf = (cuts: readonly Cut[], axis: number): Dim | undefined => {
  const cut = cuts.find(each => each.axis === axis)
  if (!cut) return undefined
  return cut.kind === 'slice' ? subtract(cut.to, cut.from) : 1
}

/** The type of what the same index reads. */
function partType({ dtype, shape }: TensorType, cuts: readonly Cut[]): TensorType {
  const sizes = shape.flatMap((size, axis) => {
    const cut = cuts.find(each => each.axis === axis)
    if (!cut) return [size]
    return cut.kind === 'slice' ? [subtract(cut.to, cut.from)] : []
  })
  return { dtype, shape: sizes }
}

/** A number fills the part; anything else has its shape. */
function partValue(
  ctx: Context,
  value: Value,
  part: TensorType,
  node: Index,
  span: Span,
): TensorValue | ErrorValue {
  const { dtype, shape } = part
  const scalar = value.kind === 'float' && value.whole === true ? toTensor(ctx, value, span, dtype) : value
  if (scalar.kind === 'tensor' && scalar.type.dtype === dtype && scalar.type.shape.length === 0)
    return shape.length === 0 ? scalar : applyOperator(ctx, 'broadcast_to', [scalar], { shape }, span)
  if (scalar.kind === 'tensor' && !mayBe(scalar.type, part))
    return complain(ctx, 'LTM2102', span, {
      what: `\`${textOf(node.span)}\``,
      expected: showType(part),
      got: describe(value),
    })
  const checked = checkDeclared(ctx, scalar, { kind: 'tensor', type: part }, span, 'this part')
  return checked.kind === 'tensor' ? checked : errorValue
}

function mayBe(type: TensorType, wanted: TensorType): boolean {
  if (type.dtype !== wanted.dtype || type.shape.length !== wanted.shape.length) return false
  return type.shape.every((size, i) => compareDims(size, wanted.shape[i] ?? 0) !== 'different')
}

function replaced(
  ctx: Context,
  whole: TensorValue,
  known: readonly Cut[],
  asked: readonly Extract<Cut, { readonly kind: 'gather' }>[],
  part: TensorValue,
  span: Span,
): TensorValue | ErrorValue {
  const [cut, ...rest] = known
  if (!cut || cut.kind === 'gather') return asked.length === 0 ? part : chosen(ctx, whole, asked, part, span)
  const { axis } = cut
  const size = whole.type.shape[axis] ?? 0
  const [from, to] = cut.kind === 'item' ? [cut.at, add(cut.at, 1)] : [cut.from, cut.to]
  const between = (start: Dim, end: Dim): readonly (TensorValue | ErrorValue)[] => {
    const equal = compareDims(start, end) === 'equal'
    return equal ? [] : [applyOperator(ctx, 'slice', [whole], { axis, from: start, to: end }, span)]
  }
  const all = compareDims(from, 0) === 'equal' && compareDims(to, size) === 'equal'
  const needed = rest.length > 0 || asked.length > 0
  const [old = whole] = needed && !all ? between(from, to) : []
  const inner = old.kind === 'error' ? old : replaced(ctx, old, rest, asked, part, span)
  const pieces = [...between(0, from), inner, ...between(to, size)]
  const good = pieces.flatMap(piece => (piece.kind === 'tensor' ? [piece] : []))
  const [only] = good
  if (!only || good.length < pieces.length) return errorValue
  const joined = good.length === 1 ? only : applyOperator(ctx, 'concat', good, { axis }, span)
  // Sizes with symbols come out as sums; the whole keeps the type that it had.
  return joined.kind === 'error' ? joined : { ...joined, type: whole.type }
}

/** A mask that is 1 at the positions, which are looked at for being there at all. */
function chosen(
  ctx: Context,
  whole: TensorValue,
  asked: readonly Extract<Cut, { readonly kind: 'gather' }>[],
  part: TensorValue,
  span: Span,
): TensorValue | ErrorValue {
  const { shape } = whole.type
  let mask: TensorValue | ErrorValue | undefined
  for (const { axis, index } of asked) {
    const at = maskAt(ctx, shape, axis, index, span)
    mask =
      mask && mask.kind === 'tensor' && at.kind === 'tensor'
        ? applyOperator(ctx, 'and', [mask, at], {}, span)
        : at
  }
  const spread = applyOperator(ctx, 'broadcast_to', [part], { shape }, span)
  if (mask?.kind !== 'tensor' || spread.kind === 'error') return errorValue
  return applyOperator(ctx, 'where', [mask, spread, whole], {}, span)
}

function maskAt(
  ctx: Context,
  shape: Shape,
  axis: number,
  index: TensorValue,
  span: Span,
): TensorValue | ErrorValue {
  const size = shape[axis] ?? 1
  const one = toTensor(ctx, { kind: 'float', expr: { kind: 'number', value: 1 } }, span)
  if (one.kind === 'error') return one
  const row = applyOperator(ctx, 'scatter_add', [one, index], { axis: 0, size }, span)
  const mask = row.kind === 'error' ? row : applyOperator(ctx, 'cast', [row], { dtype: 'bool' }, span)
  if (mask.kind === 'error' || shape.length === 1) return mask
  const laid = shape.map((_, i) => (i === axis ? size : 1))
  return applyOperator(ctx, 'reshape', [mask], { shape: laid }, span)
}
