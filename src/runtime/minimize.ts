import * as tf from '@tensorflow/tfjs-core'
import { exitCodes, RunError } from './errors.ts'
import { floats, weightedSum } from './mean.ts'
import { type KeptTensors, readScalars } from './memory.ts'
import { variableOf } from './model.ts'
import { applyUpdate, type OptimizerState } from './optimizer.ts'
import type { Session } from './session.ts'
import type { Trace } from './training.ts'
import { type Gradients, mapGradients } from './windows.ts'

/** What the body of a `minimize` returns: a loss of any shape, perhaps weighted, and values that later lines read. */
export interface LossOutputs {
  readonly loss: tf.Tensor
  readonly weight?: tf.Tensor
}

/** One `minimize` of one step. */
export interface MinimizeCall {
  readonly optimizer: OptimizerState
  readonly name: string
  readonly trace: Trace
  /** Which window it accumulates into: the same place of the step, batch after batch. */
  readonly window: string
  /** Examples of the batch: what a scalar loss stands for. */
  readonly size: number
  /** No batch of this epoch follows. */
  readonly last: boolean
  readonly kept: KeptTensors
}

/** The outputs of the body, and the mean of its loss with the weight behind it; a weight of 0 has no mean. */
export interface Minimized<R> {
  readonly outputs: R
  readonly mean: number
  readonly weight: number
}

/** Differentiates the loss by the optimizer's parameters and moves them, or adds to its window. */
export async function minimize<R extends LossOutputs>(
  session: Session,
  call: MinimizeCall,
  body: () => R,
): Promise<Minimized<R>> {
  const tape = differentiate(body, call, session.training.trainer.accumulate > 1)
  const read = await readLoss(tape, session.training.trainer.nonfinite !== 'continue')
  const minimized = { outputs: tape.outputs, mean: read.mean, weight: read.weight }
  if (read.weight === 0) return minimized
  if (!read.finite) return refuse(session, call, tape.gradients, minimized)
  descend(session, call, tape, read.weight)
  return minimized
}

interface Tape<R> {
  readonly outputs: R
  /** The mean of the loss, or its weighted sum where `summed`. */
  readonly objective: tf.Tensor
  readonly summed: boolean
  readonly weight: number | tf.Tensor
  readonly gradients: Gradients
}

/** Runs the body once, on a tape that records only what leads from this optimizer's parameters to the loss. */
function differentiate<R extends LossOutputs>(body: () => R, call: MinimizeCall, windowed: boolean): Tape<R> {
  const made: { outputs?: R; goal?: Goal } = {}
  const forward = (): tf.Tensor => {
    const outputs = body()
    const goal = goalOf(outputs, call.size, windowed)
    keepMade([outputs, goal.weight], goal.objective.scopeId, call.kept)
    Object.assign(made, { outputs, goal })
    return goal.objective
  }
  const entries = [...call.optimizer.parameters].map(([path, state]) => [path, variableOf(state)] as const)
  const { value, grads } = gradientsOf(
    forward,
    entries.map(([, variable]) => variable),
  )
  const { outputs, goal } = made
  if (outputs === undefined || goal === undefined) throw new Error('the body of minimize did not run')
  // The engine leaves out parameters that the loss does not reach, which its type does not say.
  const found = entries.flatMap(([path], index) => {
    const gradient: tf.Tensor | undefined = grads[index]
    return gradient === undefined || gradient === null ? [] : [[path, gradient] as const]
  })
  return { outputs, objective: value, summed: goal.summed, weight: goal.weight, gradients: new Map(found) }
}

function gradientsOf(forward: () => tf.Tensor, variables: tf.Variable[]) {
  // With every parameter frozen there is nothing to differentiate by, and the engine would refuse.
  if (variables.length === 0) return { value: tf.tidy(forward), grads: [] }
  return tf.engine().gradients(forward, variables, undefined, true)
}

interface Goal {
  readonly objective: tf.Tensor
  readonly summed: boolean
  readonly weight: number | tf.Tensor
}

/** A sum where the quotient has to wait: for the end of a window, or for a weight that is a tensor. */
function goalOf({ loss, weight }: LossOutputs, size: number, windowed: boolean): Goal {
  const values = floats(loss)
  if (weight !== undefined) {
    const total = weightedSum(values, weight)
    return { objective: total.sum, summed: true, weight: total.weight }
  }
  const count = values.rank === 0 ? size : values.size
  const mean = values.rank === 0 ? values : tf.mean(values)
  if (!windowed) return { objective: mean, summed: false, weight: count }
  return { objective: tf.mul(mean, count), summed: true, weight: count }
}

/** Keeps what was made on the tape, whose scope is about to close; parameters and batches are not in that scope. */
function keepMade(values: unknown, scopeId: number, kept: KeptTensors): void {
  for (const tensor of tensorsIn(values)) {
    if (tensor.scopeId === scopeId && !tensor.kept && !(tensor instanceof tf.Variable)) kept.keep(tensor)
  }
}

