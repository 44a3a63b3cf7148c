import type { Span } from '../base/source.ts'
import type { Attr, FuncParam, Value as IrValue, Step } from '../ir/ir.ts'
import type { For, Name } from '../syntax/ast.ts'
import { compareDims, variablesOf } from '../types/dim.ts'
import { isRest, sameType, showType, type TensorType } from '../types/tensor.ts'
import { Captures, tensorOfSize } from './captures.ts'
import { loopEffects } from './carried.ts'
import { type Context, complain, originOf } from './context.ts'
import { checkShadowing } from './declaring.ts'
import { describe } from './describe.ts'
import { executeBody } from './evaluate.ts'
import { filled } from './formals.ts'
import { keyAt } from './functionCalls.ts'
import { FunctionRegion, replaceTensors, tensorsOf } from './functionRegion.ts'
import { ownValue } from './functions.ts'
import { sliceType, stackIndex } from './sequence.ts'
import { sizesOfType } from './sizes.ts'
import { toTensor } from './tensors.ts'
import { errorValue, type SequenceValue, type TensorValue, type Value } from './values.ts'

/**
 * `for xt in along(x, axis: 1) { set h = …  yield h }`: a loop over the slices of tensors (F3). Its body becomes a function
 * from the `var`s that it sets, as they were, and the slices to the `var`s as they are then and what it yields. The step
 * `scan` runs it round after round; a body that draws gets a key of its own for each round.
 */
export function scan(ctx: Context, node: For, columns: readonly Value[], wanted: 'value' | 'nothing'): Value {
  const sequences = sequencesOf(ctx, node, columns)
  const effects = loopEffects(node.body)
  for (const leave of effects.leaves)
    complain(ctx, 'LTM2148', leave.span, { what: leave.kind === 'Return' ? '`return`' : '`break`' })
  const carried = effects.sets.flatMap(name => carriedFrom(ctx, name, node) ?? [])
  const body = elaborateBody(ctx, node, sequences, carried)
  const given = wanted === 'value' ? body.yielded : undefined
  if (wanted === 'value' && body.yields === 0) complain(ctx, 'LTM2145', node.span, undefined)
  if (wanted === 'nothing' && body.firstYield) complain(ctx, 'LTM2149', body.firstYield, undefined)
  const ends = carried.map(each => endOfRound(ctx, each, body))
  if (!sequences || effects.leaves.length > 0 || (wanted === 'value' && given === undefined))
    return forget(ctx, carried)
  if (ends.some(end => end === undefined)) return forget(ctx, carried)
  const stacked = given && stackedValues(ctx, given, sequences[0]!, node)
  if (given && !stacked) return forget(ctx, carried)
  const outputs = emitScan(ctx, node, { sequences, carried, body, ends: ends.flatMap(end => end ?? []) }, [
    ...(stacked ?? []),
  ])
  for (const [i, { name }] of carried.entries()) ctx.env.assign(name, outputs.carried[i]!)
  return given ? replaceTensors(given, outputs.stacked) : { kind: 'record', fields: new Map() }
}

// ── What it goes along ──────────────────────────────────────────────────────────────────────────────────────────────

/** One sequence for each name, all equally long and in one direction; undefined where that is not so. */
function sequencesOf(
  ctx: Context,
  node: For,
  columns: readonly Value[],
): readonly SequenceValue[] | undefined {
  const found = columns.filter(column => column.kind === 'sequence')
  if (columns.some(column => column.kind === 'error')) return undefined
  const problem = problemOf(node, columns, found)
  if (problem !== undefined) {
    complain(ctx, 'LTM2142', node.iterable.span, { problem })
    return undefined
  }
  const [first] = found
  for (const other of found.slice(1)) {
    const answer = compareDims(first!.length, other.length)
    if (answer === 'equal' || (answer === 'unknown' && ctx.generic)) continue
    complain(ctx, 'LTM2141', node.iterable.span, {
      first: node.names[0]?.text ?? '',
      firstLength: String(first!.length),
      second: node.names[found.indexOf(other)]?.text ?? '',
      secondLength: String(other.length),
    })
    return undefined
  }
  return found
}

