import type { Told } from '../base/hookEvents.ts'
import type { Dim } from '../types/dim.ts'
import type { DType, Shape, TensorType } from '../types/tensor.ts'

/**
 * The intermediate representation: plain JSON, readonly, in two levels.
 *
 * Tensor level: a {@link Func} is a list of {@link Step}s in single assignment over a small table of primitive operators
 * (src/ops). Functions are pure: parameters, buffers, states and random keys are inputs, new states are results.
 * Host level: {@link HostStatement}s in structured control flow read parameters, run tensor steps, minimise, log.
 */
export interface Program {
  /** The name of the `train` declaration. */
  readonly name: string
  /** The file it was declared in, as the user named it. */
  readonly file: string
  readonly hypers: readonly Hyper[]
  readonly datasets: readonly Dataset[]
  readonly parameters: readonly Parameter[]
  readonly buffers: readonly Buffer[]
  readonly weights: readonly WeightFile[]
  readonly vars: readonly HostVar[]
  readonly optimizers: readonly Optimizer[]
  readonly metrics: readonly Metric[]
  readonly functions: readonly Func[]
  readonly steps: readonly TrainingStep[]
  readonly hooks: readonly Hook[]
  readonly trainer: TrainerSettings
}

/** Where in an `.ltm` file something came from; lines and columns from 1. */
export interface Origin {
  readonly file: string
  readonly line: number
  readonly column: number
}

// ── Tensor level ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The type of a value: a tensor, or the key of a counter-based random generator. */
export type ValueType = TensorType | 'key'

/** A value and its type. Names come from the source (`logits`, `h.1`), are unique within their function or step, and print as `%name`. */
export interface Value {
  readonly name: string
  readonly type: ValueType
}

export type Attr = number | string | boolean | readonly Attr[] | HostExpr
export type Attrs = Readonly<Record<string, Attr>>

/**
 * One application of an operator. `op` is a key of the operator table, or one of the structural operators:
 * - `call`: attrs `{ func: string, host: HostExpr[] }`; inputs are the function's parameters in order.
 * - `scan`: a loop over slices. attrs `{ func, host, carried, along: axes, stack: axes, reverse }`; inputs are the start values
 *   of what is carried, the tensors that it goes along, and the function's further parameters, which stay the same. The
 *   function takes what is carried, one slice of each tensor and the rest, and gives what is carried on, then what the round
 *   yields; outputs are what is carried in the end, then the yields of all rounds, each stacked along its axis in the order of
 *   the slices, backwards or not. A key that the function takes is that of the place of the round below the one given.
 * - `host`: attrs `{ value: HostExpr }`; brings a host number into a region as `f32[]`.
 * - `gradient`: inputs `y`, a number, and one or several `x`, which `y` was computed from; gives a gradient by each. The pass
 *   `expand-gradients` spells it out.
 * - `debug`: attrs `{ label }` and one input, or `{ label, value: HostExpr }`; shows it where it runs, and gives nothing.
 * - `evaluate`: the input is a vector `f32[n]` of parameters; gives the loss of this `minimize` there, `f32[]`, and its gradient,
 *   `f32[n]`, for the same batch and the same draws. Nothing else comes of it, so that it is pure. Only in a {@link Closure}.
 * - `get`: attrs `{ var }`; the tensor that a `var` of a step holds at this place of it. Only in steps.
 * - `read`: attrs `{ parameter: path }`; the raw tensor of a parameter, as it is at this place of a step. Or attrs
 *   `{ buffer: path }`: what the step has written there, or else what the buffer held when it began. Or attrs `{ metric, log }`:
 *   the states of a metric under the name that it is logged by, as the step has left them. Only in steps.
 */
export interface Step {
  readonly op: string
  readonly inputs: readonly string[]
  readonly attrs: Attrs
  readonly outputs: readonly Value[]
  readonly origin: Origin
}

/** A parameter of a function. */
export interface FuncParam extends Value {
  /** For a parameter or buffer of the module that the function belongs to: its path from there, such as `hidden[0].weight`. */
  readonly member?: string
}