function tensorsIn(value: unknown): readonly tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(tensorsIn)
}

interface LossRead {
  readonly mean: number
  readonly weight: number
  readonly finite: boolean
}

/** One read for the loss, its weight and whether all gradients are finite. */
async function readLoss(tape: Tape<unknown>, check: boolean): Promise<LossRead> {
  const weight = typeof tape.weight === 'number' ? [] : [tape.weight]
  const sound = check && tape.gradients.size > 0 ? [tf.tidy(() => totalOf(tape.gradients))] : []
  const [objective = Number.NaN, ...rest] = await readScalars([tape.objective, ...weight, ...sound])
  const total = typeof tape.weight === 'number' ? tape.weight : (rest[0] ?? Number.NaN)
  const gradientsFinite =
    sound.length === 0 || Number.isFinite(rest.at(-1)) || (await areFinite(tape.gradients))
  const mean = tape.summed ? objective / total : objective
  return { mean, weight: total, finite: !check || (Number.isFinite(mean) && gradientsFinite) }
}

/** Finite only if every element is; the reverse does not hold, since a sum of finite numbers can overflow. */
function totalOf(gradients: Gradients): tf.Tensor {
  const sums = [...gradients.values()].map(gradient => tf.sum(gradient))
  return sums.length === 1 ? sums[0]! : tf.addN(sums)
}

/** 0·x is 0 for a finite x and NaN for all others. */
async function areFinite(gradients: Gradients): Promise<boolean> {
  const zeros = [...gradients.values()].map(gradient => tf.tidy(() => tf.sum(tf.mul(gradient, 0))))
  return (await readScalars(zeros)).every(Number.isFinite)
}

function descend(session: Session, call: MinimizeCall, tape: Tape<unknown>, weight: number): void {
  const { accumulate } = session.training.trainer
  const { windows } = call.optimizer
  if (accumulate === 1) {
    const scale = (gradient: tf.Tensor) => tf.div(gradient, weight)
    move(session, call.optimizer, tape.summed ? mapGradients(tape.gradients, scale) : tape.gradients)
    return
  }
  const calls = windows.add(call.window, tape.gradients, weight)
  if (calls >= accumulate || call.last) move(session, call.optimizer, windows.close(call.window))
}

function move(session: Session, optimizer: OptimizerState, gradients: Gradients): void {
  if (gradients.size === 0) return
  applyUpdate(optimizer, gradients, session.training.trainer.clip, session.clocks)
  session.clocks.countUpdate(optimizer.spec.name)
}

/** Ends the windows that an epoch leaves open: they never span two. */
export function closeWindows(session: Session): void {
  for (const optimizer of session.optimizers.values()) {
    for (const key of optimizer.windows.keys()) {
      tf.tidy(() => move(session, optimizer, optimizer.windows.close(key)))
    }
  }
}

/** A loss or gradient that is not finite moves nothing. */
async function refuse<R>(
  session: Session,
  call: MinimizeCall,
  gradients: Gradients,
  minimized: Minimized<R>,
): Promise<Minimized<R>> {
  const fault = await nonFinite(session, call, gradients, minimized.mean)
  if (session.training.trainer.nonfinite === 'stop') throw fault
  const message = `${fault.message}; this update is left out`
  session.report({ kind: 'warning', code: fault.code, message, trace: call.trace })
  return { ...minimized, weight: 0 }
}

async function nonFinite(session: Session, call: MinimizeCall, gradients: Gradients, mean: number) {
  const { epoch, batchIndex } = session.clocks
  // People count from 1, as the lines of epochs do.
  const place = `in epoch ${epoch + 1}, batch ${batchIndex + 1}`
  const what = Number.isFinite(mean)
    ? `the gradient of ${lossOf(call)} by ${await firstNonFinite(gradients)} is not finite ${place}`
    : `${lossOf(call)} is ${mean} ${place}`
  return new RunError({
    code: 'LTM6101',
    message: `${what}; no parameter was moved`,
    trace: call.trace,
    help: 'a smaller learning rate or `clip: norm(1.0)` often helps; `nonfinite: skip` leaves such updates out',
    exitCode: exitCodes.training,
  })
}

/** The one without a name is called `loss`. */
function lossOf({ name }: MinimizeCall): string {
  return name === 'loss' ? 'the loss' : `the loss \`${name}\``
}

async function firstNonFinite(gradients: Gradients): Promise<string> {
  const paths = [...gradients.keys()]
  const sums = [...gradients.values()].map(gradient => tf.tidy(() => tf.sum(tf.mul(gradient, 0))))
  const read = await readScalars(sums)
  return `\`${paths[read.findIndex(sum => !Number.isFinite(sum))] ?? 'some parameter'}\``
}
