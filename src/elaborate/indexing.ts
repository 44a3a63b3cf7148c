import { type Span, textOf } from '../base/source.ts'
import type { Index, IndexItem } from '../syntax/ast.ts'
import { add, compareDims, type Dim, subtract } from '../types/dim.ts'
import { isRest } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expression } from './evaluate.ts'
import { uniformItem } from './iteration.ts'
import { applyOperator, madeAt, toTensor } from './tensors.ts'
import { errorValue, type TensorValue, type Value } from './values.ts'

/** `x[…]`: lists by a known int; tensors by items, slices, `...`, new axes and index tensors (F11). */
export function index(ctx: Context, node: Index): Value {
  const object = expression(ctx, node.object)
  if (object.kind === 'error') return object
  if (object.kind === 'list' || object.kind === 'uniform_list') return listItem(ctx, object, node)
  if (object.kind === 'tensor') return tensorIndex(ctx, object, node)
  return complain(ctx, 'LTM2109', node.object.span, { wanted: 'a list or a tensor', got: describe(object) })
}

function listItem(ctx: Context, list: Extract<Value, { kind: 'list' | 'uniform_list' }>, node: Index): Value {
  const [item] = node.items
  if (!item || node.items.length > 1 || item.kind === 'NewAxis' || item.kind === 'Ellipsis') {
    return complain(ctx, 'LTM2111', node.span, { got: describe(list), count: node.items.length })
  }
  if (item.kind === 'Range') return listSlice(ctx, list, node)
  const at = expression(ctx, item)
  if (at.kind === 'error') return at
  if (at.kind !== 'int') return complain(ctx, 'LTM2109', item.span, { wanted: 'an int', got: describe(at) })
  if (list.kind === 'uniform_list') return uniformItem(list, String(at.dim))
  if (typeof at.dim !== 'number') return list.items[0] ?? errorValue
  const found = list.items.at(at.dim)
  return (
    found ?? complain(ctx, 'LTM2110', item.span, { index: String(at.dim), length: String(list.items.length) })
  )
}

/** The position of a list that `set xs[i] = …` replaces; a mistake is reported. */
export function listPosition(
  ctx: Context,
  list: Extract<Value, { kind: 'list' }>,
  node: Index,
): number | undefined {
  const [item] = node.items
  if (!item || node.items.length > 1 || item.kind === 'NewAxis' || item.kind === 'Ellipsis')
    return void complain(ctx, 'LTM2111', node.span, { got: describe(list), count: node.items.length })
  const at = item.kind === 'Range' ? undefined : expression(ctx, item)
  if (at?.kind === 'error') return undefined
  if (at?.kind !== 'int' || typeof at.dim !== 'number')
    return void complain(ctx, 'LTM2109', item.span, {
      wanted: 'an int that is known when the program is compiled',
      got: at ? describe(at) : 'a range',
    })
  const { length } = list.items
  const position = at.dim < 0 ? at.dim + length : at.dim
  if (position >= 0 && position < length) return position
  return void complain(ctx, 'LTM2110', item.span, { index: String(at.dim), length: String(length) })
}

function listSlice(
  ctx: Context,
  list: Extract<Value, { kind: 'list' | 'uniform_list' }>,
  node: Index,
): Value {
  const item = node.items[0]!
  if (list.kind !== 'list' || item.kind !== 'Range') return list
  const bounds = [item.from, item.to].map(bound => (bound ? expression(ctx, bound) : undefined))
  const [from, to] = bounds.map(bound =>
    bound?.kind === 'int' && typeof bound.dim === 'number' ? bound.dim : undefined,
  )
  return { kind: 'list', items: list.items.slice(from ?? 0, to) }
}

/** One item of a tensor's index, with the axis of the tensor that it applies to. */
export type Selector =
  | { readonly kind: 'item'; readonly axis: number; readonly at: Dim }
  | { readonly kind: 'slice'; readonly axis: number; readonly from: Dim; readonly to: Dim }
  | { readonly kind: 'gather'; readonly axis: number; readonly index: TensorValue }
  | { readonly kind: 'whole'; readonly axis: number }
  | { readonly kind: 'new' }

