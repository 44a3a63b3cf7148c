import * as tf from '@tensorflow/tfjs-core'
import type { HookEvent } from '../base/hookEvents.ts'
import { followBuffers, moveAverages } from './averages.ts'
import { type DescentCall, type Evaluation, moveTogether } from './closures.ts'
import { exitCodes, RunError, SkipBatch } from './errors.ts'
import { floats, weightedSum } from './mean.ts'
import { type KeptTensors, readScalars, scoped } from './memory.ts'
import { variableOf } from './model.ts'
import { applyUpdate, globalNorm, type OptimizerState } from './optimizer.ts'
import { part } from './probe.ts'
import type { Session } from './session.ts'
import type { ComputedGradients, LossOutputs, LossTerm, Run, Told, Trace } from './training.ts'
import { windowSize } from './windowSize.ts'
import { type Gradients, mapGradients } from './windows.ts'

/** Runs the hooks on an event between the gradients and the update. */
export type Announce = (event: HookEvent, told: Partial<Told>) => Promise<unknown>

/** One `minimize` of one step. */
export interface MinimizeCall {
  readonly optimizer: OptimizerState
  /** The name of each term. */
  readonly names: readonly string[]
  readonly trace: Trace
  /** Which window it accumulates into: the same place of the step, batch after batch. */
  readonly window: string
  /** Examples of the batch: what a scalar loss stands for. */
  readonly size: number
  /** No batch of this epoch follows. */
  readonly last: boolean
  readonly kept: KeptTensors
  /** The step at hand. */
  readonly run: Run
  readonly announce?: Announce | undefined
  /** Runs the hooks on a loss that is not finite; true where one of them leaves the batch out. */
  readonly nonfinite?: ((error: string) => Promise<boolean>) | undefined
}

/** The mean of a term with the weight behind it; a weight of 0 has no mean, and one that moved nothing counts as 0. */
export interface TermMean {
  readonly mean: number
  readonly weight: number
}

/** Losses that have been differentiated and not yet moved anything. */
export interface Differentiated<R> {
  readonly outputs: R
  readonly terms: readonly Goal[]
  /** Windows keep the terms apart: the gradients are those of each term's sum, not that of the sum of all means. */
  readonly apart: boolean
  readonly gradients: readonly Gradients[]
  /** The sum of the means and its gradient once more, where the parameters are now. */
  readonly again?: () => Evaluation
}

/** Differentiates the losses by the optimizer's parameters. */
export function differentiate<R extends LossOutputs>(
  session: Session,
  call: MinimizeCall,
  body: () => R,
): Differentiated<R> {
  const windowed = windowOf(session, call) > 1
  const first = passOf(session, body, call, windowed, windowed ? goals => objectiveOf(goals, 0) : totalMean)
  // The weights of a window are known at its end, so each of several terms needs gradients of its own. The engine drops
  // its tape with the first ones, hence another forward pass for each; its draws come from the same keys.
  const others = windowed ? first.terms.slice(1) : []
  const more = others.map(
    (_, i) =>
      passOf(session, body, call, windowed, goals => objectiveOf(goals, i + 1), 'gradients').gradients,
  )
  return {
    outputs: first.outputs,
    terms: first.terms,
    apart: windowed,
    gradients: [first.gradients, ...more],
    again: () => passOf(session, body, call, false, meanOfAll, 'gradients'),
  }
}

/** What a graph has computed, as `minimize` takes it. */
export function differentiatedBy({ apart, terms, gradients }: ComputedGradients): Differentiated<undefined> {
  return {
    outputs: undefined,
    apart,
    terms: terms.map(({ mean, weight }) => ({ objective: mean, summed: false, weight })),
    gradients: gradients.map(list => new Map(Object.entries(list))),
  }
}

/** Moves the parameters by the gradients, or adds these to the window. */
export async function minimize(
  session: Session,
  call: MinimizeCall,
  differentiated: Differentiated<unknown>,
): Promise<readonly TermMean[]> {
  const { nonfinite } = session.training.trainer
  const hooked = asks(session, 'nonfinite')
  const { means, finite } = await readLosses(session, differentiated, hooked || nonfinite !== 'continue')
  if (means.every(({ weight }) => weight === 0)) return means
  if (!finite) {
    const found = await faultOf(session, call, differentiated.gradients, means)
    if (nonfinite !== 'continue') return refuse(session, call, found, means)
  }
  if (asks(session, 'after_backward'))
    await call.announce?.('after_backward', { optimizer: call.optimizer.spec.name })
  const { moved } = session.control
  session.control.moved = true
  const failed = await part('update', () => descend(session, call, differentiated, means))
  if (failed === undefined) return means
  session.control.moved = moved
  if (await call.nonfinite?.(failed.message)) throw new SkipBatch()
  return refuse(session, call, failed, means)
}