/**
 * A pure function over tensors, specialised for the types and compile-time arguments of its calls.
 * Symbolic sizes (`batch`, `n`, `...p`) in its types are bound by the arguments.
 */
export interface Func {
  /** Unique in the program: `gelu`, `Linear.forward`, `Linear.forward.1`. */
  readonly name: string
  /** The declared name it is a specialisation of, and what it is, for whoever prints it. */
  readonly declaration: string
  readonly role:
    | 'fn'
    | 'loss'
    | 'forward'
    | 'inverse'
    | 'check'
    | 'log_det'
    | 'update'
    | 'compute'
    | 'init'
    | 'fields'
    | 'lambda'
    | 'method'
    | 'scan'
    /** What a step computes between two changes: a compiled engine runs it as one graph. */
    | 'graph'
  readonly doc?: string
  readonly params: readonly FuncParam[]
  /** Numbers that the host passes, such as a learning rate; read by `host` steps as `{ kind: 'argument' }`. */
  readonly hostParams: readonly string[]
  readonly steps: readonly Step[]
  /** Names of the values it returns. `fields` names them where the result is a record (or new states). */
  readonly results: readonly string[]
  readonly fields?: readonly string[]
  readonly origin: Origin
}

// ── Host expressions ────────────────────────────────────────────────────────────────────────────────────────────────

/** Arithmetic in 64-bit floats and booleans, done by the host between tensor regions. */
export type HostExpr =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  /** A `hyper` of the program. */
  | { readonly kind: 'hyper'; readonly name: string }
  /** A host parameter of the function at hand (an optimizer's `lr`, `t`). */
  | { readonly kind: 'argument'; readonly name: string }
  /** A host `var`, of `train` or of the step, or the index of a loop. */
  | { readonly kind: 'var'; readonly name: string }
  /** A clock; `of` names the optimizer of `update` and `updates`. */
  | { readonly kind: 'clock'; readonly clock: Clock; readonly of?: string }
  /** A size that only the batch decides. */
  | { readonly kind: 'size'; readonly dim: Dim }
  /** The number in a tensor of one element; splits the graph. */
  | { readonly kind: 'item'; readonly value: string }
  /** The newest value logged under a full name, `val.loss`; NaN before there is one. */
  | { readonly kind: 'logged'; readonly name: string }
  /** What the event of a hook tells: texts such as what went wrong, or the norm of gradients. */
  | { readonly kind: 'told'; readonly what: Told }
  /** Whether a logged value has stopped improving; each `place` counts for itself. */
  | ({ readonly kind: 'stalled'; readonly place: string } & Plateau)
  | { readonly kind: 'apply'; readonly operator: HostOperator; readonly args: readonly HostExpr[] }
  | {
      readonly kind: 'choose'
      readonly condition: HostExpr
      readonly then: HostExpr
      readonly otherwise: HostExpr
    }

export type Clock =
  | 'epoch'
  | 'batch_index'
  | 'batches'
  | 'update'
  | 'examples'
  | 'seconds'
  | 'total_updates'
  | 'updates_per_epoch'

export type HostOperator =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'mod'
  | 'floordiv'
  | 'neg'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or'
  | 'not'
  | 'min'
  | 'max'
  | 'abs'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'floor'
  | 'ceil'
  | 'round'

// ── What a program declares ─────────────────────────────────────────────────────────────────────────────────────────

export interface Hyper {
  readonly name: string
  readonly type: 'float' | 'int' | 'bool' | 'string'
  /** The value of this compilation: the declared one, or what the command line set. */
  readonly value: number | boolean | string
  readonly domain?: Domain
  readonly origin: Origin
}
export interface Domain {
  readonly kind: 'range' | 'log_range' | 'choice'
  readonly values: readonly (number | boolean | string)[]
}

/** A host `var` of `train`: state of the run that is saved, not trained. */
export interface HostVar {
  readonly name: string
  readonly type: 'float' | 'int' | 'bool'
  readonly value: number | boolean
  readonly origin: Origin
}

/**
 * A dataset as one `data` member of `train` uses it.
 *
 * `fields` is a function from the columns of a table (each input `f32[examples, width]`, or `f32[examples]` for a single
 * column) and the fitted values to the fields; the first size of every field is `examples`.
 */
