import type * as tf from '@tensorflow/tfjs-core'
import type { Renaming } from '../base/weightNames.ts'
import type { Key } from './random.ts'
import type { FileSourceSpec } from './sources/spec.ts'

/**
 * What a generated program hands to the trainer. Everything here is inert until a run starts: holders are declared at
 * the top level of the program and filled with tensors by the run that trains, tests or predicts.
 */
export interface Training {
  readonly name: string
  /** The `.ltm` file, for messages. */
  readonly file: string
  /** The directory that relative data paths start from. */
  readonly directory: string
  readonly settings: Readonly<Record<string, number | boolean | string>>
  /** Absent where nobody knows: then whatever is edited may have changed what was trained before. */
  readonly reads?: Reads
  readonly data: readonly DatasetSpec[]
  readonly models: readonly ModelHolder[]
  readonly vars?: HostVars
  readonly optimizers: readonly OptimizerHolder[]
  /** Models that follow others: each moves after the updates of what it follows. */
  readonly averages?: readonly OptimizerHolder[]
  readonly metrics: readonly MetricHolder[]
  readonly steps: readonly StepSpec[]
  readonly hooks: readonly HookSpec[]
  readonly trainer: TrainerOptions
}

/** What a program looks up as it runs that people give it from outside. */
export interface Reads {
  /** Settings that are not only compiled in. */
  readonly settings: readonly string[]
  /** Whether it asks how many updates there will be in all. */
  readonly end: boolean
}

/** A place in the `.ltm` file: `digits.ltm:12`. */
export type Trace = string

// ── Parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ParameterSpec {
  readonly kind: 'parameter'
  /** The raw tensor's shape. */
  readonly shape: readonly number[]
  /** Gives the raw start value. */
  readonly init: (key: Key) => tf.Tensor
  /** The path of the parameter with whose value it starts. */
  readonly copies?: string
  readonly constraint?: {
    /** As written: `interval(0, 1)`. */
    readonly text: string
    readonly name: string
    readonly version: number
    readonly forward: (raw: tf.Tensor, ...buffers: tf.Tensor[]) => tf.Tensor
    /** The buffers that `forward` takes, by path. */
    readonly buffers?: readonly string[]
    /** All elements true where the value satisfies the constraint. */
    readonly check?: (value: tf.Tensor) => tf.Tensor
    /** Gives the start value itself, which `forward` must give back. */
    readonly start?: (key: Key) => tf.Tensor
  }
  /** Where the value is brought back to after each update. */
  readonly project?: (value: tf.Tensor) => tf.Tensor
  readonly frozen?: boolean
  readonly trace: Trace
}

/** State of a module that training steps write and no optimizer moves. */
export interface BufferSpec {
  readonly kind: 'buffer'
  readonly shape: readonly number[]
  readonly init: (key: Key) => tf.Tensor
  readonly copies?: string
  readonly trace: Trace
}

/** A safetensors file that a model starts from; names are compared from behind the model's, with dots for brackets. */
export interface WeightsSpec {
  readonly file: string
  /** What names of the file begin with, and what takes its place; of several that fit a name the first counts. */
  readonly rename?: readonly Renaming[]
  /** What names begin with that keep their start values, whatever the file has. */
  readonly missing?: readonly string[]
  /** What names of the file begin with that the model has no use for. */
  readonly unused?: readonly string[]
  readonly trace: Trace
}

/** A tree of parameters and buffers: modules are records, lists of modules are arrays. */
export type ParameterTree =
  | ParameterSpec
  | BufferSpec
  | { readonly [member: string]: ParameterTree }
  | readonly ParameterTree[]

/** The same tree with tensors in place of descriptions; reading one before a run has started is an error. */
export type Leaves<T> = T extends ParameterSpec | BufferSpec
  ? tf.Tensor
  : { readonly [K in keyof T]: Leaves<T[K]> }

