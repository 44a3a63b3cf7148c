import { bug } from '../base/bug.ts'
import type { Attr, Attrs, ValueType } from '../ir/ir.ts'
import { type Dim, parseDim, showDim, variablesOf } from '../types/dim.ts'
import {
  type BroadcastClash,
  broadcastShapes,
  type DType,
  isRest,
  type Obligation,
  restIndex,
  type Shape,
  showType,
  type TensorType,
} from '../types/tensor.ts'
import {
  type Bindings,
  newBindings,
  substituteShape,
  type UnifyClash,
  undecided,
  unifyShape,
} from '../types/unify.ts'
import type { AttrSpec, Clash, Op } from './op.ts'

/** A signature, read. */
export interface Signature {
  readonly inputs: readonly InputPattern[]
  readonly result: TypePattern
  /** The dimension variables, and the rests as `...s`, that the arguments decide. */
  readonly flexible: ReadonlySet<string>
  /** Some inputs are joined by broadcasting. */
  readonly joins: boolean
}

export interface InputPattern {
  readonly name: string
  /** As messages call it. */
  readonly label: string
  readonly type: TypePattern
  /** `(xs: T[...]*)`: the last one, given any number of times, at least once. */
  readonly repeated: boolean
}

/** `broadcast` is the shape `[~s]`. */
export type TypePattern =
  | 'key'
  | { readonly dtype: string; readonly shape: Shape; readonly broadcast: boolean }

/** What an application gives, and the sizes that must be equal for it. */
export interface Inferred {
  readonly type: ValueType
  readonly obligations: readonly Obligation[]
}

/** The dtypes that a class stands for; a class in the result that no input decides is the first. `U` is a second `T`. */
const classes: Readonly<Record<string, readonly DType[]>> = {
  F: ['f32'],
  N: ['f32', 'i32'],
  I: ['i32'],
  B: ['bool'],
  T: ['f32', 'i32', 'bool'],
  U: ['f32', 'i32', 'bool'],
  f32: ['f32'],
  i32: ['i32'],
  bool: ['bool'],
}

const signatures = new Map<string, Signature>()

/** The signature behind its text; reading is remembered. */
export function signatureOf(text: string): Signature {
  const known = signatures.get(text) ?? readSignature(text)
  signatures.set(text, known)
  return known
}

/**
 * The type of an operator's result, with the obligations that come with it, or why it can't take these arguments.
 *
 * A variable or rest of the signature that is called like an attribute of kind `int` or `dims` is that attribute:
 * `(index: I[...s]) -> f32[...s, depth]`. `infer` has the last word; it gets the tensors among the inputs.
 */
export function inferType(op: Op, inputs: readonly ValueType[], attrs: Attrs): Inferred | Clash {
  const signature = signatureOf(op.signature)
  const wrong = checkAttrs(op, attrs) ?? checkCount(signature, inputs.length)
  if (wrong !== undefined) return wrong
  const filled = withDefaults(op, attrs)
  const call: Call = {
    signature,
    bindings: bindAttributes(op, signature, filled),
    dtypes: new Map(),
    obligations: [],
    joined: undefined,
  }
  for (const [index, type] of inputs.entries()) {
    const clash = takeInput(call, index, type)
    if (clash !== undefined) return clash
  }
  const clash = signature.joins ? joinInputs(call, inputs) : undefined
  if (clash !== undefined) return clash
  const type = op.infer ? op.infer(inputs.filter(isTensor), filled) : resultType(op, call)
  return typeof type === 'object' && 'clash' in type ? type : { type, obligations: call.obligations }
}