function tensorIndex(ctx: Context, object: TensorValue, node: Index): Value {
  if (object.type.shape.some(isRest)) return indexBesideRest(ctx, object, node)
  const selectors = selectorsAt(ctx, object, node)
  return selectors ? applySelectors(ctx, object, selectors, node.span) : errorValue
}

/** What an index says of each axis; undefined where a mistake in it has been reported. */
export function selectorsAt(ctx: Context, object: TensorValue, node: Index): readonly Selector[] | undefined {
  const axes = object.type.shape.length
  const consuming = node.items.filter(item => item.kind !== 'NewAxis' && item.kind !== 'Ellipsis').length
  if (consuming > axes)
    return void complain(
      ctx,
      'LTM2111',
      node.span,
      { got: describe(object), count: consuming },
      { cause: madeAt(ctx, object, String(consuming)) },
    )
  return selectorsOf(ctx, object, node, axes - consuming)
}

/** Of a value whose number of axes is open, as in the update of an optimizer, only all of it can be taken. */
function indexBesideRest(ctx: Context, object: TensorValue, node: Index): Value {
  if (node.items.every(item => item.kind === 'Ellipsis')) return object
  if (ctx.generic) return errorValue
  return complain(ctx, 'LTM2126', node.span, { what: describe(object) })
}

function selectorsOf(
  ctx: Context,
  object: TensorValue,
  { object: written, items }: Index,
  spare: number,
): Selector[] | undefined {
  const whole = textOf(written.span)
  const [, again] = items.filter(item => item.kind === 'Ellipsis')
  if (again) return refused(ctx, again.span, 'it has a second `...`', 'name the axes in between with `..`')
  const selectors: Selector[] = []
  let axis = 0
  let open = spare
  let positions: string | undefined
  for (const item of items) {
    if (item.kind === 'NewAxis') selectors.push({ kind: 'new' })
    else if (item.kind === 'Ellipsis') {
      for (; open > 0; open--) selectors.push({ kind: 'whole', axis: axis++ })
    } else {
      const selector = selectorOf(ctx, item, axis, object.type.shape[axis]!)
      if (!selector) return undefined
      if (selector.kind === 'gather' && selector.index.type.shape.length > 0) {
        if (positions !== undefined) return twoPositions(ctx, whole, item.span, positions)
        positions = textOf(item.span)
      }
      selectors.push(selector)
      axis++
    }
  }
  while (axis < object.type.shape.length) selectors.push({ kind: 'whole', axis: axis++ })
  return selectors
}

function refused(ctx: Context, span: Span, problem: string, help: string): undefined {
  return void complain(ctx, 'LTM2103', span, { operator: '[…]', problem }, { help })
}

/** Elsewhere two tensors of positions go in pairs, or each along its axis: here one of the two is said. */
function twoPositions(ctx: Context, whole: string, span: Span, first: string): undefined {
  const second = textOf(span)
  return refused(
    ctx,
    span,
    'it has two tensors of positions',
    `for each of \`${first}\` with each of \`${second}\` write \`${whole}[${first}][.., ${second}]\`, for pairs \`pick(${whole}[${first}], ${second})\``,
  )
}

