import { nearest } from '../base/names.ts'
import { positionAt, type Span, textOf } from '../base/source.ts'
import type { Expr, Formal, Node, Unit } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'
import { type Dim, variablesOf } from '../types/dim.ts'
import { isRest, type Shape, sameType, showType, type TensorType } from '../types/tensor.ts'
import { type Bindings, newBindings, substituteShape, type UnifyClash, unifyShape } from '../types/unify.ts'
import {
  argumentValue,
  type CallSite,
  causeOf,
  elaborateArguments,
  type Given,
  matchArguments,
  type Piped,
} from './arguments.ts'
import { type Context, complain, isBroken } from './context.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { expecting } from './evaluate.ts'
import { fitsType, withSizes } from './functionTypes.ts'
import { apply } from './host.ts'
import { sizesDecided } from './moduleTypes.ts'
import { hostNumber } from './operators.ts'
import { needsShape } from './shapes.ts'
import { madeAt, push, requireEqual } from './tensors.ts'
import { type DeclaredType, declaredType, type FunctionType, showDeclared } from './types.ts'
import { errorValue, int, knownNumber, type ListValue, type Value } from './values.ts'

/** A formal with the value that a call gives it. `given` is absent for a default. */
export interface FormalValue {
  readonly formal: Formal
  readonly type: DeclaredType | undefined
  readonly value: Value
  readonly given: Given | undefined
}

/** The sizes of a signature while a call binds them. */
export interface Sizes {
  /** Dimension variables, and rests with their dots. */
  readonly variables: Set<string>
  readonly bindings: Bindings
  /** An argument did not fit: what the others would have to be is not known. */
  clashed: boolean
  /** One was refused: arguments in the wrong order are one mistake. */
  refused: boolean
}

export const freshSizes = (): Sizes => ({
  variables: new Set(),
  bindings: newBindings(),
  clashed: false,
  refused: false,
})

/**
 * Gives each formal its value, in order, and defines it in the callee's scope. Tensors bind the signature's sizes; what
 * needs a shape itself (`zeros()`, a number for a tensor) is looked at last, when the sizes are known.
 */
export function bindFormals(
  ctx: Context,
  formals: readonly Formal[],
  site: CallSite,
  piped: Piped | undefined,
  scope: Env,
  sizes: Sizes = freshSizes(),
): readonly FormalValue[] | undefined {
  // What a declaration with an error takes is not known.
  const isKnown = !site.declaration || !isBroken(ctx, site.declaration.id)
  const args = isKnown ? matchArguments(ctx, formals, site, piped) : undefined
  if (!isKnown) elaborateArguments(ctx, site)
  if (!args) {
    for (const formal of formals) scope.define(formal.name.text, errorValue, formal.name.span)
    return undefined
  }
  const typing: Context = { ...ctx, env: scope, rests: undefined, expected: undefined }
  const bound = new Map<string, FormalValue>()
  const late: (() => void)[] = []
  /** Arguments that are looked at last; a default that names one is as well. */
  const waiting = new Set<string>()
  let failed = false
  const settle = (formal: Formal, type: DeclaredType | undefined, given: Given): void => {
    const value = formalValue(ctx, formal, type, given, site, scope, sizes)
    if (value.kind === 'error') {
      failed = true
      sizes.clashed = true
    }
    bound.set(formal.name.text, { formal, type, value, given: given.kind === 'default' ? undefined : given })
    scope.define(formal.name.text, value, formal.name.span)
    // A module decides sizes that the types of the next arguments may name.
    defineDecided(ctx, type, scope, sizes)
  }
  for (const formal of formals) {
    const given = args.get(formal.name.text)!
    const type = formal.type && declaredType(typing, formal.type, sizes.variables)
    const waits =
      waiting.size > 0 && given.kind === 'default' && names(given.expr).some(name => waiting.has(name))
    if (waits || (type?.kind === 'tensor' && given.kind !== 'value' && needsShape(ctx, given.expr))) {
      waiting.add(formal.name.text)
      late.push(() => settle(formal, type, given))
    } else settle(formal, type, given)
  }
  for (const settleLate of late) settleLate()
  defineSizes(scope, sizes)
  return failed ? undefined : formals.map(formal => bound.get(formal.name.text)!)
}

