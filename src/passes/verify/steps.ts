import { notations } from '../../ir/host.ts'
import type { Attr, HostExpr, Phase, Step, ValueType } from '../../ir/ir.ts'
import { roundsOf, roundTypes, scanOf, scanTypes } from '../../ir/scan.ts'
import { findOp } from '../../ops/index.ts'
import { inferType } from '../../ops/signature.ts'
import { compareDims, type Dim } from '../../types/dim.ts'
import { elementCount, isRest, type TensorType } from '../../types/tensor.ts'
import { bindSizes, namesIn, showValueType, sizesIn, typeAt } from '../calls.ts'
import { exprsOf, isAttrList, isHostExpr, leavesOf } from '../values.ts'
import { complain, functionOf, inside, metricOf, type Site } from './facts.ts'

/** What is visible at a place. */
export interface Scope extends Site {
  readonly values: Map<string, ValueType>
  /** All names of the function or step, wherever they are visible. */
  readonly taken: Set<string>
  /** The sizes that types here may mention. */
  readonly sizes: ReadonlySet<string>
  /** What the `var`s of a step hold, by name, the indices of loops included. */
  readonly vars?: Map<string, TensorType | 'host'>
  /** Within a loop of the host. */
  readonly looped?: boolean
  /** The host parameters of a function; undefined at the host level, where `read` and `var` are allowed. */
  readonly args: ReadonlySet<string> | undefined
  /** In the closure of an optimizer: what of the host it is given, and the vector that its parameters are. */
  readonly closure?: { readonly args: ReadonlySet<string>; readonly vector: TensorType }
  /** The phase of a training step. */
  readonly phase?: Phase
}

/** Makes a value visible; its name must be new. */
export function define(scope: Scope, name: string, type: ValueType): void {
  if (scope.taken.has(name)) complain(scope, `%${name} is defined twice`)
  const foreign = sizesIn(type).find(size => !scope.sizes.has(size))
  if (foreign !== undefined)
    complain(scope, `%${name} is ${showValueType(type)}, but nothing here has the size ${foreign}`)
  scope.taken.add(name)
  scope.values.set(name, type)
}

/** The type of a visible value. */
export function typeOf(scope: Scope, name: string): ValueType {
  return (
    scope.values.get(name) ?? complain(scope, `%${name} is read before it is defined, or out of its scope`)
  )
}

/** Checks steps in order, and makes what they give visible. */
export function verifySteps(scope: Scope, steps: readonly Step[]): void {
  for (const step of steps) verifyStep(scope, step)
}

function verifyStep(scope: Scope, step: Step): void {
  const here = inside(scope, `${step.outputs.map(value => `%${value.name}`).join(', ') || '()'} = ${step.op}`)
  const inputs = step.inputs.map(name => typeOf(here, name))
  for (const expr of exprsOf(step)) verifyExpr(here, expr)
  const types = resultTypes(here, step, inputs)
  if (types.length !== step.outputs.length)
    complain(here, `it gives ${types.length} values, not ${step.outputs.length}`)
  for (const [i, output] of step.outputs.entries()) {
    if (!sameValueType(output.type, types[i]!)) {
      const inferred = showValueType(types[i]!)
      complain(here, `%${output.name} is ${showValueType(output.type)} where ${inferred} is inferred`)
    }
    define(here, output.name, output.type)
  }
}

/** Whether two types are equal, however their sizes are written. */
export function sameValueType(a: ValueType, b: ValueType): boolean {
  if (a === 'key' || b === 'key') return a === b
  const alike = a.dtype === b.dtype && a.shape.length === b.shape.length
  return alike && a.shape.every((size, i) => compareDims(size, b.shape[i]!) === 'equal')
}

function resultTypes(scope: Scope, step: Step, inputs: readonly ValueType[]): readonly ValueType[] {
  switch (step.op) {
    case 'call':
      return verifyCall(scope, step, inputs)
    case 'scan':
      return verifyScan(scope, step, inputs)
    case 'host':
      onlyAttr(scope, step, 'value', value => value !== undefined && isHostExpr(value))
      return [{ dtype: 'f32', shape: [] }]
    case 'get':
      return [verifyGet(scope, step)]
    case 'read':
      return verifyRead(scope, step)
    case 'debug':
      return verifyDebug(scope, step)
    case 'gradient':
      return verifyGradient(scope, inputs)
    case 'evaluate':
      return verifyEvaluate(scope, inputs)
    default:
      return [inferredType(scope, step, inputs)]
  }
}

