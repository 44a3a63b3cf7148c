import type { Span } from '../base/source.ts'

/**
 * The tree of an `.ltm` file: readonly data, a union by `kind`, a span and an id on each node.
 *
 * Later phases never write to it; what they learn lies in tables keyed by `id`. Names of kinds are the words of the
 * language reference.
 */
interface NodeBase<K extends string> {
  readonly kind: K
  /** Unique within one compilation (see `NodeIds` in build.ts). */
  readonly id: number
  readonly span: Span
}

/** A name where it is declared or used. `text` is what was written; it is empty where no name could be read, which is reported. */
export interface Name extends NodeBase<'Name'> {
  readonly text: string
}

export interface File extends NodeBase<'File'> {
  readonly declarations: readonly Declaration[]
}

// ── Declarations ────────────────────────────────────────────────────────────────────────────────────────────────────

export type Declaration =
  | Import
  | Const
  | Fn
  | Loss
  | Schedule
  | Constraint
  | Module
  | Metric
  | Optimizer
  | Dataset
  | Train

interface DeclarationBase<K extends string> extends NodeBase<K> {
  /** The `///` lines above it, joined by line breaks, without the slashes. */
  readonly doc: string | undefined
}

export interface Import extends DeclarationBase<'Import'> {
  readonly names: readonly Name[]
  readonly from: StringLiteral
}
export interface Const extends DeclarationBase<'Const'> {
  readonly name: Name
  readonly type: Type | undefined
  readonly value: Expr
}
/** `(x: f32[n], gamma: float = 2.0) -> f32[n] where n > 1` */
export interface Signature extends NodeBase<'Signature'> {
  readonly formals: readonly Formal[]
  readonly result: Type | undefined
  readonly where: readonly Expr[]
  /** Recovery has guessed some of it, and what it takes is not known. */
  readonly scarred: boolean
}
export interface Formal extends NodeBase<'Formal'> {
  readonly name: Name
  readonly type: Type | undefined
  readonly value: Expr | undefined
}
/** `= expr` is an `Expr`, `{ … }` a `Block`. */
export type Body = Expr | Block

interface Function_<K extends string> extends DeclarationBase<K> {
  readonly name: Name
  readonly signature: Signature
  readonly body: Body
}
export interface Fn extends Function_<'Fn'> {}
export interface Loss extends Function_<'Loss'> {}
export interface Schedule extends Function_<'Schedule'> {}
/** `forward(…) { … }`, `inverse(…) = …`, `update(…) { … }`, `compute() = …`: a function named by the language. */
export interface Method extends DeclarationBase<'Method'> {
  readonly role: 'forward' | 'inverse' | 'log_det' | 'log_forward' | 'check' | 'update' | 'compute'
  readonly signature: Signature
  readonly body: Body
}

/** A dotted name: `simplex.ilr`, `news.train`. */
export interface Path extends NodeBase<'Path'> {
  readonly parts: readonly Name[]
}
/** A path with arguments, where a constraint, a source or a domain is named: `interval(0, 1)`. */
export interface Ref extends NodeBase<'Ref'> {
  readonly path: Path
  readonly args: readonly Arg[] | undefined
}

export interface Constraint extends DeclarationBase<'Constraint'> {
  readonly path: Path
  readonly signature: Signature
  readonly bijective: boolean
  readonly version: number
  readonly members: readonly ConstraintMember[]
}
export type ConstraintMember = Require | Raw | Buffer | Method
export interface Require extends NodeBase<'Require'> {
  readonly condition: Expr
}
/** `raw: f32[k - 1]` */
export interface Raw extends NodeBase<'Raw'> {
  readonly type: Type
}

