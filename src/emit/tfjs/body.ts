import { bug } from '../../base/bug.ts'
import { type Code, join, renderCode, ts } from '../../base/code.ts'
import type { Attr, Attrs, Step, Value } from '../../ir/ir.ts'
import { ops } from '../../ops/index.ts'
import type { Op } from '../../ops/op.ts'
import { dtypeText } from '../../ops/text.ts'
import type { TensorType } from '../../types/tensor.ts'
import { statement } from '../layout.ts'
import { callCode, calledFunction, graphCall, isGraphCall } from './calls.ts'
import { localName, placeOf, traceOf } from './env.ts'
import { floatLiteral, hostCode, shortFloat } from './host.ts'
import { functionName, property, quote } from './names.ts'
import { writeScan } from './scan.ts'
import type { SizeText } from './sizes.ts'
import { isAlive, isHostExpr } from './uses.ts'
import {
  type Body,
  type Bound,
  composed,
  isFilling,
  numberOrTensor,
  stemOf,
  valueCode,
  writeConst,
} from './values.ts'

/** Writes one step: its expression waits for its reader, or becomes a `const`. */
export function writeStep(body: Body, step: Step): void {
  for (const value of step.outputs) body.types.set(value.name, value.type)
  if (!isAlive(step, body.uses)) return
  if (step.op === 'debug') return writeDebug(body, step)
  const atom = atomOf(body, step)
  const [first] = step.outputs
  if (atom !== undefined && first !== undefined) body.values.set(first.name, atom)
  else if (isGraphCall(body.env, step)) writeGraphCall(body, step)
  else if (step.op === 'call') writeCall(body, step)
  else if (step.op === 'scan') writeScan(body, step, writeStep)
  else if (step.op === 'evaluate') writeEvaluation(body, step)
  else writeValue(body, step, first ?? bug(`${step.op} without a result`), opCode(body, step))
}

/** Steps that are never worth a line. */
function atomOf(body: Body, step: Step): Bound | undefined {
  const { attrs, op } = step
  if (op === 'host' && isHostExpr(attrs.value)) return hostAtom(step, hostCode(attrs.value, body.host))
  if (op === 'const' && typeof attrs.value === 'number' && attrs.dtype === 'f32') {
    return { kind: 'number', code: floatLiteral(attrs.value) }
  }
  if (op === 'get') return held(body, String(attrs.var))
  if (op === 'key_at')
    return { kind: 'code', code: ts`${inputCode(body, step.inputs[0])}.at(${placeCode(body, attrs)})` }
  return undefined
}

function held({ locals }: Body, name: string): Bound {
  return { kind: 'held', name, code: locals.get(name) ?? bug(`there is no var \`${name}\``) }
}

/** Where it counts as an integer or a boolean, a host number is a tensor everywhere. */
function hostAtom({ outputs: [output] }: Step, code: Code): Bound {
  const dtype = output === undefined || output.type === 'key' ? 'f32' : output.type.dtype
  if (dtype === 'f32') return { kind: 'number', code }
  return { kind: 'code', code: ts`tf.scalar(${code}, ${dtypeText(dtype)})` }
}

function placeCode(body: Body, { place }: Attrs): Code {
  if (isHostExpr(place)) return hostCode(place, body.host)
  return typeof place === 'number' ? place : quote(String(place))
}

function inputCode(body: Body, name: string | undefined): Code {
  return valueCode(body, name ?? bug('a step without its input'))
}

// ── Writing values ──────────────────────────────────────────────────────────────────────────────────────────────────

function writeValue(body: Body, step: Step, value: Value, code: Code): void {
  const named = !isAnonymous(body, step, value.name) && !body.unnamed.has(value.name)
  if (!named && body.uses.get(value.name) === 1 && !body.env.watched) {
    body.values.set(value.name, { kind: 'pending', code, step })
  } else writeConst(body, step, value.name, code)
}

/** The IR names a value after its operator or function where the source gives it no name. */
function isAnonymous(body: Body, step: Step, name: string): boolean {
  const stem = stemOf(name)
  if (stem === step.op || isFilling(step, stem)) return true
  if (step.op !== 'call') return stem === callName(step.op)
  const { declaration } = calledFunction(body.env, step, body.section).func
  return [declaration, functionName(declaration), ...declaration.split('.')].includes(stem)
}

/** `debug('h', h, 'digits.ltm:12')`. */
function writeDebug(body: Body, step: Step): void {
  const { label, value } = step.attrs
  const line = composed(body, step.inputs, () => {
    const shown = isHostExpr(value) ? hostCode(value, body.host) : inputCode(body, step.inputs[0])
    return ts`debug(${join([quote(String(label)), shown, quote(traceOf(body.env, step.origin))])})`
  })
  body.lines.push(statement(line))
}

function callName(op: string): string | undefined {
  if (op === 'evaluate') return undefined
  const { call } = opOf(op)
  return typeof call === 'string' ? call : undefined
}

