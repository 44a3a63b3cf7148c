import { nearest } from '../base/names.ts'
import type { Span } from '../base/source.ts'
import type { Attr, HostExpr } from '../ir/ir.ts'
import { opsCalled } from '../ops/index.ts'
import type { AttrSpec } from '../ops/op.ts'
import { signatureOf } from '../ops/signature.ts'
import type { Arg } from '../syntax/ast.ts'
import type { CallSite, Piped } from './arguments.ts'
import { checkLog } from './constraintCalls.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { expression } from './evaluate.ts'
import { apply, isHostOperator } from './host.ts'
import { hostNumber } from './operators.ts'
import { applyOperator, entryOf, type OpName, toTensor } from './tensors.ts'
import { errorValue, type FloatValue, knownNumber, type TensorValue, type Value } from './values.ts'

/** An argument of an operator's call. */
interface Argument {
  readonly name: string | undefined
  readonly value: Value
  readonly span: Span
  readonly named?: Span
}

/** A call of a primitive operator by its surface name: tensors first, then attributes, by position or by name. */
export function callOperator(ctx: Context, name: string, site: CallSite, piped?: Piped): Value {
  const args = argumentsOf(ctx, site, piped)
  if (args.some(arg => arg.value.kind === 'error')) return errorValue
  checkLog(ctx, name, args[0]?.value, site)
  if (isHostOperator(name) && args.every(arg => hostNumber(arg.value))) return onHost(ctx, name, args, site)
  const positional = args.filter(arg => arg.name === undefined).length
  const candidates = opsCalled(name)
  const chosen =
    candidates.find(op => inputNames(op).length === positional) ??
    [...candidates].sort((a, b) => inputNames(a).length - inputNames(b).length)[0]
  if (!chosen) return complain(ctx, 'LTM3001', site.span, { name, near: undefined })
  return applyTo(ctx, chosen, name, args, site)
}

function onHost(
  ctx: Context,
  name: Parameters<typeof apply>[0],
  args: readonly Argument[],
  site: CallSite,
): Value {
  const numbers = args.map(arg => hostNumber(arg.value)!)
  const [first, second] = new Set(numbers.flatMap(({ unit }) => unit ?? []))
  if (first && second && chooses(name)) return complain(ctx, 'LTM2114', site.span, { first, second })
  const expr: HostExpr = apply(
    name,
    numbers.map(number => number.expr),
  )
  if (expr.kind === 'number' && Number.isNaN(expr.value))
    return complain(ctx, 'LTM2103', site.span, { operator: name, problem: 'the result is not a number' })
  return { kind: 'float', expr, ...(keepsUnit(name) && commonUnit(numbers)) }
}

const chooses = (name: string): boolean => name === 'min' || name === 'max'
const keepsUnit = (name: string): boolean => chooses(name) || ['floor', 'ceil', 'round'].includes(name)

/** What a choice among numbers counts, or one that is rounded. */
function commonUnit(numbers: readonly FloatValue[]): Pick<FloatValue, 'unit' | 'scaled'> {
  const [unit, ...others] = new Set(numbers.map(number => number.unit ?? number.scaled))
  if (!unit || others.length > 0) return {}
  return numbers.every(number => number.unit) ? { unit } : { scaled: unit }
}

function argumentsOf(ctx: Context, site: CallSite, piped?: Piped): readonly Argument[] {
  const given = site.args.flatMap((arg: Arg): Argument[] => {
    if (arg.kind === 'Except') {
      complain(ctx, 'LTM4502', arg.span, {
        statement: 'except',
        place: 'this call; it belongs to an optimizer',
      })
      return []
    }
    return [
      {
        name: arg.kind === 'Named' ? arg.name.text : undefined,
        ...(arg.kind === 'Named' ? { named: arg.name.span } : {}),
        value: expression(ctx, arg.value),
        span: arg.value.span,
      },
    ]
  })
  return piped ? [{ name: undefined, value: piped.value, span: piped.span }, ...given] : given
}

const inputNames = (op: OpName): readonly string[] =>
  signatureOf(entryOf(op).signature).inputs.map(input => input.name)
const repeats = (op: OpName): boolean =>
  signatureOf(entryOf(op).signature).inputs.some(input => input.repeated)

function applyTo(ctx: Context, op: OpName, shown: string, args: readonly Argument[], site: CallSite): Value {
  const entry = entryOf(op)
  const inputs = inputNames(op)
  const specs: Readonly<Record<string, AttrSpec>> = entry.attrs ?? {}
  const order = [...inputs, ...Object.keys(specs)]
  const taken = new Map<string, Argument>()
  let position = 0
  for (const arg of args) {
    const name = arg.name ?? order[position++]
    if (name === undefined)
      return complain(ctx, 'LTM3005', arg.span, {
        callee: shown,
        count: order.length,
        signature: signatureText(op, shown),
      })
    if (!order.includes(name))
      return complain(ctx, 'LTM3004', arg.named ?? arg.span, {
        callee: shown,
        name,
        near: nearest(name, order),
        signature: signatureText(op, shown),
      })
    if (taken.has(name)) return complain(ctx, 'LTM3007', arg.span, { callee: shown, name })
    taken.set(name, arg)
  }
  const missing =
    inputs.find(name => !taken.has(name)) ??
    Object.keys(specs).find(name => !taken.has(name) && specs[name]!.default === undefined)
  if (missing !== undefined)
    return complain(ctx, 'LTM3006', site.span, {
      callee: shown,
      name: missing,
      signature: signatureText(op, shown),
    })
  const tensors = inputTensors(ctx, op, inputs, taken)
  const attrs = attributes(ctx, specs, taken)
  return tensors && attrs ? applyOperator(ctx, op, tensors, attrs, site.span, shown) : errorValue
}