function selectorOf(
  ctx: Context,
  item: Exclude<IndexItem, { kind: 'NewAxis' | 'Ellipsis' }>,
  axis: number,
  length: Dim,
): Selector | undefined {
  if (item.kind === 'Range') {
    if (!item.from && !item.to) return { kind: 'whole', axis }
    const from = item.from ? position(ctx, item.from, length) : 0
    const to = item.to ? position(ctx, item.to, length) : length
    return from === undefined || to === undefined
      ? undefined
      : inBounds(ctx, { kind: 'slice', axis, from, to }, length, item.span)
  }
  const given = expression(ctx, item)
  const value = given.kind === 'float' && given.whole ? toTensor(ctx, given, item.span, 'i32') : given
  if (value.kind === 'tensor' && value.type.dtype === 'i32') return { kind: 'gather', axis, index: value }
  if (value.kind === 'int') {
    const at = fromEnd(value.dim, length)
    if (typeof at === 'number' && typeof length === 'number' && (at < 0 || at >= length)) {
      complain(ctx, 'LTM2110', item.span, { index: String(value.dim), length: String(length) })
      return undefined
    }
    return { kind: 'item', axis, at }
  }
  if (value.kind !== 'error')
    complain(ctx, 'LTM2109', item.span, { wanted: 'an int, a range or an i32 tensor', got: describe(value) })
  return undefined
}

function inBounds(
  ctx: Context,
  slice: Extract<Selector, { kind: 'slice' }>,
  length: Dim,
  span: Span,
): Selector | undefined {
  const { from, to } = slice
  const numbers = [from, to, length].every(bound => typeof bound === 'number')
  if (!numbers || (0 <= Number(from) && Number(from) <= Number(to) && Number(to) <= Number(length)))
    return slice
  complain(ctx, 'LTM2110', span, { index: `${from}..${to}`, length: String(length) })
  return undefined
}

function position(ctx: Context, node: Parameters<typeof expression>[1], length: Dim): Dim | undefined {
  const value = expression(ctx, node)
  if (value.kind === 'int') return fromEnd(value.dim, length)
  if (value.kind === 'error') return undefined
  const help =
    value.kind === 'tensor' || value.kind === 'float'
      ? 'how long a stretch is has to be known when the program is compiled; of a longer one take what counts by `where(arange(n) < stop, x, 0)`'
      : undefined
  return void complain(ctx, 'LTM2109', node.span, { wanted: 'an int', got: describe(value) }, { help })
}

/** Negative positions count from the end. */
function fromEnd(at: Dim, length: Dim): Dim {
  return typeof at === 'number' && at < 0 ? add(length, at) : at
}

/** Slices and gathers one axis after the other, then one reshape drops the single items and adds the new axes. */
function applySelectors(
  ctx: Context,
  object: TensorValue,
  selectors: readonly Selector[],
  span: Span,
): Value {
  let value: TensorValue = object
  const shape: Dim[] = []
  let reshaped = false
  let shift = 0
  for (const selector of selectors) {
    if (selector.kind === 'new') {
      shape.push(1)
      reshaped = true
      continue
    }
    const axis = selector.axis + shift
    const next = selectAxis(ctx, value, selector, axis, span)
    if (next.kind === 'error') return next
    value = next
    if (selector.kind === 'item') reshaped = true
    else if (selector.kind === 'gather') {
      const added = selector.index.type.shape.length
      shape.push(...value.type.shape.slice(axis, axis + added))
      shift += added - 1
    } else shape.push(value.type.shape[axis]!)
  }
  return reshaped ? applyOperator(ctx, 'reshape', [value], { shape }, span, '[]') : value
}

function selectAxis(
  ctx: Context,
  value: TensorValue,
  selector: Exclude<Selector, { kind: 'new' }>,
  axis: number,
  span: Span,
): TensorValue | { readonly kind: 'error' } {
  switch (selector.kind) {
    case 'whole':
      return value
    case 'item':
      return applyOperator(
        ctx,
        'slice',
        [value],
        { axis, from: selector.at, to: add(selector.at, 1) },
        span,
        '[]',
      )
    case 'slice':
      return compareDims(subtract(selector.to, selector.from), value.type.shape[axis]!) === 'equal'
        ? value
        : applyOperator(ctx, 'slice', [value], { axis, from: selector.from, to: selector.to }, span, '[]')
    case 'gather':
      return applyOperator(ctx, 'gather', [value, selector.index], { axis }, span, '[]')
  }
}
