import type { Step } from '../../../ir/ir.ts'
import {
  castTo,
  filled,
  integers,
  type OnnxContext,
  type OnnxProvider,
  type OnnxValue,
  reshapeTo,
  scalar,
} from '../../../ops/onnx.ts'
import { poolNodes } from '../../../ops/window.ts'
import { bothOrders, type Facts, inputOf, made, numberOf, numbersIn, sameShape, shapeOf } from '../facts.ts'
import type { TileRule } from './rule.ts'

/** What hands the gradient of a max pooling back to the places that were largest. */
interface PoolGradient {
  readonly dy: string
  /** What was pooled, and how. */
  readonly x: string
  readonly shape: readonly number[]
  readonly pool: ReturnType<typeof poolNodes>
}

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
  if (!isWhole || !sameShape(shapeOf(facts, dy), shapeOf(facts, inputOf(flat, 1)))) return undefined
  const [kernel, stride, pad, dilation] = ['kernel', 'stride', 'pad', 'dilation'].map(name =>
    numbersIn(index.attrs, name),
  )
  return {
    dy,
    x,
    shape,
    pool: poolNodes({ kernel: kernel!, stride: stride!, pad: pad!, dilation: dilation! }),
  }
}

/** The elements of `dy` at the places of the largest elements, and zeros elsewhere. */
function spread(dy: OnnxValue, x: OnnxValue, gradient: PoolGradient, context: OnnxContext): OnnxValue {
  const { shape, pool } = gradient
  const { graph, provider } = context
  const areApart = pool.kernel_shape.every((size, i) => pool.dilations[i] === 1 && pool.strides[i]! >= size)
  const places = areSquares(gradient)
    ? placesInSquares(x, gradient, context)
    : placesFound(x, gradient, context)
  if (areApart && provider === 'cpu') {
    const { dilations: _, ...window } = pool
    return graph.node('MaxUnpool', [dy, places, integers(context, shape)], window)
  }
  const count = shape.reduce((product, size) => product * size, 1)
  const [flat, at] = [dy, places].map(value => reshapeTo(context, value, [-1]))
  const zeros = filled(context, 'f32', 0, [count])
  const sums = graph.node('ScatterElements', [zeros, at, flat], areApart ? {} : { reduction: 'add' })
  return reshapeTo(context, sums, shape)
}

/** Where the largest elements are among all, as the kernel that looks for them says. */
function placesFound(x: OnnxValue, { pool }: PoolGradient, { graph }: OnnxContext): OnnxValue {
  return graph.nodes('MaxPool', [x], 2, pool)[1]!
}

/** Whether the windows are squares of 2×2, side by side, which fill the image. */
function areSquares({ shape, pool }: PoolGradient): boolean {
  const { kernel_shape, strides, dilations, pads } = pool
  const isSide = [kernel_shape, strides].every(sizes => sizes.every(size => size === 2))
  return (
    isSide &&
    [...dilations, 1].every(d => d === 1) &&
    pads.every(p => p === 0) &&
    shape.slice(2).every(s => s % 2 === 0)
  )
}

/**
 * The same for squares, without a branch an element: the kernel that looks for places takes seven times as long where it can't foresee
 * which one wins (bench/lowerings.ts). The first of equals is at the top left if that is the largest, at the top if the top row has it,
 * and on the left if the left column has it and none of these.
 */
function placesInSquares(x: OnnxValue, { shape, pool }: PoolGradient, context: OnnxContext): OnnxValue {
  const { graph } = context
  const [n, channels, height, width] = shape as [number, number, number, number]
  const largest = graph.node('MaxPool', [x], pool)
  const has = (kernel: readonly number[], rank: number): OnnxValue => {
    const part = graph.node('MaxPool', [x], { ...pool, kernel_shape: kernel })
    const holds = castTo(context, graph.node('Equal', [part, largest]), 'f32')
    return rank === 1 ? holds : graph.node('Mul', [holds, scalar(context, rank)])
  }
  // The further in front, the more is taken off the way to the last place of the square.
  const ahead = graph.node('Max', [has([1, 1], width + 1), has([1, 2], width), has([2, 1], 1)])
  const within = castTo(context, graph.node('Sub', [scalar(context, width + 1), ahead]), 'i64')
  const corners = Array.from({ length: (height / 2) * (width / 2) }, (_, i) => {
    const row = Math.floor(i / (width / 2))
    return 2 * row * width + 2 * (i - (row * width) / 2)
  })
  const images = Array.from({ length: n * channels }, (_, i) => i * height * width)
  const inImage = graph.node('Add', [within, graph.constant('i64', corners, [height / 2, width / 2])])
  return graph.node('Add', [inImage, graph.constant('i64', images, [n, channels, 1, 1])])
}

/** The value whose sign a mask `cast(p > 0)` shows. */
function masked(facts: Facts, mask: string): string | undefined {
  const positive = made(facts, made(facts, mask, 'cast')?.inputs[0], 'gt')
  return positive !== undefined && numberOf(facts, positive.inputs[1]) === 0 ? positive.inputs[0] : undefined
}

/** WebGPU knows no pooling with places. */
const knowsPlaces = (provider: OnnxProvider) => provider !== 'webgpu'

/** Rules of poolings. */
export const poolingRules: readonly TileRule[] = [
  {
    // The mask is that of the largest elements themselves, of which there are fewer.
    name: "max_pool2d's gradient * (p > 0), p or relu(p) being pooled, masks the gradient before it is spread",
    match(step, facts, provider) {
      if (step.op !== 'mul' || !knowsPlaces(provider)) return undefined
      for (const [product, mask] of bothOrders(step)) {
        const gradient = poolGradient(facts.step(product), facts)
        const signed = masked(facts, mask)
        if (gradient === undefined || signed === undefined || facts.uses(product) > 1) continue
        const { x } = gradient
        if (signed !== x && made(facts, x, 'relu')?.inputs[0] !== signed) continue
        return {
          inputs: [gradient.dy, x],
          lower([dy, pooled], context) {
            const largest = context.graph.node('MaxPool', [pooled], gradient.pool)
            const positive = context.graph.node('Greater', [largest, scalar(context, 0)])
            const left = context.graph.node('Mul', [dy, castTo(context, positive, 'f32')])
            return spread(left, pooled!, gradient, context)
          },
        }
      }
      return undefined
    },
  },
  {
    // The kernel's own places are taken as they are, 64 bits wide, unchecked.
    name: "max_pool2d's gradient spreads by the places that the kernel found",
    match(step, facts, provider) {
      const gradient = knowsPlaces(provider) ? poolGradient(step, facts) : undefined
      if (gradient === undefined) return undefined
      return {
        inputs: [gradient.dy, gradient.x],
        lower: ([dy, x], context) => spread(dy!, x!, gradient, context),
      }
    },
  },
]
