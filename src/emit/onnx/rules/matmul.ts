import type { Step } from '../../../ir/ir.ts'
import type { OnnxContext, OnnxProvider, OnnxValue } from '../../../ops/onnx.ts'
import { reshapeTo } from '../../../ops/onnx.ts'
import { bothOrders, type Facts, inputOf, made, numbersIn, resultOf, sameShape, shapeOf } from '../facts.ts'
import type { TileRule } from './rule.ts'

/** A factor of a product: a value, or what it is with its last two axes swapped. */
interface Factor {
  readonly value: string
  readonly swapped: boolean
}

interface Product {
  readonly rank: number
  readonly left: Factor
  readonly right: Factor
}

/** Whether a step swaps the last two axes and leaves all others alone. */
function isSwap(step: Step | undefined, facts: Facts): step is Step {
  if (step?.op !== 'transpose') return false
  const perm = numbersIn(step.attrs, 'perm')
  const rank = shapeOf(facts, resultOf(step)).length
  const places = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i))
  return perm.length === 0 || sameShape(perm, places)
}

function factorOf(value: string, facts: Facts): Factor {
  const step = facts.step(value)
  return isSwap(step, facts) ? { value: inputOf(step, 0), swapped: true } : { value, swapped: false }
}

function productOf(step: Step | undefined, facts: Facts): Product | undefined {
  if (step?.op !== 'matmul') return undefined
  const [left, right] = [0, 1].map(i => factorOf(inputOf(step, i), facts))
  return { rank: shapeOf(facts, resultOf(step)).length, left: left!, right: right! }
}

/** (A·B)ᵀ = Bᵀ·Aᵀ. */
function swap({ rank, left, right }: Product): Product {
  const turn = ({ value, swapped }: Factor): Factor => ({ value, swapped: !swapped })
  return { rank, left: turn(right), right: turn(left) }
}

/** One node for a product, perhaps with an offset that is added to each row; undefined where the provider has none. */
function productNode(
  { rank, left, right }: Product,
  provider: OnnxProvider,
): ((inputs: readonly OnnxValue[], context: OnnxContext) => OnnxValue) | undefined {
  const flags = { transA: Number(left.swapped), transB: Number(right.swapped) }
  if (rank === 2) return (inputs, { graph }) => graph.node('Gemm', inputs, flags)
  // WebGPU leaves FusedMatMul to the processor.
  if (provider === 'webgpu') return undefined
  return (inputs, { graph }) => graph.node('FusedMatMul', inputs, flags, 'com.microsoft')
}

/** Rules of matrix products. */
export const matmulRules: readonly TileRule[] = [
  {
    // Nothing is moved to be multiplied.
    name: 'the transpose of A·B is Bᵀ·Aᵀ',
    match(step, facts, provider) {
      if (!isSwap(step, facts) || facts.uses(inputOf(step, 0)) > 1) return undefined
      const inner = productOf(facts.step(inputOf(step, 0)), facts)
      if (inner === undefined) return undefined
      const product = swap(inner)
      const lower = productNode(product, provider)
      return lower && { inputs: [product.left.value, product.right.value], lower }
    },
  },
  {
    name: 'Aᵀ·B, A·Bᵀ and Aᵀ·Bᵀ are one product',
    match(step, facts, provider) {
      const product = productOf(step, facts)
      if (product === undefined || !(product.left.swapped || product.right.swapped)) return undefined
      const lower = productNode(product, provider)
      return lower && { inputs: [product.left.value, product.right.value], lower }
    },
  },
  {
    // The kernel starts from the offset in the place of zeros.
    name: 'A·B + offset, a number a column, is one product',
    match(step, facts, provider) {
      if (step.op !== 'add') return undefined
      for (const [sum, offset] of bothOrders(step)) {
        const shaped = made(facts, sum, 'reshape')
        const inner = shaped === undefined ? sum : inputOf(shaped, 0)
        const product = productOf(facts.step(inner), facts)
        if (product?.rank !== 2 || facts.uses(sum) > 1 || facts.uses(inner) > 1) continue
        const columns = shapeOf(facts, inner)[1]!
        const isRow = sameShape(shapeOf(facts, offset), [columns]) && shapeOf(facts, sum).at(-1) === columns
        if (!isRow || !sameShape(shapeOf(facts, sum), shapeOf(facts, resultOf(step)))) continue
        const node = productNode(product, provider)
        return {
          inputs: [product.left.value, product.right.value, offset],
          lower: (inputs, context) => {
            const whole = node!(inputs, context)
            return shaped === undefined ? whole : reshapeTo(context, whole, context.outputs[0]!.shape)
          },
        }
      }
      return undefined
    },
  },
]
