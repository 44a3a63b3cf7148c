import { castTo, type OnnxContext, type OnnxValue, scalar } from '../../../ops/onnx.ts'
import { type Facts, made, numberOf } from '../facts.ts'

/** The value whose sign a mask `cast(p > 0)` shows. */
export function maskedOf(facts: Facts, mask: string): string | undefined {
  const positive = made(facts, made(facts, mask, 'cast')?.inputs[0], 'gt')
  return positive !== undefined && numberOf(facts, positive.inputs[1]) === 0 ? positive.inputs[0] : undefined
}

/** `dy` where `p` is positive, and 0 elsewhere. */
export function maskedBy(p: OnnxValue, dy: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const positive = graph.node('Greater', [p, scalar(context, 0)])
  return graph.node('Mul', [dy, castTo(context, positive, 'f32')])
}