function names(node: Node): readonly string[] {
  return node.kind === 'Name' ? [node.text] : children(node).flatMap(names)
}

/** Sizes that a module has decided are known from here on; what symbols leave open in a definition may be anything. */
function defineDecided(
  ctx: Context,
  type: DeclaredType | undefined,
  scope: Env,
  { bindings }: Pick<Sizes, 'bindings'>,
): void {
  if (type?.kind === 'list') return defineDecided(ctx, type.item, scope, { bindings })
  if (type?.kind !== 'module') return
  for (const name of type.sizes) {
    const dim = bindings.dims.get(name)
    if (dim !== undefined) scope.define(name, int(dim))
    else if (ctx.generic && namesSize(type.result, name) && !type.params?.some(each => namesSize(each, name)))
      scope.define(name, errorValue)
  }
}

function namesSize(type: DeclaredType | undefined, name: string): boolean {
  if (type?.kind === 'record') return [...type.fields.values()].some(field => namesSize(field, name))
  return type?.kind === 'tensor' && type.type.shape.some(size => !isRest(size) && variablesOf(size).has(name))
}

/** In the body a dimension variable is the size that the call bound it to. */
export function defineSizes(scope: Env, sizes: Sizes): void {
  for (const [name, dim] of sizes.bindings.dims) scope.define(name, int(dim))
}

function formalValue(
  ctx: Context,
  formal: Formal,
  type: DeclaredType | undefined,
  given: Given,
  site: CallSite,
  scope: Env,
  sizes: Sizes,
): Value {
  // A default may name the sizes that the arguments before it have bound.
  if (given.kind === 'default') defineSizes(scope, sizes)
  const where = given.kind === 'default' ? { ...ctx, env: scope } : ctx
  const wanted = type?.kind === 'tensor' ? knownShape(type.type, sizes) : undefined
  const value = argumentValue(expecting(where, wanted, wanted === undefined && sizes.clashed), given)
  if (!type || value.kind === 'error') return value
  if (sizes.refused) return errorValue
  const converted = convert(ctx, value, type, sizes, {
    what: `\`${formal.name.text}\``,
    name: formal.name.text,
    callee: site.shown,
    ...(site.owner === undefined ? {} : { owner: site.owner }),
    instance: site.instance,
    ...(site.declaration === undefined ? {} : { declaration: site.declaration }),
    span: given.span,
    ...(given.kind === 'expr' ? { node: given.expr } : {}),
    declared: formal.span,
  })
  if (converted.kind === 'error') sizes.refused = true
  return converted
}

/** The type with its sizes bound, where all of them are. */
function knownShape(type: TensorType, sizes: Sizes): TensorType | undefined {
  const shape = substituteShape(type.shape, sizes.bindings)
  const open = shape.some(
    size => typeof size === 'string' && sizes.variables.has(size) && !sizes.bindings.dims.has(size),
  )
  return open ? undefined : { dtype: type.dtype, shape }
}

/** What is being given a value, for messages. */
export interface Receiver {
  readonly what: string
  /** The argument's name, where it is one: it says which of them has decided a size. */
  readonly name?: string
  readonly callee: string
  /** The function in full, `Mlp.forward`. */
  readonly owner?: string
  readonly instance?: string | undefined
  readonly declaration?: NonNullable<CallSite['declaration']>
  readonly span: Span
  /** The expression, where it is one: of plain numbers only those written out take a unit. */
  readonly node?: Expr
  readonly declared: Span | undefined
}

/** A value where a type is declared: checked, its sizes bound, host numbers converted as the language allows. */
export function convert(
  ctx: Context,
  value: Value,
  type: DeclaredType,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  if (value.kind === 'error' || type.kind === 'error') return errorValue
  switch (type.kind) {
    case 'tensor':
      return convertTensor(ctx, value, type.type, sizes, receiver)
    case 'int':
      return value.kind === 'int' || isCounted(value) ? value : mismatch(ctx, value, type, receiver)
    case 'float':
      return convertFloat(ctx, value, type, receiver)
    case 'bool':
    case 'string':
      return value.kind === type.kind ? value : mismatch(ctx, value, type, receiver)
    case 'list':
      return convertList(ctx, value, type, sizes, receiver)
    case 'record':
      return convertRecord(ctx, value, type, sizes, receiver)
    case 'function':
      if (!isFunction(value)) return mismatch(ctx, value, type, receiver)
      return fitsType(ctx, value, type, receiver.what, receiver.span, receiver.declared) ? value : errorValue
    case 'module':
      return convertModule(ctx, value, type, sizes, receiver)
    case 'like':
      return value
  }
}

