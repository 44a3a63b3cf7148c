import type { Step } from '../../../ir/ir.ts'
import { integers, type OnnxContext, type OnnxValue } from '../../../ops/onnx.ts'
import { type Facts, inputOf, numberOf, numbersIn, resultOf, sameShape, shapeOf } from '../facts.ts'
import { type Found, find, named, number, of, type Pattern, value } from './pattern.ts'
import type { TileRule } from './rule.ts'

/** The mean over the last axis, which stays. */
function lastMean(of_: Pattern): Pattern {
  return (given, facts, found) => {
    const step = facts.step(given)
    if (step?.op !== 'mean' || step.attrs.keep !== true) return []
    const rank = shapeOf(facts, inputOf(step, 0)).length
    const axes = numbersIn(step.attrs, 'axis')
    const isLast = axes.length === 1 && (axes[0] === -1 || axes[0] === rank - 1)
    return isLast ? of_(inputOf(step, 0), facts, found) : []
  }
}

const centred = named('centred', of('sub', value('x'), lastMean(value('x'))))
const deviation = named(
  'deviation',
  of('sqrt', of('add', lastMean(of('mul', centred, value('centred'))), value('eps'))),
)
/** (x - mean) / √(variance + eps). */
const normal = named('normal', of('div', centred, deviation))
const layerNorm = of('add', of('mul', normal, value('weight')), value('offset'))

/** A layer normalisation in the function: what goes into it, and how small a variance counts. */
interface Layer {
  readonly x: string
  readonly weight: string
  readonly offset: string
  readonly eps: number
}

function layerOf(found: Found | undefined, facts: Facts): Layer | undefined {
  if (found === undefined) return undefined
  const { x, weight, offset } = found as { x: string; weight: string; offset: string } // the names of `layerNorm`
  const eps = numberOf(facts, found.eps)
  const row = shapeOf(facts, x).slice(-1)
  const isRow = [weight, offset].every(each => sameShape(shapeOf(facts, each), row))
  return eps !== undefined && isRow ? { x, weight, offset, eps } : undefined
}

/** The layer whose normalised values are these: found by what reads them, which scales and moves them. */
function layerAround(normalised: string, before: Step, facts: Facts): Layer | undefined {
  for (const scaled of facts.readers(normalised))
    for (const moved of facts.readers(resultOf(scaled))) {
      const layer = layerOf(find(layerNorm, resultOf(moved), facts), facts)
      const isThere = (each: string) => facts.isBefore(each, before)
      if (layer !== undefined && [layer.weight, layer.offset].every(isThere)) return layer
    }
  return undefined
}

/** The values, the mean of each row and one over its deviation: one node for all that a function needs of a layer. */
function layerNodes(inputs: readonly OnnxValue[], { eps }: Layer, count: 1 | 3, { graph }: OnnxContext) {
  return graph.nodes('LayerNormalization', inputs, count, { axis: -1, epsilon: { float: eps } })
}

/** (x - mean) / deviation. */
function normalNodes(layer: Layer, inputs: readonly OnnxValue[], context: OnnxContext): OnnxValue {
  const [, mean, inverse] = layerNodes(inputs, layer, 3, context)
  return context.graph.node('Mul', [context.graph.node('Sub', [inputs[0], mean]), inverse])
}

const correction = of(
  'mul',
  of(
    'broadcast_to',
    of(
      'div',
      of(
        'div',
        of('sum', of('neg', of('mul', value('g'), normal))),
        of('mul', number(2), value('deviation')),
      ),
      value('count'),
    ),
  ),
  value('centred'),
)
/** What is left of the gradient by the centred values, as the gradients of a quotient, a root and a square make it. */
const pulled = of('add', of('add', value('g'), named('m', correction)), value('m'))

/** Rules of layer normalisation. */
export const normalisationRules: readonly TileRule[] = [
  {
    name: '(x - mean) / deviation * weight + offset is LayerNormalization',
    match(step, facts) {
      const layer = step.op === 'add' ? layerOf(find(layerNorm, resultOf(step), facts), facts) : undefined
      return (
        layer && {
          inputs: [layer.x, layer.weight, layer.offset],
          lower: (inputs, context) => layerNodes(inputs, layer, 1, context)[0]!,
        }
      )
    },
  },
  {
    // Mean and deviation come with the layer.
    name: 'x / deviation is x times what LayerNormalization gives for one over it',
    match(step, facts) {
      if (step.op !== 'div') return undefined
      const [upper, lower] = [inputOf(step, 0), inputOf(step, 1)]
      for (const quotient of facts.readers(lower)) {
        const found = find(normal, resultOf(quotient), facts)
        if (found?.deviation !== lower) continue
        const layer = layerAround(resultOf(quotient), step, facts)
        if (layer === undefined) continue
        const inputs = [layer.x, layer.weight, layer.offset]
        if (upper === found.centred)
          return { inputs, lower: (values, context) => normalNodes(layer, values, context) }
        return {
          inputs: [...inputs, upper],
          lower: (values, context) =>
            context.graph.node('Mul', [values[3], layerNodes(values.slice(0, 3), layer, 3, context)[2]]),
        }
      }
      return undefined
    },
  },
  {
    // As (x - mean) / deviation has the mean square 1, what its gradient has in its direction falls away.
    name: 'g less the part along the normalised values, of each row',
    match(step, facts) {
      const found = step.op === 'add' ? find(pulled, resultOf(step), facts) : undefined
      if (found === undefined) return undefined
      const layer = layerAround(found.normal!, step, facts)
      const width = shapeOf(facts, resultOf(step)).at(-1)
      if (layer === undefined || numberOf(facts, found.count) !== width) return undefined
      return {
        inputs: [layer.x, layer.weight, layer.offset, found.g!],
        lower(values, context) {
          const { graph } = context
          const [g, row] = [values[3]!, normalNodes(layer, values.slice(0, 3), context)]
          const along = graph.node('ReduceMean', [graph.node('Mul', [g, row]), integers(context, [-1])], {
            keepdims: 1,
          })
          return graph.node('Sub', [g, graph.node('Mul', [row, along])])
        },
      }
    },
  },
]