function inferredType(scope: Scope, step: Step, inputs: readonly ValueType[]): ValueType {
  const op = findOp(step.op) ?? complain(scope, `there is no operator ${step.op}`)
  const inferred = inferType(op, inputs, step.attrs)
  return 'clash' in inferred ? complain(scope, inferred.clash) : inferred.type
}

function onlyAttr(scope: Scope, step: Step, key: string, test: (attr: Attr | undefined) => boolean): void {
  const alone = Object.keys(step.attrs).length === 1 && test(step.attrs[key])
  if (!alone || step.inputs.length > 0) complain(scope, `\`${step.op}\` takes no input, and only \`${key}\``)
}

function verifyGet(scope: Scope, step: Step): ValueType {
  onlyAttr(scope, step, 'var', name => typeof name === 'string')
  const type = scope.vars?.get(String(step.attrs.var))
  if (type === undefined || type === 'host')
    return complain(scope, `there is no tensor var ${step.attrs.var}`)
  return type
}

function verifyRead(scope: Scope, step: Step): readonly ValueType[] {
  if (scope.closure) complain(scope, 'the closure of an optimizer reads nothing, it is given its parameters')
  if (scope.args) complain(scope, 'a function reads no parameters, buffers or states, it takes them')
  const { buffer, metric, log } = step.attrs
  if (typeof metric === 'string') {
    if (typeof log !== 'string' || Object.keys(step.attrs).length !== 2 || step.inputs.length > 0)
      complain(scope, 'states are read of a metric by the name that it is logged by')
    return metricOf(scope, metric).states.map(state => state.type)
  }
  if (typeof buffer === 'string') {
    onlyAttr(scope, step, 'buffer', path => typeof path === 'string')
    return [scope.facts.buffers.get(buffer)?.type ?? complain(scope, `there is no buffer ${buffer}`)]
  }
  onlyAttr(scope, step, 'parameter', path => typeof path === 'string')
  const path = String(step.attrs.parameter)
  return [scope.facts.parameters.get(path)?.raw ?? complain(scope, `there is no parameter ${path}`)]
}

/** One tensor, or a value of the host, under a label; it gives nothing. */
function verifyDebug(scope: Scope, { inputs, attrs: { label, value } }: Step): readonly ValueType[] {
  const shows = value === undefined ? inputs.length === 1 : inputs.length === 0 && isHostExpr(value)
  return typeof label === 'string' && shows
    ? []
    : complain(scope, '`debug` takes a tensor, or a `value` of the host, and a `label`')
}

/** A loss, and its gradient by the vector where it is evaluated. */
function verifyEvaluate(scope: Scope, [at, ...others]: readonly ValueType[]): readonly ValueType[] {
  const vector =
    scope.closure?.vector ?? complain(scope, 'only the closure of an optimizer evaluates its loss')
  if (at === undefined || others.length > 0 || !sameValueType(at, vector))
    complain(scope, `a loss is evaluated at ${showValueType(vector)}`)
  return [{ dtype: 'f32', shape: [] }, vector]
}

/** The gradients of a number by tensors have the tensors' types. */
function verifyGradient(scope: Scope, [y, ...xs]: readonly ValueType[]): readonly ValueType[] {
  const scalar = y !== undefined && y !== 'key' && y.dtype === 'f32' && y.shape.length === 0
  const floats = xs.length > 0 && xs.every(x => x !== 'key' && x.dtype === 'f32')
  return scalar && floats ? xs : complain(scope, 'a gradient is that of an `f32[]` by float tensors')
}

function verifyCall(scope: Scope, step: Step, inputs: readonly ValueType[]): readonly ValueType[] {
  const { func, host } = step.attrs
  const lists = host !== undefined && isAttrList(host) && host.every(isHostExpr)
  if (typeof func !== 'string' || !lists || Object.keys(step.attrs).length !== 2)
    return complain(scope, 'a call has the attributes `func` and `host`, a list of host expressions')
  return callTypes(scope, func, inputs, host.length)
}

