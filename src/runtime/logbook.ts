import * as tf from '@tensorflow/tfjs-core'
import { floats, weightedSum } from './mean.ts'
import { type KeptTensors, readScalars } from './memory.ts'
import { MetricState } from './metric.ts'
import { part } from './probe.ts'
import type { LogOptions, MetricHolder, Numbers, Phase, Tensors } from './training.ts'

/** Whose values these are: a phase, and a step of it where it has a name. */
export interface LogScope {
  readonly phase: Phase
  readonly step?: string | undefined
}

/** `val`, `val.abroad`: what full names start with. */
export function prefixOf({ phase, step }: LogScope): string {
  return step === undefined ? phase : `${phase}.${step}`
}

/** What a step logged, read: under full names, and what the bar shows under short ones, if it is asked for before the next step. */
export interface StepValues {
  readonly values: Numbers
  readonly bar: () => Promise<Numbers>
}

export interface Levels {
  readonly step: boolean
  readonly epoch: boolean
  readonly bar: boolean
}
interface Pending {
  readonly prefix: string
  readonly name: string
  /** The mean of this call, or its sum where the weight is a tensor. */
  readonly value: tf.Tensor | number
  readonly weight: tf.Tensor | number
  readonly levels: Levels
}
/** Under which name, and into which records, a value goes. */
interface Place {
  readonly prefix: string
  readonly name: string
  readonly levels: Levels
}
interface Mean extends Place {
  sum: number
  weight: number
}
interface LoggedMetric {
  readonly prefix: string
  readonly name: string
  levels: Levels
  readonly state: MetricState
  touched: boolean
}

/** What a logbook holds between two batches. */
export interface LogContents {
  readonly means: readonly Mean[]
  readonly metrics: readonly (Place & { readonly metric: string; readonly state: Tensors })[]
  readonly newest: readonly { readonly name: string; readonly value: number; readonly times: number }[]
  readonly results: readonly { readonly name: string; readonly value: number }[]
}

/** All logged values of a run: those of the step under way, the means and metrics of each pass, and the newest of all. */
export class Logbook {
  private pending: Pending[] = []
  private readonly means = new Map<string, Mean>()
  private readonly metrics = new Map<string, LoggedMetric>()
  private readonly newest = new Map<string, number>()
  /** How many values each name has had. */
  private readonly times = new Map<string, number>()
  /** Of the passes that have ended. */
  private readonly results = new Map<string, number>()

  /** `size` is the weight of the value where it has none of its own. */
  log(
    scope: LogScope,
    name: string,
    value: tf.Tensor | number,
    size: number,
    options: LogOptions = {},
  ): void {
    const entry = { prefix: prefixOf(scope), name, levels: levelsOf(scope, options) }
    if (typeof value === 'number') {
      this.pending.push({ ...entry, value, weight: size })
    } else if (options.weight === undefined) {
      this.pending.push({ ...entry, value: meanOf(value), weight: size })
    } else {
      const { weight } = options
      const total = tf.tidy(() => ({ ...weightedSum(value, weight) }))
      this.pending.push({ ...entry, value: total.sum, weight: total.weight })
    }
  }

  update<S extends Tensors>(
    scope: LogScope,
    name: string,
    metric: MetricHolder<S>,
    change: (state: S) => S,
    options: LogOptions = {},
  ): void {
    const entry = this.entryOf(scope, name, metric, options)
    entry.touched = true
    stateOf<S>(entry).update(change)
  }

  /** The states of a metric as the step under way has left them. */
  states<S extends Tensors>(scope: LogScope, name: string, metric: MetricHolder<S>): S {
    return stateOf<S>(this.entryOf(scope, name, metric)).current
  }

  private entryOf<S extends Tensors>(
    scope: LogScope,
    name: string,
    metric: MetricHolder<S>,
    options: LogOptions = {},
  ): LoggedMetric {
    const prefix = prefixOf(scope)
    const full = `${prefix}.${name}`
    const levels = levelsOf(scope, { on: 'epoch', ...options })
    const known = this.metrics.get(full)
    if (known === undefined) return this.enter(full, { prefix, name, levels }, metric)
    known.levels = levels
    return known
  }

  private enter<S extends Tensors>(full: string, place: Place, metric: MetricHolder<S>): LoggedMetric {
    const entry = { ...place, state: new MetricState(metric) as unknown as MetricState, touched: false }
    this.metrics.set(full, entry)
    return entry
  }