function problemOf(
  node: For,
  columns: readonly Value[],
  found: readonly SequenceValue[],
): string | undefined {
  const other = columns.find(column => column.kind !== 'sequence')
  if (other) return `one of them is ${describe(other)}`
  if (found.length !== node.names.length) return `${found.length} for ${node.names.length} names`
  return found.some(each => each.reverse !== found[0]!.reverse) ? 'one runs backwards' : undefined
}

// ── What it carries ─────────────────────────────────────────────────────────────────────────────────────────────────

/** A `var` from outside that the body sets. */
interface Carried {
  readonly name: string
  /** As the first round finds it, of tensors alone. */
  readonly start: Value
  readonly span: Span | undefined
}

/** Undefined where the name can't be set at all: the `set` itself says so. */
function carriedFrom(ctx: Context, name: string, node: For): Carried | undefined {
  const binding = ctx.env.lookup(name)
  if (!binding?.mutable || binding.value.kind === 'error') return undefined
  const start = tensorsOnly(ctx, binding.value, node.span)
  if (!start) {
    complain(
      ctx,
      'LTM2144',
      node.span,
      { name, got: describe(binding.value) },
      binding.span ? { labels: [{ span: binding.span, text: 'declared here' }] } : {},
    )
    return undefined
  }
  return { name, start, span: binding.span }
}

/** Numbers become tensors; undefined where something is neither. */
function tensorsOnly(ctx: Context, value: Value, span: Span): Value | undefined {
  switch (value.kind) {
    case 'tensor':
      return value
    case 'int':
    case 'float':
    case 'bool': {
      const tensor = toTensor(ctx, value, span)
      return tensor.kind === 'error' ? undefined : tensor
    }
    case 'list': {
      const items = value.items.map(item => tensorsOnly(ctx, item, span))
      return items.every(item => item !== undefined) ? { kind: 'list', items } : undefined
    }
    case 'record': {
      const fields = [...value.fields].map(([name, field]) => [name, tensorsOnly(ctx, field, span)] as const)
      const whole = fields.flatMap(([name, field]) => (field ? [[name, field] as const] : []))
      return whole.length === fields.length ? { ...value, fields: new Map(whole) } : undefined
    }
    default:
      return undefined
  }
}

/** What a round leaves of a `var`: of the type that it started with. */
function endOfRound(ctx: Context, { name, start, span }: Carried, body: RoundBody): Value | undefined {
  const after = body.ends.get(name) ?? errorValue
  if (after.kind === 'error') return undefined
  const end = body.inside(inner => likeStart(inner, start, after))
  if (end === 'error') return undefined
  if (end) return end
  complain(
    ctx,
    'LTM2143',
    body.span,
    { name, before: describe(start), after: describe(after) },
    span ? { labels: [{ span, text: 'it starts here' }] } : {},
  )
  return undefined
}

/** The value with the structure and types of another one; undefined where it differs. */
function likeStart(ctx: Context, start: Value, end: Value): Value | 'error' | undefined {
  if (end.kind === 'error') return 'error'
  if (start.kind === 'tensor') {
    if (end.kind === 'tensor') return sameSizes(ctx, start.type, end.type) ? end : undefined
    const fits =
      end.kind === 'bool'
        ? start.type.dtype === 'bool'
        : end.kind === 'int' || (end.kind === 'float' && start.type.dtype === 'f32')
    if (!fits) return undefined
    const tensor = filled(ctx, end, start.type, start.span ?? noSpan(ctx))
    return tensor.kind === 'error' ? 'error' : tensor
  }
  if (start.kind === 'list' && end.kind === 'list' && start.items.length === end.items.length)
    return joined(
      start.items.map((item, i) => likeStart(ctx, item, end.items[i]!)),
      items => ({ kind: 'list', items }),
    )
  if (start.kind === 'record' && end.kind === 'record' && start.fields.size === end.fields.size) {
    const names = [...start.fields.keys()]
    return joined(
      names.map(name => likeStart(ctx, start.fields.get(name)!, end.fields.get(name) ?? errorValue)),
      fields => ({ kind: 'record', fields: new Map(names.map((name, i) => [name, fields[i]!])) }),
    )
  }
  return undefined
}

const noSpan = (ctx: Context): Span => ctx.instantiations.at(-1)!.span

