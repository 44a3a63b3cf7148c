import { nearest } from '../base/names.ts'
import { type Span, textOf } from '../base/source.ts'
import type { Node, Unit } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'
import { isRest, sameType, type TensorType } from '../types/tensor.ts'
import { unifyShape } from '../types/unify.ts'
import { causeOf } from './arguments.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { fitsType, withSizes } from './functionTypes.ts'
import { apply } from './host.ts'
import { castHint, matchTensor } from './matchTensor.ts'
import { sizesDecided } from './moduleTypes.ts'
import { hostNumber } from './operators.ts'
import { declaredLabel, freshSizes, knownShape, type Receiver, type Sizes } from './receiver.ts'
import { push, requireEqual } from './tensors.ts'
import { type DeclaredType, type FunctionType, showDeclared } from './types.ts'
import { errorValue, int, knownNumber, type ListValue, type Value } from './values.ts'

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
      // In a definition the declared shape goes on where the sizes could not be compared.
      return ctx.generic ? { ...value, type: type.type } : value
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