/** What `model()` returns knows its own name and leaves, under a symbol that no member can clash with. */
export interface ModelHolder {
  readonly [modelOf]: ModelState
}
export const modelOf: unique symbol = Symbol('model')
export interface ModelState {
  readonly name: string
  /** In declared order: path (`net.hidden[0].weight`), description, and the variable once a run has started. */
  readonly parameters: readonly ParameterState[]
  readonly buffers: readonly BufferState[]
  readonly weights: WeightsSpec | undefined
}
export interface ParameterState {
  readonly path: string
  readonly spec: ParameterSpec
  variable: tf.Variable | undefined
}

export interface BufferState {
  readonly path: string
  readonly spec: BufferSpec
  variable: tf.Variable | undefined
  /** What the step at hand has written: the variable takes it over when the step ends. */
  written: tf.Tensor | undefined
}

// ── Data ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface DatasetSpec {
  readonly name: string
  readonly source: SourceSpec
  /** Which columns of the table `fields` takes, in the order of its arguments; a number is a single column, rank 1. */
  readonly columns: readonly ColumnSpec[]
  /** Vocabularies with a name, which are learned from columns of their own. */
  readonly vocabularies?: readonly VocabularySpec[]
  /** Computed once on the training split, in order, from the columns and the earlier fits. */
  readonly fits?: readonly {
    readonly name: string
    readonly compute: (columns: readonly tf.Tensor[], fits: readonly tf.Tensor[]) => tf.Tensor
  }[]
  /** True for the rows that stay, each from the columns. */
  readonly filters?: readonly ((columns: readonly tf.Tensor[]) => tf.Tensor)[]
  /** The key is one of rows: draws belong to examples. */
  readonly fields: (
    columns: readonly tf.Tensor[],
    fits: readonly tf.Tensor[],
    key: Key,
  ) => readonly tf.Tensor[]
  /** What training batches have in place of some fields; it takes all of them, in the order of a batch. */
  readonly augment?: {
    readonly fields: readonly string[]
    readonly compute: (
      fields: readonly tf.Tensor[],
      fits: readonly tf.Tensor[],
      key: Key,
    ) => readonly tf.Tensor[]
  }
  /** Name, dtype and shape for one example of each result of `fields`. */
  readonly schema: readonly FieldSpec[]
  readonly split: readonly (readonly [name: string, share: number])[]
  readonly stratify?: string
  readonly group?: string
  readonly batch: number
  readonly shuffle: boolean
  readonly dropLast: boolean
  /** Lengths that ragged fields are padded to; without them, to the longest example of a batch. */
  readonly buckets?: readonly number[]
  /** Sizes that the program takes from the data. */
  readonly counts?: readonly CountSpec[]
  readonly trace: Trace
}
export interface VocabularySpec {
  readonly name: string
  readonly unit: TokensSpec['unit']
  readonly size?: number
  readonly columns: readonly (string | number)[]
  readonly trace: Trace
}
export interface CountSpec {
  /** A field, a vocabulary, or a fit. */
  readonly of: string
  /** The place in `columns` of what the field is, where nothing is computed. */
  readonly column?: number
  /** What the program was compiled for; absent where it is asked for. */
  readonly is?: number
  readonly trace: Trace
}
/** A single column by its place, some side by side, or a column by name or place that holds more than a number each. */
export type ColumnSpec =
  | number
  | readonly [from: number, to: number]
  | {
      readonly column: string | number
      /** Of one example; `'ragged'` is a size that differs. A number each where it is absent. */
      readonly shape?: readonly (number | 'ragged')[]
      readonly tokens?: TokensSpec
    }
