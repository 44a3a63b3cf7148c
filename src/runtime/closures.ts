import * as tf from '@tensorflow/tfjs-core'
import { readScalars } from './memory.ts'
import { variableOf } from './model.ts'
import { allParameters, assign, clipGradients, type OptimizerState, settle, slotsOf } from './optimizer.ts'
import type { Session } from './session.ts'
import type { Run, TrainerOptions } from './training.ts'
import type { Gradients } from './windows.ts'

/** A loss where the parameters are, and its gradients; a parameter that it does not reach has none. */
export interface Evaluation {
  readonly value: tf.Tensor
  readonly gradients: Gradients
}

/** What an update of all parameters together needs of its `minimize`. */
export interface DescentCall {
  readonly run: Run
  /** Where the parameters are when it begins. */
  readonly loss: number
  /** The loss of the same batch, with the same draws; nothing else comes of it. */
  readonly again: () => Evaluation
}

/**
 * Moves all parameters of an optimizer as one vector by its own update, which may look at the loss again. What is frozen has no
 * gradient and stays. False where the update is not finite: then nothing has moved.
 */
export async function moveTogether(
  session: Session,
  state: OptimizerState,
  gradients: Gradients,
  clip: TrainerOptions['clip'],
  call: DescentCall | undefined,
): Promise<boolean> {
  const { closure } = state.spec
  if (closure === undefined || call === undefined)
    throw new Error(`\`${state.spec.name}\` has no loss to look at again`)
  const moving = new Set(gradients.keys())
  const flat = (given: Gradients): tf.Tensor => gradientVector(state, clipGradients(given, clip))
  const param = parameterVector(state)
  const slots = slotsOf(state, allParameters)
  const count = Math.max(0, ...closure.parameters.map(path => state.counts.get(path) ?? 0))
  try {
    const moved = await closure.update(
      call.run,
      slots,
      {
        param,
        grad: tf.tidy(() => flat(gradients)),
        loss: tf.scalar(call.loss),
        t: count + 1,
        closure: async at => {
          place(state, moving, at)
          const { value, gradients: found } = call.again()
          return { loss: value, grad: tf.tidy(() => flat(found)) }
        },
      },
      closure.settings(session.clocks),
    )
    const finite = await areFinite(Object.values(moved))
    place(state, moving, (finite ? moved.param : undefined) ?? param)
    if (!finite) return false
    tf.tidy(() => {
      for (const [slot, variable] of Object.entries(slots)) assign(variable, moved[slot])
      for (const path of moving) settle(state, path)
    })
    return true
  } catch (error) {
    place(state, moving, param)
    throw error
  }
}

/** 0·x is 0 for a finite x and NaN for all others. */
async function areFinite(tensors: readonly tf.Tensor[]): Promise<boolean> {
  const zeros = tensors.map(tensor => tf.tidy(() => tf.sum(tf.mul(tensor, 0))))
  return (await readScalars(zeros)).every(Number.isFinite)
}

// ── Parameters as one vector ────────────────────────────────────────────────────────────────────────────────────────

type Entries = readonly (readonly [path: string, variable: tf.Variable])[]

function entriesOf({ parameters }: OptimizerState): Entries {
  return [...parameters].map(([path, parameter]) => [path, variableOf(parameter)])
}

/** A copy of the numbers: the variables move while it is looked at. */
function parameterVector(state: OptimizerState): tf.Tensor {
  return tf.tidy(() => vectorOf(entriesOf(state).map(([, variable]) => variable)))
}

function gradientVector(state: OptimizerState, gradients: Gradients): tf.Tensor {
  return vectorOf(entriesOf(state).map(([path, variable]) => gradients.get(path) ?? tf.zerosLike(variable)))
}

function vectorOf(tensors: readonly tf.Tensor[]): tf.Tensor {
  const flat = tensors.map(tensor => tf.reshape(tensor, [-1]))
  const [only, second] = flat
  return only !== undefined && second === undefined ? tf.mul(only, 1) : tf.concat(flat)
}

/** Gives the parameters that may move their parts of a vector. */
function place(state: OptimizerState, moving: ReadonlySet<string>, vector: tf.Tensor): void {
  tf.tidy(() => {
    let start = 0
    for (const [path, variable] of entriesOf(state)) {
      if (moving.has(path))
        assign(variable, tf.reshape(tf.slice(vector, [start], [variable.size]), variable.shape))
      start += variable.size
    }
  })
}
