import type { Span } from '../base/source.ts'
import { textOf } from '../base/source.ts'
import type { Arg, Pattern, PatternAxes, PatternAxis } from '../syntax/ast.ts'
import { compareDims, type Dim, divisibility, exactDivide, multiply } from '../types/dim.ts'
import { isRest } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { einsum } from './einsum.ts'
import { expression } from './evaluate.ts'
import { applyOperator, type OpName, toTensor } from './tensors.ts'
import { errorValue, type TensorValue, type Value } from './values.ts'

/** `rearrange` and `reduce`: split axes by a reshape, permute or reduce them by name, join them by a reshape. */
export function pattern(
  ctx: Context,
  node: Pattern,
  piped: { readonly value: Value; readonly span: Span } | undefined,
): Value {
  if (node.operation === 'einsum') return einsum(ctx, node)
  const [operand] = node.operands
  const value = piped ? piped.value : operand ? expression(ctx, operand) : errorValue
  const tensor = toTensor(ctx, value, piped?.span ?? operand?.span ?? node.span)
  const [input] = node.inputs
  if (tensor.kind === 'error' || !input) return errorValue
  if (tensor.type.shape.some(isRest))
    return ctx.generic ? errorValue : complain(ctx, 'LTM2126', node.span, { what: describe(tensor) })
  const sizes = axisSizes(ctx, node, input, tensor)
  return sizes ? rearranged(ctx, node, tensor, sizes) : errorValue
}

/** One elementary axis: its name in the pattern, or a made-up one for `_`, numbers and the axes of `...`. */
interface Axis {
  readonly name: string
  readonly size: Dim
}
/** The elementary axes of each axis of the operand. */
type Sizes = readonly (readonly Axis[])[]

const problem = (ctx: Context, node: Pattern, text: string): undefined => {
  complain(ctx, 'LTM2112', node.span, { pattern: textOf(node.span), problem: text })
  return undefined
}

function axisSizes(ctx: Context, node: Pattern, input: PatternAxes, tensor: TensorValue): Sizes | undefined {
  const { shape } = tensor.type
  const given = givenSizes(ctx, node.args)
  if (!given) return undefined
  const rest =
    shape.length - (input.axes.length - (input.axes.some(axis => axis.kind === 'PatternRest') ? 1 : 0))
  const fits = input.axes.some(axis => axis.kind === 'PatternRest') ? rest >= 0 : rest === 0
  if (!fits)
    return problem(ctx, node, `it names ${input.axes.length} axes, and the value has ${shape.length}`)
  const sizes: (readonly Axis[])[] = []
  for (const axis of input.axes) {
    if (axis.kind === 'PatternRest') {
      for (let i = 0; i < rest; i++) sizes.push([{ name: `...${i}`, size: shape[sizes.length]! }])
      continue
    }
    const split = splitAxis(ctx, node, axis, shape[sizes.length]!, given, sizes.length)
    if (!split) return undefined
    sizes.push(split)
  }
  return sizes
}

/** Undefined where one of them has an error. */
function givenSizes(ctx: Context, args: readonly Arg[]): ReadonlyMap<string, Dim> | undefined {
  const sizes = new Map<string, Dim>()
  let lost = false
  for (const arg of args) {
    if (arg.kind !== 'Named') continue
    const value = expression(ctx, arg.value)
    if (value.kind === 'int') sizes.set(arg.name.text, value.dim)
    if (value.kind === 'error') lost = true
  }
  return lost ? undefined : sizes
}

function splitAxis(
  ctx: Context,
  node: Pattern,
  axis: PatternAxis,
  size: Dim,
  given: ReadonlyMap<string, Dim>,
  at: number,
): readonly Axis[] | undefined {
  switch (axis.kind) {
    case 'PatternName':
      return [{ name: axis.name.text, size }]
    case 'PatternNumber':
    case 'PatternOne': {
      const wanted = axis.kind === 'PatternOne' ? 1 : axis.value
      const same = compareDims(size, wanted)
      if (same === 'different' || (same === 'unknown' && !ctx.generic))
        return problem(ctx, node, `axis ${at} has size ${size}, not ${wanted}`)
      return [{ name: `#${at}`, size: wanted }]
    }
    case 'PatternGroup':
      return splitGroup(ctx, node, axis.axes, size, given)
    case 'PatternRest':
      return undefined
  }
}

/** `(h w)`: one size may be left to be computed from the product. */
function splitGroup(
  ctx: Context,
  node: Pattern,
  parts: readonly PatternAxis[],
  size: Dim,
  given: ReadonlyMap<string, Dim>,
): readonly Axis[] | undefined {
  const axes = parts.map((part, i): { name: string; size: Dim | undefined } => {
    if (part.kind === 'PatternName') return { name: part.name.text, size: given.get(part.name.text) }
    return { name: `#group${i}`, size: part.kind === 'PatternNumber' ? part.value : 1 }
  })
  const open = axes.filter(axis => axis.size === undefined)
  if (open.length > 1)
    return problem(
      ctx,
      node,
      `give the size of \`${open[0]!.name}\` or of \`${open[1]!.name}\`: \`${open[0]!.name}: 4\``,
    )
  const product = axes.reduce<Dim>((total, axis) => multiply(total, axis.size ?? 1), 1)
  const left = exactDivide(size, product)
  if (left === undefined && !(ctx.generic && divisibility(size, product) === 'unknown'))
    return problem(ctx, node, `${size} is not divisible by ${product}`)
  if (open.length === 0 && left !== undefined && compareDims(left, 1) === 'different')
    return problem(ctx, node, `the sizes multiply to ${product}, not ${size}`)
  return axes.map(axis => ({ name: axis.name, size: axis.size ?? left ?? '_' }))
}

