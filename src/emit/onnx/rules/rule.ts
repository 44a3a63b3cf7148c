import type { Step } from '../../../ir/ir.ts'
import type { OnnxContext, OnnxProvider, OnnxValue } from '../../../ops/onnx.ts'
import type { ChoosingFacts } from '../facts.ts'

/** Nodes that stand for a step and perhaps for some before it, and the values that they start from. */
export interface Tile {
  readonly inputs: readonly string[]
  /** `context` has the types of the step's own inputs and outputs. */
  lower(inputs: readonly OnnxValue[], context: OnnxContext): OnnxValue
}

/** A shorter or faster way to the value of a step than one by one from its inputs. */
export interface TileRule {
  /** As mathematics writes it. */
  readonly name: string
  match(step: Step, facts: ChoosingFacts, provider: OnnxProvider): Tile | undefined
}