/** The attributes of an application with all defaults filled in, in the order of the operator's entry. */
export function withDefaults(op: Op, attrs: Attrs): Attrs {
  const specs: Readonly<Record<string, AttrSpec>> | undefined = op.attrs
  if (!specs) return {}
  const filled = Object.entries(specs).map(([name, spec]) => [name, attrs[name] ?? spec.default] as const)
  return Object.fromEntries(filled.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

/** What is wrong with the attributes of an application: an unknown one, a missing one, or one of another kind. */
export function checkAttrs(op: Op, attrs: Attrs): Clash | undefined {
  const specs: Readonly<Record<string, AttrSpec>> = op.attrs ?? {}
  const unknown = Object.keys(attrs).find(name => !Object.hasOwn(specs, name))
  if (unknown !== undefined) {
    const names = Object.keys(specs)
    const takes = names.length === 0 ? 'it takes none' : `it takes ${names.map(quoted).join(', ')}`
    return { clash: `there is no argument \`${unknown}\` here; ${takes}` }
  }
  for (const [name, spec] of Object.entries(specs)) {
    const value = attrs[name] ?? spec.default
    if (value === undefined) return { clash: `the argument \`${name}\` is missing` }
    if (!hasKind(value, spec.kind, op.call === false)) return wrongKind(name, spec, value)
  }
  return undefined
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function readSignature(text: string): Signature {
  const [, inputs, result] = /^\((.*)\)\s*->\s*(.+)$/.exec(text) ?? bug(`no signature: ${text}`)
  const parts = splitTop(inputs!).map(readInput)
  const shapes = [...parts.map(part => part.type), readType(result!, 'result')]
  return {
    inputs: parts,
    result: shapes.at(-1)!,
    flexible: new Set(shapes.flatMap(namesIn)),
    joins: parts.some(({ type }) => type !== 'key' && type.broadcast),
  }
}

function readInput(text: string): InputPattern {
  const [, name, type, star] = /^(\w+)\s*:\s*(.*?)(\*?)$/.exec(text) ?? bug(`no input: ${text}`)
  return { name: name!, label: quoted(name!), type: readType(type!, name!), repeated: star === '*' }
}

function readType(text: string, owner: string): TypePattern {
  if (text === 'key') return 'key'
  const [, dtype, sizes] = /^(\w+)(?:\[(.*)\])?$/.exec(text) ?? bug(`no type: ${text}`)
  if (!Object.hasOwn(classes, dtype!)) bug(`no class of dtypes: ${dtype}`)
  const broadcast = sizes?.startsWith('~') ?? false
  const shape = broadcast ? [] : splitTop(sizes ?? '').map((size, i) => readSize(size, `${owner}${i}`))
  return { dtype: dtype!, shape, broadcast }
}

/** What `...` and `_` are called: each is unlike any other, so nothing remembers what it was. */
const anonymous = /^(\.\.\.)?_/

/** One entry of a shape. */
function readSize(text: string, owner: string): Dim {
  if (text === '...') return `..._${owner}`
  if (text === '_') return `_${owner}`
  return text.startsWith('...') ? text : (parseDim(text) ?? bug(`no size: ${text}`))
}

/** Splits at the commas that no bracket encloses. */
function splitTop(text: string): readonly string[] {
  const parts = ['']
  let depth = 0
  for (const sign of text) {
    if ('[('.includes(sign)) depth++
    if ('])'.includes(sign)) depth--
    if (sign === ',' && depth === 0) parts.push('')
    else parts.push(parts.pop() + sign)
  }
  return parts.map(part => part.trim()).filter(part => part !== '')
}

function namesIn(type: TypePattern): readonly string[] {
  return type === 'key' ? [] : type.shape.flatMap(d => (isRest(d) ? [d] : [...variablesOf(d)]))
}

// ── Attributes ──────────────────────────────────────────────────────────────────────────────────────────────────────

const kinds: Readonly<
  Record<AttrSpec['kind'], { readonly what: string; readonly test: (value: Attr) => boolean }>
> = {
  int: { what: 'a whole number', test: value => Number.isInteger(value) },
  ints: { what: 'a list of whole numbers', test: value => isListOf(value, Number.isInteger) },
  float: { what: 'a number', test: value => typeof value === 'number' },
  bool: { what: 'true or false', test: value => typeof value === 'boolean' },
  axis: { what: 'the number of an axis', test: value => Number.isInteger(value) },
  axes: { what: 'a list of axes', test: value => isListOf(value, Number.isInteger) },
  dims: { what: 'a size or a list of sizes', test: value => isSize(value) || isListOf(value, isSize) },
  dtype: { what: 'f32, i32 or bool', test: value => value === 'f32' || value === 'i32' || value === 'bool' },
  place: {
    what: 'a string or a number of the host',
    test: value => typeof value === 'string' || (typeof value === 'object' && 'kind' in value),
  },
}

/** Operators that no program calls by name take the numbers of a constant in any form. */
function hasKind(value: Attr, kind: AttrSpec['kind'], hidden: boolean): boolean {
  return kinds[kind].test(value) || (hidden && kind === 'float' && isLiteral(value))
}

function isLiteral(value: Attr): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || isListOf(value, isLiteral)
}

function isSize(value: Attr): boolean {
  return Number.isInteger(value) || typeof value === 'string'
}

function isListOf(value: Attr, test: (item: Attr) => boolean): boolean {
  return Array.isArray(value) && value.every(test)
}

function wrongKind(name: string, spec: AttrSpec, value: Attr): Clash {
  const { what } = kinds[spec.kind]
  return { clash: `\`${name}\` is to be ${what}`, expected: what, got: JSON.stringify(value) }
}

function quoted(name: string): string {
  return `\`${name}\``
}

function bindAttributes(op: Op, { flexible }: Signature, attrs: Attrs): Bindings {
  const bindings = newBindings()
  for (const [name, value] of Object.entries(attrs)) {
    const kind: AttrSpec['kind'] | undefined = op.attrs?.[name]?.kind
    if (kind !== 'int' && kind !== 'dims') continue
    if (flexible.has(name) && isDim(value)) bind(bindings, name, value)
    if (flexible.has(`...${name}`) && isShape(value)) bindings.rests.set(`...${name}`, value)
  }
  return bindings
}

function bind(bindings: Bindings, name: string, value: Dim): void {
  bindings.dims.set(name, value)
  bindings.boundBy.set(name, quoted(name))
}

function isDim(value: Attr): value is Dim {
  return isSize(value)
}

function isShape(value: Attr): value is Shape {
  return isListOf(value, isSize)
}

// ── Inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One application on its way through its inputs. */
interface Call {
  readonly signature: Signature
  readonly bindings: Bindings
  /** What each class of dtypes stands for, and the input that said so. */
  readonly dtypes: Map<string, { readonly dtype: DType; readonly by: string }>
  readonly obligations: Obligation[]
  /** The shape of all inputs that broadcast. */
  joined: Shape | undefined
}

function checkCount({ inputs }: Signature, count: number): Clash | undefined {
  const repeated = inputs.at(-1)?.repeated ?? false
  if (repeated ? count >= inputs.length : count === inputs.length) return undefined
  const tensors = inputs.length === 1 ? '1 tensor' : `${inputs.length} tensors`
  const names = inputs.length === 0 ? '' : ` (${inputs.map(input => quoted(input.name)).join(', ')})`
  return {
    clash: `it takes ${repeated ? `at least ${tensors}` : inputs.length === 0 ? 'no tensor' : tensors}${names}, not ${count}`,
  }
}

/** The pattern for an input, and what the input is called. */
function patternAt(
  { inputs }: Signature,
  index: number,
): { readonly type: TypePattern; readonly label: string } {
  const input = inputs[Math.min(index, inputs.length - 1)] ?? bug(`no input ${index}`)
  if (!input.repeated) return input
  return { type: input.type, label: quoted(`${input.name}[${index - inputs.length + 1}]`) }
}

function takeInput(call: Call, index: number, type: ValueType): Clash | undefined {
  const { type: pattern, label } = patternAt(call.signature, index)
  if (!isTensor(type) || pattern === 'key') return keyClash(pattern, type, label, index)
  const clash = takeDType(call, pattern.dtype, type, label)
  if (clash !== undefined) return { ...clash, input: index, got: showType(type) }
  if (pattern.broadcast) return undefined
  const { bindings, signature } = call
  const unified = unifyShape(pattern.shape, signature.flexible, type.shape, bindings, label)
  if (!unified.ok) {
    const expected = showType({ dtype: type.dtype, shape: substituteShape(pattern.shape, bindings) })
    return { clash: shapeClash(unified.clash), input: index, expected, got: showType(type) }
  }
  call.obligations.push(...unified.obligations)
  forgetAnonymous(bindings)
  return undefined
}

function forgetAnonymous({ dims, rests }: Bindings): void {
  for (const names of [dims, rests])
    for (const name of names.keys()) if (anonymous.test(name)) names.delete(name)
}

function isTensor(type: ValueType): type is TensorType {
  return type !== 'key'
}

function keyClash(pattern: TypePattern, type: ValueType, label: string, input: number): Clash | undefined {
  if (pattern === 'key' && type === 'key') return undefined
  const [expected, got] = [
    pattern === 'key' ? 'a random key' : 'a tensor',
    isTensor(type) ? showType(type) : 'a random key',
  ]
  return { clash: `${label} is ${got}, not ${expected}`, input, expected, got }
}

function takeDType(call: Call, name: string, type: TensorType, label: string): Clash | undefined {
  const allowed = classes[name]!
  const known = call.dtypes.get(name)
  if (!allowed.includes(type.dtype)) {
    const expected = allowed.join(' or ')
    return { clash: `${label} is ${type.dtype}, not ${expected}`, expected }
  }
  if (known !== undefined && known.dtype !== type.dtype) {
    return { clash: `${known.by} is ${known.dtype} and ${label} is ${type.dtype}`, expected: known.dtype }
  }
  call.dtypes.set(name, known ?? { dtype: type.dtype, by: label })
  return undefined
}

function shapeClash(clash: UnifyClash): string {
  if (clash.kind === 'rank') return rankText(clash.expected, clash.got, clash.by)
  const { variable, boundBy, by, axis, expected, got } = clash
  if (boundBy === by) return `${by} has ${showDim(expected)} and ${showDim(got)} where both are ${variable}`
  if (boundBy !== undefined && variable !== undefined) {
    const name = isRest(variable) ? `axis ${axis}` : `axis ${variable}`
    return `${name} is ${showDim(expected)} in ${boundBy} and ${showDim(got)} in ${by}`
  }
  return `axis ${axis} of ${by} is ${showDim(got)}, not ${showDim(expected)}`
}

function rankText(expected: Shape, got: Shape, by: string): string {
  const open = restIndex(expected) !== undefined
  const wanted = open ? `at least ${expected.length - 1}` : `${expected.length}`
  return `${by} has ${countAxes(got)}, not ${wanted}`
}

function countAxes(shape: Shape): string {
  const count = restIndex(shape) === undefined ? shape.length : shape.length - 1
  const text = `${count} ${count === 1 ? 'axis' : 'axes'}`
  return restIndex(shape) === undefined ? text : `at least ${text}`
}

// ── Broadcasting ────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Joins the inputs that broadcast. Those of most axes come first, so that an operator of three doesn't depend on their
 * order: a `(d)` meets the `(n, d)` that an `(n, 1)` has become.
 */
function joinInputs(call: Call, inputs: readonly ValueType[]): Clash | undefined {
  const operands = inputs.flatMap((type, index) => broadcastOperand(call.signature, type, index))
  const order = operands.toSorted((a, b) => b.type.shape.length - a.type.shape.length || a.index - b.index)
  let before = ''
  for (const { type, index, label } of order) {
    if (call.joined !== undefined) {
      const result = broadcastShapes(call.joined, type.shape)
      if ('clash' in result) return broadcastText(result.clash, before, label, call.joined, type, index)
      call.obligations.push(...result.obligations)
      call.joined = result.shape
    } else call.joined = type.shape
    before = before === '' ? label : `${before} with ${label}`
  }
  return undefined
}

function broadcastOperand(signature: Signature, type: ValueType, index: number) {
  const { type: pattern, label } = patternAt(signature, index)
  return pattern !== 'key' && pattern.broadcast && isTensor(type) ? [{ type, index, label }] : []
}

function broadcastText(
  { axis, left, right, reason }: BroadcastClash,
  first: string,
  second: string,
  joined: Shape,
  type: TensorType,
  input: number,
): Clash {
  const place = axis === -1 ? 'the last axis' : `axis ${axis}`
  const types = { expected: showType({ dtype: type.dtype, shape: joined }), got: showType(type), input }
  if (reason === 'different') {
    return { clash: `${place} is ${showDim(left)} in ${first} and ${showDim(right)} in ${second}`, ...types }
  }
  return {
    clash: `the last axis is a 1 in ${first} and ${showDim(right)} in ${second}, which has fewer axes; give both the same number of axes`,
    ...types,
  }
}

// ── Result ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function resultType(op: Op, { signature, bindings, dtypes, joined }: Call): ValueType {
  const { result, flexible } = signature
  if (result === 'key') return 'key'
  const open = undecided(namesIn(result), bindings)
  if (open.length > 0 && open.some(name => flexible.has(name))) {
    bug(`the signature ${op.signature} doesn't say what ${open.join(', ')} is`)
  }
  const dtype = dtypes.get(result.dtype)?.dtype ?? classes[result.dtype]![0]!
  return { dtype, shape: result.broadcast ? (joined ?? []) : substituteShape(result.shape, bindings) }
}