function rearranged(ctx: Context, node: Pattern, tensor: TensorValue, sizes: Sizes): Value {
  const source = sizes.flat()
  const target = outputNames(node.output, source)
  const twice = repeated(source.map(axis => axis.name))
  if (twice) return problem(ctx, node, `\`${twice}\` stands twice on the left side`) ?? errorValue
  const doubled = repeated(target.flat().filter(name => !name.startsWith('+')))
  if (doubled) return problem(ctx, node, `\`${doubled}\` stands twice on the right side`) ?? errorValue
  const unknown = target
    .flat()
    .find(name => !name.startsWith('+') && !source.some(axis => axis.name === name))
  if (unknown) return problem(ctx, node, `\`${unknown}\` is not on the left side`) ?? errorValue
  const dropped = source.filter(axis => !target.flat().includes(axis.name))
  if (node.operation === 'rearrange' && dropped.some(axis => compareDims(axis.size, 1) !== 'equal')) {
    return (
      problem(
        ctx,
        node,
        `\`${dropped[0]!.name}\` is lost on the right side; \`reduce\` sums or averages over it`,
      ) ?? errorValue
    )
  }
  const split = reshape(
    ctx,
    tensor,
    source.map(axis => axis.size),
    node.span,
  )
  const reduced = node.operation === 'reduce' ? reduceAxes(ctx, node, split, source, dropped) : split
  if (reduced.kind === 'error') return reduced
  const kept = source.filter(axis => !dropped.includes(axis))
  return joined(ctx, reduced, node.operation === 'reduce' ? kept : source, target, node.span)
}

const repeated = (names: readonly string[]): string | undefined =>
  names.find((name, i) => names.indexOf(name) !== i)

/** The names of each output axis; `+1` stands for a new axis of size 1. */
function outputNames(output: PatternAxes, source: readonly Axis[]): readonly (readonly string[])[] {
  const rest = source.filter(axis => axis.name.startsWith('...')).map(axis => axis.name)
  const namesOf = (axis: PatternAxis): readonly string[] => {
    if (axis.kind === 'PatternName') return [axis.name.text]
    if (axis.kind === 'PatternRest') return rest
    if (axis.kind === 'PatternGroup') return axis.axes.flatMap(namesOf)
    return [`+${axis.kind === 'PatternNumber' ? axis.value : 1}`]
  }
  return output.axes.flatMap(axis =>
    axis.kind === 'PatternRest' ? rest.map(name => [name]) : [namesOf(axis)],
  )
}

const reductions: Readonly<Record<string, OpName>> = {
  sum: 'sum',
  mean: 'mean',
  max: 'reduce_max',
  min: 'reduce_min',
  prod: 'prod',
}

function reduceAxes(
  ctx: Context,
  node: Pattern,
  value: TensorValue | { readonly kind: 'error' },
  source: readonly Axis[],
  dropped: readonly Axis[],
): TensorValue | { readonly kind: 'error' } {
  const by = node.args.find(arg => arg.kind === 'Positional')
  const name = by?.value.kind === 'Name' ? by.value.text : undefined
  const op = name === undefined ? undefined : reductions[name]
  if (!op) {
    problem(ctx, node, 'say how: `reduce(x : … -> …, mean)`, with `sum`, `mean`, `max`, `min` or `prod`')
    return errorValue
  }
  if (value.kind === 'error') return value
  return applyOperator(
    ctx,
    op,
    [value],
    { axis: dropped.map(axis => source.indexOf(axis)) },
    node.span,
    'reduce',
  )
}

function reshape(
  ctx: Context,
  value: TensorValue,
  shape: readonly Dim[],
  span: Span,
): TensorValue | { readonly kind: 'error' } {
  const same =
    shape.length === value.type.shape.length && shape.every((size, i) => size === value.type.shape[i])
  return same ? value : applyOperator(ctx, 'reshape', [value], { shape }, span, 'rearrange')
}

function joined(
  ctx: Context,
  value: TensorValue,
  axes: readonly Axis[],
  target: readonly (readonly string[])[],
  span: Span,
): Value {
  const order = target.flat().filter(name => !name.startsWith('+'))
  const perm = order.map(name => axes.findIndex(axis => axis.name === name))
  // Axes of size 1 that the right side leaves out are dropped by the reshape; they go last in the permutation.
  const full = [...perm, ...axes.map((_, i) => i).filter(i => !perm.includes(i))]
  const turned = full.every((axis, i) => axis === i)
    ? value
    : applyOperator(ctx, 'transpose', [value], { perm: full }, span, 'rearrange')
  if (turned.kind === 'error') return turned
  const sizeOf = (name: string): Dim =>
    name.startsWith('+') ? Number(name.slice(1)) : axes.find(axis => axis.name === name)!.size
  return reshape(
    ctx,
    turned,
    target.map(names => names.reduce<Dim>((total, name) => multiply(total, sizeOf(name)), 1)),
    span,
  )
}