/** Texts become whole numbers, by a vocabulary of the training split. */
export interface TokensSpec {
  readonly unit: 'words' | 'characters' | 'whole'
  /** Numbers that there may be at most. */
  readonly size?: number
  /** One of the dataset's, where the column has none of its own. */
  readonly vocabulary?: string
}
export interface RaggedSpec {
  /** The symbol of the size: fields that share it are as long as one another, example by example. */
  readonly size: string
  /** Which of `columns` says how long an example is. */
  readonly like: number
  readonly bound?: number
  readonly pad: number
}
export interface FieldSpec {
  readonly name: string
  readonly dtype: 'float32' | 'int32' | 'bool'
  /** Without the ragged size, which comes before the others. */
  readonly shape: readonly number[]
  readonly ragged?: RaggedSpec
  /** Numbers given for integers or booleans must be whole; a bad one is reported with file, line and column. */
  readonly whole: boolean
  /** The columns it reads, for that report. */
  readonly columns: readonly (number | string)[]
  readonly trace: Trace
}
export type SourceSpec =
  | {
      readonly kind: 'csv'
      readonly path: string
      readonly skip: number
      readonly missing?: number
      readonly trace: Trace
    }
  | {
      readonly kind: 'inline'
      readonly columns: readonly (readonly (number | string | readonly number[])[])[]
      readonly trace: Trace
    }
  /** One column: the index of the example. */
  | { readonly kind: 'synthetic'; readonly count: number; readonly trace: Trace }
  | FileSourceSpec

// ── Optimizers and metrics ──────────────────────────────────────────────────────────────────────────────────────────

export type Tensors = Readonly<Record<string, tf.Tensor>>
export type Numbers = Readonly<Record<string, number>>

export interface OptimizerSpec {
  readonly name: string
  /** Start value of each slot; a slot is shaped like its parameter, unless a `closure` says otherwise. */
  readonly slots: Numbers
  readonly groups: readonly OptimizerGroupSpec[]
  /** In place of groups: all parameters move together. */
  readonly closure?: ClosureSpec
  /** The path that an average follows, with paths like its own below it; `update` takes its values as `grad`. */
  readonly follows?: string
  /** In place of the trainer's. */
  readonly clip?: Clip
  readonly accumulate?: Accumulation
  readonly trace: Trace
}
export interface OptimizerGroupSpec {
  /** Paths of parameters. */
  readonly parameters: readonly string[]
  /** Read anew at each update. */
  readonly settings: (clock: Clocks) => Numbers
  /** `t` counts the updates of the parameter, from 1. Returns the new slots and the new value under `param`. */
  update(slots: Tensors, param: tf.Tensor, grad: tf.Tensor, t: number, settings: Numbers): Tensors
  /** The same update as a module that a compiled engine runs, and the numbers that it takes of the host. */
  readonly module?: {
    readonly name: string
    readonly scalars: (t: number, settings: Numbers) => readonly number[]
  }
}
/** An update of all parameters as one vector, which may look at the loss again. */
export interface ClosureSpec {
  /** Paths of parameters; the vector has their elements in this order. */
  readonly parameters: readonly string[]
  /** Read anew at each update. */
  readonly settings: (clock: Clocks) => Numbers
  /** Of each slot. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** Returns the new slots and the new vector under `param`. */
  update(run: Run, slots: Tensors, descent: Descent, settings: Numbers): Promise<Tensors>
}
/** Where an update of all parameters begins: the vector, the gradient and the loss there. */
export interface Descent {
  readonly param: tf.Tensor
  readonly grad: tf.Tensor
  readonly loss: tf.Tensor
  /** Counts the updates, from 1. */
  readonly t: number
  /** The loss and its gradient elsewhere: of the same batch, with the same draws, and nothing else comes of it. */
  closure(param: tf.Tensor): Promise<{ readonly loss: tf.Tensor; readonly grad: tf.Tensor }>
}
export interface OptimizerHolder {
  readonly spec: OptimizerSpec
}