export interface Dataset {
  readonly name: string
  readonly declaration: string
  readonly source: DataSource
  readonly columns: readonly ColumnInput[]
  /** Those that have a name, and are learned from columns of their own; other columns of texts have one each. */
  readonly vocabularies: readonly Vocabulary[]
  /** Values computed once, on the training split; each one's function takes columns and earlier fits. */
  readonly fits: readonly {
    readonly name: string
    readonly type: TensorType
    readonly func: string
    readonly origin: Origin
  }[]
  /** Functions from columns to a bool an example, which leave rows out before the split. */
  readonly filters: readonly { readonly func: string; readonly origin: Origin }[]
  /** The name of the function that computes the fields, and each field's type for one example. */
  readonly func: string
  readonly fields: readonly DataField[]
  /** The function that makes others of a training batch's fields (`x.mask` and `x.length` included) and the fits; its results are named after the fields that they replace. */
  readonly augment?: string
  /** Shares by split name, in declared order; empty where everything is `train`. */
  readonly split: readonly { readonly name: string; readonly share: number }[]
  /** The field that every split holds in equal proportions. */
  readonly stratify?: string
  /** The field whose examples of one value all lie in one split. */
  readonly group?: string
  readonly batch: number
  readonly shuffle: boolean
  readonly dropLast: boolean
  /** Lengths to which the ragged fields of a batch are padded; to its longest example where there are none. */
  readonly buckets?: readonly number[]
  /** Sizes that the program takes from the data, which the loader holds the data against. */
  readonly counts: readonly DataCount[]
  readonly origin: Origin
}
/** How many different values something of a dataset can have, or the value of a fit that is a size. */
export interface DataCount {
  /** A field, a vocabulary, or a fit. */
  readonly of: string
  /** Absent until the data has been read. */
  readonly is?: number
  readonly origin: Origin
}
/** The texts of some columns on the training split, each with a number. */
export interface Vocabulary extends Omit<Tokens, 'vocabulary'> {
  readonly name: string
  /** Columns by their names or places. */
  readonly from: readonly (string | number)[]
  readonly origin: Origin
}
export interface DataField {
  readonly name: string
  readonly type: TensorType
  /** Declared `i32` or `bool`, given by numbers: they must be whole (0 or 1), which the loader checks. */
  readonly whole: boolean
  /** The first size of the type is a symbol that every example has its own number for. */
  readonly ragged?: Ragged
  readonly origin: Origin
}
export interface Ragged {
  /** Longer examples are cut to it. */
  readonly bound?: number
  /** What stands behind the end of an example in a batch. */
  readonly pad: number
}
/**
 * A column, or several side by side, as an input of the functions of a dataset: `from` and `to` are places among the
 * columns of the source, unless it is asked for by name.
 */
export interface ColumnInput {
  /** The parameter of `func` that takes it. */
  readonly value: string
  readonly name?: string
  /** Of one example, where it isn't a number, or a number a column. Its first size is a symbol where it is ragged. */
  readonly shape?: Shape
  /** Texts become whole numbers. */
  readonly tokens?: Tokens
  readonly from: number
  /** Exclusive. `single` columns are rank 1. */
  readonly to: number
  readonly single: boolean
  readonly origin: Origin
}
/**
 * Texts as numbers: each word, each character or the whole text has a place in a vocabulary, which is learned from the
 * training split. In a vocabulary of words or characters, 0 is for what is unknown.
 */