/** An int that only the run knows, such as the index of a loop of the host (F24): what needs a size says that it is none. */
const isCounted = (value: Value): boolean =>
  value.kind === 'float' && value.whole === true && value.unit === undefined

/** A module binds the sizes that it decides, and must be of the declared type with these. */
function convertModule(
  ctx: Context,
  value: Value,
  type: FunctionType,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  const isModule =
    value.kind === 'module' || (value.kind === 'opaque_function' && value.type.kind === 'module')
  if (!isModule) return mismatch(ctx, value, type, receiver)
  const { dims } = sizes.bindings
  for (const [name, dim] of sizesDecided(ctx, value, withSizes(type, dims)))
    if (!dims.has(name)) dims.set(name, dim)
  const wanted = withSizes(type, dims)
  return fitsType(ctx, value, wanted, receiver.what, receiver.span, receiver.declared) ? value : errorValue
}

/** Constraints are functions as well. */
function isFunction(value: Value): boolean {
  if (value.kind === 'declaration') return value.declaration.kind === 'Constraint'
  return ['function', 'lambda', 'operator', 'opaque_function', 'module', 'constraint'].includes(value.kind)
}

function mismatch(ctx: Context, value: Value, type: DeclaredType, receiver: Receiver, help?: string): Value {
  const [expected, got] = [showDeclared(type), describe(value)]
  return complain(
    ctx,
    'LTM2102',
    receiver.span,
    { what: receiver.what, expected, got },
    {
      ...declaredLabel(receiver),
      ...causeOf(ctx, receiver, `${receiver.what} ${expected}: ${got}`),
      ...(help === undefined ? {} : { help }),
    },
  )
}

function declaredLabel(receiver: Receiver): { labels: { span: Span; text: string }[] } {
  return { labels: receiver.declared ? [{ span: receiver.declared, text: 'declared here' }] : [] }
}

function convertFloat(
  ctx: Context,
  value: Value,
  type: Extract<DeclaredType, { kind: 'float' }>,
  receiver: Receiver,
): Value {
  const number = hostNumber(value)
  if (!number) return mismatch(ctx, value, type, receiver)
  if (type.unit === undefined) return number
  // How many updates an epoch makes is known once the data is.
  if (value.kind === 'duration' && value.unit === 'epochs' && type.unit === 'updates')
    return {
      kind: 'float',
      expr: apply('mul', [number.expr, { kind: 'clock', clock: 'updates_per_epoch' }]),
      unit: 'updates',
    }
  const counts = number.unit ?? number.scaled
  if (counts !== undefined && counts !== type.unit) {
    return complain(
      ctx,
      'LTM2114',
      receiver.span,
      { first: type.unit, second: counts },
      { ...declaredLabel(receiver), help: `give it a number of ${type.unit}` },
    )
  }
  if (
    counts === undefined &&
    (knownNumber(value) === undefined || (receiver.node && !isWrittenOut(receiver.node)))
  )
    return mismatch(ctx, value, type, receiver, withUnit(receiver.span, type.unit))
  return { ...number, unit: type.unit }
}

/** Numbers and what is computed of them, without names. */
function isWrittenOut(node: Node): boolean {
  return node.kind !== 'Name' && children(node).every(isWrittenOut)
}

const withUnit = (span: Span, unit: Unit): string =>
  `a number has no unit of its own: write \`${/^\w+$/.test(textOf(span)) ? textOf(span) : `(${textOf(span)})`} * 1 ${unit}\``

function convertList(
  ctx: Context,
  value: Value,
  type: Extract<DeclaredType, { kind: 'list' }>,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  if (value.kind === 'uniform_list') return value
  if (value.kind === 'range' && typeof value.from === 'number' && typeof value.to === 'number') {
    const { from, to } = value
    return { kind: 'list', items: Array.from({ length: to - from }, (_, i) => int(from + i)) }
  }
  if (value.kind !== 'list') return mismatch(ctx, value, type, receiver)
  const items = value.items.map((item, i) =>
    convert(ctx, item, type.item, sizes, { ...receiver, what: `item ${i} of ${receiver.what}` }),
  )
  return items.some(item => item.kind === 'error') ? errorValue : { kind: 'list', items }
}

