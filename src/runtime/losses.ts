import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../base/bug.ts'
import { registerGradients } from './gradients.ts'
import { rootKey } from './random.ts'
import {
  type BufferState,
  type LossOutputs,
  modelOf,
  type ParameterSpec,
  type ParameterState,
  type Run,
  type Training,
} from './training.ts'

/** Raw values of parameters by path, row by row. */
export type Given = Readonly<Record<string, readonly number[]>>

/** The losses of a program's training step as functions of its parameters, without a training. */
export interface Losses {
  parameter(path: string): ParameterSpec
  value(loss: string, given: Given): readonly number[]
  /** The gradient of the product of a loss with `by`, with respect to one parameter. */
  gradient(loss: string, given: Given, path: string, by: readonly number[]): readonly number[]
}

/** For programs whose training step reads no data and has one loss in each `minimize`. */
export async function lossesOf(training: Training): Promise<Losses> {
  registerGradients()
  const states = training.models.flatMap(model => model[modelOf].parameters)
  const buffers = training.models.flatMap(model => model[modelOf].buffers.map(startValues))
  const bodies = await collectBodies(training, states, buffers)
  const bodyOf = (loss: string): (() => tf.Tensor) => bodies.get(loss) ?? bug(`there is no loss ${loss}`)
  const stateOf = (path: string): ParameterState =>
    states.find(state => state.path === path) ?? bug(`there is no parameter ${path}`)
  return {
    parameter: path => stateOf(path).spec,
    value: (loss, given) =>
      within(states, buffers, given, () => tf.tidy(() => Array.from(bodyOf(loss)().dataSync()))),
    gradient: (loss, given, path, by) =>
      within(states, buffers, given, () =>
        tf.tidy(() => {
          const total = (): tf.Scalar => {
            const value = bodyOf(loss)()
            return tf.sum(tf.mul(value, tf.tensor([...by], value.shape)))
          }
          const moved = stateOf(path).variable ?? bug(`${path} has no value`)
          const slopes = tf.variableGrads(total, [moved]).grads[moved.name]
          return slopes ? Array.from(slopes.dataSync()) : bug(`${loss} does not reach ${path}`)
        }),
      ),
  }
}

/** What each `minimize` of the training step would differentiate, by the name of its loss. */
async function collectBodies(
  { steps }: Training,
  states: readonly ParameterState[],
  buffers: readonly StartedBuffer[],
): Promise<ReadonlyMap<string, () => tf.Tensor>> {
  const bodies = new Map<string, () => tf.Tensor>()
  const minimize: Run['minimize'] = async (_, name, body) => {
    bodies.set(String(name), () => lossIn(body()))
    return body()
  }
  // A step that only minimises asks nothing else of its run but to write buffers.
  const run = { minimize, write: () => {} } as Partial<Run> as Run
  for (const state of states) state.variable = tf.variable(tf.zeros([...state.spec.shape]))
  startBuffers(buffers)
  for (const step of steps) await step.run(run)
  dispose([...states, ...buffers.map(({ state }) => state)])
  return bodies
}

const lossIn = (outputs: LossOutputs): tf.Tensor =>
  'loss' in outputs ? outputs.loss : bug('a minimize of several losses')

/** Buffers have their start values, as nothing is trained here. */
interface StartedBuffer {
  readonly state: BufferState
  readonly values: readonly number[]
}

function startValues(state: BufferState): StartedBuffer {
  const values = tf.tidy(() => Array.from(state.spec.init(rootKey(0).at(state.path)).dataSync()))
  return { state, values }
}

/** Made anew each time, since the backend or the precision may be another one. */
function startBuffers(buffers: readonly StartedBuffer[]): void {
  for (const { state, values } of buffers)
    state.variable = tf.variable(tf.tensor([...values], [...state.spec.shape]), false)
}

/** Gives parameters their values while `use` runs. */
function within<T>(
  states: readonly ParameterState[],
  buffers: readonly StartedBuffer[],
  given: Given,
  use: () => T,
): T {
  startBuffers(buffers)
  const changed = states.filter(({ path }) => path in given)
  for (const state of changed)
    state.variable = tf.variable(tf.tensor([...(given[state.path] ?? [])], [...state.spec.shape]))
  try {
    return use()
  } finally {
    dispose([...changed, ...buffers.map(({ state }) => state)])
  }
}

function dispose(states: readonly (ParameterState | BufferState)[]): void {
  for (const { variable } of states) variable?.dispose()
}
