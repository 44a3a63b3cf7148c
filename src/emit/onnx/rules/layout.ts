import { knownEntry } from '../../../ops/axes.ts'
import { fixed, integers, scalar } from '../../../ops/onnx.ts'
import type { Dim } from '../../../types/dim.ts'
import { type Facts, inputOf, made, shapeOf } from '../facts.ts'
import type { TileRule } from './rule.ts'

/** A part of an axis that a `pad` surrounds with zeros. */
interface Part {
  readonly value: string
  readonly axis: number
  readonly from: number
  readonly to: number
}

function partOf(value: string, facts: Facts): Part | undefined {
  const step = made(facts, value, 'pad')
  if (step === undefined || step.attrs.value !== 0) return undefined
  const inner = inputOf(step, 0)
  const shape = shapeOf(facts, inner)
  const axis = knownEntry(Number(step.attrs.axis), shape)
  const from = fixed(step.attrs.before as Dim) // an attribute of kind `dims`
  return { value: inner, axis, from, to: from + shape[axis]! }
}

/** The parts that a sum is of, however it nests; undefined where it isn't of such alone. */
function partsOf(value: string, facts: Facts): readonly Part[] | undefined {
  const sum = made(facts, value, 'add')
  if (sum === undefined) {
    const part = partOf(value, facts)
    return part && [part]
  }
  const parts = sum.inputs.map(input => (facts.uses(input) > 1 ? undefined : partsOf(input, facts)))
  return parts.every(each => each !== undefined) ? parts.flat() : undefined
}

/** Rules of the layout of tensors. */
export const layoutRules: readonly TileRule[] = [
  {
    // As the gradients of the slices of a tensor come together.
    name: 'the sum of parts of an axis that follow one another, each padded with zeros, is these parts in a row',
    match(step, facts) {
      if (step.op !== 'add') return undefined
      const parts = partsOf(step.outputs[0]!.name, facts)?.toSorted((a, b) => a.from - b.from)
      if (parts === undefined) return undefined
      const [first, last] = [parts[0]!, parts.at(-1)!]
      const follow = parts.every(
        (part, i) => part.axis === first.axis && (i === 0 || part.from === parts[i - 1]!.to),
      )
      if (!follow) return undefined
      const { axis } = first
      const whole = shapeOf(facts, step.outputs[0]!.name)
      return {
        inputs: parts.map(part => part.value),
        lower(values, context) {
          const row = context.graph.node('Concat', values, { axis })
          const [before, after] = [first.from, whole[axis]! - last.to]
          if (before === 0 && after === 0) return row
          const sides = [before, after].flatMap(size => whole.map((_, i) => (i === axis ? size : 0)))
          return context.graph.node('Pad', [
            row,
            integers(context, sides),
            scalar(context, 0, context.outputs[0]!.dtype),
          ])
        },
      }
    },
  },
]