export interface Module extends DeclarationBase<'Module'> {
  readonly name: Name
  readonly signature: Signature
  readonly members: readonly ModuleMember[]
}
export type ModuleMember = Param | Buffer | Layer | Let | Require | Fn | Method | MemberIf
export interface Param extends DeclarationBase<'Param'> {
  readonly name: Name
  readonly type: Type
  readonly constraint: Ref | undefined
  /** `= raw E` sets `rawValue`. */
  readonly value: Expr | undefined
  readonly rawValue: boolean
  readonly project: Ref | undefined
}
export interface Buffer extends DeclarationBase<'Buffer'> {
  readonly name: Name
  readonly type: Type
  readonly value: Expr
}
export interface Layer extends DeclarationBase<'Layer'> {
  readonly name: Name
  readonly value: Expr
}
export interface MemberIf extends NodeBase<'MemberIf'> {
  readonly condition: Expr
  readonly then: readonly ModuleMember[]
  /** An `else if` is a list of one `MemberIf`. */
  readonly otherwise: readonly ModuleMember[]
}

export interface Metric extends DeclarationBase<'Metric'> {
  readonly name: Name
  readonly signature: Signature
  readonly members: readonly (State | Require | Method)[]
}
export interface State extends DeclarationBase<'State'> {
  readonly name: Name
  readonly type: Type
  readonly value: Expr
  readonly merge: Name | undefined
}
export interface Optimizer extends DeclarationBase<'Optimizer'> {
  readonly name: Name
  readonly signature: Signature
  readonly members: readonly (Slot | Require | Method)[]
}
export interface Slot extends DeclarationBase<'Slot'> {
  readonly name: Name
  readonly type: Type
  readonly value: Expr
}

export interface Dataset extends DeclarationBase<'Dataset'> {
  readonly name: Name
  readonly formals: readonly Formal[]
  readonly source: Ref
  readonly members: readonly DatasetMember[]
}
export type DatasetMember = Field | Fit | Augment | Filter | Split
export interface Field extends DeclarationBase<'Field'> {
  readonly name: Name
  readonly type: Type
  readonly value: Expr
  readonly where: readonly Expr[]
  readonly pad: Expr | undefined
}
export interface Fit extends DeclarationBase<'Fit'> {
  readonly name: Name
  readonly type: Type
  readonly value: Expr
  readonly where: readonly Expr[]
  readonly pad: Expr | undefined
}
export interface Augment extends DeclarationBase<'Augment'> {
  readonly name: Name
  readonly value: Expr
}
export interface Filter extends NodeBase<'Filter'> {
  readonly condition: Expr
}
/** `split train: 0.8, val: 0.2, by: label` */
export interface Split extends NodeBase<'Split'> {
  readonly parts: readonly Property[]
}
/** `key: value` of a split, in which a key is always followed by a value. */
export interface Property extends NodeBase<'Property'> {
  readonly key: Name
  readonly value: Expr
}

export interface Train extends DeclarationBase<'Train'> {
  readonly name: Name
  readonly members: readonly TrainMember[]
}
export type TrainMember =
  | Hyper
  | Data
  | Model
  | OptimizerMember
  | MetricMember
  | Average
  | Param
  | Let
  | Var
  | Fn
  | Freeze
  | TrainStep
  | Hook
  | Trainer
export interface Hyper extends DeclarationBase<'Hyper'> {
  readonly name: Name
  readonly type: Type
  readonly domain: Ref | undefined
  readonly value: Expr
}
export interface Data extends DeclarationBase<'Data'> {
  readonly name: Name
  readonly value: Expr
}
export interface Model extends DeclarationBase<'Model'> {
  readonly name: Name
  readonly value: Expr
  readonly from: Ref | undefined
  readonly frozen: boolean
}
/** `optimizer adam = Adam(net)` in `train`. */
export interface OptimizerMember extends DeclarationBase<'OptimizerMember'> {
  readonly name: Name
  readonly value: Expr
}
/** `metric accuracy = Accuracy(classes: 10)` in `train`. */
export interface MetricMember extends DeclarationBase<'MetricMember'> {
  readonly name: Name
  readonly value: Expr
}
export interface Average extends DeclarationBase<'Average'> {
  readonly name: Name
  readonly value: Expr
}
export type Phase = 'train' | 'val' | 'test' | 'predict'
export interface TrainStep extends DeclarationBase<'TrainStep'> {
  readonly phases: readonly Phase[]
  readonly name: Name | undefined
  readonly streams: readonly Stream[]
  readonly body: Block
}
/** `batch from news.train cycle` */
export interface Stream extends NodeBase<'Stream'> {
  readonly name: Name
  readonly from: Path | undefined
  readonly cycle: boolean
}
export interface Hook extends DeclarationBase<'Hook'> {
  readonly event: HookEvent | HookCadence
  readonly condition: Expr | undefined
  readonly body: Block
}
export interface HookEvent extends NodeBase<'HookEvent'> {
  readonly name: Name
  readonly payload: readonly Name[]
}
/** `every 500 updates of d` */
export interface HookCadence extends NodeBase<'HookCadence'> {
  readonly count: NumberLiteral | Name
  readonly unit: WrittenUnit
  readonly of: Name | undefined
}
export type Unit = 'batches' | 'updates' | 'epochs' | 'examples' | 'seconds'
/** As it is written: the clock of time counts seconds, whatever its durations are written in. */
export type WrittenUnit = Unit | 'minutes' | 'hours'
export interface Trainer extends DeclarationBase<'Trainer'> {
  readonly settings: RecordLiteral
}

