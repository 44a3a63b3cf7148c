import type * as tf from '@tensorflow/tfjs-core'
import type { UpdatePart, UpdateRequest } from '../../base/graphs.ts'
import { variableOf } from '../model.ts'
import type { OptimizerState } from '../optimizer.ts'
import type { Clocks, Numbers, OptimizerGroupSpec, TrainerOptions } from '../training.ts'
import type { Gradients } from '../windows.ts'
import type { GraphRunner } from './runner.ts'
import type { Updating } from './updating.ts'

/** Updates by graphs: clipping, slots and parameters in one call, so that nothing leaves the device that graphs run on. */
export class GraphUpdates implements Updating {
  readonly #graphs: GraphRunner

  constructor(graphs: GraphRunner) {
    this.#graphs = graphs
  }

  /** By the sums of squares that came with them; these may overflow where no gradient does. */
  allFinite(gradients: Gradients): boolean {
    const tensors = [...gradients.values()]
    if (Number.isFinite(this.#graphs.squaresOf(tensors))) return true
    return tensors.every(tensor => tensor.dataSync().every(Number.isFinite))
  }

  moveAll(state: OptimizerState, gradients: Gradients, clip: TrainerOptions['clip'], clock: Clocks): boolean {
    const moves = movesOf(state, gradients, clock)
    if (moves === undefined) return false
    const parts = moves.parts.map(({ path, variables, numbers }): UpdatePart => {
      const [{ shape } = { shape: [] }] = variables.toReversed()
      return { path, shape, numbers }
    })
    const update: UpdateRequest = { optimizer: state.spec.name, parts, ...(clip && { clip }) }
    const tensors = moves.parts.flatMap(({ variables, gradient }) => [...variables, gradient])
    const moved = this.#graphs.serve({ kind: 'update', update }, tensors, moves.numbers)
    if (moved === undefined) return false
    const variables = moves.parts.flatMap(part => part.variables)
    for (const [i, variable] of variables.entries()) variable.assign(moved[i]!)
    for (const { path, t } of moves.parts) state.counts.set(path, t)
    return true
  }
}

/** What moves at once. */
interface Moves {
  readonly parts: readonly Move[]
  /** The lists of numbers that updates take, one behind the other. */
  readonly numbers: readonly number[]
}

interface Move {
  readonly path: string
  /** The slots, then the parameter. */
  readonly variables: readonly tf.Variable[]
  readonly gradient: tf.Tensor
  readonly t: number
  /** Which list of numbers the update takes. */
  readonly numbers: number
}

/** Undefined where a group has no numbers that a graph could be handed, or a parameter is not made of floats. */
function movesOf(state: OptimizerState, gradients: Gradients, clock: Clocks): Moves | undefined {
  const parts: Move[] = []
  const lists: (readonly number[])[] = []
  for (const group of state.spec.groups) {
    const settings = group.settings(clock)
    const known = new Map<number, number>()
    for (const path of group.parameters) {
      const gradient = gradients.get(path)
      const parameter = state.parameters.get(path)
      if (gradient === undefined || parameter === undefined) continue
      const slots = [...state.slots.values()].flatMap(slot => slot.get(path) ?? [])
      const variables = [...slots, variableOf(parameter)]
      const t = (state.counts.get(path) ?? 0) + 1
      const numbers = known.get(t) ?? listOf(lists, group, t, settings)
      if (numbers === undefined || variables.some(({ dtype }) => dtype !== 'float32')) return undefined
      known.set(t, numbers)
      parts.push({ path, variables, gradient, t, numbers })
    }
  }
  return { parts, numbers: lists.flat() }
}

/** The place of a new list: the numbers of a group at a count of updates. */
function listOf(
  lists: (readonly number[])[],
  { module }: OptimizerGroupSpec,
  t: number,
  settings: Numbers,
): number | undefined {
  return module && lists.push(module.scalars(t, settings)) - 1
}