/** `const [mean, weight, d_weight] = await run.compute('train.graph', [image, net.weight])`. */
function writeGraphCall(body: Body, step: Step): void {
  const code = composed(body, step.inputs, () => graphCall(body, step))
  const locals = step.outputs.map(({ name }) => {
    const local = localName(body.scope, name)
    body.values.set(name, { kind: 'code', code: local })
    return local
  })
  body.lines.push(statement(ts`const [${join(locals)}] = ${code}`, traceOf(body.env, step.origin)))
}

/** `const { loss: loss1, grad: grad1 } = await closure(x)`. */
function writeEvaluation(body: Body, step: Step): void {
  const code = composed(body, step.inputs, () => ts`await closure(${inputCode(body, step.inputs[0])})`)
  const live = step.outputs.flatMap((value, i) => (body.uses.has(value.name) ? [{ value, i }] : []))
  writeFields(body, step, code, ['loss', 'grad'], live)
}

function writeCall(body: Body, step: Step): void {
  const callee = calledFunction(body.env, step, body.section)
  const { fields } = callee
  const code = composed(body, step.inputs, () => watchedCall(body, step, callCode(body, step, callee)))
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
  body.lines.push(statement(ts`const { ${join(entries)} } = ${code}`, traceOf(body.env, step.origin)))
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
    dim: dimText(body, step),
  }
  const attrs = shortFloats(op, step.attrs)
  const lower = (inputs: readonly Code[]): Code =>
    isSquare(step) ? ts`tf.square(${inputs[0] ?? ''})` : op.tfjs(inputs, attrs, context)
  const numbers = takesNumbers(lower, step)
  const read = (name: string, i: number) => (numbers(i) ? numberOrTensor : valueCode)(body, name)
  return composed(body, step.inputs, () => watchedOperator(body, step, lower(step.inputs.map(read))))
}

function watchedOperator(body: Body, step: Step, code: Code): Code {
  if (!body.env.watched || step.outputs[0]?.type === 'key') return code
  const tensors = step.inputs.filter(name => {
    return tensorType(body, name).length > 0 && body.values.get(name)?.kind !== 'number'
  })
  const inputs = ts`[${join(tensors.map(name => valueCode(body, name)))}]`
  return ts`watchedOperator(${quote(step.op)}, ${quote(placeOf(body.env, step.origin))}, ${inputs}, () => ${code})`
}

function watchedCall(body: Body, step: Step, code: Code): Code {
  if (!body.env.watched) return code
  const { declaration } = calledFunction(body.env, step, body.section).func
  return ts`watchedCall(${quote(declaration)}, ${quote(placeOf(body.env, step.origin))}, () => ${code})`
}

/** Sizes as they are or, for a function of any size, as its inputs have them; a reshape finds one by itself. */
function dimText({ sizes, measure }: Body, { op, inputs, attrs }: Step): SizeText {
  if (measure === undefined) return sizes
  const numbers = Array.isArray(attrs.shape)
    ? attrs.shape.filter(size => typeof size === 'number' && size > 1)
    : []
  const found = op === 'reshape' && numbers.length === 1 ? -1 : undefined
  return dim =>
    typeof dim !== 'number' || dim < 2 ? sizes(dim) : (found ?? measure(dim, inputs) ?? sizes(dim))
}

function isSquare({ op, inputs: [a, b] }: Step): boolean {
  return op === 'mul' && a === b
}

/** What an operator does with a number it does in 32-bit floats, so that no more digits are shown. */
function shortFloats({ attrs: specs = {} }: Op, attrs: Attrs): Attrs {
  const floats = new Set(
    Object.entries(specs).flatMap(([name, { kind }]) => (kind === 'float' ? [name] : [])),
  )
  return Object.fromEntries(
    Object.entries(attrs).map(([key, attr]) => [key, floats.has(key) ? withShortFloats(attr) : attr]),
  )
}

function withShortFloats(attr: Attr): Attr {
  if (typeof attr === 'number') return shortFloat(attr)
  return isList(attr) ? attr.map(withShortFloats) : attr
}

function isList(attr: Attr): attr is readonly Attr[] {
  return Array.isArray(attr)
}

function tensorType(body: Body, name: string): readonly TensorType[] {
  const type = body.types.get(name)
  return type === undefined || type === 'key' ? [] : [type]
}

/** Functions of TensorFlow.js that take a number in place of a scalar, as both their arguments. */
const numeric =
  /^tf\.(add|sub|mul|div|pow|maximum|minimum|equal|notEqual|less|lessEqual|greater|greaterEqual)\(\$, \$\)$/

/** Which inputs of an operator may be numbers. */
function takesNumbers(
  lower: (inputs: readonly Code[]) => Code,
  { inputs }: Step,
): (input: number) => boolean {
  const text = renderCode(lower(inputs.map(() => '$')), 'javascript')
  if (text === 'tf.where($, $, $)') return input => input > 0
  return () => numeric.test(text)
}
