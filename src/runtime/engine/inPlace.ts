import * as tf from '@tensorflow/tfjs-core'
import type { UpdateModule } from '../../base/graphs.ts'
import { variableOf } from '../model.ts'
import type { OptimizerState } from '../optimizer.ts'
import type { Numbers, OptimizerGroupSpec, TrainerOptions } from '../training.ts'
import { type Gradients, mapGradients } from '../windows.ts'
import { Arena, type ArenaTensor } from './arena.ts'
import type { GraphRunner } from './runner.ts'
import { type RunUpdate, Updates } from './updates.ts'
import type { Updating } from './updating.ts'
import { type Vectors, vectorsOn } from './vectors.ts'

/** A parameter that a module moves, with its slots, in the arena. */
interface Placed {
  readonly state: OptimizerState
  readonly path: string
  readonly slots: readonly string[]
  readonly module: UpdateModule
  /** By the name of the gradient in the arena. */
  readonly runs: Map<string, RunUpdate>
}

/**
 * Updates of optimizers in place: parameters, slots and gradients lie in one memory, graphs read the ones and write the others,
 * and a module moves a parameter and its slots in one pass.
 */
export class InPlaceUpdates implements Updating {
  readonly #arena: Arena
  readonly #updates: Updates
  readonly #vectors: Vectors
  /** By optimizer and path. */
  readonly #placed: ReadonlyMap<OptimizerState, ReadonlyMap<string, Placed>>
  /** What lies in the arena, by the identity of its data. */
  readonly #names = new WeakMap<object, string>()
  /** The gradient is multiplied by it first; set by `clip`. */
  #scale = 1
  /** The numbers of the host for a group's settings, read anew at each update: the same for all parameters at one count. */
  #scalars: { settings?: Numbers; t: number; values: readonly number[] } = { t: 0, values: [] }

  /** Puts what the optimizers move into one memory; undefined where there is no module, or no room. */
  static of(graphs: GraphRunner, optimizers: readonly OptimizerState[]): InPlaceUpdates | undefined {
    const placed = new Map(optimizers.map(state => [state, placedOf(graphs, state)]))
    const parameters = [...placed.values()].flatMap(byPath => [...byPath.values()])
    if (parameters.length === 0) return undefined
    const moved = new Map(parameters.map(each => [each.path, each]))
    const gradients = graphs.source.gradients.filter(({ parameter }) => moved.has(parameter))
    const tensors: readonly ArenaTensor[] = [
      ...parameters.flatMap(each => tensorsOf(each)),
      ...gradients.map(({ graph, output, parameter }) => ({
        name: gradientName(graph, output),
        count: countOf(moved.get(parameter)!),
      })),
      // For gradients that come from elsewhere, such as the end of a window.
      ...parameters.map(each => ({ name: spareName(each), count: countOf(each) })),
    ]
    const arena = Arena.of(tensors)
    if (arena === undefined) return undefined
    const updates = new InPlaceUpdates(arena, placed)
    for (const each of parameters) updates.#adopt(each)
    for (const { graph, output, parameter } of gradients) {
      const name = gradientName(graph, output)
      const { shape } = variableIn(moved.get(parameter)!)
      const tensor = tf.keep(tf.tensor(arena.view(name), shape))
      updates.#names.set(tensor.dataId, name)
      graphs.bind(graph, output, tensor)
    }
    return updates
  }

  private constructor(arena: Arena, placed: ReadonlyMap<OptimizerState, ReadonlyMap<string, Placed>>) {
    this.#arena = arena
    this.#placed = placed
    this.#updates = new Updates(arena)
    this.#vectors = vectorsOn(arena.memory)
  }