function joined(
  parts: readonly (Value | 'error' | undefined)[],
  make: (whole: readonly Value[]) => Value,
): Value | 'error' | undefined {
  if (parts.includes('error')) return 'error'
  const whole = parts.flatMap(part => (part === undefined || part === 'error' ? [] : [part]))
  return whole.length === parts.length ? make(whole) : undefined
}

function sameSizes(ctx: Context, a: TensorType, b: TensorType): boolean {
  if (sameType(a, b)) return true
  if (a.dtype !== b.dtype) return false
  if (a.shape.length !== b.shape.length) return ctx.generic && [...a.shape, ...b.shape].some(isRest)
  return a.shape.every((size, i) => {
    const answer = compareDims(size, b.shape[i]!)
    return answer === 'equal' || (answer === 'unknown' && ctx.generic)
  })
}

/** After an error nothing is known of what the loop sets. */
function forget(ctx: Context, carried: readonly Carried[]): Value {
  for (const { name } of carried) ctx.env.assign(name, errorValue)
  return errorValue
}

// ── Its body ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface RoundBody {
  readonly region: FunctionRegion
  readonly captures: Captures
  readonly params: readonly FuncParam[]
  /** The carried values as the round leaves them, before their types are looked at. */
  readonly ends: ReadonlyMap<string, Value>
  readonly yielded: Value | undefined
  readonly yields: number
  readonly firstYield: Span | undefined
  readonly span: Span
  /** Adds to the body after its last statement. */
  readonly inside: <T>(add: (ctx: Context) => T) => T
}

function elaborateBody(
  ctx: Context,
  node: For,
  sequences: readonly SequenceValue[] | undefined,
  carried: readonly Carried[],
): RoundBody {
  const region = new FunctionRegion()
  const captures = new Captures(region)
  const env = captures.scope(ctx.env)
  const params: FuncParam[] = []
  for (const { name, start, span } of carried)
    env.define(name, ownValue(region, name, start, params, span), span, { mutable: true })
  node.names.forEach((name, i) => {
    checkShadowing(ctx, name)
    env.define(name.text, sliceValue(region, name, sequences?.[i], params), name.span)
  })
  const spans: Span[] = []
  const given: Value[] = []
  const within: Context = {
    ...ctx,
    env,
    region,
    expected: undefined,
    returns: 'optional',
    round: (value, span) => {
      // Of the branches of a condition that a definition leaves open one yields.
      if (spans.length > 0 && !ctx.generic) complain(within, 'LTM2146', span, undefined)
      spans.push(span)
      given.push(value)
    },
  }
  executeBody(within, node.body)
  return {
    region,
    captures,
    params,
    ends: new Map(carried.map(({ name }) => [name, env.lookup(name)?.value ?? errorValue])),
    yielded: given[0] && tensorsOnly(within, given[0], spans[0]!),
    yields: spans.length,
    firstYield: spans[0],
    span: node.body.span,
    inside: add => add(within),
  }
}

function sliceValue(
  region: FunctionRegion,
  name: Name,
  sequence: SequenceValue | undefined,
  params: FuncParam[],
): Value {
  if (!sequence) return errorValue
  const own = region.fresh(name.text)
  const type = sliceType(sequence)
  params.push({ name: own, type })
  return { kind: 'tensor', name: own, type, span: name.span }
}

// ── What it yields ──────────────────────────────────────────────────────────────────────────────────────────────────

interface Stacked {
  readonly own: TensorValue
  readonly axis: number
  readonly type: TensorType
}

/** The yields of all rounds put together along the axis of the first sequence. */
function stackedValues(
  ctx: Context,
  yielded: Value,
  first: SequenceValue,
  node: For,
): readonly Stacked[] | undefined {
  const found: Stacked[] = []
  for (const own of tensorsOf(yielded)) {
    const { shape, dtype } = own.type
    const at = stackIndex(shape, first.axis)
    if (at === undefined) {
      if (!shape.some(isRest))
        complain(ctx, 'LTM2147', node.span, { axis: first.axis, type: showType(own.type) })
      return undefined
    }
    const type: TensorType = { dtype, shape: [...shape.slice(0, at), first.length, ...shape.slice(at)] }
    found.push({ own, axis: shape.some(isRest) ? first.axis : at, type })
  }
  return found
}

