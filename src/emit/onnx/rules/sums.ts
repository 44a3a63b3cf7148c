import type { Step } from '../../../ir/ir.ts'
import { entriesOf } from '../../../ops/axes.ts'
import { integers, type OnnxContext, type OnnxValue, reshapeTo } from '../../../ops/onnx.ts'
import { type Facts, inputOf, made, numbersIn, shapeOf } from '../facts.ts'

/** Σ over some axes of `x`, in one step or in two. */
export interface Sum {
  readonly x: string
  /** From the front, in order. */
  readonly axes: readonly number[]
  /** Whether the result has another shape than `x` without its axes. */
  readonly keep: boolean
  readonly isNested: boolean
}

/** The nodes of a sum over the axes of what is given for `x`. */
export function sumNodes(x: OnnxValue, { axes, keep }: Sum, context: OnnxContext): OnnxValue {
  const total = context.graph.node('ReduceSum', [x, integers(context, axes)], { keepdims: 0 })
  return keep ? reshapeTo(context, total, context.outputs[0]!.shape) : total
}

/** What a step adds up. */
export function sumOf(step: Step, facts: Facts): Sum | undefined {
  if (step.op !== 'sum') return undefined
  const keep = step.attrs.keep === true
  const given = inputOf(step, 0)
  const inner = made(facts, given, 'sum')
  const isNested = inner !== undefined && inner.attrs.keep !== true && facts.uses(given) === 1
  const x = isNested ? inputOf(inner, 0) : given
  const shape = shapeOf(facts, x)
  const first = isNested ? entriesOf(numbersIn(inner.attrs, 'axis'), shape) : []
  const left = shape.map((_, i) => i).filter(i => !first.includes(i))
  const second = entriesOf(numbersIn(step.attrs, 'axis'), left).map(i => left[i]!)
  return { x, axes: [...first, ...second].sort((a, b) => a - b), keep, isNested }
}
