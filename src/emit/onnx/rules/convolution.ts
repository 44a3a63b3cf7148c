import { convolutionNodes, kernelOf } from '../../../ops/convolutionNodes.ts'
import { windowNodes } from '../../../ops/window.ts'
import { bothOrders, inputOf, made, numbersIn, shapeOf } from '../facts.ts'
import type { TileRule } from './rule.ts'

/** Rules of convolutions. */
export const convolutionRules: readonly TileRule[] = [
  {
    // Added inside of the kernel, which has the sums in registers.
    name: 'conv2d(x, w) + offset, a number a channel, is a convolution with an offset',
    match(step, facts) {
      if (step.op !== 'add') return undefined
      for (const [sum, offset] of bothOrders(step)) {
        const convolution = made(facts, sum, 'conv2d')
        if (convolution === undefined || facts.uses(sum) > 1) continue
        const shaped = made(facts, offset, 'reshape')
        const [, channels = 0] = shapeOf(facts, sum)
        const given = shapeOf(facts, offset)
        if (shaped === undefined || given.length < 3 || given.at(-3) !== channels) continue
        if (shapeOf(facts, shaped.inputs[0]!).length !== 1 || given.reduce((a, b) => a * b, 1) !== channels)
          continue
        const window = {
          stride: numbersIn(convolution.attrs, 'stride'),
          pad: numbersIn(convolution.attrs, 'pad'),
          dilation: numbersIn(convolution.attrs, 'dilation'),
        }
        const kernel = kernelOf(shapeOf(facts, inputOf(convolution, 1)))
        return {
          inputs: [...convolution.inputs, ...shaped.inputs],
          lower: (inputs, context) => convolutionNodes(inputs, windowNodes(window), kernel, context),
        }
      }
      return undefined
    },
  },
]
