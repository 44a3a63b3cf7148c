import { positionAt, type Source, type Span } from '../base/source.ts'
import type { Code, Details } from '../diagnostics/catalogue/index.ts'
import { diagnose, type Extras, type Label, type Report } from '../diagnostics/diagnostic.ts'
import type { Func, Origin, Phase, Step } from '../ir/ir.ts'
import type { Call, Member, Name } from '../syntax/ast.ts'
import type { Shape, TensorType } from '../types/tensor.ts'
import type { Env } from './env.ts'
import type { Rules } from './evaluate.ts'
import type { FunctionTable } from './functionTable.ts'
import {
  type BufferSpec,
  type ErrorValue,
  errorValue,
  type ModuleSpec,
  type ModuleValue,
  type StateSpec,
  type TensorValue,
  type Value,
} from './values.ts'

/** What one compilation shares: where diagnostics go, and the functions and modules made so far. */
export interface World {
  readonly report: Report
  /** How many diagnostics have been reported. */
  readonly reported: { count: number }
  /** The file that is compiled: where a program's data lies is told from its folder. */
  readonly file: string
  /** The sources of the standard library: no place for a user's mistake. */
  readonly library: ReadonlySet<Source>
  /** Ids of definitions in which an error was found; their instances stay silent. */
  readonly broken: Set<number>
  /** Checks of definitions on their own that are still to be done; a definition is checked before it is used. */
  readonly unchecked: Map<number, () => void>
  /** Constants by declaration, as they are asked for; `open` while one is being computed. */
  readonly constants: Map<number, Value | 'open'>
  /** How many rounds of loops and calls may still be unrolled, against programs that unroll for ever. */
  readonly fuel: { left: number }
  readonly functions: FunctionTable
  readonly rules: Rules
  readonly modules: Map<string, ModuleSpec>
  readonly counts: CountTable
  /** Places that were left out because of an error: there must be one. */
  readonly silent: Span[]
}

/** Sizes that only the data tells, by `data.field`: those that are known, and those that the program asks for. */
export interface CountTable {
  readonly known: ReadonlyMap<string, number>
  readonly asked: Map<string, AskedCount>
}
export interface AskedCount {
  readonly data: string
  readonly of: string
  readonly span: Span
}

/** A specialised function. One that never asks for the mode or phase serves all of them. */
export interface FunctionInstance {
  /** What it was made from, and what of the mode it asked for. */
  readonly key: string
  readonly func: Func
  /** Its result in terms of its own values: a tensor, or a record of tensors. */
  readonly result: Value
  /** Parameters of its module that it reads, by path relative to the module, in the order of its parameters. */
  readonly members: readonly MemberRead[]
  /** Buffers of its module that it gives new values, the last of its results. */
  readonly writes: readonly BufferWrite[]
  readonly drawsRandom: boolean
  /** What of the mode it asks for, itself or through what it calls. */
  readonly readsMode: ModeReads
  /** It looks at a clock or the like, so that it has no form of its own: its steps go where it is called. */
  readonly looksAtRun: boolean
}
export type ModeReads = 'nothing' | 'training' | 'phase'

/** What of a constrained parameter is read: where the constraint puts it, the raw tensor, or the stable logarithm. */
export type ParameterPart = 'value' | 'raw' | 'log'
export interface MemberRead {
  readonly path: string
  readonly spec: StateSpec
  readonly part: ParameterPart
}
/** A buffer with the value that it has from here on. */
export interface BufferWrite {
  readonly path: string
  readonly spec: BufferSpec
  readonly value: TensorValue
}

/**
 * Where steps go: the function under construction, or a step of `train`.
 * It gives each value its name, reads parameters when they are first needed, and hands out the random key.
 */
/** The mean and the spread of columns, on the training split. */
export interface Standard {
  readonly mean: TensorValue
  readonly spread: TensorValue
}

export interface Region {
  readonly kind: 'function' | 'step' | 'definition'
  /** Adds a step; `sole` is the one result that its expression has, where the step gives more besides. */
  push(step: Step, sole?: string): void
  fresh(name: string): string
  /** Gives an anonymous result of the newest step the user's name; returns the name it then has. */
  rename(value: string, name: string): string
  /** A parameter or buffer: of the module at hand by relative path, in a step by absolute path. */
  member(
    ctx: Context,
    path: string,
    spec: StateSpec,
    span: Span,
    part?: ParameterPart,
  ): TensorValue | ErrorValue
  /** Gives a buffer a new value, which later reads see. */
  write(write: BufferWrite): void
  /** The key of all draws here. */
  key(): string
  /** The step that makes a value; undefined for parameters and batches. */
  maker(value: string): Step | undefined
  /** The column of a table that the call at this offset reads, inside a dataset. */
  column(offset: number): TensorValue | undefined
  /** What the call of `standardize` at this offset has learned from the training split. */
  standard(offset: number): Standard | undefined
  /** The `let` members that have been computed here, in a function or a round of a loop, by the scope and the id of their declaration. */
  readonly lets?: Map<Env, ReadonlyMap<number, Value>>
  /** A key place that no other draw or call here has: `normal`, `normal.1`. */
  place(name: string): string
}

/** Which phase a function is specialised for; asking marks the function. */
export interface Mode {
  readonly phase: Phase | undefined
  readonly training: boolean | undefined
  onRead(what: 'training' | 'phase'): void
}

/** How a step or hook looks at what was logged. */
export interface Watching {
  readonly read: (ctx: Context, node: Member) => Value | undefined
  readonly stalled: (ctx: Context, node: Pick<Call, 'args' | 'span'>) => Value
  /** The value as it is at this place: what may change, or counts how often it is looked at, is put away. */
  readonly keep: (value: Value, name: Name) => Value
}