interface Pass<R> extends Evaluation {
  readonly outputs: R
  readonly terms: readonly Goal[]
}

/** Runs the body once, on a tape that records only what leads from this optimizer's parameters to the objective. */
function passOf<R extends LossOutputs>(
  session: Session,
  body: () => R,
  call: MinimizeCall,
  windowed: boolean,
  objective: (goals: readonly Goal[]) => tf.Tensor,
  wanted: 'all' | 'gradients' = 'all',
): Pass<R> {
  const made: { outputs?: R; terms?: readonly Goal[] } = {}
  const forward = (): tf.Tensor => {
    const outputs = part('forward', body)
    const terms = termsOf(outputs).map(term => goalOf(term, call.size, windowed))
    const goal = objective(terms)
    if (wanted === 'all')
      keepMade([outputs, terms.map(term => [term.objective, term.weight])], goal, call.kept)
    Object.assign(made, { outputs, terms })
    return goal
  }
  const moving = [...call.optimizer.parameters].filter(([path]) => !session.frozen.now.has(path))
  const entries = moving.map(([path, state]) => [path, variableOf(state)] as const)
  const variables = entries.map(([, variable]) => variable)
  const { value, grads } = part('backward', () => gradientsOf(forward, variables))
  const { outputs, terms } = made
  if (outputs === undefined || terms === undefined) throw new Error('the body of minimize did not run')
  // The engine leaves out parameters that the loss does not reach, which its type does not say.
  const found = entries.flatMap(([path], index) => {
    const gradient: tf.Tensor | undefined = grads[index]
    return gradient === undefined || gradient === null ? [] : [[path, gradient] as const]
  })
  return { outputs, terms, value, gradients: new Map(found) }
}

function gradientsOf(
  forward: () => tf.Tensor,
  variables: tf.Variable[],
): { readonly value: tf.Tensor; readonly grads: tf.Tensor[] } {
  // With every parameter frozen there is nothing to differentiate by, and the engine would refuse.
  if (variables.length > 0) return tf.engine().gradients(forward, variables, undefined, true)
  return { value: tf.tidy(forward), grads: [] }
}

function termsOf(outputs: LossOutputs): readonly LossTerm[] {
  return 'losses' in outputs ? outputs.losses : [outputs]
}

/** The mean of a term, or its weighted sum where `summed`. */
interface Goal {
  readonly objective: tf.Tensor
  readonly summed: boolean
  readonly weight: number | tf.Tensor
}

/** A sum where the quotient has to wait: for the end of a window, or for a weight that is a tensor. */
function goalOf({ loss, weight }: LossTerm, size: number, windowed: boolean): Goal {
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

function objectiveOf(goals: readonly Goal[], term: number): tf.Tensor {
  const goal = goals[term]
  if (goal === undefined) throw new Error('the body of minimize returned no loss')
  return goal.objective
}

/** One goal as it is: its quotient can wait. Of several the sum of the means. */
function totalMean(goals: readonly Goal[]): tf.Tensor {
  return goals.length === 1 ? objectiveOf(goals, 0) : meanOfAll(goals)
}

/** The sum of the means; one that nothing counts in adds 0. */
function meanOfAll(goals: readonly Goal[]): tf.Tensor {
  const means = goals.map(({ objective, summed, weight }) =>
    summed ? tf.div(objective, tf.where(tf.equal(weight, 0), 1, weight)) : objective,
  )
  return tf.addN(means)
}

/** Keeps what was made on the tape, whose scope is about to close; parameters and batches are not in that scope. */
function keepMade(values: unknown, { scopeId }: tf.Tensor, kept: KeptTensors): void {
  for (const tensor of tensorsIn(values)) {
    if (tensor.scopeId === scopeId && !tensor.kept && !(tensor instanceof tf.Variable)) kept.keep(tensor)
  }
}

function tensorsIn(value: unknown): readonly tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(tensorsIn)
}