export interface MetricSpec<S extends Tensors = Tensors> {
  readonly name: string
  readonly states: {
    readonly [K in keyof S]: {
      readonly shape: readonly number[]
      readonly dtype: 'float32' | 'int32'
      readonly value: number
    }
  }
  /** A scalar, or scalars by field name. */
  compute(state: S): tf.Tensor | Tensors
  readonly trace: Trace
}
/** The state of a metric belongs to (phase, step name, log name); the run keeps it. */
export interface MetricHolder<S extends Tensors = Tensors> {
  readonly spec: MetricSpec<S>
}

// ── Steps and hooks ─────────────────────────────────────────────────────────────────────────────────────────────────

export type Phase = 'train' | 'val' | 'test' | 'predict'

/** The fields of a batch by name, and how many examples it has. */
export interface Batch {
  readonly size: number
  readonly fields: Tensors
}

export interface RaggedOutput {
  readonly output: string
  readonly axis: number
  readonly length: string
}

export interface TextOutput {
  readonly output: string
  readonly data: string
  readonly vocabulary: string
}

export interface StepSpec {
  readonly phase: Phase
  readonly name?: string
  /** The first stream ends the epoch. No stream: one update an epoch in `train`, one call elsewhere. */
  readonly streams: readonly { readonly data: string; readonly split: string; readonly cycle?: boolean }[]
  /** Axes of predictions that end where an example does; the field `length` has how long each one is there. */
  readonly ragged?: readonly RaggedOutput[]
  /** Predictions whose numbers stand for texts of a column's vocabulary. */
  readonly texts?: readonly TextOutput[]
  /** What it returns goes to hooks as `outputs`; in `predict` it is written out. */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async function without `return` promises void
  readonly run: (run: Run, ...batches: readonly Batch[]) => Promise<Tensors | void>
  readonly trace: Trace
}

export interface Clocks {
  readonly epoch: number
  /** Index of the batch within its epoch and phase, from 0. */
  readonly batchIndex: number
  /** Training batches of the whole run. */
  readonly batches: number
  readonly examples: number
  readonly seconds: number
  /** Updates that an optimizer has made; without a name the first optimizer's. */
  updates(optimizer?: string): number
  /** Updates that the run will make in all, where that is known; else Infinity. */
  readonly totalUpdates: number
  /** Updates that an epoch makes, where every batch minimises once. */
  readonly updatesPerEpoch: number
}

export interface LogOptions {
  readonly bar?: boolean
  readonly on?: 'step' | 'epoch' | 'both'
  readonly weight?: tf.Tensor
}

/** One loss of any shape, perhaps weighted. */
export interface LossTerm {
  readonly loss: tf.Tensor
  readonly weight?: tf.Tensor
}

/** What the body of a `minimize` returns: a loss, or several whose means add up, and values that later lines read. */
export type LossOutputs = LossTerm | { readonly losses: readonly LossTerm[] }

/** Means and weights of losses, and gradients by the paths of parameters. */
export interface ComputedGradients {
  /** The gradients are those of sums, one list for each loss: windows wait for their weights. */
  readonly apart: boolean
  readonly terms: readonly { readonly mean: tf.Tensor; readonly weight: tf.Tensor }[]
  readonly gradients: readonly Tensors[]
}

/** Losses that have been differentiated; `minimize` moves the parameters. */
export interface LossAhead<R> {
  readonly outputs: R
  minimize(): Promise<void>
}

