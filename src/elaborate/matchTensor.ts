import { positionAt, type Span, textOf } from '../base/source.ts'
import type { Dim } from '../types/dim.ts'
import { isRest, type Shape, showType, type TensorType } from '../types/tensor.ts'
import { substituteShape, type UnifyClash, unifyShape } from '../types/unify.ts'
import { causeOf } from './arguments.ts'
import { type Context, complain } from './context.ts'
import type { Receiver, Sizes } from './receiver.ts'
import { madeAt, requireEqual } from './tensors.ts'
import { errorValue, type Value } from './values.ts'

export const castHint = (type: TensorType, span: Span): string | undefined =>
  type.dtype === 'bool' ? undefined : `\`${type.dtype}(${textOf(span)})\` converts`

/** A tensor against the type that is declared for it: of one dtype and shape, whose sizes are bound. */
export function matchTensor(
  ctx: Context,
  value: Extract<Value, { kind: 'tensor' }>,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  if (value.type.dtype !== pattern.dtype) {
    return inputClash(
      ctx,
      value,
      pattern,
      sizes,
      receiver,
      `it holds ${value.type.dtype}, not ${pattern.dtype}`,
      castHint(pattern, receiver.span),
    )
  }
  if (sizes.clashed) return value
  const by = receiver.name ?? ''
  const matched = unifyShape(pattern.shape, sizes.variables, value.type.shape, sizes.bindings, by)
  if (matched.ok) {
    for (const [left, right] of matched.obligations)
      if (!requireEqual(ctx, left, right, receiver.span)) return errorValue
    return value
  }
  sizes.clashed = true
  return inputClash(
    ctx,
    value,
    pattern,
    sizes,
    receiver,
    shapeProblem(value.type, matched.clash),
    shapeHint(value.type, pattern, sizes, receiver),
  )
}

const axes = (count: number): string => `${count} ${count === 1 ? 'axis' : 'axes'}`

/** What is wrong with a shape, from where the matching of it ended. */
function shapeProblem(got: TensorType, clash: UnifyClash): string {
  if (clash.kind === 'rank') {
    const least = clash.expected.filter(size => !isRest(size)).length
    if (clash.expected.some(isRest) && got.shape.length < least)
      return `it has ${axes(got.shape.length)}, and at least ${least} ${least === 1 ? 'is' : 'are'} wanted`
    return `it has ${axes(got.shape.length)}, not ${clash.expected.length}`
  }
  const last = clash.axis === got.shape.length - 1
  const place = got.shape.length === 1 ? 'its axis' : last ? 'its last axis' : `its axis ${clash.axis}`
  const by = clash.boundBy
    ? `, and \`${clash.boundBy}\` has ${clash.expected} there`
    : `, not ${clash.expected}`
  return `${place} has size ${clash.got}${by}`
}

/** The next step where a shape is nearly right. */
function shapeHint(
  got: TensorType,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
): string | undefined {
  const expected = substituteShape(pattern.shape, sizes.bindings)
  return flattenHint(got, expected, receiver) ?? transposeHint(got, expected, sizes, receiver)
}

/** `flatten` is the next step where an input has too many axes and as many elements as are wanted. */
function flattenHint(got: TensorType, expected: Shape, receiver: Receiver): string | undefined {
  if (got.shape.length <= 2 || (expected.length !== 2 && !expected.some(isRest))) return undefined
  const [first, ...others] = got.shape
  if (!others.every(size => typeof size === 'number')) return undefined
  const elements = others.reduce<number>((total, size) => total * Number(size), 1)
  if (expected.at(-1) !== elements) return undefined
  return `\`flatten(${textOf(receiver.span)})\` is ${showType({ dtype: got.dtype, shape: [first!, elements] })}`
}

/** `.T` is the next step where a matrix lies the other way. */
function transposeHint(
  got: TensorType,
  expected: Shape,
  sizes: Sizes,
  receiver: Receiver,
): string | undefined {
  const [rows, columns] = expected
  if (got.shape.length !== 2 || expected.length !== 2) return undefined
  const fits = (wanted: Dim | undefined, size: Dim | undefined): boolean =>
    wanted === size || (typeof wanted === 'string' && sizes.variables.has(wanted))
  if (!fits(rows, got.shape[1]) || !fits(columns, got.shape[0])) return undefined
  return `\`${textOf(receiver.span)}.T\` is ${showType({ dtype: got.dtype, shape: [...got.shape].reverse() })}`
}

function inputClash(
  ctx: Context,
  value: Extract<Value, { kind: 'tensor' }>,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
  problem: string,
  help: string | undefined,
): Value {
  const expected = showType({ dtype: pattern.dtype, shape: substituteShape(pattern.shape, sizes.bindings) })
  const got = showType(value.type)
  const width = Math.max(expected.length, got.length)
  const wanted = receiver.declared && place(receiver.span, receiver.declared, receiver.owner)
  const given = value.origin ?? (value.span && { span: value.span, name: undefined })
  const made =
    given && !covers(receiver.span, given.span) ? place(receiver.span, given.span, given.name) : undefined
  // A module that takes something at none of its calls is one mistake, and so is a value that fits nowhere.
  const { instance, owner } = receiver
  const taker = instance
    ? `${instance} ${expected}: ${textOf(receiver.span)} ${got}`
    : madeAt(ctx, value, problem)
  const cause = value.origin
    ? `${instance || owner} ${expected}: ${value.origin.name} ${got}`
    : (causeOf(ctx, receiver, `${expected}: ${got}`).cause ?? taker)
  const line = (type: string, from: string | undefined): string =>
    from === undefined ? type : `${type.padEnd(width)}    ${from}`
  return complain(
    ctx,
    'LTM2101',
    receiver.span,
    { callee: receiver.callee, problem },
    { note: `expected ${line(expected, wanted)}\ngot      ${line(got, made)}`, help, cause },
  )
}

/** `(Mlp.forward, stdlib/layers.ltm:9)`, `(Digits.image, line 4)`: where a type comes from. */
function place(from: Span, { source, start }: Span, name: string | undefined): string {
  const { line } = positionAt(source, start)
  const where = source.name === from.source.name ? `line ${line}` : `${source.name}:${line}`
  return name === undefined ? `(${where})` : `(${name}, ${where})`
}

/** Whether a span says nothing that the other one, which is shown anyway, doesn't. */
const covers = (shown: Span, span: Span): boolean =>
  shown.source === span.source &&
  positionAt(shown.source, shown.start).line === positionAt(span.source, span.start).line
