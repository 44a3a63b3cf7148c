import { textOf } from '../base/source.ts'
import type { Pattern, PatternAxes } from '../syntax/ast.ts'
import { compareDims, type Dim, product } from '../types/dim.ts'
import { isRest } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { expression } from './evaluate.ts'
import { applyOperator, toTensor } from './tensors.ts'
import { type ErrorValue, errorValue, type TensorValue, type Value } from './values.ts'

/** A tensor whose axes have names. */
interface Named {
  readonly tensor: TensorValue
  readonly axes: readonly string[]
}

/**
 * `einsum(a, b : i k, k j -> i j)`: sums of products over the names that the right side leaves out. One operand after the
 * other is multiplied into the first, each time as a product of matrices: names of both sides that stay are its batch,
 * names of both that nobody needs any more are summed over.
 */
export function einsum(ctx: Context, node: Pattern): Value {
  const operands = node.operands.map(operand => toTensor(ctx, expression(ctx, operand), operand.span))
  const output = namesOf(node.output)
  const inputs = node.inputs.map(namesOf)
  if (operands.some(operand => operand.kind === 'error')) return errorValue
  if (!output || !inputs.every(names => names !== undefined))
    return problem(ctx, node, 'an `einsum` has plain names only; split axes with `rearrange`')
  if (inputs.length !== operands.length)
    return problem(ctx, node, `it has ${operands.length} operands and ${inputs.length} lists of axes`)
  const named = operands.flatMap((tensor, i) =>
    tensor.kind === 'tensor' ? [{ tensor, axes: inputs[i]! }] : [],
  )
  if (ctx.generic && named.some(({ tensor }) => tensor.type.shape.some(isRest))) return errorValue
  const wrong = mismatch(ctx, named, output)
  if (wrong) return problem(ctx, node, wrong)
  const [first, ...others] = named
  if (!first) return problem(ctx, node, 'it has no operand')
  let result: Named | ErrorValue = sumAway(ctx, node, first, [
    ...output,
    ...others.flatMap(other => other.axes),
  ])
  for (const [i, other] of others.entries()) {
    const needed = [...output, ...others.slice(i + 1).flatMap(each => each.axes)]
    result = 'axes' in result ? multiply(ctx, node, result, other, needed) : result
  }
  return 'axes' in result ? ordered(ctx, node, result, output) : result
}

function problem(ctx: Context, node: Pattern, text: string): ErrorValue {
  return complain(ctx, 'LTM2112', node.span, { pattern: textOf(node.span), problem: text })
}

function namesOf({ axes }: PatternAxes): readonly string[] | undefined {
  const names = axes.map(axis => (axis.kind === 'PatternName' ? axis.name.text : undefined))
  return names.every(name => name !== undefined) ? names : undefined
}

/** Ranks, repeated names, sizes that differ, and names that only the right side has. */
function mismatch(ctx: Context, operands: readonly Named[], output: readonly string[]): string | undefined {
  const sizes = new Map<string, Dim>()
  for (const { tensor, axes } of operands) {
    if (axes.length !== tensor.type.shape.length)
      return `it names ${axes.length} axes, and the value has ${tensor.type.shape.length}`
    const twice = axes.find((name, i) => axes.indexOf(name) !== i)
    if (twice !== undefined) return `\`${twice}\` stands twice in one operand`
    for (const [i, name] of axes.entries()) {
      const size = tensor.type.shape[i]!
      const before = sizes.get(name) ?? size
      const answer = compareDims(before, size)
      if (answer === 'different' || (answer === 'unknown' && !ctx.generic))
        return `\`${name}\` is ${before} in one operand and ${size} in another`
      sizes.set(name, before)
    }
  }
  const unknown = output.find(name => !sizes.has(name))
  return unknown === undefined ? undefined : `\`${unknown}\` is not on the left side`
}

/** Sums over the axes that nobody needs. */
function sumAway(ctx: Context, node: Pattern, value: Named, needed: readonly string[]): Named | ErrorValue {
  const axis = value.axes.flatMap((name, i) => (needed.includes(name) ? [] : [i]))
  if (axis.length === 0) return value
  const tensor = applyOperator(ctx, 'sum', [value.tensor], { axis }, node.span, 'einsum')
  return tensor.kind === 'error' ? tensor : { tensor, axes: value.axes.filter(name => needed.includes(name)) }
}

function multiply(
  ctx: Context,
  node: Pattern,
  left: Named,
  right: Named,
  needed: readonly string[],
): Named | ErrorValue {
  const other = sumAway(ctx, node, right, [...needed, ...left.axes])
  if (!('axes' in other)) return other
  const both = left.axes.filter(name => other.axes.includes(name))
  const batch = both.filter(name => needed.includes(name))
  const summed = both.filter(name => !needed.includes(name))
  const rows = left.axes.filter(name => !both.includes(name))
  const columns = other.axes.filter(name => !both.includes(name))
  const sizeOf = (name: string): Dim => {
    const at = left.axes.indexOf(name)
    return at >= 0 ? left.tensor.type.shape[at]! : other.tensor.type.shape[other.axes.indexOf(name)]!
  }
  const sizes = (names: readonly string[]): readonly Dim[] => names.map(sizeOf)
  const a = matrix(
    ctx,
    node,
    left,
    [...batch, ...rows, ...summed],
    [...sizes(batch), product(sizes(rows)), product(sizes(summed))],
  )
  const b = matrix(
    ctx,
    node,
    other,
    [...batch, ...summed, ...columns],
    [...sizes(batch), product(sizes(summed)), product(sizes(columns))],
  )
  if (a.kind === 'error' || b.kind === 'error') return errorValue
  const made = applyOperator(ctx, 'matmul', [a, b], {}, node.span, 'einsum')
  const axes = [...batch, ...rows, ...columns]
  const tensor = made.kind === 'error' ? made : reshape(ctx, node, made, sizes(axes))
  return tensor.kind === 'error' ? tensor : { tensor, axes }
}

/** The operand with its axes in this order, laid out in this shape. */
function matrix(
  ctx: Context,
  node: Pattern,
  value: Named,
  order: readonly string[],
  shape: readonly Dim[],
): TensorValue | ErrorValue {
  const turned = ordered(ctx, node, value, order)
  return turned.kind === 'error' ? turned : reshape(ctx, node, turned, shape)
}

function ordered(
  ctx: Context,
  node: Pattern,
  value: Named,
  order: readonly string[],
): TensorValue | ErrorValue {
  const perm = order.map(name => value.axes.indexOf(name))
  if (perm.every((axis, i) => axis === i)) return value.tensor
  return applyOperator(ctx, 'transpose', [value.tensor], { perm }, node.span, 'einsum')
}

function reshape(
  ctx: Context,
  node: Pattern,
  value: TensorValue,
  shape: readonly Dim[],
): TensorValue | ErrorValue {
  const { shape: before } = value.type
  if (before.length === shape.length && before.every((size, i) => size === shape[i])) return value
  return applyOperator(ctx, 'reshape', [value], { shape }, node.span, 'einsum')
}