/** What is carried keeps its type, sequences are equally long, and every yield has a place where it is put together. */
function verifyScan(scope: Scope, step: Step, inputs: readonly ValueType[]): readonly ValueType[] {
  const found = scanOf(step)
  const { host } = step.attrs
  if (!found || host === undefined || !isAttrList(host) || !host.every(isHostExpr))
    return complain(
      scope,
      'a scan has the attributes `func`, `host`, `carried`, `along`, `stack` and `reverse`',
    )
  const rounds = roundsOf(found, inputs[found.carried])
  const taken = roundTypes(found, inputs)
  if (!taken || rounds === undefined) return complain(scope, 'it goes along an axis that is not there')
  const uneven = found.along.some((_, i) => !sameLength(inputs[found.carried + i]!, found.along[i]!, rounds))
  if (uneven) complain(scope, `its sequences are not all ${rounds} long`)
  const given = callTypes(scope, found.func, taken, host.length)
  if (given.length !== found.carried + found.stack.length)
    complain(scope, `${found.func} gives ${given.length} values, not ${found.carried + found.stack.length}`)
  const changed = given.slice(0, found.carried).findIndex((type, i) => !sameValueType(type, inputs[i]!))
  if (changed >= 0)
    complain(scope, `%${step.inputs[changed]} is carried as another type, ${showValueType(given[changed]!)}`)
  const types = scanTypes(found, given, rounds).filter(type => type !== undefined)
  return types.length === given.length ? types : complain(scope, 'a yield has no such axis')
}

function sameLength(type: ValueType, axis: number, rounds: Dim): boolean {
  if (type === 'key') return false
  const size = type.shape.at(axis)
  return size !== undefined && compareDims(size, rounds) !== 'different'
}

/** The types that a function gives for arguments of these types; complains where they don't fit. */
export function callTypes(
  site: Site,
  name: string,
  inputs: readonly ValueType[],
  hosts: number,
): readonly ValueType[] {
  const func = functionOf(site, name)
  const wanted = func.hostParams.length
  if (wanted !== hosts) complain(site, `${name} takes ${wanted} numbers of the host, not ${hosts}`)
  const sizes = bindSizes(func, inputs)
  if ('clash' in sizes) return complain(site, sizes.clash)
  const known = new Map(
    [...func.params, ...func.steps.flatMap(step => step.outputs)].map(v => [v.name, v.type]),
  )
  return func.results.map(result => {
    const type = known.get(result) ?? complain(site, `${name} has no %${result} to return`)
    return typeAt(type, sizes)
  })
}

/** Checks that a host expression names what there is at its place. */
export function verifyExpr(scope: Scope, expr: HostExpr): void {
  for (const leaf of leavesOf(expr)) verifyLeaf(scope, leaf)
  verifyArities(scope, expr)
}

function verifyLeaf(scope: Scope, leaf: HostExpr): void {
  const { facts, args, closure } = scope
  if (leaf.kind === 'hyper' && !facts.hypers.has(leaf.name)) complain(scope, `there is no hyper ${leaf.name}`)
  if (leaf.kind === 'var' && (args || !(facts.vars.has(leaf.name) || scope.vars?.get(leaf.name) === 'host')))
    complain(scope, `there is no var ${leaf.name} here`)
  if (leaf.kind === 'argument' && !(args ?? closure?.args)?.has(leaf.name))
    complain(scope, `there is no host parameter ${leaf.name} here`)
  if (leaf.kind === 'clock' && leaf.of !== undefined && !facts.optimizers.has(leaf.of))
    complain(scope, `there is no optimizer ${leaf.of}`)
  if (leaf.kind === 'item') verifyItem(scope, leaf.value)
  const foreign = leaf.kind === 'size' && namesIn(leaf.dim).find(size => !scope.sizes.has(size))
  if (foreign) complain(scope, `nothing here has the size ${foreign}`)
}

function verifyItem(scope: Scope, name: string): void {
  const type = typeOf(scope, name)
  const one = type !== 'key' && !type.shape.some(isRest) && elementCount(type.shape) === 1
  if (!one) complain(scope, `item(%${name}) wants one element, it is ${showValueType(type)}`)
}

function verifyArities(scope: Scope, expr: HostExpr): void {
  if (expr.kind === 'choose') {
    for (const part of [expr.condition, expr.then, expr.otherwise]) verifyArities(scope, part)
    return
  }
  if (expr.kind !== 'apply') return
  const { place } = notations[expr.operator]
  const two = place === 'infix' || expr.operator === 'min' || expr.operator === 'max'
  if (expr.args.length !== (two ? 2 : 1))
    complain(scope, `the host's \`${expr.operator}\` has ${expr.args.length} arguments`)
  for (const arg of expr.args) verifyArities(scope, arg)
}
