import type { HostScope } from '../host.ts'
import type { Attr, Func, FuncParam, HostExpr, Step, Value } from '../ir.ts'
import { printExpr } from './expression.ts'
import { indent, type Line, line, traced } from './lines.ts'
import { printLiteral, printName, printType, printValue } from './names.ts'

/** `%z: f32[n, 10]`. */
export function printTyped(value: Value): string {
  return `${printValue(value.name)}: ${printType(value.type)}`
}

/** `%z: f32[n, 10] = matmul %x, %w transpose=true`. */
export function stepLine(step: Step, scope: HostScope): Line {
  const outputs = step.outputs.length === 0 ? '()' : step.outputs.map(printTyped).join(', ')
  return traced(`${outputs} = ${structural(step, scope) ?? plain(step, scope)}`, step.origin)
}

function plain(step: Step, scope: HostScope): string {
  const inputs = step.inputs.length === 0 ? '' : ` ${step.inputs.map(printValue).join(', ')}`
  const attrs = Object.keys(step.attrs)
    .sort()
    .map(key => ` ${printName(key)}=${printAttr(step.attrs[key]!, scope)}`)
  return `${printName(step.op)}${inputs}${attrs.join('')}`
}

function printAttr(attr: Attr, scope: HostScope): string {
  if (typeof attr !== 'object') return printLiteral(attr)
  if (isList(attr)) return `[${attr.map(item => printAttr(item, scope)).join(', ')}]`
  return `{${printExpr(attr, scope)}}`
}

function isList(attr: readonly Attr[] | HostExpr): attr is readonly Attr[] {
  return Array.isArray(attr)
}

/** The shorter form of a structural step whose attributes are what they should be. */
function structural(step: Step, scope: HostScope): string | undefined {
  const keys = Object.keys(step.attrs).length
  const { func, host, value, parameter } = step.attrs
  if (step.op === 'call' && keys === 2 && typeof func === 'string' && isExprList(host))
    return `call ${printName(func)}(${callArguments(step.inputs, host, scope)})`
  if (step.inputs.length > 0 || keys !== 1) return undefined
  if (step.op === 'host' && isExpr(value)) return `host {${printExpr(value, scope)}}`
  if (step.op === 'read' && typeof parameter === 'string') return `read ${printName(parameter)}`
  return undefined
}

function callArguments(inputs: readonly string[], host: readonly HostExpr[], scope: HostScope): string {
  const tensors = inputs.map(printValue).join(', ')
  return host.length === 0 ? tensors : `${tensors}; ${host.map(arg => printExpr(arg, scope)).join(', ')}`
}

function isExpr(attr: Attr | undefined): attr is HostExpr {
  return typeof attr === 'object' && !isList(attr)
}

function isExprList(attr: Attr | undefined): attr is readonly HostExpr[] {
  return typeof attr === 'object' && isList(attr) && attr.every(isExpr)
}

/** Documentation, in front of what it documents. */
export function docLines(doc: string | undefined): readonly Line[] {
  return doc === undefined ? [] : doc.split('\n').map(text => line(text === '' ? '///' : `/// ${text}`))
}

/** A function: its documentation, what it takes and gives, and its steps. */
export function funcLines(func: Func, scope: HostScope): readonly Line[] {
  const inner: HostScope = { ...scope, args: new Set(func.hostParams) }
  return [
    ...docLines(func.doc),
    traced(`${header(func)} {`, func.origin),
    ...indent(func.steps.map(step => stepLine(step, inner))),
    line('}'),
  ]
}

function header(func: Func): string {
  const host = func.hostParams.length === 0 ? '' : `; ${func.hostParams.map(printName).join(', ')}`
  const results = func.results.map((result, i) => {
    const field = func.fields?.[i]
    return field === undefined ? printValue(result) : `${printName(field)} = ${printValue(result)}`
  })
  const declaration = func.declaration === func.name ? '' : ` of ${printName(func.declaration)}`
  const params = func.params.map(printParam).join(', ')
  return `func ${printName(func.name)}(${params}${host}) -> (${results.join(', ')}) ${func.role}${declaration}`
}

function printParam(param: FuncParam): string {
  return param.member === undefined ? printTyped(param) : `${printTyped(param)} as ${printName(param.member)}`
}