/**
 * The context of one place in the program; passed as an argument, extended by spreading. Every context has every field, so
 * that all are objects of one shape, which V8 copies fast.
 */
export interface Context {
  readonly world: World
  readonly env: Env
  readonly region: Region
  /** A definition that is checked on its own: sizes and arguments are symbols, and what can't be decided is left to its instances. */
  readonly generic: boolean
  readonly mode: Mode
  readonly self: ModuleValue | undefined
  /** The declaration whose text is being elaborated. */
  readonly declaration: number
  /** Where the instances were made that led here, outermost first. */
  readonly instantiations: readonly Label[]
  /** Keys of the functions and modules under construction, against recursion. */
  readonly active: readonly string[]
  /** The optimizer that a schedule's `update` counts for. */
  readonly optimizer: string | undefined
  /** What the rests of the signature at hand (`...s`) stand for. */
  readonly rests: ReadonlyMap<string, Shape> | undefined
  /** Conditions that hold here, as written: names that exist only under one of them may be used (F35). */
  readonly holds: readonly string[]
  /** A body without `return` is all right: the update of a metric. */
  readonly returns: 'optional' | undefined
  /** In steps and hooks: reads what was logged, `val.loss`, and asks whether it has `stalled`. */
  readonly watching: Watching | undefined
  /** In the settings of an optimizer: a factor that shrinks when a logged value has stalled. */
  readonly plateau: ((ctx: Context, node: Pick<Call, 'args' | 'span'>) => Value) | undefined
  /** In a step that is compiled for parts that hooks freeze: whether a part is frozen; undefined for all others. */
  readonly frozenNow: ((path: string) => boolean | undefined) | undefined
  /** Inside a scan: takes what a round yields. */
  readonly round: ((value: Value, span: Span) => void) | undefined
  /** Because of an error nobody knows what shape is wanted here: calls that would take it over stay silent. */
  readonly lost: boolean
  /** The type that a parameter, a field or an annotation asks for: shapes that a call may take over. */
  readonly expected: TensorType | undefined
}

/** A name that is missing is missing wherever it stands: a variable, a member, a split, what is logged, a path. */
const missing: ReadonlySet<Code> = new Set(['LTM3001', 'LTM3003', 'LTM4301', 'LTM4107', 'LTM4386'])

/** Reports and gives the value that everything accepts silently. */
export function complain<C extends Code>(
  ctx: Context,
  code: C,
  span: Span,
  details: Details<C>,
  extras: Extras = {},
): ErrorValue {
  const { at, labels } = placesOf(ctx, span, extras.labels ?? [])
  const diagnostic = diagnose(code, at, details, { ...extras, labels })
  // What only an instance shows is no mistake of the definition.
  if (diagnostic.severity === 'error' && ctx.generic) ctx.world.broken.add(ctx.declaration)
  ctx.world.reported.count++
  ctx.world.report(missing.has(code) ? { ...diagnostic, cause: diagnostic.message } : diagnostic)
  return errorValue
}

/**
 * Where a diagnostic stands: at the user's line. What an instance of the library shows is shown at the user's call that
 * made it, with the line of the library and the way there as labels.
 */
function placesOf(
  ctx: Context,
  span: Span,
  labels: readonly Label[],
): { readonly at: Span; readonly labels: readonly Label[] } {
  const { library } = ctx.world
  const own = ctx.instantiations.filter(label => !library.has(label.span.source))
  const made = library.has(span.source) ? own.at(-1) : undefined
  const at = made?.span ?? span
  const chain = (made ? own : ctx.instantiations).filter(label => !sameSpan(label.span, at))
  const there = made ? [{ span, text: 'shown by this line of the library' }] : []
  return { at, labels: [...labels, ...there, ...shortened(chain)] }
}

/** The outermost and innermost of many places. */
const shortened = (labels: readonly Label[]): readonly Label[] =>
  labels.length <= 4 ? labels : [...labels.slice(0, 2), ...labels.slice(-2)]

const sameSpan = (a: Span, b: Span): boolean =>
  a.source === b.source && a.start === b.start && a.end === b.end

/** A definition that is checked before it is used, or when nobody uses it. */
export function checkLater(ctx: Context, definition: number, check: () => void): void {
  ctx.world.unchecked.set(definition, check)
}

/** Whether a definition is known to have an error. It is checked now if it hasn't been, so that its errors are its own. */
export function isBroken(ctx: Context, definition: number): boolean {
  const check = ctx.world.unchecked.get(definition)
  ctx.world.unchecked.delete(definition)
  check?.()
  return ctx.world.broken.has(definition)
}

/** How deep definitions may lead into each other: beyond it they never end. */
const deepest = 100
/** The {@link World.fuel} of a compilation. */
export const startFuel = 100_000

/** Uses up what one round, call or instance costs; reports where a program would unroll for ever, or nearly. */
export function spend(ctx: Context, span: Span, what: string, count = 1): boolean {
  const { fuel } = ctx.world
  if (ctx.active.length > deepest) {
    complain(ctx, 'LTM3019', span, { what, limit: `${deepest} definitions deep into each other` })
    return false
  }
  const spent = fuel.left
  fuel.left -= count
  if (fuel.left >= 0) return true
  if (spent >= 0) complain(ctx, 'LTM3019', span, { what, limit: `past ${startFuel} calls and rounds` })
  return false
}

/** The place of a span as the IR records it. */
export function originOf(span: Span): Origin {
  const { line, column } = positionAt(span.source, span.start)
  return { file: span.source.name, line, column }
}
