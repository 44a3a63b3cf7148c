import type { Step } from '../../../ir/ir.ts'
import type { OnnxProvider } from '../../../ops/onnx.ts'
import { poolNodes } from '../../../ops/window.ts'
import { bothOrders, type Facts, inputOf, made, numbersIn, sameShape, shapeOf } from '../facts.ts'
import { maskedOf } from './mask.ts'
import { type PoolGradient, spread } from './poolGradient.ts'
import type { TileRule } from './rule.ts'

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
        const signed = maskedOf(facts, mask)
        if (gradient === undefined || signed === undefined || facts.uses(product) > 1) continue
        const { x } = gradient
        if (signed !== x && made(facts, x, 'relu')?.inputs[0] !== signed) continue
        return {
          inputs: [gradient.dy, x],
          lower: ([dy, pooled], context) => spread(dy!, pooled!, gradient, { isMasked: true }, context),
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
        lower: ([dy, x], context) => spread(dy!, x!, gradient, { isMasked: false }, context),
      }
    },
  },
]