  /** Takes what waits to be read out of the memory scope that is about to end. */
  hold(kept: KeptTensors): void {
    for (const tensor of this.pending.flatMap(({ value, weight }) => [value, weight].filter(isTensor)))
      if (!tensor.kept) kept.keep(tensor)
  }

  /** Forgets what the step under way has logged. */
  drop(): void {
    this.pending = []
    for (const metric of this.metrics.values()) {
      metric.state.drop()
      metric.touched = false
    }
  }

  /** Reads what the step has logged, all at once, and counts it. */
  async commit(): Promise<StepValues> {
    const pending = this.pending
    this.pending = []
    const touched = this.commitMetrics()
    const running = runningValues(touched.filter(({ levels }) => levels.step))
    const tensors = pending.flatMap(({ value, weight }) => [value, weight].filter(isTensor))
    const numbers = await readScalars([...tensors, ...running.map(({ value }) => value)])
    const read = numbers.values()
    const calls = pending.map(entry => resolve(entry, read))
    const shown = new StepSums()
    for (const call of calls) this.count(call, shown)
    for (const { metric, name, value } of running) {
      this.show(metric, name, read.next().value ?? Number.NaN, shown)
      value.dispose()
    }
    const values = shown.values()
    for (const [name, value] of Object.entries(values)) this.note(name, value)
    return { values, bar: () => this.bar(touched, shown) }
  }

  private commitMetrics(): readonly LoggedMetric[] {
    const touched = [...this.metrics.values()].filter(metric => metric.touched)
    for (const metric of touched) {
      metric.state.commit()
      metric.touched = false
    }
    return touched
  }

  /** With the metrics that nothing but the bar shows. */
  private async bar(touched: readonly LoggedMetric[], shown: StepSums): Promise<Numbers> {
    const running = runningValues(touched.filter(({ levels }) => levels.bar && !levels.step))
    const numbers = await readScalars(running.map(({ value }) => value))
    for (const [i, { metric, name, value }] of running.entries()) {
      this.show(metric, name, numbers[i] ?? Number.NaN, shown)
      value.dispose()
    }
    return shown.bar()
  }

  private count(call: Call, shown: StepSums): void {
    if (call.weight === 0) return
    const full = `${call.prefix}.${call.name}`
    const { prefix, name, levels } = call
    const mean = this.means.get(full) ?? { prefix, name, levels, sum: 0, weight: 0 }
    if (this.means.get(full) === undefined) this.means.set(full, mean)
    mean.sum += call.sum
    mean.weight += call.weight
    const value = call.levels.step ? undefined : mean.sum / mean.weight
    shown.add(full, call.name, call.levels, call.sum, call.weight, value)
  }

  private show(metric: LoggedMetric, name: string, value: number, shown: StepSums): void {
    shown.add(`${metric.prefix}.${name}`, name, metric.levels, value, 1, undefined)
  }

  /** Ends a pass: its means and metrics under full names. What a pass has begun, the next one does not see. */
  async close(scope: LogScope): Promise<Numbers> {
    const prefix = prefixOf(scope)
    const values: Record<string, number> = {}
    for (const [full, mean] of this.means) {
      if (mean.prefix !== prefix) continue
      if (mean.levels.epoch && mean.weight > 0) values[full] = mean.sum / mean.weight
      this.means.delete(full)
    }
    for (const [full, metric] of this.metrics) {
      if (metric.prefix !== prefix) continue
      if (metric.levels.epoch) Object.assign(values, await part('metrics', () => computed(metric)))
      metric.state.dispose()
      this.metrics.delete(full)
    }
    this.remember(values)
    return values
  }

  private remember(values: Numbers): void {
    for (const [name, value] of Object.entries(values)) {
      this.note(name, value)
      this.results.set(name, value)
    }
  }

  private note(name: string, value: number): void {
    this.newest.set(name, value)
    this.times.set(name, this.timesLogged(name) + 1)
  }

  /** How many values a name has had. */
  timesLogged(name: string): number {
    return this.times.get(name) ?? 0
  }

  /** All that is known between two batches; the tensors stay the logbook's own. */
  contents(): LogContents {
    return {
      means: [...this.means.values()],
      metrics: [...this.metrics.values()].map(({ state, touched: _, ...place }) => ({
        ...place,
        metric: state.holder.spec.name,
        state: state.tensors(),
      })),
      newest: [...this.newest].map(([name, value]) => ({ name, value, times: this.timesLogged(name) })),
      results: [...this.results].map(([name, value]) => ({ name, value })),
    }
  }