/** `net.backbone.blocks[*].**` */
export interface Glob extends NodeBase<'Glob'> {
  readonly root: Name
  readonly segments: readonly GlobSegment[]
}
export type GlobSegment = GlobName | GlobAny | GlobSubtree | GlobIndex
/** `.name`, or `.name*` with `prefix`. */
export interface GlobName extends NodeBase<'GlobName'> {
  readonly name: Name
  readonly prefix: boolean
}
/** `.*` */
export interface GlobAny extends NodeBase<'GlobAny'> {}
/** `.**` */
export interface GlobSubtree extends NodeBase<'GlobSubtree'> {}
/** `[i]`, or `[*]` without an index. */
export interface GlobIndex extends NodeBase<'GlobIndex'> {
  readonly index: Expr | undefined
}

// ── Statements ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Block extends NodeBase<'Block'> {
  readonly statements: readonly Statement[]
}
export type Statement =
  | Let
  | Var
  | SetStatement
  | For
  | If
  | While
  | Break
  | Return
  | Yield
  | Minimize
  | Log
  | Skip
  | Stop
  | Print
  | Debug
  | CheckpointStatement
  | Freeze
  | Unfreeze
  | CallStatement

/** `let x: f32[n] = e`, or `let { h, c } = e` with more than one name and `record` set. */
export interface Let extends DeclarationBase<'Let'> {
  readonly names: readonly Name[]
  readonly record: boolean
  readonly type: Type | undefined
  readonly value: Expr
}
export interface Var extends DeclarationBase<'Var'> {
  readonly name: Name
  readonly type: Type | undefined
  readonly value: Expr
}
/** `set x = e`, `set ids[0, i] = e`, `set adam.lr = e`; or `set { h, c } = e`. */
export interface SetStatement extends NodeBase<'SetStatement'> {
  readonly target: Expr | readonly Name[]
  readonly value: Expr
}
/** As a statement and, with `yield` in its body, as an expression. */
export interface For extends NodeBase<'For'> {
  readonly names: readonly Name[]
  readonly iterable: Expr
  readonly body: Block
}
export interface If extends NodeBase<'If'> {
  readonly condition: Expr
  readonly then: Block
  /** An `else if` is a block of one `If`. */
  readonly otherwise: Block | undefined
}
export interface While extends NodeBase<'While'> {
  readonly condition: Expr
  readonly body: Block
}
export interface Break extends NodeBase<'Break'> {}
export interface Return extends NodeBase<'Return'> {
  readonly value: Expr | undefined
}
export interface Yield extends NodeBase<'Yield'> {
  readonly value: Expr
}
export interface Minimize extends NodeBase<'Minimize'> {
  readonly terms: readonly Term[]
  readonly optimizer: Name | undefined
}
/** `name = loss over weight` */
export interface Term extends NodeBase<'Term'> {
  readonly name: Name | undefined
  readonly value: Expr
  readonly over: Expr | undefined
}
/** `log name = value over weight on step bar`; `value` alone logs it under its own name. */
export interface Log extends NodeBase<'Log'> {
  /** The name or path before `=`. */
  readonly target: Expr | undefined
  readonly value: Expr
  readonly over: Expr | undefined
  readonly on: readonly Name[]
  readonly bar: boolean
}
export interface Skip extends NodeBase<'Skip'> {}
export interface Stop extends NodeBase<'Stop'> {
  readonly message: StringLiteral | undefined
}
export interface Print extends NodeBase<'Print'> {
  readonly message: StringLiteral
}
/** `debug e` shows a value where it is computed: allowed wherever statements are. */
export interface Debug extends NodeBase<'Debug'> {
  readonly value: Expr
}
export interface CheckpointStatement extends NodeBase<'CheckpointStatement'> {
  readonly name: StringLiteral
}
export interface Freeze extends NodeBase<'Freeze'> {
  readonly glob: Glob
}
export interface Unfreeze extends NodeBase<'Unfreeze'> {
  readonly glob: Glob
}
/** `call post("auroc", value)`: a function imported from TypeScript. */
export interface CallStatement extends NodeBase<'CallStatement'> {
  readonly callee: Name
  readonly args: readonly Arg[]
}

