import type { Step } from '../../../ir/ir.ts'
import { fewChannels, weightNodes } from '../../../ops/convolutionWeight.ts'
import type { OnnxProvider } from '../../../ops/onnx.ts'
import { poolNodes } from '../../../ops/window.ts'
import { bothOrders, type Facts, inputOf, made, numbersIn, resultOf, sameShape, shapeOf } from '../facts.ts'
import { maskedOf } from './mask.ts'
import { handedBack, type PoolGradient, spread, weightOfSquares } from './poolGradient.ts'
import type { Tile, TileRule } from './rule.ts'
import { sumNodes, sumOf } from './sums.ts'

/** `reshape(scatter_add(dy, max_pool2d_index(x)))`, as the gradient of `max_pool2d` is written. */
function poolGradient(step: Step | undefined, facts: Facts): PoolGradient | undefined {
  if (step?.op !== 'reshape') return undefined
  const flat = made(facts, inputOf(step, 0), 'scatter_add')
  const index = made(facts, flat?.inputs[1], 'max_pool2d_index')
  if (flat === undefined || index === undefined || facts.uses(inputOf(step, 0)) > 1) return undefined
  const x = inputOf(index, 0)
  const shape = shapeOf(facts, x)
  const dy = inputOf(flat, 0)
  const isWhole = sameShape(shapeOf(facts, step.outputs[0]!.name), shape)
  if (shape.includes(0) || !isWhole || !sameShape(shapeOf(facts, dy), shapeOf(facts, inputOf(flat, 1))))
    return undefined
  const [kernel, stride, pad, dilation] = ['kernel', 'stride', 'pad', 'dilation'].map(name =>
    numbersIn(index.attrs, name),
  )
  return {
    dy,
    x,
    shape,
    isMasked: false,
    pool: poolNodes({ kernel: kernel!, stride: stride!, pad: pad!, dilation: dilation! }),
  }
}

/** The same, perhaps masked by where `p` is positive, p or relu(p) being pooled. */
function gradientOf(value: string, facts: Facts): PoolGradient | undefined {
  const product = made(facts, value, 'mul')
  if (product === undefined) return poolGradient(facts.step(value), facts)
  for (const [spread, mask] of bothOrders(product)) {
    const gradient = poolGradient(facts.step(spread), facts)
    const signed = maskedOf(facts, mask)
    if (gradient === undefined || signed === undefined || facts.uses(spread) > 1) continue
    const { x } = gradient
    if (signed === x || made(facts, x, 'relu')?.inputs[0] === signed) return { ...gradient, isMasked: true }
  }
  return undefined
}

/** WebGPU knows no pooling with places. */
const knowsPlaces = (provider: OnnxProvider) => provider !== 'webgpu'

/** What of a gradient reads no more of it than its sum over all places, and the gradient of a kernel. */
const summing = new Set(['sum', 'conv2d_weight'])

/** Rules of poolings. */
export const poolingRules: readonly TileRule[] = [
  {
    // The mask is that of the largest elements themselves, of which there are fewer.
    name: "max_pool2d's gradient * (p > 0), p or relu(p) being pooled, masks the gradient before it is spread",
    match(step, facts, provider) {
      if (step.op !== 'mul' || !knowsPlaces(provider)) return undefined
      const gradient = gradientOf(resultOf(step), facts)
      return gradient && spreadTile(gradient)
    },
  },
  {
    // The kernel's own places are taken as they are, 64 bits wide, unchecked.
    name: "max_pool2d's gradient spreads by the places that the kernel found",
    match(step, facts, provider) {
      const gradient = knowsPlaces(provider) ? poolGradient(step, facts) : undefined
      return gradient && spreadTile(gradient)
    },
  },
  {
    // Each element is handed back once, and there are fewer before.
    name: "the sum of max_pool2d's gradient over all places is that of what is spread",
    match(step, facts, provider) {
      const sum = sumOf(step, facts)
      const gradient = sum && knowsPlaces(provider) ? gradientOf(sum.x, facts) : undefined
      if (sum === undefined || gradient === undefined || ![2, 3].every(axis => sum.axes.includes(axis)))
        return undefined
      return {
        inputs: [gradient.dy, gradient.x],
        lower: ([dy, x], context) => sumNodes(handedBack(dy!, x!, gradient, context), sum, context),
      }
    },
  },
  {
    // Corner by corner of the squares, whose elements nobody brings together then.
    name: "conv2d_weight(x, max_pool2d's gradient) of few channels, where nothing else reads the places of the gradient",
    match(step, facts, provider) {
      if (step.op !== 'conv2d_weight' || provider !== 'cpu') return undefined
      const [image, value] = [inputOf(step, 0), inputOf(step, 1)]
      const gradient = gradientOf(value, facts)
      if (gradient === undefined || shapeOf(facts, image)[1]! > fewChannels) return undefined
      const isRead = facts.readers(value).some(({ op }) => !summing.has(op)) || facts.isNeeded(value)
      if (isRead) return undefined
      const window = {
        stride: numbersIn(step.attrs, 'stride'),
        pad: numbersIn(step.attrs, 'pad'),
        dilation: numbersIn(step.attrs, 'dilation'),
        size: numbersIn(step.attrs, 'size'),
      }
      return {
        inputs: [image, gradient.dy, gradient.x],
        lower: ([x, dy, pooled], context) =>
          weightOfSquares(x!, dy!, pooled!, gradient, window, context) ??
          weightNodes(x!, spread(dy!, pooled!, gradient, context), window, context),
      }
    },
  },
]

function spreadTile(gradient: PoolGradient): Tile {
  return {
    inputs: [gradient.dy, gradient.x],
    lower: ([dy, x], context) => spread(dy!, x!, gradient, context),
  }
}