interface LossesRead {
  readonly means: readonly TermMean[]
  readonly finite: boolean
}

/** One read for the losses, their weights and whether all gradients are finite. */
async function readLosses(
  session: Session,
  { terms, gradients }: Differentiated<unknown>,
  check: boolean,
): Promise<LossesRead> {
  const checked = check ? gradients.filter(({ size }) => size > 0) : []
  const weights = terms.flatMap(({ weight }) => (typeof weight === 'number' ? [] : [weight]))
  const { updating } = session
  // What lies in memory at hand needs no read.
  const sums = updating === undefined ? checked : []
  const sound = sums.map(each => tf.tidy(() => totalOf(each)))
  const read = await readScalars([...terms.map(({ objective }) => objective), ...weights, ...sound])
  const next = weights.keys()
  const means = terms.map(({ summed, weight }, i) => {
    const total =
      typeof weight === 'number' ? weight : (read[terms.length + (next.next().value ?? 0)] ?? Number.NaN)
    const objective = read[i] ?? Number.NaN
    return { mean: summed ? objective / total : objective, weight: total }
  })
  if (!check) return { means, finite: true }
  const lossesFinite = means.every(({ mean, weight }) => weight === 0 || Number.isFinite(mean))
  if (updating !== undefined)
    return { means, finite: lossesFinite && checked.every(each => updating.allFinite(each)) }
  const totals = read.slice(terms.length + weights.length)
  return { means, finite: lossesFinite && (totals.every(Number.isFinite) || (await areFinite(checked))) }
}

/** Finite only if every element is; the reverse does not hold, since a sum of finite numbers can overflow. */
function totalOf(gradients: Gradients): tf.Tensor {
  const sums = [...gradients.values()].map(gradient => tf.sum(gradient))
  return sums.length === 1 ? sums[0]! : tf.addN(sums)
}

/** 0·x is 0 for a finite x and NaN for all others. */
async function areFinite(gradients: readonly Gradients[]): Promise<boolean> {
  const all = gradients.flatMap(each => [...each.values()])
  const zeros = all.map(gradient => tf.tidy(() => tf.sum(tf.mul(gradient, 0))))
  return (await readScalars(zeros)).every(Number.isFinite)
}

async function descend(
  session: Session,
  call: MinimizeCall,
  differentiated: Differentiated<unknown>,
  means: readonly TermMean[],
): Promise<RunError | undefined> {
  const gradients = dueGradients(session, call, differentiated, means)
  if (gradients === undefined) return undefined
  const { again } = differentiated
  const loss = means.reduce((sum, { mean, weight }) => (weight === 0 ? sum : sum + mean), 0)
  const descent = again && { run: call.run, loss, again }
  const whole = await move(session, call.optimizer, gradients, call.announce, descent)
  return whole
    ? undefined
    : fault(session, call.trace, `where \`${call.optimizer.spec.name}\` would move to is not finite`)
}

/** What an update takes, if one is due: in a window its last call makes it. */
function dueGradients(
  session: Session,
  call: MinimizeCall,
  { terms, apart, gradients }: Differentiated<unknown>,
  means: readonly TermMean[],
): Gradients | undefined {
  const { windows } = call.optimizer
  if (!apart) {
    const [only, second] = terms
    const [all = new Map<string, tf.Tensor>()] = gradients
    const total = only?.summed === true && second === undefined ? means[0]?.weight : undefined
    return total === undefined ? all : mapGradients(all, gradient => tf.div(gradient, total))
  }
  const parts = gradients.map((each, i) => ({ gradients: each, weight: means[i]?.weight ?? 0 }))
  const calls = windows.add(call.window, parts)
  return calls >= windowOf(session, call) || call.last ? windows.close(call.window) : undefined
}

function windowOf({ training, clocks }: Session, { optimizer }: MinimizeCall): number {
  return windowSize(training.trainer, optimizer.spec, clocks)
}

