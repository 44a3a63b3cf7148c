import { fromBlocks, inBlocks } from '../../../ops/channelBlocks.ts'
import { convolutionNodes, type Kernel, kernelOf } from '../../../ops/convolutionNodes.ts'
import type { OnnxAttrs } from '../../../ops/onnx.ts'
import { windowNodes } from '../../../ops/window.ts'
import {
  bothOrders,
  type Facts,
  inputOf,
  made,
  numbersIn,
  resultOf,
  sameShape,
  shapeOf,
  typeOf,
} from '../facts.ts'
import { maskedBy, maskedOf } from './mask.ts'
import type { TileRule } from './rule.ts'

/** A convolution, perhaps with an offset as its third input. */
interface Convolution {
  readonly inputs: readonly string[]
  readonly window: OnnxAttrs
  readonly kernel: Kernel
}

function convolutionOf(value: string, facts: Facts): Convolution | undefined {
  const step = made(facts, value, 'conv2d')
  if (step === undefined) return undefined
  const window = {
    stride: numbersIn(step.attrs, 'stride'),
    pad: numbersIn(step.attrs, 'pad'),
    dilation: numbersIn(step.attrs, 'dilation'),
  }
  const kernel = kernelOf(shapeOf(facts, inputOf(step, 1)))
  return { inputs: step.inputs, window: windowNodes(window), kernel }
}

/** `conv2d(x, w) + offset`, a number a channel. */
function offsetConvolutionOf(value: string, facts: Facts): Convolution | undefined {
  const step = made(facts, value, 'add')
  if (step === undefined) return undefined
  for (const [sum, offset] of bothOrders(step)) {
    const convolution = convolutionOf(sum, facts)
    if (convolution === undefined || facts.uses(sum) > 1) continue
    const shaped = made(facts, offset, 'reshape')
    const [, channels = 0] = shapeOf(facts, sum)
    const given = shapeOf(facts, offset)
    if (shaped === undefined || given.length < 3 || given.at(-3) !== channels) continue
    if (shapeOf(facts, shaped.inputs[0]!).length !== 1 || given.reduce((a, b) => a * b, 1) !== channels)
      continue
    return { ...convolution, inputs: [...convolution.inputs, ...shaped.inputs] }
  }
  return undefined
}

/** Rules of convolutions. */
export const convolutionRules: readonly TileRule[] = [
  {
    // Added inside of the kernel, which has the sums in registers.
    name: 'conv2d(x, w) + offset, a number a channel, is a convolution with an offset',
    match(step, facts) {
      const convolution = offsetConvolutionOf(resultOf(step), facts)
      return (
        convolution && {
          inputs: convolution.inputs,
          lower: (inputs, context) =>
            convolutionNodes(inputs, convolution.window, convolution.kernel, context),
        }
      )
    },
  },
  {
    // The same.
    name: 'relu(conv2d(x, w) + offset) is one convolution, where nothing else reads what it rectifies',
    match(step, facts) {
      if (step.op !== 'relu') return undefined
      const sums = inputOf(step, 0)
      const convolution = offsetConvolutionOf(sums, facts) ?? convolutionOf(sums, facts)
      // What comes before has not been chosen yet.
      const isRead =
        facts.isNeeded(sums) || facts.readers(sums).some(each => facts.isBefore(resultOf(each), step))
      if (convolution === undefined || isRead) return undefined
      return {
        inputs: convolution.inputs,
        lower: (inputs, context) =>
          convolutionNodes(inputs, convolution.window, convolution.kernel, context, 'Relu'),
      }
    },
  },
  {
    // So nothing keeps p itself; and what is in blocks of channels stays there.
    name: 'dy * (p > 0) is dy * (relu(p) > 0) for images, where relu(p) is there',
    match(step, facts) {
      if (step.op !== 'mul') return undefined
      for (const [dy, mask] of bothOrders(step)) {
        const p = maskedOf(facts, mask)
        if (p === undefined || !sameShape(shapeOf(facts, dy), shapeOf(facts, p))) continue
        const rectified = facts.readers(p).find(({ op }) => op === 'relu')
        if (rectified === undefined || !facts.isBefore(resultOf(rectified), step)) continue
        const { dtype, shape } = typeOf(facts, dy)
        if (dtype !== 'f32' || shape.length !== 4) continue
        return {
          inputs: [dy, resultOf(rectified)],
          lower(values, context) {
            const [dyBlocks, blocks] = values.map(value => inBlocks(value, context))
            return dyBlocks === undefined || blocks === undefined
              ? maskedBy(values[1]!, values[0]!, context)
              : fromBlocks(maskedBy(blocks, dyBlocks, context), shape[1]!, context)
          },
        }
      }
      return undefined
    },
  },
]
