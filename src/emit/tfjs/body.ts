import { bug } from '../../base/bug.ts'
import { type Code, join, renderCode, ts } from '../../base/code.ts'
import type { Attrs, HostExpr, Step, Value, ValueType } from '../../ir/ir.ts'
import { ops } from '../../ops/index.ts'
import type { Op } from '../../ops/op.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Line, statement } from '../layout.ts'
import { callCode, calledFunction } from './calls.ts'
import { type Env, localName, type Section, traceOf } from './env.ts'
import { type HostNames, hostCode, numberLiteral } from './host.ts'
import { functionName, property, type Scope } from './names.ts'
import { access, type Segment } from './paths.ts'
import type { SizeText } from './sizes.ts'
import { isHostExpr, type Uses } from './uses.ts'

/** What stands for a value of the IR in the text that is being written. */
export type Bound =
  /** A local name, or a short expression that may be repeated. */
  | { readonly kind: 'code'; readonly code: Code }
  /** A host number that stands for a scalar `f32[]`. */
  | { readonly kind: 'number'; readonly code: Code }
  /** A parameter, reached from a model or from `self`. */
  | { readonly kind: 'place'; readonly root: string; readonly segments: readonly Segment[] }
  /** Not written yet: an expression that its only reader takes in, unless a line would get too long. */
  | { readonly kind: 'pending'; readonly code: Code; readonly step: Step }

/** The steps of one function or step of training while they are being written. */
export interface Body {
  readonly env: Env
  readonly section: Section
  readonly scope: Scope
  readonly values: Map<string, Bound>
  readonly types: Map<string, ValueType>
  readonly uses: Uses
  readonly lines: Line[]
  readonly sizes: SizeText
  readonly host: HostNames
}

/** Expressions longer than this get a line and a name of their own. */
const longestExpression = 76
/** Taking a shorter one out of an expression doesn't help. */
const shortestLine = 22

/** Writes one step: its expression waits for its reader, or becomes a `const`. */
export function writeStep(body: Body, step: Step): void {
  for (const value of step.outputs) body.types.set(value.name, value.type)
  if (!step.outputs.some(value => body.uses.has(value.name))) return
  const atom = atomOf(body, step)
  const [first] = step.outputs
  if (atom !== undefined && first !== undefined) body.values.set(first.name, atom)
  else if (step.op === 'call') writeCall(body, step)
  else writeValue(body, step, first ?? bug(`${step.op} without a result`), opCode(body, step))
}

/** Steps that are never worth a line. */
function atomOf(body: Body, step: Step): Bound | undefined {
  const { attrs, op } = step
  if (op === 'host' && isHostExpr(attrs.value))
    return { kind: 'number', code: hostCode(attrs.value, body.host) }
  if (op === 'const' && typeof attrs.value === 'number' && attrs.dtype === 'f32') {
    return { kind: 'number', code: numberLiteral(attrs.value) }
  }
  if (op === 'key_at')
    return { kind: 'code', code: ts`${inputCode(body, step.inputs[0])}.at(${placeCode(body, attrs)})` }
  return undefined
}

function placeCode(body: Body, { place }: Attrs): Code {
  if (isHostExpr(place)) return hostCode(place, body.host)
  return typeof place === 'number' ? place : `'${String(place)}'`
}

// ── Reading values ──────────────────────────────────────────────────────────────────────────────────────────────────

/** The text of a value where a tensor is asked for. */
export function valueCode(body: Body, name: string): Code {
  const bound = body.values.get(name) ?? bug(`the value %${name} is read before it is computed`)
  if (bound.kind === 'number') return ts`tf.scalar(${bound.code})`
  return bound.kind === 'place' ? access(bound.root, bound.segments) : bound.code
}

function inputCode(body: Body, name: string | undefined): Code {
  return valueCode(body, name ?? bug('a step without its input'))
}

/** The text of a value for an operator that takes plain numbers as well. */
function numberOrTensor(body: Body, name: string): Code {
  const bound = body.values.get(name)
  return bound?.kind === 'number' ? bound.code : valueCode(body, name)
}

/** An expression over values: the longest ones that wait get lines of their own until the rest is short enough. */
export function composed(body: Body, inputs: readonly string[], compose: () => Code): Code {
  for (;;) {
    const code = compose()
    const longest = longestPending(body, inputs)
    if (lengthOf(code) <= longestExpression || longest === undefined) return settle(body, inputs, code)
    nameValue(body, longest)
  }
}

function longestPending(body: Body, inputs: readonly string[]): string | undefined {
  const lengths = inputs.map(name => {
    const bound = body.values.get(name)
    return { name, length: bound?.kind === 'pending' ? lengthOf(bound.code) : 0 }
  })
  const worth = lengths.filter(({ length }) => length >= shortestLine)
  return worth.sort((a, b) => b.length - a.length)[0]?.name
}