// ── The step ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Made {
  readonly sequences: readonly SequenceValue[]
  readonly carried: readonly Carried[]
  readonly body: RoundBody
  readonly ends: readonly Value[]
}

function emitScan(
  ctx: Context,
  node: For,
  { sequences, carried, body, ends }: Made,
  stacked: readonly Stacked[],
): { readonly carried: readonly Value[]; readonly stacked: readonly TensorValue[] } {
  const { region, captures } = body
  const results = [...ends.flatMap(tensorsOf), ...stacked.map(each => each.own)]
  const sized = sizedBy(ctx, body, results)
  const taken = captures.taken([...results, ...sized.map(tensor => captures.tensor(tensor))])
  const { hosts } = captures
  for (const { spec, value } of region.writes)
    complain(
      ctx,
      'LTM4311',
      value.span ?? node.span,
      { name: spec.declaration.name.text },
      { labels: [{ span: node.span, text: 'in this loop' }] },
    )
  const func = region.finish(
    {
      name: ctx.world.functions.fresh(`scan.${node.names[0]?.text ?? ''}`),
      declaration: 'scan',
      role: 'scan',
      origin: originOf(node.span),
    },
    [...body.params, ...taken.params],
    hosts.names,
    { values: results, fields: undefined },
  )
  ctx.world.functions.list.push(func)
  const members = region.members.flatMap(read => {
    const value = ctx.region.member(ctx, read.path, read.spec, node.span, read.part)
    return value.kind === 'error' ? [] : [value.name]
  })
  const starts = carried.flatMap(({ start }) => tensorsOf(start))
  const inputs = [
    ...starts.map(start => start.name),
    ...sequences.map(sequence => sequence.tensor.name),
    ...taken.inputs,
    ...members,
    ...(region.drawsRandom ? [keyAt(ctx, 'for', node.span)] : []),
  ]
  const attrs: Record<string, Attr> = {
    func: func.name,
    host: hosts.exprs,
    carried: starts.length,
    along: sequences.map(sequence => sequence.axis),
    stack: stacked.map(each => each.axis),
    reverse: sequences.some(sequence => sequence.reverse),
  }
  const output = (name: string, type: TensorType, span: Span | undefined): TensorValue => ({
    kind: 'tensor',
    name: ctx.region.fresh(name),
    type,
    span,
  })
  const finals = carried.map(({ name, start, span }) =>
    replaceTensors(
      start,
      tensorsOf(start).map(tensor => output(name, tensor.type, span)),
    ),
  )
  const all = stacked.map(each => output('yields', each.type, node.span))
  const outputs = [...finals.flatMap(tensorsOf), ...all].map(
    (value): IrValue => ({ name: value.name, type: value.type }),
  )
  const step: Step = { op: 'scan', inputs, attrs, outputs, origin: originOf(node.span) }
  ctx.region.push(step)
  return { carried: finals, stacked: all }
}

/** Tensors from outside that tell sizes which the body mentions and nothing that it takes has. */
function sizedBy(ctx: Context, body: RoundBody, results: readonly TensorValue[]): readonly TensorValue[] {
  const known = new Set(
    [...body.params, ...body.captures.taken(results).params].flatMap(param =>
      param.type === 'key' ? [] : sizesOfType(param.type),
    ),
  )
  const mentioned = body.region.steps.flatMap(step => [
    ...step.outputs.flatMap(value => (value.type === 'key' ? [] : sizesOfType(value.type))),
    ...Object.values(step.attrs).flatMap(sizesOfAttr),
  ])
  const missing = [...new Set(mentioned)].filter(size => !known.has(size))
  return missing.flatMap(size => tensorOfSize(ctx.env, size) ?? [])
}

/** The sizes in host expressions; those in other attributes show in the types of results. */
function sizesOfAttr(attr: Attr): readonly string[] {
  if (Array.isArray(attr)) return attr.flatMap(sizesOfAttr)
  if (typeof attr !== 'object' || !('kind' in attr)) return []
  switch (attr.kind) {
    case 'size':
      return [...variablesOf(attr.dim)]
    case 'apply':
      return attr.args.flatMap(sizesOfAttr)
    case 'choose':
      return [attr.condition, attr.then, attr.otherwise].flatMap(sizesOfAttr)
    default:
      return []
  }
}
