import type { Span } from '../base/source.ts'
import type { HostExpr } from '../ir/ir.ts'
import type {
  Buffer,
  Const,
  Constraint,
  Dataset,
  Fn,
  Lambda,
  Let,
  Loss,
  Method,
  Metric,
  Module,
  Name,
  Optimizer,
  Param,
  Schedule,
  Unit,
  Var,
} from '../syntax/ast.ts'
import type { Dim } from '../types/dim.ts'
import type { TensorType } from '../types/tensor.ts'
import type { Env } from './env.ts'
import type { FunctionType } from './types.ts'

/**
 * What an expression is, while a program is elaborated. Elaboration is one partial evaluation: what is known when the
 * program is compiled is computed, host numbers become host expressions, tensors become steps of the IR. The same code
 * checks a definition on its own, with symbols for its arguments.
 */
export type Value =
  | ErrorValue
  | IntValue
  | FloatValue
  | BoolValue
  | StringValue
  | RunStringValue
  | TensorValue
  | RecordValue
  | ListValue
  | UniformListValue
  | RangeValue
  | SequenceValue
  | FunctionValue
  | LambdaValue
  | OpaqueFunctionValue
  | ConstraintValue
  | OperatorValue
  | HostFunctionValue
  | ClosureValue
  | DeclarationValue
  | ModuleValue
  | ParameterTreeValue
  | ClockLiteral
  | ParamReference
  | MetricValue
  | OptimizerValue
  | DataValue
  | DataMemberValue
  | LazyValue

