import * as tf from '@tensorflow/tfjs-core'
import type { Updating } from './engine/updating.ts'
import { variableOf } from './model.ts'
import type {
  BufferState,
  Clocks,
  Numbers,
  OptimizerGroupSpec,
  OptimizerSpec,
  ParameterState,
  TrainerOptions,
} from './training.ts'
import { type Gradients, mapGradients, type WindowArithmetic, Windows } from './windows.ts'

/** An optimizer in a run: its slots, and how often each of its parameters has been updated. */
export interface OptimizerState {
  readonly spec: OptimizerSpec
  /** The parameters that it may move, by path; some may be frozen. */
  readonly parameters: ReadonlyMap<string, ParameterState | BufferState>
  /** By slot, then by path. */
  readonly slots: ReadonlyMap<string, ReadonlyMap<string, tf.Variable>>
  readonly counts: Map<string, number>
  readonly windows: Windows
}

/** In the place of a path: a slot of all parameters together. */
export const allParameters = '*'

/** The paths of what an optimizer moves. */
export function parametersOf({ groups, closure }: OptimizerSpec): readonly string[] {
  return closure?.parameters ?? groups.flatMap(group => group.parameters)
}

/** Makes the slots of an optimizer, filled with their start values. */
export function startOptimizer(
  spec: OptimizerSpec,
  parameters: ReadonlyMap<string, ParameterState | BufferState>,
  arithmetic?: WindowArithmetic,
): OptimizerState {
  const paths = parametersOf(spec)
  const own = new Map(paths.flatMap(path => trained(path, parameters.get(path))))
  const shapes = spec.closure?.shapes
  const slots = new Map(
    Object.entries(spec.slots).map(([slot, value]) => [
      slot,
      shapes === undefined
        ? fillSlot(own, value)
        : new Map([[allParameters, filled(shapes[slot] ?? [], value)]]),
    ]),
  )
  return {
    spec,
    parameters: own,
    slots,
    counts: new Map(paths.map(path => [path, 0])),
    windows: new Windows(arithmetic),
  }
}

function trained(
  path: string,
  state: ParameterState | BufferState | undefined,
): [string, ParameterState | BufferState][] {
  if (state === undefined) throw new Error(`optimizer owns ${path}, which no model has`)
  return [[path, state]]
}

function fillSlot(parameters: OptimizerState['parameters'], value: number): Map<string, tf.Variable> {
  return new Map([...parameters].map(([path, { spec }]) => [path, filled(spec.shape, value)]))
}

function filled(shape: readonly number[], value: number): tf.Variable {
  return tf.tidy(() => tf.variable(tf.fill([...shape], value), false))
}

export function disposeOptimizer(state: OptimizerState): void {
  state.windows.dispose()
  for (const slot of state.slots.values()) for (const variable of slot.values()) variable.dispose()
}

/** Moves every parameter that has a gradient, once; `engine` where a compiled one can. */
export function applyUpdate(
  state: OptimizerState,
  gradients: Gradients,
  clip: TrainerOptions['clip'],
  clock: Clocks,
  engine?: Updating,
): void {
  tf.tidy(() => {
    if (engine?.moveAll?.(state, gradients, clip, clock)) return
    const clipped = engine?.clip?.(state, gradients, clip) ?? clipGradients(gradients, clip)
    for (const group of state.spec.groups) updateGroup(state, group, clipped, clock, engine)
  })
}

function updateGroup(
  state: OptimizerState,
  group: OptimizerGroupSpec,
  gradients: Gradients,
  clock: Clocks,
  engine: Updating | undefined,
): void {
  const settings = group.settings(clock)
  for (const path of group.parameters) {
    const gradient = gradients.get(path)
    const parameter = state.parameters.get(path)
    if (gradient === undefined || parameter === undefined) continue
    const t = (state.counts.get(path) ?? 0) + 1
    const moved = engine?.update?.(state, group, path, gradient, t, settings) ?? false
    if (!moved) updateParameter(group, slotsOf(state, path), variableOf(parameter), gradient, t, settings)
    settle(state, path)
  }
}

function updateParameter(
  group: OptimizerGroupSpec,
  slots: Readonly<Record<string, tf.Variable>>,
  variable: tf.Variable,
  gradient: tf.Tensor,
  t: number,
  settings: Numbers,
): void {
  const { param, ...moved } = group.update(slots, variable, gradient, t, settings)
  for (const [slot, value] of Object.entries(moved)) assign(slots[slot], value)
  assign(variable, param)
}

/** The slots of a parameter, or of all of them. */
export function slotsOf(state: OptimizerState, path: string): Record<string, tf.Variable> {
  return Object.fromEntries([...state.slots].map(([slot, byPath]) => [slot, byPath.get(path)!]))
}

/** Brings a parameter back to where it may be, and counts its update. */
export function settle(state: OptimizerState, path: string): void {
  const parameter = state.parameters.get(path)
  if (parameter === undefined) return
  const { project } = { project: undefined, ...parameter.spec }
  if (project) assign(variableOf(parameter), project(variableOf(parameter)))
  state.counts.set(path, (state.counts.get(path) ?? 0) + 1)
}

/** A variable frees its old value before it takes the new one, so it must not be given itself. */
export function assign(variable: tf.Variable | undefined, value: tf.Tensor | undefined): void {
  if (variable !== undefined && value !== undefined && value !== variable) variable.assign(value)
}

/**
 * By value: each element into [-limit, limit]. By norm: all gradients scaled alike, so that their common 2-norm is at
 * most the limit (Pascanu et al. 2013, algorithm 1).
 */
export function clipGradients(gradients: Gradients, clip: TrainerOptions['clip']): Gradients {
  if (clip === undefined || gradients.size === 0) return gradients
  if (clip.kind === 'value') return mapGradients(gradients, g => tf.clipByValue(g, -clip.limit, clip.limit))
  const norm = globalNorm(gradients)
  const scale = tf.div(clip.limit, tf.maximum(norm, clip.limit))
  return mapGradients(gradients, gradient => tf.mul(gradient, scale))
}

/** The 2-norm of all elements together. */
export function globalNorm(gradients: Gradients): tf.Tensor {
  return tf.sqrt(tf.addN([...gradients.values()].map(gradient => tf.sum(tf.square(gradient)))))
}