/** What a step sees of its run. */
export interface Run extends Clocks {
  readonly phase: Phase
  /** The key of this step's draws: (seed, phase and step name, clock). */
  readonly key: Key
  /**
   * Differentiates the `loss` of `body` by the optimizer's parameters and updates them; its mean (weighted by `weight`)
   * counts, of several `losses` the sum of the means. `body` runs on a tape, once unless several losses accumulate. What
   * it returns besides stays alive until the step ends. Each loss is logged under its name.
   * A loss that isn't finite ends the run, skips the update or is ignored, as `trainer.nonfinite` says.
   */
  minimize<R extends LossOutputs>(
    optimizer: OptimizerHolder,
    name: string | readonly string[],
    body: () => R,
    trace: Trace,
  ): Promise<R>
  /** The first half of `minimize`, for lines that look at the outputs of `body` before anything has moved. */
  differentiate<R extends LossOutputs>(
    optimizer: OptimizerHolder,
    name: string | readonly string[],
    body: () => R,
    trace: Trace,
  ): LossAhead<R>
  /**
   * Runs a graph of a compiled program on tensors, keys and numbers of the host; gives its results in order. They are freed when
   * the step ends.
   */
  compute(
    graph: string,
    inputs: readonly (tf.Tensor | Key)[],
    numbers?: readonly number[],
  ): Promise<readonly tf.Tensor[]>
  /**
   * Moves the parameters of an optimizer by gradients that have been computed, under the conditions of `minimize`; logs the means.
   * A mean of weight 0 counts for nothing. There is one list of gradients for the sum of the means or, where windows keep
   * losses apart, one for the sum of each loss.
   */
  move(
    optimizer: OptimizerHolder,
    names: readonly string[],
    computed: ComputedGradients,
    trace: Trace,
  ): Promise<void>
  /** The states of a metric under a log name, as this step has left them; the next `update` replaces them. */
  states<S extends Tensors>(name: string, metric: MetricHolder<S>): S
  /** Logs the mean of a value over all its elements, weighted by `options.weight`, or by the batch's size over an epoch. */
  log(name: string, value: tf.Tensor | number, options?: LogOptions): void
  /** Runs a metric's update on its state for this phase, step and log name. */
  update<S extends Tensors>(
    name: string,
    metric: MetricHolder<S>,
    update: (state: S) => S,
    options?: LogOptions,
  ): void
  /** Counts from `from` to below `to`, or until the loop is left; what a round has made is freed when it ends. */
  range(from: number, to?: number): Iterable<number>
  /** The new value of a variable that goes from round to round; the old one is freed with its round. */
  carry(old: tf.Tensor, value: tf.Tensor): tf.Tensor
  /** Gives a buffer its next value: this step reads it at once, others once the step has ended. */
  write(path: string, value: tf.Tensor): void
  /** The number in a tensor of one element. */
  item(value: tf.Tensor): Promise<number>
  /** The numbers of a tensor as a message shows them: `[0.3316, 0.3043, 0.3641]`. */
  text(value: tf.Tensor | number): Promise<string>
  /** Leaves this batch out: throws what the trainer catches. */
  skip(): never
  /** Ends the run after this batch. */
  stop(message?: string): void
  print(message: string): void
  /**
   * Waits for a function of the user's own. It gets numbers, bools and strings as they are, a tensor of one element as its number, and
   * other tensors as arrays in arrays; bools of tensors are bools. What it throws ends the run at its line.
   */
  call(run: HostFunction, args: readonly HostValue[], name: string, trace: Trace): Promise<void>
  /** Saves a checkpoint of this name when the step or hook has ended. */
  checkpoint(name: string): void
  /** The newest value logged under this name, for hooks and conditions; NaN before there is one. */
  logged(name: string): number
  /** What the event of a hook tells; elsewhere nothing. */
  readonly told: Told
  /** From the next batch on these parameters are not moved. */
  freeze(parameters: readonly string[]): void
  /** From the next batch on these parameters are moved again. */
  unfreeze(parameters: readonly string[]): void
  /** Whether a logged value has not improved for as many new values as `patience` says; each place counts for itself. */
  stalled(place: string, spec: StallSpec): boolean
}

/** Texts are empty and numbers NaN where the event does not tell them. */
export interface Told {
  /** What went wrong. */
  readonly error: string
  /** What the run is for: `fit`, `test` or `predict`. */
  readonly stage: string
  /** The folder of a checkpoint. */
  readonly path: string
  /** Whose gradients have been computed. */
  readonly optimizer: string
  /** The 2-norm of all gradients of an update, before they are clipped. */
  readonly gradientNorm: number
}

