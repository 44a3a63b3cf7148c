import * as tf from '@tensorflow/tfjs-core'
import { tell } from './debug.ts'
import { stopRun } from './ends.ts'
import { RunError, SkipBatch } from './errors.ts'
import type { LogScope } from './logbook.ts'
import { CarriedTensors, KeptTensors, readScalars } from './memory.ts'
import {
  type Announce,
  type Differentiated,
  differentiate,
  differentiatedBy,
  type MinimizeCall,
  minimize,
} from './minimize.ts'
import { part } from './probe.ts'
import type { Key } from './random.ts'
import { tensorText } from './report/format.ts'
import type { Session } from './session.ts'
import { hasStalled } from './stalls.ts'
import { thrown } from './thrown.ts'
import type {
  ComputedGradients,
  HostFunction,
  HostValue,
  LogOptions,
  LossAhead,
  LossOutputs,
  MetricHolder,
  OptimizerHolder,
  Phase,
  Run,
  StallSpec,
  Tensors,
  Told,
  Trace,
} from './training.ts'

/** Where and on what a step or hook runs. */
export interface RunPlace {
  readonly scope: LogScope
  readonly key: Key
  /** Examples of the batch; 1 where there is no batch. */
  readonly size: number
  /** No batch of this epoch follows. */
  readonly last: boolean
  /** The step has run before: what it does to others it has done. */
  readonly repeated?: true
  /** What the event of a hook tells. */
  readonly told?: Partial<Told>
  readonly announce?: Announce
  /** Runs the hooks on a loss that is not finite; true where one of them leaves the batch out. */
  readonly nonfinite?: (error: string) => Promise<boolean>
}

const nothingTold: Told = { error: '', stage: '', path: '', optimizer: '', gradientNorm: Number.NaN }

/** The run as one step or hook sees it. */
export class StepRun implements Run {
  private readonly session: Session
  private readonly place: RunPlace
  private readonly kept = new KeptTensors()
  private readonly carried = new CarriedTensors()
  /** How often the step has minimised under each name. */
  private readonly calls = new Map<string, number>()

  constructor(session: Session, place: RunPlace) {
    this.session = session
    this.place = place
  }

  get phase(): Phase {
    return this.place.scope.phase
  }
  get key(): Key {
    return this.place.key
  }
  get epoch(): number {
    return this.session.clocks.epoch
  }
  get batchIndex(): number {
    return this.session.clocks.batchIndex
  }
  get batches(): number {
    return this.session.clocks.batches
  }
  get examples(): number {
    return this.session.clocks.examples
  }
  get seconds(): number {
    return this.session.clocks.seconds
  }
  get updatesPerEpoch(): number {
    return this.session.clocks.updatesPerEpoch
  }
  get totalUpdates(): number {
    return this.session.clocks.totalUpdates
  }
  updates(optimizer?: string): number {
    return this.session.clocks.updates(optimizer)
  }

  async minimize<R extends LossOutputs>(
    holder: OptimizerHolder,
    names: string | readonly string[],
    body: () => R,
    trace: Trace,
  ): Promise<R> {
    const { outputs, minimize } = this.differentiate(holder, names, body, trace)
    await minimize()
    return outputs
  }

  differentiate<R extends LossOutputs>(
    holder: OptimizerHolder,
    name: string | readonly string[],
    body: () => R,
    trace: Trace,
  ): LossAhead<R> {
    const call = this.minimizeCall(holder, typeof name === 'string' ? [name] : name, trace)
    const differentiated = differentiate(this.session, call, body)
    return {
      outputs: differentiated.outputs,
      minimize: () => this.descend(call, differentiated),
    }
  }

  async move(
    holder: OptimizerHolder,
    names: readonly string[],
    computed: ComputedGradients,
    trace: Trace,
  ): Promise<void> {
    await this.descend(this.minimizeCall(holder, names, trace), differentiatedBy(computed))
  }

  private minimizeCall(holder: OptimizerHolder, names: readonly string[], trace: Trace): MinimizeCall {
    const optimizer = this.session.optimizers.get(holder)
    if (optimizer === undefined)
      throw new Error(`\`minimize\` with an optimizer that is not part of this run`)
    const { size, last, announce, nonfinite } = this.place
    const window = this.windowOf(names.join('+'))
    return { optimizer, names, trace, window, size, last, kept: this.kept, run: this, announce, nonfinite }
  }