function convertRecord(
  ctx: Context,
  value: Value,
  type: Extract<DeclaredType, { kind: 'record' }>,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  if (value.kind !== 'record') return mismatch(ctx, value, type, receiver)
  if ([...value.fields.values()].some(field => field.kind === 'error')) return errorValue
  const fields = new Map<string, Value>()
  const surplus = [...value.fields.keys()].find(name => !type.fields.has(name))
  if (surplus !== undefined && value.of === undefined)
    return complain(ctx, 'LTM3003', receiver.span, {
      object: showDeclared(type),
      name: surplus,
      near: nearest(surplus, [...type.fields.keys()]),
      has: '',
    })
  for (const [name, fieldType] of type.fields) {
    const field = value.fields.get(name)
    if (!field) return mismatch(ctx, value, type, receiver)
    fields.set(
      name,
      convert(ctx, field, fieldType, sizes, { ...receiver, what: `\`${name}\` of ${receiver.what}` }),
    )
  }
  return { kind: 'record', fields }
}

/** A tensor binds the sizes of the pattern; a host number becomes a tensor of the shape that the others have bound. */
function convertTensor(
  ctx: Context,
  value: Value,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  if (value.kind === 'tensor') return matchTensor(ctx, value, pattern, sizes, receiver)
  if (value.kind === 'list') return listTensor(ctx, value, pattern, sizes, receiver)
  const number = hostNumber(value)
  const scalar = value.kind === 'bool' ? value.expr : number?.expr
  if (scalar === undefined || (pattern.dtype === 'bool') !== (value.kind === 'bool'))
    return mismatch(ctx, value, { kind: 'tensor', type: pattern }, receiver)
  if (pattern.dtype === 'i32' && value.kind !== 'int')
    return mismatch(ctx, value, { kind: 'tensor', type: pattern }, receiver)
  const type = knownShape(pattern, sizes)
  // Where any number of axes will do and nothing else has decided, a number has none.
  if (!type && !sizes.clashed && pattern.shape.length === 1 && pattern.shape.every(isRest)) {
    const made = filled(ctx, value, { dtype: pattern.dtype, shape: [] }, receiver.span)
    return made.kind === 'tensor' ? matchTensor(ctx, made, pattern, sizes, receiver) : made
  }
  if (!type)
    return ctx.generic || sizes.clashed
      ? errorValue
      : mismatch(ctx, value, { kind: 'tensor', type: pattern }, receiver)
  return filled(ctx, value, type, receiver.span)
}

/** Lists of numbers, as deep as the tensor has axes: `[0.1, 0.2]`, `[[1, 0], [0, 1]]`. */
function listTensor(
  ctx: Context,
  value: ListValue,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  const numbers = nestedNumbers(value, pattern.dtype)
  const shape = numbers && shapeOfList(numbers)
  if (!numbers || !shape || pattern.dtype === 'bool')
    return mismatch(ctx, value, { kind: 'tensor', type: pattern }, receiver)
  const type: TensorType = { dtype: pattern.dtype, shape }
  const made = push(ctx, 'const', [], { value: numbers, dtype: type.dtype }, type, receiver.span)
  return matchTensor(ctx, made, pattern, sizes, receiver)
}

type NestedNumbers = readonly (number | NestedNumbers)[]

function nestedNumbers(list: ListValue, dtype: TensorType['dtype']): NestedNumbers | undefined {
  const items = list.items.map(item => {
    if (item.kind === 'list') return nestedNumbers(item, dtype)
    return dtype === 'i32' && item.kind !== 'int' ? undefined : knownNumber(item)
  })
  return items.every(item => item !== undefined) ? items : undefined
}

/** The shape of nested lists; undefined where rows differ in length, or there are none. */
function shapeOfList(list: NestedNumbers): readonly number[] | undefined {
  const shapes = list.map(item => (typeof item === 'number' ? [] : shapeOfList(item)))
  const [first] = shapes
  if (first === undefined || shapes.some(shape => shape === undefined || shape.join() !== first.join()))
    return undefined
  return [list.length, ...first]
}