  /** The variables take the arena for their memory, with what they hold. */
  #adopt(placed: Placed): void {
    for (const [name, variable] of variablesOf(placed)) this.#lay(name, variable)
  }

  #lay(name: string, variable: tf.Variable): void {
    if (this.#names.get(variable.dataId) === name) return
    const view = this.#arena.view(name)
    view.set(variable.dataSync())
    tf.tidy(() => variable.assign(tf.tensor(view, variable.shape)))
    this.#names.set(variable.dataId, name)
  }

  /** Whether all gradients are finite. */
  allFinite(gradients: Gradients): boolean {
    for (const gradient of gradients.values()) {
      const name = this.#names.get(gradient.dataId)
      const finite =
        name === undefined
          ? gradient.dataSync().every(Number.isFinite)
          : this.#vectors.allFinite(this.#arena.addressOf(name), gradient.size)
      if (!finite) return false
    }
    return true
  }

  /**
   * Gradients clipped as `clipGradients` does. By norm, those of parameters that `update` moves stay as they are, and it
   * scales them.
   */
  clip(state: OptimizerState, gradients: Gradients, clip: TrainerOptions['clip']): Gradients {
    this.#scale = 1
    if (clip === undefined) return gradients
    if (clip.kind === 'value') return mapGradients(gradients, gradient => this.#clamped(gradient, clip.limit))
    let sum = 0
    for (const gradient of gradients.values()) sum += this.#sumOfSquares(gradient)
    this.#scale = Math.fround(clip.limit / Math.max(Math.sqrt(sum), clip.limit))
    const placed = this.#placed.get(state)
    return mapGradients(gradients, (gradient, path) =>
      placed?.has(path) ? gradient : tf.mul(gradient, this.#scale),
    )
  }

  #clamped(gradient: tf.Tensor, limit: number): tf.Tensor {
    const name = this.#names.get(gradient.dataId)
    if (name === undefined) return tf.clipByValue(gradient, -limit, limit)
    this.#vectors.clamp(this.#arena.addressOf(name), gradient.size, limit)
    return gradient
  }

  #sumOfSquares(gradient: tf.Tensor): number {
    const name = this.#names.get(gradient.dataId)
    if (name !== undefined) return this.#vectors.sumOfSquares(this.#arena.addressOf(name), gradient.size)
    return gradient.dataSync<'float32'>().reduce((sum, x) => sum + x * x, 0)
  }

  /** Moves a parameter and its slots; false where its optimizer has no module for it. */
  update(
    state: OptimizerState,
    group: OptimizerGroupSpec,
    path: string,
    gradient: tf.Tensor,
    t: number,
    settings: Numbers,
  ): boolean {
    const placed = this.#placed.get(state)?.get(path)
    if (placed === undefined || group.module === undefined) return false
    this.#adopt(placed)
    const name = this.#names.get(gradient.dataId) ?? this.#spare(placed, gradient)
    const scalars =
      this.#scalars.settings === settings && this.#scalars.t === t
        ? this.#scalars.values
        : group.module.scalars(t, settings)
    this.#scalars = { settings, t, values: scalars }
    this.#runOf(placed, name)(this.#scale, scalars)
    return true
  }

  /** A gradient that lies elsewhere is copied. */
  #spare(placed: Placed, gradient: tf.Tensor): string {
    const name = spareName(placed)
    this.#arena.view(name).set(gradient.dataSync())
    return name
  }

  #runOf(placed: Placed, gradient: string): RunUpdate {
    const known = placed.runs.get(gradient)
    if (known !== undefined) return known
    const slots = placed.slots.map(slot => slotName(placed, slot))
    const parameter = parameterName(placed)
    const run = this.#updates.bind(placed.module.bytes, { slots, parameter, gradient })
    placed.runs.set(gradient, run)
    return run
  }
}

/** The parameters of an optimizer whose groups have modules. */
function placedOf({ source }: GraphRunner, state: OptimizerState): ReadonlyMap<string, Placed> {
  const slots = Object.keys(state.spec.slots)
  return new Map(
    state.spec.groups.flatMap(({ parameters, module: wanted }) => {
      const module = wanted && source.updates.get(wanted.name)
      if (module === undefined) return []
      const floats = parameters.filter(path => state.parameters.get(path)?.variable?.dtype === 'float32')
      return floats.map(path => [path, { state, path, slots, module, runs: new Map() }] as const)
    }),
  )
}

const parameterName = ({ path }: Placed): string => `parameter ${path}`
const slotName = ({ state, path }: Placed, slot: string): string => `slot ${state.spec.name} ${slot} ${path}`
const spareName = ({ state, path }: Placed): string => `gradient of ${path} for ${state.spec.name}`
const gradientName = (graph: string, output: number): string => `gradient ${output} of ${graph}`

function variableIn({ state, path }: Placed): tf.Variable {
  const parameter = state.parameters.get(path)
  if (parameter === undefined) throw new Error(`${path} is not the optimizer's`)
  return variableOf(parameter)
}

function countOf(placed: Placed): number {
  return variableIn(placed).size
}

/** The parameter and its slots by their names in the arena. */
function variablesOf(placed: Placed): readonly (readonly [name: string, variable: tf.Variable])[] {
  const slots = placed.slots.flatMap(slot => {
    const variable = placed.state.slots.get(slot)?.get(placed.path)
    return variable === undefined ? [] : [[slotName(placed, slot), variable] as const]
  })
  return [[parameterName(placed), variableIn(placed)], ...slots]
}

function tensorsOf(placed: Placed): readonly ArenaTensor[] {
  return variablesOf(placed).map(([name, { size }]) => ({ name, count: size }))
}