// ── Types ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Type = NamedType | LikeType | FnType | ListType | RecordType
/** `f32[n, 784]`, `int`, `string`: `shape` is undefined where no bracket was written. */
export interface NamedType extends NodeBase<'NamedType'> {
  readonly name: Name
  readonly shape: readonly Size[] | undefined
}
export type Size = Expr | RestSize
/** `...s` */
export interface RestSize extends NodeBase<'RestSize'> {
  readonly name: Name
}
/** `like param` */
export interface LikeType extends NodeBase<'LikeType'> {
  readonly name: Name
}
/** `fn(f32[...s]) -> f32[...s]`; a bare `fn` has no signature. `callee` tells `fn` from `module`. */
export interface FnType extends NodeBase<'FnType'> {
  readonly callee: 'fn' | 'module'
  readonly params: readonly Type[] | undefined
  readonly result: Type | undefined
}
export interface ListType extends NodeBase<'ListType'> {
  readonly item: Type
}
export interface RecordType extends NodeBase<'RecordType'> {
  readonly fields: readonly RecordTypeField[]
}
export interface RecordTypeField extends NodeBase<'RecordTypeField'> {
  readonly name: Name
  readonly type: Type
}

// ── Expressions ─────────────────────────────────────────────────────────────────────────────────────────────────────

export type Expr =
  | NumberLiteral
  | StringLiteral
  | BoolLiteral
  | Name
  | Binary
  | Unary
  | Conditional
  | Lambda
  | For
  | Range
  | Pipe
  | Cast
  | Call
  | Member
  | Index
  | RecordLiteral
  | ListLiteral
  | Comprehension
  | Pattern
  | ErrorExpr

/** `1_000`, `2.5e-3`, `100 updates of g`. `integer` says that it was written without point and exponent. */
export interface NumberLiteral extends NodeBase<'NumberLiteral'> {
  readonly value: number
  readonly integer: boolean
  readonly unit: WrittenUnit | undefined
  readonly of: Name | undefined
}
/** A string; `{name}` stays as written in `text`, escapes are resolved. */
export interface StringLiteral extends NodeBase<'StringLiteral'> {
  readonly text: string
}
export interface BoolLiteral extends NodeBase<'BoolLiteral'> {
  readonly value: boolean
}
export type BinaryOperator =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | 'div'
  | '%'
  | '@'
  | '^'