/** A host number as a tensor of a known shape. */
export function filled(ctx: Context, value: Value, type: TensorType, span: Span): Value {
  const known =
    value.kind === 'bool' && value.expr.kind === 'bool' ? Number(value.expr.value) : knownNumber(value)
  if (known !== undefined && type.shape.length === 0)
    return push(ctx, 'const', [], { value: known, dtype: type.dtype }, type, span)
  if (known !== undefined)
    return push(ctx, 'full', [], { shape: type.shape, value: known, dtype: type.dtype }, type, span)
  const number = hostNumber(value)
  if (!number || type.dtype !== 'f32')
    return complain(ctx, 'LTM2109', span, {
      wanted: 'a number known when the program is compiled',
      got: describe(value),
    })
  const scalar = push(ctx, 'host', [], { value: number.expr }, { dtype: 'f32', shape: [] }, span)
  return type.shape.length === 0
    ? scalar
    : push(ctx, 'broadcast_to', [scalar.name], { shape: type.shape }, type, span)
}

const castHint = (type: TensorType, span: Span): string | undefined =>
  type.dtype === 'bool' ? undefined : `\`${type.dtype}(${textOf(span)})\` converts`

function matchTensor(
  ctx: Context,
  value: Extract<Value, { kind: 'tensor' }>,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
): Value {
  if (value.type.dtype !== pattern.dtype) {
    return inputClash(
      ctx,
      value,
      pattern,
      sizes,
      receiver,
      `it holds ${value.type.dtype}, not ${pattern.dtype}`,
      castHint(pattern, receiver.span),
    )
  }
  if (sizes.clashed) return value
  const by = receiver.name ?? ''
  const matched = unifyShape(pattern.shape, sizes.variables, value.type.shape, sizes.bindings, by)
  if (matched.ok) {
    for (const [left, right] of matched.obligations)
      if (!requireEqual(ctx, left, right, receiver.span)) return errorValue
    return value
  }
  sizes.clashed = true
  return inputClash(
    ctx,
    value,
    pattern,
    sizes,
    receiver,
    shapeProblem(value.type, matched.clash),
    shapeHint(value.type, pattern, sizes, receiver),
  )
}

const axes = (count: number): string => `${count} ${count === 1 ? 'axis' : 'axes'}`

/** What is wrong with a shape, from where the matching of it ended. */
function shapeProblem(got: TensorType, clash: UnifyClash): string {
  if (clash.kind === 'rank') {
    const least = clash.expected.filter(size => !isRest(size)).length
    if (clash.expected.some(isRest) && got.shape.length < least)
      return `it has ${axes(got.shape.length)}, and at least ${least} ${least === 1 ? 'is' : 'are'} wanted`
    return `it has ${axes(got.shape.length)}, not ${clash.expected.length}`
  }
  const last = clash.axis === got.shape.length - 1
  const place = got.shape.length === 1 ? 'its axis' : last ? 'its last axis' : `its axis ${clash.axis}`
  const by = clash.boundBy
    ? `, and \`${clash.boundBy}\` has ${clash.expected} there`
    : `, not ${clash.expected}`
  return `${place} has size ${clash.got}${by}`
}

/** The next step where a shape is nearly right. */
function shapeHint(
  got: TensorType,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
): string | undefined {
  const expected = substituteShape(pattern.shape, sizes.bindings)
  return flattenHint(got, expected, receiver) ?? transposeHint(got, expected, sizes, receiver)
}

/** `flatten` is the next step where an input has too many axes and as many elements as are wanted. */
function flattenHint(got: TensorType, expected: Shape, receiver: Receiver): string | undefined {
  if (got.shape.length <= 2 || (expected.length !== 2 && !expected.some(isRest))) return undefined
  const [first, ...others] = got.shape
  if (!others.every(size => typeof size === 'number')) return undefined
  const elements = others.reduce<number>((total, size) => total * Number(size), 1)
  if (expected.at(-1) !== elements) return undefined
  return `\`flatten(${textOf(receiver.span)})\` is ${showType({ dtype: got.dtype, shape: [first!, elements] })}`
}

