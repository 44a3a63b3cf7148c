import { ops } from '../../../ops/index.ts'
import { bothOrders, inputOf, made, numbersIn, resultOf, sameShape, shapeOf } from '../facts.ts'
import type { TileRule } from './rule.ts'
import { sumNodes, sumOf } from './sums.ts'

/** Rules of sums. */
export const reductionRules: readonly TileRule[] = [
  {
    // One kernel reads the tensor once, whatever the axes are.
    name: 'sum(sum(x)) is the sum over the axes of both',
    match(step, facts) {
      const sum = sumOf(step, facts)
      if (sum === undefined || !sum.isNested || sum.axes.length === 0) return undefined
      return {
        inputs: [sum.x],
        lower: ([x], context) => sumNodes(x!, sum, context),
      }
    },
  },
  {
    // A sum has fewer elements to turn.
    name: 'sum(-x) = -sum(x)',
    match(step, facts) {
      const negative = step.op === 'sum' ? made(facts, inputOf(step, 0), 'neg') : undefined
      if (negative === undefined || facts.uses(inputOf(step, 0)) > 1) return undefined
      const { onnx } = ops.sum
      if (onnx === 'drawn') return undefined
      const attrs = { axis: numbersIn(step.attrs, 'axis'), keep: step.attrs.keep === true }
      return {
        inputs: negative.inputs,
        lower: (inputs, context) => context.graph.node('Neg', [onnx(inputs, attrs, context)]),
      }
    },
  },
  {
    // The gradient of a cross-entropy: the share of the true class, of which there is one a row.
    name: 'sum(one_hot(index)·g) over the classes is g, where pick has found each index among them',
    match(step, facts) {
      const product =
        step.op === 'sum' && step.attrs.keep === true ? made(facts, inputOf(step, 0), 'mul') : undefined
      if (product === undefined) return undefined
      const [axis, ...others] = numbersIn(step.attrs, 'axis')
      const rank = shapeOf(facts, inputOf(step, 0)).length
      if (others.length > 0 || (axis !== -1 && axis !== rank - 1)) return undefined
      for (const [places, share] of bothOrders(product)) {
        const hot = made(facts, places, 'one_hot')
        if (hot === undefined || !sameShape(shapeOf(facts, share), shapeOf(facts, resultOf(step)))) continue
        const classes = shapeOf(facts, places).at(-1)
        const isChecked = facts
          .readers(inputOf(hot, 0))
          .some(({ op, inputs }) => op === 'pick' && shapeOf(facts, inputs[0]!).at(-1) === classes)
        if (isChecked) return { inputs: [share], lower: ([value]) => value! }
      }
      return undefined
    },
  },
]
