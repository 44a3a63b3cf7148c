import type { NameSupply } from '../../base/fresh.ts'
import type { Span } from '../../base/source.ts'
import type { Cadence, Dataset, Optimizer, Phase, Value } from '../../ir/ir.ts'
import type { Context } from '../context.ts'
import type { MetricScope } from './metrics.ts'
import type { Part } from './modes.ts'

/** A place that reads `val.loss`, and who reads it: a phase, an event, the trainer. */
export interface Reading {
  readonly name: string
  readonly span: Span
  readonly reader: string
}

/** The fields of a `return`, and the step that it belongs to: `train`, `val.abroad`. */
export interface Returned {
  readonly step: string
  readonly fields: readonly Value[]
  /** Because of an error it is not known what fields it has. */
  readonly lost: boolean
}

/** What the steps and hooks of one `train` share: its data, optimizers and metrics, and the names they log under. */
export interface Training {
  readonly ctx: Context
  readonly datasets: ReadonlyMap<string, Dataset>
  readonly optimizers: readonly Optimizer[]
  /** What moves the averages of models, after the optimizers. */
  readonly averages: readonly Optimizer[]
  readonly metrics: ReadonlyMap<string, MetricScope>
  /** The paths of all parameters, in declared order. */
  readonly parameters: readonly string[]
  /** Of these, what no optimizer may move. */
  readonly frozen: ReadonlySet<string>
  /** Of these, what no hook or step ever lets go. */
  readonly standing: ReadonlySet<string>
  /** Parts of the models whose mode changes as hooks freeze them and let them go. */
  readonly parts: readonly Part[]
  /** `train.loss`, `val.accuracy`: every name that something is logged under. */
  readonly logged: Set<string>
  /** What the steps return, each `return` for itself. */
  readonly returned: Returned[]
  /** Where logged values are read, to be resolved when all that logs is known. */
  readonly readings: Reading[]
  /** How often hooks ask to run, and where. */
  readonly cadences: (Cadence & { readonly span: Span })[]
  /** Phases that have a step. */
  readonly phases: ReadonlySet<Phase>
  /** Names for the places that ask whether a value has stalled. */
  readonly stalls: NameSupply
  /** What is minimised: whether it takes the examples of its batch together matters where several make an update. */
  readonly losses: {
    readonly loss: string
    readonly optimizer: string
    readonly takesTogether: () => boolean
    readonly span: Span
  }[]
  /** Parameters that some loss depends on; `all` where that is not known, because a loss has an error. */
  readonly reached: { readonly paths: Set<string>; all: boolean }
  /** Where optimizers that look at their loss again have been seen to minimise one. */
  readonly minimised: Map<string, Span>
  /** Places where something had a value with an error: where none was reported, the compiler itself is wrong. */
  readonly silent: Span[]
  /** Data members that failed: steps that read them stay silent. */
  readonly failedData: boolean
  /** Phases with a step that failed: what it would hand over is not known. */
  readonly failedSteps: Set<Phase>
  /** Optimizers that failed: what names or needs one stays silent. */
  readonly failedOptimizers: ReadonlySet<string>
}
