import * as tf from '@tensorflow/tfjs-core'
import type { Updating } from './engine/updating.ts'
import { variableOf } from './model.ts'
import { applyUpdate, type OptimizerState, startOptimizer } from './optimizer.ts'
import type { BufferState, Clocks, OptimizerSpec, ParameterState } from './training.ts'

type States = ReadonlyMap<string, ParameterState | BufferState>

/** An average in a run: a model that follows another one, moved as an optimizer moves, by values in place of gradients. */
export interface AverageState {
  readonly state: OptimizerState
  /** What each of its parameters and averaged buffers follows. */
  readonly followed: ReadonlyMap<string, ParameterState | BufferState>
  /** Its other buffers, by the path of those whose values they take over. */
  readonly copied: ReadonlyMap<string, BufferState>
  /** In the step at hand. */
  hasMoved: boolean
}

export function startAverage(
  spec: OptimizerSpec,
  parameters: ReadonlyMap<string, ParameterState>,
  buffers: ReadonlyMap<string, BufferState>,
): AverageState {
  const all: States = new Map<string, ParameterState | BufferState>([...parameters, ...buffers])
  const { name, follows = name } = spec
  const source = (path: string): string => follows + path.slice(name.length)
  const averaged = spec.groups.flatMap(group => group.parameters)
  const followed = averaged.flatMap((path): [string, ParameterState | BufferState][] => {
    const state = all.get(source(path))
    return state === undefined ? [] : [[path, state]]
  })
  const own = [...buffers].filter(([path]) => isBelow(path, name) && !averaged.includes(path))
  return {
    state: startOptimizer(spec, all),
    followed: new Map(followed),
    copied: new Map(own.map(([path, state]) => [source(path), state])),
    hasMoved: false,
  }
}

const isBelow = (path: string, owner: string): boolean =>
  path.startsWith(owner) && /^[.[]/.test(path.slice(owner.length))

/** After an update of an optimizer: what follows its parameters moves once. */
export function moveAverages(
  averages: readonly AverageState[],
  moved: OptimizerState,
  clock: Clocks,
  engine?: Updating,
): void {
  for (const average of averages) {
    const follows = [...average.followed].filter(([, { path }]) => moved.parameters.has(path))
    if (follows.length === 0) continue
    update(average, follows, clock, engine)
    average.hasMoved = true
  }
}

/**
 * Buffers have what a step has written only when it has ended: then averages take them over, or those that average them
 * too and have moved in the step move these once.
 */
export function followBuffers(
  averages: readonly AverageState[],
  buffers: ReadonlyMap<string, BufferState>,
  clock: Clocks,
  engine?: Updating,
): void {
  for (const average of averages) {
    const averaged = [...average.followed].filter(([, { spec }]) => spec.kind === 'buffer')
    if (average.hasMoved && averaged.length > 0) update(average, averaged, clock, engine)
    average.hasMoved = false
    for (const [path, state] of average.copied) {
      const source = buffers.get(path)
      if (source) tf.tidy(() => variableOf(state).assign(tf.clone(variableOf(source))))
    }
  }
}

type Followed = readonly (readonly [path: string, source: ParameterState | BufferState])[]

function update(
  { state }: AverageState,
  followed: Followed,
  clock: Clocks,
  engine: Updating | undefined,
): void {
  const values = followed.map(([path, source]) => [path, variableOf(source)] as const)
  applyUpdate(state, new Map(values), undefined, clock, engine)
}