function signatureText(op: OpName, shown: string): string {
  const entry = entryOf(op)
  const attrs = Object.keys(entry.attrs ?? {})
  const signature = entry.signature
    .replaceAll('~', '...')
    .replace(/\b[FT]\b/g, 'f32')
    .replace(/\bI\b/g, 'i32')
    .replace(/\bB\b/g, 'bool')
  return `it is \`${shown}${signature}\`${attrs.length > 0 ? `, with ${attrs.map(name => `\`${name}:\``).join(', ')}` : ''}`
}

/** Tensor inputs; a host number becomes one, of the dtype that the tensors beside it have. */
function inputTensors(
  ctx: Context,
  op: OpName,
  inputs: readonly string[],
  taken: ReadonlyMap<string, Argument>,
): readonly TensorValue[] | undefined {
  if (repeats(op)) return listOfTensors(ctx, taken.get(inputs[0]!)!)
  const values = inputs.map(name => taken.get(name)!)
  const neighbour = values
    .map(arg => arg.value)
    .find((value): value is TensorValue => value.kind === 'tensor' && value.type.dtype !== 'bool')
  const tensors = values.map(arg => toTensor(ctx, arg.value, arg.span, neighbour?.type.dtype))
  return tensors.every(tensor => tensor.kind === 'tensor') ? tensors : undefined
}

function listOfTensors(ctx: Context, arg: Argument): readonly TensorValue[] | undefined {
  const items = arg.value.kind === 'list' ? arg.value.items : [arg.value]
  const tensors = items.map(item => toTensor(ctx, item, arg.span))
  return tensors.every(tensor => tensor.kind === 'tensor') ? tensors : undefined
}

function attributes(
  ctx: Context,
  specs: Readonly<Record<string, AttrSpec>>,
  taken: ReadonlyMap<string, Argument>,
): Record<string, Attr> | undefined {
  const attrs: Record<string, Attr> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const arg = taken.get(name)
    if (!arg) continue
    const value = attribute(arg.value, spec)
    if (value === undefined) {
      // In a definition a symbol may stand for the number; its instances know it.
      if (ctx.generic && mayBecome(arg.value, spec)) return undefined
      complain(ctx, 'LTM2102', arg.span, {
        what: `\`${name}\``,
        expected: wanted[spec.kind],
        got: describe(arg.value),
      })
      return undefined
    }
    attrs[name] = value
  }
  return attrs
}

/** Whether a symbol of this kind can turn out to be the attribute. */
function mayBecome(value: Value, spec: AttrSpec): boolean {
  if (value.kind === 'int') return typeof value.dim === 'string'
  if (value.kind === 'float') return spec.kind === 'float' && value.expr.kind !== 'number'
  if (value.kind === 'bool') return spec.kind === 'bool'
  return value.kind === 'uniform_list'
}

const wanted: Record<AttrSpec['kind'], string> = {
  int: 'an int that is known when the program is compiled',
  ints: 'a list of ints',
  float: 'a number that is known when the program is compiled',
  bool: '`true` or `false`',
  axis: 'the number of an axis',
  axes: 'an axis or a list of axes',
  dims: 'a size or a list of sizes',
  dtype: 'a dtype',
  place: 'a string',
}

function attribute(value: Value, spec: AttrSpec): Attr | undefined {
  const list = (items: readonly Value[]): Attr | undefined => {
    const numbers = items.map(item => (item.kind === 'int' ? item.dim : undefined))
    return numbers.every(item => item !== undefined) ? numbers : undefined
  }
  switch (spec.kind) {
    case 'axis':
    case 'int':
      return value.kind === 'int' && typeof value.dim === 'number' ? value.dim : undefined
    case 'float':
      return knownNumber(value)
    case 'bool':
      return value.kind === 'bool' && value.expr.kind === 'bool' ? value.expr.value : undefined
    case 'axes':
    case 'ints':
      return value.kind === 'list'
        ? list(value.items)
        : spec.kind === 'axes' && value.kind === 'int' && typeof value.dim === 'number'
          ? [value.dim]
          : pairOf(value)
    case 'dims':
      return value.kind === 'list' ? list(value.items) : value.kind === 'int' ? value.dim : undefined
    case 'place':
    case 'dtype':
      return value.kind === 'string' ? value.text : undefined
  }
}

/** A number where ints are wanted stands for both directions of an image: `stride: 2`. */
function pairOf(value: Value): Attr | undefined {
  return value.kind === 'int' && typeof value.dim === 'number' ? [value.dim, value.dim] : undefined
}