export interface Tokens {
  readonly unit: 'words' | 'characters' | 'whole'
  /** Numbers that there may be; the rarest words are left out. */
  readonly size?: number
  /** The name of the vocabulary, where it isn't the column's own. */
  readonly vocabulary?: string
}
/** A value of an inline table. */
export type Cell = number | string | readonly number[]
export type DataSource =
  | {
      readonly kind: 'csv'
      readonly path: string
      readonly skip: number
      /** What a cell without a number stands for; without it such a cell is an error. */
      readonly missing?: number
      readonly origin: Origin
    }
  | {
      readonly kind: 'inline'
      readonly columns: readonly { readonly name: string; readonly values: readonly Cell[] }[]
      readonly origin: Origin
    }
  | { readonly kind: 'synthetic'; readonly count: number; readonly origin: Origin }
  /** An array a file; the names are the program's. */
  | {
      readonly kind: 'arrays'
      readonly format: 'idx' | 'npy'
      readonly files: readonly { readonly name: string; readonly path: string }[]
      readonly origin: Origin
    }
  /** A file that names its columns. */
  | {
      readonly kind: 'file'
      readonly format: 'npz' | 'safetensors' | 'jsonl' | 'parquet' | 'typescript'
      readonly path: string
      readonly origin: Origin
    }
  /** A folder with a folder of pictures for each class: `image` is laid out as `[channels, height, width]`. */
  | {
      readonly kind: 'images'
      readonly path: string
      readonly channels: number
      readonly height: number
      readonly width: number
      readonly origin: Origin
    }
  /** Windows over the tokens of a text. */
  | {
      readonly kind: 'text'
      readonly path: string
      readonly tokens: 'bytes' | 'characters' | 'words'
      readonly window: number
      readonly stride: number
      /** How many different tokens there may be, where that has a bound. */
      readonly size?: number
      readonly origin: Origin
    }

export interface Parameter {
  /** `net.hidden[0].weight`: its name in logs, checkpoints and optimizer groups. */
  readonly path: string
  /** What the program sees, where the constraint has put it. */
  readonly type: TensorType
  /** What the optimizer moves and checkpoints hold. */
  readonly raw: TensorType
  readonly constraint?: {
    /** As it was written: `interval(0, 1)`. */
    readonly text: string
    readonly name: string
    readonly version: number
    readonly bijective: boolean
    readonly forward: string
    /** Absent where the constraint has none. */
    readonly check?: string
    /** The function of a key that gives the start value itself, where only the run can tell whether the constraint gives it back. */
    readonly start?: string
    /** The buffers that `forward` takes behind the raw tensor, by path: `net.weight.u`. */
    readonly buffers?: readonly string[]
  }
  /** Where the value is brought back to after each update: a function from it to a value of its type. */
  readonly projection?: {
    /** As it was written: `max_norm(2)`. */
    readonly text: string
    readonly func: string
  }
  /** The function of no tensor inputs but a key that gives the raw start value. */
  readonly init: string
  /** It starts with the value of this parameter, be it from a file. */
  readonly copies?: string
  readonly frozen: boolean
  readonly origin: Origin
}

/**
 * A tensor that is saved with the parameters and that no optimizer moves: of a module, where training steps `write` it, or a `var` of
 * `train`, whose path is its name, which any step or hook may `write`.
 */
export interface Buffer {
  readonly path: string
  readonly type: TensorType
  /** The function of no tensor inputs but a key that gives the start value. */
  readonly init: string
  /** It starts with the value of this buffer. */
  readonly copies?: string
  readonly origin: Origin
}

/** A file whose tensors a model starts from, in place of its start values; a checkpoint takes precedence. */
export interface WeightFile {
  readonly model: string
  readonly path: string
  /** What names of the file begin with, and what takes its place. */
  readonly rename: readonly { readonly from: string; readonly to: string }[]
  /** What names begin with that keep their start values, whatever the file has. */
  readonly missing: readonly string[]
  /** What names of the file begin with that the model has no use for. */
  readonly unused: readonly string[]
  readonly origin: Origin
}

export interface Optimizer {
  readonly name: string
  readonly declaration: string
  readonly slots: readonly OptimizerSlot[]
  /** Host parameters of the update function but `t`, which counts the updates of a parameter from 1. */
  readonly settings: readonly string[]
  readonly groups: readonly OptimizerGroup[]
  /**
   * An average, a model of the optimizer's name that follows another one. After each update of a parameter of that one the
   * groups that have its image move, whose `grad` is the new value. The image of a buffer that no group has takes over
   * what a step has written when it ends.
   */
  readonly follows?: string
  /** Moves all parameters together, in place of the updates of groups; there is one group then. */
  readonly closure?: Closure
  /** In place of the trainer's. */
  readonly clip?: Clip
  readonly accumulate?: Accumulation
  readonly origin: Origin
}
/** Filled with a number at the start: like each parameter, or of a type of its own where there is a `closure`. */
export interface OptimizerSlot {
  readonly name: string
  readonly value: number
  readonly type?: TensorType
}
/**
 * How an optimizer moves that may look at its loss again: statements over one vector, `f32[n]`, that holds the elements of all
 * its parameters in the order of its group. Only such a list has `evaluate` steps.
 */