/** Stands for what has been reported already, or can't be known on a definition itself; everything accepts it silently. */
export interface ErrorValue {
  readonly kind: 'error'
}
/** An integer known when the program is compiled, or a size: a number or a symbol. */
export interface IntValue {
  readonly kind: 'int'
  readonly dim: Dim
}
/** A host number. `unit` marks clocks, which only mix with their like. */
export interface FloatValue {
  readonly kind: 'float'
  readonly expr: HostExpr
  readonly unit?: Unit
  /** A share or a multiple of such a number, as `0.1 * total_updates`: it mixes with others, and stands for its unit where one is asked for. */
  readonly scaled?: Unit
  /** Counted by the host: the index of a loop. It stands for an `i32` where one is asked for. */
  readonly whole?: boolean
}
export interface BoolValue {
  readonly kind: 'bool'
  readonly expr: HostExpr
}
export interface StringValue {
  readonly kind: 'string'
  readonly text: string
  /** The file that says it: a path starts there, wherever it is handed on to. */
  readonly file?: string
}
/** Text that only the run knows: what went wrong. */
export interface RunStringValue {
  readonly kind: 'run_string'
  readonly expr: HostExpr
}
/** A value of the region under construction. */
export interface TensorValue {
  readonly kind: 'tensor'
  readonly name: string
  readonly type: TensorType
  /** Where it was made, for messages that point at two places. */
  readonly span: Span | undefined
  /** Where its type was declared, where that is elsewhere: the field of a batch. */
  readonly origin?: { readonly name: string; readonly span: Span }
  /** For a constrained parameter: the function that gives its stable logarithm, and its raw tensor. */
  readonly parameter?: ParameterRead
  /** What a ragged field of a batch has besides its elements: `mask` and `length`. */
  readonly parts?: ReadonlyMap<string, TensorValue>
}
export interface ParameterRead {
  readonly path: string
  readonly spec: StateSpec
}
export interface RecordValue {
  readonly kind: 'record'
  readonly fields: ReadonlyMap<string, Value>
  /** What the record is to the user, where it isn't a plain one: a batch. */
  readonly of?: string
}
export interface ListValue {
  readonly kind: 'list'
  readonly items: readonly Value[]
}
/** A list of unknown length in a definition checked on its own: every item is like this one. */
export interface UniformListValue {
  readonly kind: 'uniform_list'
  /** Its name in the definition: an item of a list of ints is the size `sizes[i]`. */
  readonly name: string
  readonly item: Value
  readonly length: Dim
}
export interface RangeValue {
  readonly kind: 'range'
  readonly from: Dim
  readonly to: Dim
}
/** `along(x, axis: 1)`: the slices of a tensor, one after the other. */
export interface SequenceValue {
  readonly kind: 'sequence'
  readonly tensor: TensorValue
  /** From the end where negative. */
  readonly axis: number
  readonly length: Dim
  readonly reverse: boolean
}
/** A declared function with the environment it was declared in, and the module that it is a member of. */
export interface FunctionValue {
  readonly kind: 'function'
  readonly declaration: Fn | Loss | Schedule | Method
  readonly name: string
  readonly env: Env
  readonly self: ModuleValue | undefined
  /** The conditions under which it is declared, where they aren't known: they hold in its body. */
  readonly holds?: readonly string[]
}
export interface LambdaValue {
  readonly kind: 'lambda'
  readonly declaration: Lambda
  readonly env: Env
}
/** A function or module that is an argument of a definition that is checked on its own. */
export interface OpaqueFunctionValue {
  readonly kind: 'opaque_function'
  readonly name: string
  readonly type: FunctionType
}
/** A constraint used as a function, or with its arguments given. */
export interface ConstraintValue {
  readonly kind: 'constraint'
  readonly spec: ConstraintSpec
}
/** The surface name of one or several primitive operators, or of an intrinsic function. */
export interface OperatorValue {
  readonly kind: 'operator'
  readonly name: string
}
/** A function of an imported TypeScript file, which only `call` runs; `file` is seen from the compiled one. */
export interface HostFunctionValue {
  readonly kind: 'host_function'
  readonly name: string
  readonly file: string
}
/** The loss that an optimizer minimises, as a function of all its parameters: `closure(x)` in its update. */
export interface ClosureValue {
  readonly kind: 'closure'
  /** How many elements the parameters have. */
  readonly size: Dim
}
/** A declaration that is used by name: a call of it makes an instance. */
export interface DeclarationValue {
  readonly kind: 'declaration'
  readonly declaration: Module | Metric | Optimizer | Dataset | Constraint
  readonly env: Env
}
/** An instance of a module: what it is made of, and where it stands. */
export interface ModuleValue {
  readonly kind: 'module'
  readonly spec: ModuleSpec
  /** `net.hidden[0]` in a step; relative to the module at hand inside its functions. */
  readonly path: string
  /** The paths of its parts that are frozen, relative to it; `''` is all of it. */
  readonly frozen?: readonly string[]
  /** The instances that it was given and that stand elsewhere, by what it calls them: `encoder`, `blocks[0]`. */
  readonly given?: ReadonlyMap<string, ModuleValue> | undefined
  /** It starts as the instance at this path does. */
  readonly copies?: string | undefined
  /** It was given to the module or function at hand, and belongs to another one. */
  readonly borrowed?: true
}
/** Parameters as a group, for an optimizer: a list of paths. */
export interface ParameterTreeValue {
  readonly kind: 'parameters'
  readonly paths: readonly string[]
}
/** `100 updates of g` */
export interface ClockLiteral {
  readonly kind: 'duration'
  readonly count: number
  readonly unit: Unit
  readonly of: string | undefined
}

/** A parameter or buffer by name: read where it is used. The path is relative to the module at hand, absolute in `train`. */
export interface ParamReference {
  readonly kind: 'param'
  readonly path: string
  readonly spec: StateSpec
}
/** `metric accuracy = Accuracy(classes: 10)` in a training. */
export interface MetricValue {
  readonly kind: 'metric'
  readonly name: string
  readonly declaration: Metric
  readonly env: Env
  readonly key: string
}
/** `optimizer adam = …` in a training: its clock is `adam.update`. */
export interface OptimizerValue {
  readonly kind: 'optimizer'
  readonly name: string
  /** What its arguments are where no `except` says otherwise. */
  readonly settings: ReadonlyMap<string, Value>
  /** Where those that the program gives are written. */
  readonly written: ReadonlyMap<string, Span>
}
/** `data digits = …` in a training. */
export interface DataValue {
  readonly kind: 'data'
  readonly name: string
  readonly declaration: Dataset
  /** Its fields and fits. */
  readonly members: ReadonlyMap<string, DataMember>
}
/** What a field or a fit gives a program besides its values: `many` can be counted, a `size` is one itself. */
export type DataMember = 'many' | 'size' | { readonly uncounted: string }
/** `reviews.words`: how many different values it has is `reviews.words.count`. */
export interface DataMemberValue {
  readonly kind: 'data_member'
  /** Empty inside of the dataset. */
  readonly data: string
  readonly name: string
  readonly member: DataMember
}
/** A `let` member of a module or training, computed where a function first uses it, or a constant, computed when it is first asked for. */
export interface LazyValue {
  readonly kind: 'lazy'
  readonly declaration: Let | Const
  readonly env: Env
  /** The field that is meant, of `let { a, b } = …`. */
  readonly field?: Name
}