/** When a logged value counts as stalled. */
export interface StallSpec {
  readonly direction: 'min' | 'max'
  readonly monitor: string
  readonly patience: number
  /** What counts as better is better by more than this. */
  readonly minDelta?: number
  /** And by more than this share of the best value. */
  readonly minShare?: number
  /** Looks after a stall that count for nothing. */
  readonly cooldown?: number
}

export type HostValue = number | boolean | string | tf.Tensor

/** Whatever it takes: nothing of its parameters is declared. */
// biome-ignore lint/suspicious/noExplicitAny: the type checker sees to the arguments where the function is declared
export type HostFunction = (...args: any[]) => unknown

export interface HostVars {
  [name: string]: number | boolean
}

/** Every so many of a clock. */
export interface Cadence {
  readonly count: number
  readonly unit: 'batches' | 'updates' | 'epochs' | 'examples' | 'seconds'
  readonly of?: string
}

export interface HookSpec {
  readonly on:
    | { readonly event: string }
    | { readonly every: number; readonly unit: Cadence['unit']; readonly of?: string }
  readonly condition?: (run: Run) => boolean
  /** Around a batch it takes what the step returned, nothing before it has, and the batches. */
  readonly run: (run: Run, outputs: Tensors, ...batches: readonly Batch[]) => Promise<void>
  readonly trace: Trace
}

export interface TrainerOptions {
  readonly epochs?: number
  readonly updates?: UpdateCount
  /** Seconds that it trains, over all parts of a run that was resumed. */
  readonly time?: number
  /** Before this many the run does not stop, unless it is over. */
  readonly minEpochs?: number
  readonly minUpdates?: UpdateCount
  readonly seed: number
  /** Of optimizers that have none of their own, as `accumulate` is. */
  readonly clip?: Clip
  readonly accumulate: Accumulation
  readonly keep?: { readonly direction: 'min' | 'max'; readonly monitor: string; readonly count: number }
  /** How often a checkpoint is kept for good. */
  readonly keepEvery?: readonly Cadence[]
  /** What the models hold when training ends; else the weights they were trained to last. */
  readonly restore?: 'best'
  /** The first of them that holds stops the run. */
  readonly stop?: readonly StopRule[]
  /** Each epoch, unless said otherwise. A part of an epoch is rounded down to batches, to 1 at least. */
  readonly validate?: Cadence
  /** Batches of each validation step that are tried before training: 2 unless said otherwise. */
  readonly sanity?: number
  readonly limits?: Limits
  /** Training batches from one record of values of a batch to the next: 50 unless said otherwise. */
  readonly logEvery?: number
  readonly nonfinite: 'stop' | 'skip' | 'continue'
}

/** Updates of an optimizer; without a name the first optimizer's. */
export interface UpdateCount {
  readonly count: number
  readonly of?: string
}

/** How gradients are bounded: by the norm of all of an update together, or each element by itself. */
export interface Clip {
  readonly kind: 'norm' | 'value'
  readonly limit: number
}

/** Batches to an update; windows do not span epochs. */
export type Accumulation = number | ((clock: Pick<Clocks, 'epoch'>) => number)

/** So many batches of a phase at most, or this share of them, rounded down. */
export type Limit = { readonly batches: number } | { readonly share: number }
export type Limits = Readonly<Partial<Record<Phase, Limit>>>

/** When to stop for a logged value: at once for some values, or when none has been better for as long as `patience` says. */
export interface StopRule extends StallSpec {
  readonly minDelta: number
  /** Better than this is good enough. */
  readonly stoppingThreshold?: number
  /** Worse than this is past recovery. */
  readonly divergenceThreshold?: number
  /** A value that is not finite stops the run. */
  readonly checkFinite: boolean
}