export interface Closure {
  /** The slots, `param`, `grad`, all of them before the update, and the `loss` there, `f32[]`. */
  readonly inputs: readonly Value[]
  /** Host expressions may read `t` and the settings as arguments. The last statement returns the slots, then `param`. */
  readonly body: readonly HostStatement[]
  readonly doc?: string
  readonly origin: Origin
}
export interface OptimizerGroup {
  readonly parameters: readonly string[]
  /** In the order of `Optimizer.settings`; read anew at each update. */
  readonly settings: readonly HostExpr[]
  /**
   * Inputs: slots, `param`, `grad`, all `f32[...p]`; host parameters: `t`, then the settings. Results: the slots, then the new
   * parameter. Absent where the optimizer has a `closure`.
   */
  readonly update?: string
}

export interface Metric {
  readonly name: string
  readonly declaration: string
  readonly states: readonly MetricState[]
  /** From the states to the value. A result of several fields logs as `name.field`. */
  readonly compute: string
  readonly origin: Origin
}
export interface MetricState {
  readonly name: string
  readonly type: TensorType
  /** Every element at the start of a phase. */
  readonly value: number
  readonly merge: 'sum' | 'max' | 'min'
}

// ── Host level ──────────────────────────────────────────────────────────────────────────────────────────────────────

export type Phase = 'train' | 'val' | 'test' | 'predict'

export interface TrainingStep {
  readonly phase: Phase
  /** `abroad` in `step val abroad(…)`. */
  readonly name?: string
  readonly streams: readonly StepStream[]
  /** The key of all draws of the step, where it makes any. */
  readonly key?: string
  readonly body: readonly HostStatement[]
  readonly origin: Origin
}
/** A batch: its fields as values, and the symbol of its size. */
export interface StepStream {
  readonly name: string
  readonly data: string
  readonly split: string
  readonly cycle: boolean
  readonly size: string
  readonly fields: readonly { readonly field: string; readonly value: Value }[]
}