/** `.T` is the next step where a matrix lies the other way. */
function transposeHint(
  got: TensorType,
  expected: Shape,
  sizes: Sizes,
  receiver: Receiver,
): string | undefined {
  const [rows, columns] = expected
  if (got.shape.length !== 2 || expected.length !== 2) return undefined
  const fits = (wanted: Dim | undefined, size: Dim | undefined): boolean =>
    wanted === size || (typeof wanted === 'string' && sizes.variables.has(wanted))
  if (!fits(rows, got.shape[1]) || !fits(columns, got.shape[0])) return undefined
  return `\`${textOf(receiver.span)}.T\` is ${showType({ dtype: got.dtype, shape: [...got.shape].reverse() })}`
}

function inputClash(
  ctx: Context,
  value: Extract<Value, { kind: 'tensor' }>,
  pattern: TensorType,
  sizes: Sizes,
  receiver: Receiver,
  problem: string,
  help: string | undefined,
): Value {
  const expected = showType({ dtype: pattern.dtype, shape: substituteShape(pattern.shape, sizes.bindings) })
  const got = showType(value.type)
  const width = Math.max(expected.length, got.length)
  const wanted = receiver.declared && place(receiver.span, receiver.declared, receiver.owner)
  const given = value.origin ?? (value.span && { span: value.span, name: undefined })
  const made =
    given && !covers(receiver.span, given.span) ? place(receiver.span, given.span, given.name) : undefined
  // A module that takes something at none of its calls is one mistake, and so is a value that fits nowhere.
  const { instance, owner } = receiver
  const taker = instance
    ? `${instance} ${expected}: ${textOf(receiver.span)} ${got}`
    : madeAt(ctx, value, problem)
  const cause = value.origin
    ? `${instance || owner} ${expected}: ${value.origin.name} ${got}`
    : (causeOf(ctx, receiver, `${expected}: ${got}`).cause ?? taker)
  const line = (type: string, from: string | undefined): string =>
    from === undefined ? type : `${type.padEnd(width)}    ${from}`
  return complain(
    ctx,
    'LTM2101',
    receiver.span,
    { callee: receiver.callee, problem },
    { note: `expected ${line(expected, wanted)}\ngot      ${line(got, made)}`, help, cause },
  )
}

/** `(Mlp.forward, stdlib/layers.ltm:9)`, `(Digits.image, line 4)`: where a type comes from. */
function place(from: Span, { source, start }: Span, name: string | undefined): string {
  const { line } = positionAt(source, start)
  const where = source.name === from.source.name ? `line ${line}` : `${source.name}:${line}`
  return name === undefined ? `(${where})` : `(${name}, ${where})`
}

/** Whether a span says nothing that the other one, which is shown anyway, doesn't. */
const covers = (shown: Span, span: Span): boolean =>
  shown.source === span.source &&
  positionAt(shown.source, shown.start).line === positionAt(span.source, span.start).line

/** A value against the type that a `let`, a result or a field declares, with all its sizes known. */
export function checkDeclared(
  ctx: Context,
  value: Value,
  type: DeclaredType,
  span: Span,
  /** What has the type: `\`x\``, `the result of \`f\``. */
  what: string,
  declared?: Span,
): Value {
  if (value.kind === 'error' || type.kind === 'error') return errorValue
  if (value.kind === 'tensor' && type.kind === 'tensor') {
    if (sameType(value.type, type.type)) return value
    const matched =
      value.type.dtype === type.type.dtype
        ? unifyShape(type.type.shape, new Set(), value.type.shape, freshSizes().bindings)
        : undefined
    if (matched?.ok && matched.obligations.every(([left, right]) => requireEqual(ctx, left, right, span)))
      return { ...value, type: retyped(value.type, type.type, ctx.generic) }
    if (matched?.ok) return errorValue
    return complain(
      ctx,
      'LTM2115',
      span,
      { name: what, expected: showDeclared(type), got: describe(value) },
      {
        labels: declared ? [{ span: declared, text: 'declared here' }] : [],
        help: value.type.dtype !== type.type.dtype ? castHint(type.type, span) : undefined,
      },
    )
  }
  return convert(ctx, value, type, freshSizes(), { what, callee: what, span, declared })
}

/** In a definition the declared shape goes on where the sizes could not be compared. */
function retyped(got: TensorType, declared: TensorType, generic: boolean): TensorType {
  return generic ? declared : got
}

export type { Shape }