  /** Takes up what a checkpoint remembers; the states of metrics are copied. Metrics that are no more are left out. */
  restore({ means, metrics, newest, results }: LogContents, holders: readonly MetricHolder[]): void {
    for (const mean of means) this.means.set(fullName(mean), { ...mean })
    for (const { metric, state, ...place } of metrics) {
      const holder = holders.find(({ spec }) => spec.name === metric)
      if (holder === undefined) continue
      const full = fullName(place)
      this.metrics.set(full, { ...place, state: new MetricState(holder, state), touched: false })
    }
    for (const { name, value, times } of newest) {
      this.newest.set(name, value)
      this.times.set(name, times)
    }
    for (const { name, value } of results) this.results.set(name, value)
  }

  /** The newest value of every name, as its last pass ended with it. */
  finalValues(): Numbers {
    return Object.fromEntries(this.results)
  }

  has(name: string): boolean {
    return this.newest.has(name)
  }

  latest(name: string): number {
    return this.newest.get(name) ?? Number.NaN
  }

  dispose(): void {
    for (const metric of this.metrics.values()) metric.state.dispose()
    this.metrics.clear()
    this.means.clear()
    this.pending = []
  }
}

const fullName = ({ prefix, name }: Place): string => `${prefix}.${name}`

/** The entry of a full name is made from the one metric that is logged under it. */
function stateOf<S extends Tensors>({ state }: LoggedMetric): MetricState<S> {
  return state as unknown as MetricState<S>
}

/** A number stays itself; that of a parameter is taken down before an update changes it. */
function meanOf(value: tf.Tensor): tf.Tensor {
  if (value.rank > 0) return tf.tidy(() => tf.mean(floats(value)))
  // A copy of the numbers: a compiled engine moves parameters where they lie.
  return value instanceof tf.Variable ? tf.mul(value, 1) : value
}

interface Call {
  readonly prefix: string
  readonly name: string
  readonly levels: Levels
  readonly sum: number
  readonly weight: number
}

/** What one step shows: two logs of one name in a step add up. */
class StepSums {
  private readonly step = new Map<string, { sum: number; weight: number }>()
  private readonly shown = new Map<string, () => number>()

  add(full: string, name: string, levels: Levels, sum: number, weight: number, running: number | undefined) {
    const total = this.step.get(full) ?? { sum: 0, weight: 0 }
    total.sum += sum
    total.weight += weight
    if (levels.step) this.step.set(full, total)
    if (levels.bar) this.shown.set(name, () => running ?? total.sum / total.weight)
  }

  values(): Numbers {
    return Object.fromEntries([...this.step].map(([full, { sum, weight }]) => [full, sum / weight]))
  }

  bar(): Numbers {
    return Object.fromEntries([...this.shown].map(([name, value]) => [name, value()]))
  }
}

function resolve({ prefix, name, levels, value, weight }: Pending, read: Iterator<number>): Call {
  const number = isTensor(value) ? (read.next().value ?? Number.NaN) : value
  const total = isTensor(weight) ? (read.next().value ?? Number.NaN) : weight
  return { prefix, name, levels, sum: isTensor(weight) ? number : number * total, weight: total }
}

interface Running {
  readonly metric: LoggedMetric
  readonly name: string
  readonly value: tf.Tensor
}

/** What metrics come to so far. */
function runningValues(metrics: readonly LoggedMetric[]): readonly Running[] {
  return metrics.flatMap(metric => resultsOf(metric).map(([name, value]) => ({ metric, name, value })))
}

async function computed(metric: LoggedMetric): Promise<Numbers> {
  const results = resultsOf(metric)
  const numbers = await readScalars(results.map(([, value]) => value))
  for (const [, value] of results) value.dispose()
  return Object.fromEntries(results.map(([name], index) => [`${metric.prefix}.${name}`, numbers[index]!]))
}

function resultsOf(metric: LoggedMetric): readonly (readonly [name: string, value: tf.Tensor])[] {
  return Object.entries(metric.state.results(metric.name))
}

/** In training both the step and the epoch, elsewhere the epoch. */
function levelsOf({ phase }: LogScope, { on, bar = false }: LogOptions): Levels {
  const level = on ?? (phase === 'train' ? 'both' : 'epoch')
  return { step: level !== 'epoch', epoch: level !== 'step', bar }
}

function isTensor(value: tf.Tensor | number): value is tf.Tensor {
  return typeof value !== 'number'
}