export type HostStatement =
  /** A tensor step at the host level: runs where it stands. */
  | { readonly kind: 'compute'; readonly step: Step }
  /**
   * Differentiates and updates: the sum of its terms counts, each a mean of its own. `body` holds the steps that lead from
   * the optimizer's parameters to the losses; what others read of them is in `exports`. Before the pass `form-regions`
   * the body is empty and its steps stand before it.
   */
  | {
      readonly kind: 'minimize'
      readonly optimizer: string
      readonly terms: readonly LossTerm[]
      readonly body: readonly Step[]
      readonly exports: readonly string[]
      readonly origin: Origin
    }
  /** The first half of a `minimize` whose values statements look at before it moves anything; the `move` follows in its list. */
  | {
      readonly kind: 'differentiate'
      readonly optimizer: string
      readonly terms: readonly LossTerm[]
      readonly body: readonly Step[]
      readonly exports: readonly string[]
      readonly origin: Origin
    }
  /**
   * The second half: moves the parameters by the gradients of the losses of these names. Those come from the
   * `differentiate` before it or, where the gradients have been computed like any other value, from `by`.
   */
  | {
      readonly kind: 'move'
      readonly optimizer: string
      readonly names: readonly string[]
      readonly by?: ComputedGradients
      readonly origin: Origin
    }
  /** Logs the mean of a value, of any rank, weighted by `weight`. */
  | {
      readonly kind: 'log'
      readonly name: string
      readonly value: string
      readonly weight?: string
      readonly flags: LogFlags
      readonly origin: Origin
    }
  /** Logs a host number. */
  | {
      readonly kind: 'log_host'
      readonly name: string
      readonly value: HostExpr
      readonly flags: LogFlags
      readonly origin: Origin
    }
  /** Updates a metric: `func` takes the states, then `inputs`, and returns the new states. */
  | {
      readonly kind: 'log_metric'
      readonly name: string
      readonly metric: string
      readonly func: string
      readonly inputs: readonly string[]
      readonly flags: LogFlags
      readonly origin: Origin
    }
  /** Gives a metric new states that have been computed like any other value. */
  | {
      readonly kind: 'log_states'
      readonly name: string
      readonly metric: string
      readonly states: readonly string[]
      readonly flags: LogFlags
      readonly origin: Origin
    }
  | {
      readonly kind: 'if'
      readonly condition: HostExpr
      readonly then: readonly HostStatement[]
      readonly otherwise: readonly HostStatement[]
      readonly origin: Origin
    }
  /**
   * A loop of the host: `index` counts up by 1, to below `to` where there is one, else until a `break`. What the body defines
   * is not seen behind it; values go from round to round in `var`s.
   */
  | {
      readonly kind: 'for'
      readonly index: string
      readonly from: HostExpr
      readonly to?: HostExpr
      readonly body: readonly HostStatement[]
      readonly origin: Origin
    }
  | { readonly kind: 'break'; readonly origin: Origin }
  /** A `var` of the step, by a name that nothing else in it and no `var` of `train` has. */
  | { readonly kind: 'var'; readonly name: string; readonly value: HostExpr; readonly origin: Origin }
  | { readonly kind: 'set'; readonly name: string; readonly value: HostExpr; readonly origin: Origin }
  /** A `var` of the step that holds a tensor, which `get` steps read. */
  | {
      readonly kind: 'var_tensor'
      readonly name: string
      readonly type: TensorType
      readonly value: string
      readonly origin: Origin
    }
  | { readonly kind: 'set_tensor'; readonly name: string; readonly value: string; readonly origin: Origin }
  /**
   * Gives a buffer its new value: later reads of the step see it at once, others when the step has ended. A step that is
   * skipped writes nothing. Buffers of modules are written in training steps only.
   */
  | { readonly kind: 'write'; readonly buffer: string; readonly value: string; readonly origin: Origin }
  | { readonly kind: 'skip'; readonly origin: Origin }
  | { readonly kind: 'stop'; readonly message?: Message; readonly origin: Origin }
  | { readonly kind: 'print'; readonly message: Message; readonly origin: Origin }
  | { readonly kind: 'checkpoint'; readonly message: Message; readonly origin: Origin }
  /** Waits for a function of the user's own; `file` is seen from the program's. */
  | {
      readonly kind: 'call'
      readonly name: string
      readonly file: string
      readonly args: readonly HostArgument[]
      readonly origin: Origin
    }
  /** Parameters stand still, or move again, from the next batch on. */
  | {
      readonly kind: 'freeze'
      readonly parameters: readonly string[]
      readonly frozen: boolean
      readonly origin: Origin
    }
  /** What a step returns: `predict` writes it out, hooks get it as `outputs`. */
  | {
      readonly kind: 'return'
      readonly fields: readonly ReturnField[]
      readonly origin: Origin
    }

export interface ReturnField {
  readonly name: string
  readonly value: string
  /** Its whole numbers are written out as the texts that have them in the vocabulary of this field. */
  readonly texts?: { readonly data: string; readonly field: string }
}

/** What is minimised under a name: a loss of any rank, of which the mean (weighted by `weight`) counts. */
export interface LossTerm {
  readonly name: string
  readonly loss: string
  readonly weight?: string
}

/**
 * What a `move` needs. The mean of each loss and the weight behind it, both `f32[]`; a mean of weight 0 counts for nothing.
 * The gradients of the sum of the means or, where windows keep losses `apart`, of each loss's sum.
 */
export interface ComputedGradients {
  readonly apart: boolean
  readonly terms: readonly { readonly mean: string; readonly weight: string }[]
  readonly gradients: readonly (readonly ParameterGradient[])[]
}
export interface ParameterGradient {
  readonly parameter: string
  readonly value: string
}

