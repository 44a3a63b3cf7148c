import * as axes from './axes.ts'
import * as blocks from './blocks.ts'
import * as elementwise from './elementwise.ts'
import * as layers from './layers.ts'
import { submoduleRule } from './modules.ts'
import * as parameters from './parameters.ts'
import type { Growing, Rule } from './rule.ts'

/** Applies so many rules to a scope. */
export type Grow = (growing: Growing, count: number) => void

/** How often each rule is tried. */
type Weighted = readonly (readonly [weight: number, rule: Rule])[]

const anywhere = (grow: Grow): Weighted => [
  [6, elementwise.unaryRule],
  [4, elementwise.binaryRule],
  [1, elementwise.stretchedRule],
  [1, elementwise.castRule],
  [1, elementwise.chooseRule],
  [2, axes.reduceRule],
  [1, axes.reduceSeveralRule],
  [2, axes.alongAxisRule],
  [1, axes.argmaxRule],
  [1, axes.pickRule],
  [1, axes.gatherRule],
  [2, axes.rearrangeRule],
  [1, axes.reducePatternRule],
  [2, axes.einsumRule],
  [1, axes.matmulRule],
  [2, axes.indexRule],
  [1, axes.padRule],
  [1, axes.joinRule],
  [1, axes.reverseRule],
  [2, blocks.scanRule(grow)],
  [1, blocks.unrolledRule],
  [1, blocks.partRule],
  [1, blocks.gradientRule],
  [1, blocks.recordRule],
  [1, blocks.higherRule],
  [1, blocks.functionRule(grow)],
]

/** What only a module has: layers, parameters, buffers, and draws, whose keys are told apart by its path. */
const inModules = (grow: Grow): Weighted => [
  ...anywhere(grow),
  [1, blocks.drawRule],
  [4, layers.linearRule],
  [2, layers.normRule],
  [1, layers.dropoutRule],
  [6, layers.imageRule],
  [4, layers.sequenceRule],
  [2, layers.rowRule],
  [3, layers.embeddingRule],
  [2, layers.listRule],
  [2, parameters.parameterRule],
  [3, parameters.projectionRule],
  [1, parameters.bufferRule],
  [1, parameters.memberLetRule],
  [2, submoduleRule(grow)],
]

export const grow: Grow = ({ scope, chance }, count) => {
  const rules = scope.members === undefined ? anywhere(grow) : inModules(grow)
  const tickets = rules.flatMap(([weight, rule]) => Array.from({ length: weight }, () => rule))
  const wanted = scope.values.length + count
  for (let tries = 0; tries < 6 * count && scope.values.length < wanted; tries++)
    chance.pick(tickets)({ scope, chance })
}