  private async descend(call: MinimizeCall, differentiated: Differentiated<unknown>): Promise<void> {
    const means = await minimize(this.session, call, differentiated)
    for (const [i, { mean, weight }] of means.entries())
      this.session.logbook.log(this.place.scope, call.names[i] ?? 'loss', mean, weight, { bar: true })
  }

  async compute(
    graph: string,
    inputs: readonly (tf.Tensor | Key)[],
    numbers: readonly number[] = [],
  ): Promise<readonly tf.Tensor[]> {
    const { graphs } = this.session
    if (graphs === undefined) throw new Error('a compiled program runs without its graphs')
    return graphs.compute(graph, inputs, numbers)
  }

  states<S extends Tensors>(name: string, metric: MetricHolder<S>): S {
    return this.session.logbook.states(this.place.scope, name, metric)
  }

  private windowOf(name: string): string {
    const call = this.calls.get(name) ?? 0
    this.calls.set(name, call + 1)
    return `${this.place.scope.step ?? ''}/${name}/${call}`
  }

  log(name: string, value: tf.Tensor | number, options?: LogOptions): void {
    this.session.logbook.log(this.place.scope, name, value, this.place.size, options)
  }

  update<S extends Tensors>(
    name: string,
    metric: MetricHolder<S>,
    update: (state: S) => S,
    options?: LogOptions,
  ): void {
    part('metrics', () => this.session.logbook.update(this.place.scope, name, metric, update, options))
  }

  *range(from: number, to = Number.POSITIVE_INFINITY): Generator<number, void, void> {
    for (let index = from; index < to; index++) {
      const engine = tf.engine()
      engine.startScope()
      try {
        yield index
      } finally {
        this.session.logbook.hold(this.kept)
        engine.endScope()
        this.carried.endRound()
      }
    }
  }

  carry(old: tf.Tensor, value: tf.Tensor): tf.Tensor {
    return this.carried.replace(old, value)
  }

  write(path: string, value: tf.Tensor): void {
    const state = this.session.buffers.get(path)
    if (state === undefined) throw new Error(`\`${path}\` is no buffer of this run`)
    // A copy, since the value may be made in a round of a loop, and goes with it.
    state.written = tf.clone(value)
    this.kept.keep(state.written)
  }

  async item(value: tf.Tensor): Promise<number> {
    const [number = Number.NaN] = await readScalars([value])
    return number
  }

  async text(value: tf.Tensor | number): Promise<string> {
    if (typeof value === 'number') return tensorText([value], [])
    return tensorText([...(await value.data())], value.shape)
  }

  async call(run: HostFunction, args: readonly HostValue[], name: string, trace: Trace): Promise<void> {
    // What leaves the program could not be taken back.
    if (this.session.rehearsal !== undefined) return
    if (this.place.repeated) return
    const given = await Promise.all(args.map(handedOver))
    try {
      await run(...given)
    } catch (error) {
      throw new RunError({ code: 'LTM4393', message: `\`${name}\` failed: ${thrown(error)}`, trace })
    }
  }

  skip(): never {
    throw new SkipBatch()
  }

  stop(message?: string): void {
    if (this.place.repeated) return
    stopRun(this.session, { reason: 'stopped', ...(message !== undefined && { detail: message }) })
  }

  print(message: string): void {
    if (this.place.repeated) return
    tell(this.session, message)
  }

  checkpoint(name: string): void {
    if (this.place.repeated) return
    this.session.control.checkpoints.push(name)
  }

  logged(name: string): number {
    return this.session.logbook.latest(name)
  }

  get told(): Told {
    return { ...nothingTold, ...this.place.told }
  }

  freeze(parameters: readonly string[]): void {
    for (const path of parameters) this.session.frozen.next.add(path)
  }

  unfreeze(parameters: readonly string[]): void {
    for (const path of parameters) this.session.frozen.next.delete(path)
  }

  stalled(place: string, spec: StallSpec): boolean {
    return hasStalled(this.session, place, spec)
  }

  /** Frees what outlived the lines that made it. */
  dispose(): void {
    this.kept.dispose()
    this.carried.dispose()
  }
}

/** A tensor as TypeScript takes it: a number, or arrays in arrays; `true` and `false` where it is of bools. */
async function handedOver(value: HostValue): Promise<unknown> {
  if (!(value instanceof tf.Tensor)) return value
  const numbers: unknown = await value.array()
  return value.dtype === 'bool' ? truthsOf(numbers) : numbers
}

function truthsOf(numbers: unknown): unknown {
  return Array.isArray(numbers) ? numbers.map(truthsOf) : numbers === 1 || numbers === true
}