export interface Binary extends NodeBase<'Binary'> {
  readonly operator: BinaryOperator
  readonly left: Expr
  readonly right: Expr
}
export interface Unary extends NodeBase<'Unary'> {
  readonly operator: '-' | 'not'
  readonly operand: Expr
}
/** `if a then b else c` */
export interface Conditional extends NodeBase<'Conditional'> {
  readonly condition: Expr
  readonly then: Expr
  readonly otherwise: Expr
}
/** `fn(x) = e` */
export interface Lambda extends NodeBase<'Lambda'> {
  readonly formals: readonly Formal[]
  readonly body: Expr
}
/** `a..b`; in an index either side may be missing. */
export interface Range extends NodeBase<'Range'> {
  readonly from: Expr | undefined
  readonly to: Expr | undefined
}
/** `x |> stage`: the stage is a name or a call, and gets `x` as its first argument. A `Pattern` stage has no operands of its own. */
export interface Pipe extends NodeBase<'Pipe'> {
  readonly value: Expr
  readonly stage: Expr
}
/** `x :> f32[n, 3]` asserts a type, it never converts. */
export interface Cast extends NodeBase<'Cast'> {
  readonly value: Expr
  readonly type: Type
}
export interface Call extends NodeBase<'Call'> {
  readonly callee: Expr
  readonly args: readonly Arg[]
}
export type Arg = Positional | Named | Except
export interface Positional extends NodeBase<'Positional'> {
  readonly value: Expr
}
export interface Named extends NodeBase<'Named'> {
  readonly name: Name
  readonly value: Expr
}
/** `except net.blocks[i].**: { lr: … } for i in 0..12` */
export interface Except extends NodeBase<'Except'> {
  readonly glob: Glob
  readonly value: Expr
  readonly names: readonly Name[]
  readonly iterable: Expr | undefined
}
export interface Member extends NodeBase<'Member'> {
  readonly object: Expr
  readonly name: Name
}
export interface Index extends NodeBase<'Index'> {
  readonly object: Expr
  readonly items: readonly IndexItem[]
}
export type IndexItem = Expr | NewAxis | Ellipsis
/** `_` in an index */
export interface NewAxis extends NodeBase<'NewAxis'> {}
/** `...` in an index */
export interface Ellipsis extends NodeBase<'Ellipsis'> {}
/** `{ h, c: e, "quoted": e }`; a short field has a `Name` of the same text as its value. */
export interface RecordLiteral extends NodeBase<'RecordLiteral'> {
  readonly fields: readonly RecordField[]
}
export interface RecordField extends NodeBase<'RecordField'> {
  readonly name: Name
  readonly value: Expr
}
export interface ListLiteral extends NodeBase<'ListLiteral'> {
  readonly items: readonly Expr[]
}
/** `[e for a, b in xs]` */
export interface Comprehension extends NodeBase<'Comprehension'> {
  readonly item: Expr
  readonly names: readonly Name[]
  readonly iterable: Expr
}
/** `rearrange(x : b (h w) c -> b h w c, h: 4)`; as a stage of a pipe, `operands` is empty. */
export interface Pattern extends NodeBase<'Pattern'> {
  readonly operation: 'rearrange' | 'reduce' | 'einsum'
  readonly operands: readonly Expr[]
  readonly inputs: readonly PatternAxes[]
  readonly output: PatternAxes
  readonly args: readonly Arg[]
}
export interface PatternAxes extends NodeBase<'PatternAxes'> {
  readonly axes: readonly PatternAxis[]
}
export type PatternAxis = PatternName | PatternNumber | PatternOne | PatternRest | PatternGroup
export interface PatternName extends NodeBase<'PatternName'> {
  readonly name: Name
}
export interface PatternNumber extends NodeBase<'PatternNumber'> {
  readonly value: number
}
/** `_` in a pattern: an axis of literal 1. */
export interface PatternOne extends NodeBase<'PatternOne'> {}
/** `...` in a pattern */
export interface PatternRest extends NodeBase<'PatternRest'> {}
export interface PatternGroup extends NodeBase<'PatternGroup'> {
  readonly axes: readonly PatternAxis[]
}
/** Stands where recovery found no expression; it has been reported, and types silently. */
export interface ErrorExpr extends NodeBase<'ErrorExpr'> {}

// ── All nodes ───────────────────────────────────────────────────────────────────────────────────────────────────────

export type Node =
  | File
  | Declaration
  | Signature
  | Formal
  | Method
  | Path
  | Ref
  | Require
  | Raw
  | Param
  | Buffer
  | Layer
  | MemberIf
  | State
  | Slot
  | DatasetMember
  | Property
  | TrainMember
  | Stream
  | HookEvent
  | HookCadence
  | Glob
  | GlobSegment
  | Block
  | Statement
  | Term
  | Type
  | RestSize
  | RecordTypeField
  | Expr
  | Arg
  | NewAxis
  | Ellipsis
  | RecordField
  | PatternAxes
  | PatternAxis

export type NodeKind = Node['kind']
export type NodeOf<K extends NodeKind> = Extract<Node, { readonly kind: K }>
