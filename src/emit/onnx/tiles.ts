import type { Step } from '../../ir/ir.ts'
import type { OnnxProvider } from '../../ops/onnx.ts'
import type { ChoosingFacts } from './facts.ts'
import { convolutionRules } from './rules/convolution.ts'
import { elementwiseRules } from './rules/elementwise.ts'
import { layoutRules } from './rules/layout.ts'
import { matmulRules } from './rules/matmul.ts'
import { normalisationRules } from './rules/normalisation.ts'
import { poolingRules } from './rules/pooling.ts'
import { reductionRules } from './rules/reduction.ts'
import type { Tile, TileRule } from './rules/rule.ts'

/** The first that matches counts: what takes more steps at once comes first. */
export const rules: readonly TileRule[] = [
  ...poolingRules,
  ...convolutionRules,
  ...matmulRules,
  ...normalisationRules,
  ...layoutRules,
  ...reductionRules,
  ...elementwiseRules,
]

/** The tile of the first rule that knows one for a step. */
export function tileOf(step: Step, facts: ChoosingFacts, provider: OnnxProvider): Tile | undefined {
  for (const rule of rules) {
    const tile = rule.match(step, facts, provider)
    if (tile) return tile
  }
  return undefined
}