/** Whether what the optimizer moves to is finite; else it stays where it is. */
async function move(
  session: Session,
  optimizer: OptimizerState,
  gradients: Gradients,
  announce: Announce | undefined,
  descent?: DescentCall,
): Promise<boolean> {
  // A window may hold gradients of what has been frozen since.
  const moving = new Map([...gradients].filter(([path]) => !session.frozen.now.has(path)))
  if (moving.size === 0) return true
  const { name, clip = session.training.trainer.clip } = optimizer.spec
  if (announce !== undefined && asks(session, 'before_optimizer_step')) {
    const [gradientNorm = Number.NaN] = await readScalars([tf.tidy(() => globalNorm(moving))])
    await announce('before_optimizer_step', { optimizer: name, gradientNorm })
  }
  if (optimizer.spec.closure === undefined)
    applyUpdate(optimizer, moving, clip, session.clocks, session.updating)
  else if (!(await moveTogether(session, optimizer, moving, clip, descent))) return false
  session.clocks.countUpdate(name)
  moveAverages(session.averages, optimizer, session.clocks, session.updating)
  return true
}

/** Whether the program has hooks on an event, so that there is something to find out for them. */
function asks({ training }: Session, event: HookEvent): boolean {
  return training.hooks.some(({ on }) => 'event' in on && on.event === event)
}

/** Ends the windows that an epoch leaves open: they never span two. */
export async function closeWindows(session: Session, announce: Announce): Promise<void> {
  for (const optimizer of session.optimizers.values()) {
    for (const key of optimizer.windows.keys()) {
      await scoped(() => move(session, optimizer, optimizer.windows.close(key), announce))
    }
  }
  followBuffers(session.averages, session.buffers, session.clocks, session.updating)
}

/** What is not finite, told to the hooks on it; one of them may leave the batch out. */
async function faultOf(
  session: Session,
  call: MinimizeCall,
  gradients: readonly Gradients[],
  means: readonly TermMean[],
): Promise<RunError> {
  const found = await nonFinite(session, call, gradients, means)
  if (await call.nonfinite?.(found.message)) throw new SkipBatch()
  return found
}

/** A loss or gradient that is not finite moves nothing. */
function refuse(
  session: Session,
  call: MinimizeCall,
  found: RunError,
  means: readonly TermMean[],
): readonly TermMean[] {
  // A hook that ended the run has had its say.
  const { control, training } = session
  const stops = training.trainer.nonfinite === 'stop' || session.detectAnomaly
  if (stops && control.end === undefined) throw found
  const message = `${found.message}; this update is left out`
  session.report({ kind: 'warning', code: found.code, message, trace: call.trace })
  return means.map(({ mean }) => ({ mean, weight: 0 }))
}

const remedies =
  'a smaller learning rate or `clip: norm(1.0)` often helps; `nonfinite: skip` leaves such updates out'

async function nonFinite(
  session: Session,
  { names, trace }: MinimizeCall,
  gradients: readonly Gradients[],
  means: readonly TermMean[],
): Promise<RunError> {
  const bad = means.findIndex(({ mean, weight }) => weight !== 0 && !Number.isFinite(mean))
  const what =
    bad < 0
      ? `the gradient of ${lossOf(names)} by ${await firstNonFinite(gradients)} is not finite`
      : `${lossOf(names.slice(bad, bad + 1))} is ${means[bad]?.mean}`
  return fault(session, trace, what)
}

function fault(session: Session, trace: Trace, what: string): RunError {
  const { epoch, batchIndex } = session.clocks
  // People count from 1, as the lines of epochs do.
  return new RunError({
    code: 'LTM6101',
    message: `${what} in epoch ${epoch + 1}, batch ${batchIndex + 1}; no parameter was moved`,
    trace,
    help: `${remedies}${session.detectAnomaly ? '' : '; `ltm run --detect-anomaly` finds the operator that made it'}`,
    exitCode: exitCodes.training,
  })
}

/** The one without a name is called `loss`. */
function lossOf(names: readonly string[]): string {
  if (names.length === 1 && names[0] === 'loss') return 'the loss'
  return `the ${names.length === 1 ? 'loss' : 'sum of the losses'} ${names.map(name => `\`${name}\``).join(' and ')}`
}

async function firstNonFinite(gradients: readonly Gradients[]): Promise<string> {
  const entries = gradients.flatMap(each => [...each])
  const sums = entries.map(([, gradient]) => tf.tidy(() => tf.sum(tf.mul(gradient, 0))))
  const read = await readScalars(sums)
  return `\`${entries[read.findIndex(sum => !Number.isFinite(sum))]?.[0] ?? 'some parameter'}\``
}