/** A module with its arguments: shared by all instances that were made with equal ones. */
export interface ModuleSpec {
  readonly declaration: Module
  /** Declared name and arguments: `Linear(64, 10, true)`. */
  readonly key: string
  readonly env: Env
  readonly members: ReadonlyMap<string, ModuleMemberValue>
  /** Some argument is a symbol: a definition that is checked on its own. */
  readonly generic: boolean
}
export type ModuleMemberValue =
  | { readonly kind: 'param'; readonly spec: ParamSpec }
  | { readonly kind: 'buffer'; readonly spec: BufferSpec }
  /** An instance, or a list or record of instances, with paths relative to the module. */
  | { readonly kind: 'layer'; readonly value: Value }
  | {
      readonly kind: 'function'
      readonly declaration: Fn | Method
      /** What it stands under, in a definition. */
      readonly conditions: readonly string[]
    }
  | { readonly kind: 'let'; readonly name: string }

export interface ParamSpec {
  readonly declaration: Param
  readonly type: TensorType
  readonly raw: TensorType
  readonly constraint: ConstraintSpec | undefined
  /** Where the value is brought back to after each update. */
  readonly projection: ConstraintSpec | undefined
  /** What its constraint keeps for it. */
  readonly buffers: readonly OwnBuffer[]
  /** Where its initial value is elaborated. */
  readonly env: Env
}

/** A buffer is read as a parameter without a constraint is. So is a `var` of a training that holds a tensor. */
export interface BufferSpec {
  readonly declaration: Buffer | Var
  readonly type: TensorType
  readonly raw: TensorType
  readonly constraint: undefined
  readonly projection?: undefined
  readonly env: Env
}

/** What a constraint keeps for each parameter that it constrains: `u` of `net.weight` lies at `net.weight.u`. */
export interface OwnBuffer {
  readonly name: string
  readonly spec: BufferSpec
}

/** What a module keeps in tensors: its parameters and its buffers. */
export type StateSpec = ParamSpec | BufferSpec

export function isBuffer(spec: StateSpec): spec is BufferSpec {
  return spec.declaration.kind !== 'Param'
}

/** `= raw 0.0`: the start value is that of the raw tensor. */
export function isRawStart(declaration: Param | Buffer | Var): boolean {
  return declaration.kind === 'Param' && declaration.rawValue
}

export interface ConstraintSpec {
  readonly declaration: Constraint
  readonly env: Env
  /** As written, with its arguments: `interval(0, 1)`. */
  readonly text: string
  readonly key: string
}

/** A `let` member under one of its names. */
export function lazy(declaration: Let, env: Env, name: Name): LazyValue | ErrorValue {
  if (declaration.value.kind === 'ErrorExpr') return errorValue
  return { kind: 'lazy', declaration, env, ...(declaration.record ? { field: name } : {}) }
}

export const errorValue: ErrorValue = { kind: 'error' }
export const int = (dim: Dim): IntValue => ({ kind: 'int', dim })
export const float = (value: number): FloatValue => ({ kind: 'float', expr: { kind: 'number', value } })
export const bool = (value: boolean): BoolValue => ({ kind: 'bool', expr: { kind: 'bool', value } })

/** The number of a value that is known when the program is compiled. */
export function knownNumber(value: Value): number | undefined {
  if (value.kind === 'int' && typeof value.dim === 'number') return value.dim
  if (value.kind === 'float' && value.expr.kind === 'number' && value.unit === undefined)
    return value.expr.value
  return undefined
}