/** Text with values in it: strings stay, expressions are printed, `{ value }` prints a tensor. */
export type Message = readonly (string | { readonly expr: HostExpr } | { readonly value: string })[]

/** A number, bool or text of the host; a tensor, whose numbers are handed over; a text with values in it. */
export type HostArgument =
  | { readonly expr: HostExpr }
  | { readonly value: string }
  | { readonly text: Message }

export interface LogFlags {
  readonly bar: boolean
  readonly on: 'step' | 'epoch' | 'both' | 'default'
}

export interface Hook {
  readonly event: HookEvent
  readonly payload?: HookPayload
  readonly condition?: HostExpr
  readonly body: readonly HostStatement[]
  readonly origin: Origin
}
/** What a hook around a batch takes: what the step returned, and its batches. */
export interface HookPayload {
  readonly outputs: readonly { readonly field: string; readonly value: Value }[]
  readonly batches: readonly StepStream[]
}
export type HookEvent =
  | { readonly kind: 'event'; readonly name: string }
  | {
      readonly kind: 'every'
      readonly count: number
      readonly unit: 'batches' | 'updates' | 'epochs' | 'examples' | 'seconds'
      readonly of?: string
    }

export interface TrainerSettings {
  readonly epochs?: number
  readonly updates?: UpdateCount
  /** Seconds that it trains, over all parts of a run that was resumed. */
  readonly time?: number
  /** Before this many the run does not stop, unless it is over. */
  readonly minEpochs?: number
  readonly minUpdates?: UpdateCount
  readonly seed: number
  /** Of optimizers that say nothing else, as `accumulate` is. */
  readonly clip?: Clip
  readonly accumulate: Accumulation
  readonly keep?: Monitor & { readonly count: number }
  /** How often a checkpoint is kept for good. */
  readonly keepEvery?: readonly Cadence[]
  /** What the models hold at the end; without it what they were trained to last. */
  readonly restore?: 'best'
  /** The first of them that holds stops the run. */
  readonly stop?: readonly StopRule[]
  /** Without it each epoch is validated. */
  readonly validate?: Cadence
  /** Batches of each validation step that are tried before training; 2 unless said otherwise. */
  readonly sanity?: number
  readonly limits?: Readonly<Partial<Record<Phase, Limit>>>
  /** Training batches from one record of values of a batch to the next; 50 unless said otherwise. */
  readonly logEvery?: number
  readonly nonfinite: 'stop' | 'skip' | 'continue'
}
/** With several optimizers `of` says whose updates count; without it any one's, the first. */
export interface UpdateCount {
  readonly count: number
  readonly of?: string
}
/** How gradients are bounded: by their common norm, or each element by itself. */
export interface Clip {
  readonly kind: 'norm' | 'value'
  readonly limit: number
}
/** Batches to an update, perhaps by the epoch. */
export type Accumulation = number | HostExpr
/** Every so many of a clock. A part of an epoch is rounded down to batches, to 1 at least. */
export interface Cadence {
  readonly count: number
  readonly unit: 'epochs' | 'batches' | 'updates' | 'examples' | 'seconds'
  readonly of?: string
}
/** How much of its data a phase sees: so many batches at most, or this share of them, rounded down. */
export type Limit = { readonly batches: number } | { readonly share: number }
/** When to stop for a logged value. */
export interface StopRule extends Stall {
  /** Stops at once where the value is better than this. */
  readonly stoppingThreshold?: number
  /** Stops at once where the value is worse than this. */
  readonly divergenceThreshold?: number
  /** Stops at once where the value is not finite. */
  readonly checkFinite: boolean
}
/** When a logged value counts as stalled: so many looks at new values without a better one than before. */
export interface Stall extends Monitor {
  readonly patience: number
  readonly minDelta: number
}
/** A stall that counts anew each time, as a plateau does. */
export interface Plateau extends Stall {
  /** Looks after a stall that count for nothing. */
  readonly cooldown?: number
  /** What counts as better is also better by more than this share of the best value. */
  readonly minShare?: number
}
/** A logged value that decides something, by the name under which it is logged: `val.accuracy`. */
export interface Monitor {
  readonly direction: 'min' | 'max'
  readonly monitor: string
}

export type { DType }