/** What waited for this reader has been read now. */
function settle(body: Body, inputs: readonly string[], code: Code): Code {
  for (const name of inputs) {
    const bound = body.values.get(name)
    if (bound?.kind === 'pending') body.values.set(name, { kind: 'code', code: bound.code })
  }
  return code
}

export function lengthOf(code: Code): number {
  return renderCode(code, 'typescript').length
}

/** Gives a line to everything that still waits, since what follows must not move across it. */
export function writePending(body: Body): void {
  for (const [name, bound] of body.values) if (bound.kind === 'pending') nameValue(body, name)
}

/** Gives a waiting value a name and a line. */
export function nameValue(body: Body, name: string): void {
  const bound = body.values.get(name)
  if (bound?.kind === 'pending') writeConst(body, bound.step, name, bound.code)
}

// ── Writing values ──────────────────────────────────────────────────────────────────────────────────────────────────

function writeValue(body: Body, step: Step, value: Value, code: Code): void {
  if (isAnonymous(body, step, value.name) && body.uses.get(value.name) === 1) {
    body.values.set(value.name, { kind: 'pending', code, step })
  } else writeConst(body, step, value.name, code)
}

function writeConst(body: Body, step: Step, name: string, code: Code): void {
  const local = localName(body.scope, name)
  body.lines.push(statement(ts`const ${local} = ${code}`, traceOf(step.origin)))
  body.values.set(name, { kind: 'code', code: local })
}

/** The IR names a value after its operator or function where the source gives it no name. */
function isAnonymous(body: Body, step: Step, name: string): boolean {
  const stem = name.replace(/\.\d+$/, '')
  if (stem === step.op) return true
  if (step.op !== 'call') return stem === callName(step.op)
  const { declaration } = calledFunction(body.env, step, body.section).func
  return [declaration, functionName(declaration), ...declaration.split('.')].includes(stem)
}

function callName(op: string): string | undefined {
  const { call } = opOf(op)
  return typeof call === 'string' ? call : undefined
}

function writeCall(body: Body, step: Step): void {
  const callee = calledFunction(body.env, step, body.section)
  const { fields } = callee
  const code = composed(body, step.inputs, () => callCode(body, step, callee))
  const live = step.outputs.flatMap((value, i) => (body.uses.has(value.name) ? [{ value, i }] : []))
  const [only] = live
  if (only === undefined) return
  if (fields === undefined) writeValue(body, step, only.value, code)
  else if (live.length === 1 && isAnonymous(body, step, only.value.name)) {
    writeValue(body, step, only.value, ts`${code}.${fields[only.i] ?? bug('a result without a field')}`)
  } else writeFields(body, step, code, fields, live)
}

/** `const { mean, log_var } = encode(self, x)`. */
function writeFields(
  body: Body,
  step: Step,
  code: Code,
  fields: readonly string[],
  live: readonly { readonly value: Value; readonly i: number }[],
): void {
  const entries = live.map(({ value, i }) => {
    const field = fields[i] ?? bug('a result without a field')
    const local = localName(body.scope, isAnonymous(body, step, value.name) ? field : value.name)
    body.values.set(value.name, { kind: 'code', code: local })
    return property(field, local)
  })
  body.lines.push(statement(ts`const { ${join(entries)} } = ${code}`, traceOf(step.origin)))
}

// ── Operators ───────────────────────────────────────────────────────────────────────────────────────────────────────

function opOf(name: string): Op {
  const table: Readonly<Record<string, unknown>> = ops
  const op = table[name]
  if (op === undefined) return bug(`there is no operator \`${name}\``)
  // The table is typed by each operator's own attributes; here they are only handed through.
  return op as Op
}

function opCode(body: Body, step: Step): Code {
  const op = opOf(step.op)
  const context = {
    inputs: step.inputs.flatMap(name => tensorType(body, name)),
    outputs: step.outputs.flatMap(value => (value.type === 'key' ? [] : [value.type])),
    dim: body.sizes,
  }
  const lower = (inputs: readonly Code[]): Code => op.tfjs(inputs, step.attrs, context)
  const read = takesNumbers(lower, step) ? numberOrTensor : valueCode
  return composed(body, step.inputs, () => lower(step.inputs.map(name => read(body, name))))
}

function tensorType(body: Body, name: string): readonly TensorType[] {
  const type = body.types.get(name)
  return type === undefined || type === 'key' ? [] : [type]
}

/** Functions of TensorFlow.js that take a number in place of a scalar, as both their arguments. */
const numeric =
  /^tf\.(add|sub|mul|div|pow|maximum|minimum|equal|notEqual|less|lessEqual|greater|greaterEqual)\(\$, \$\)$/

function takesNumbers(lower: (inputs: readonly Code[]) => Code, step: Step): boolean {
  return step.inputs.length === 2 && numeric.test(renderCode(lower(['$', '$']), 'javascript'))
}

/** Host arguments of a call, as numbers. */
export function hostArguments(body: Body, exprs: readonly HostExpr[]): readonly Code[] {
  return exprs.map(expr => hostCode(expr, body.host))
}
