import type { HostScope } from '../host.ts'
import type { Attr, Attrs, Func, FuncParam, Step, Value } from '../ir.ts'
import { parseExpr } from './expression.ts'
import { parseLiteral, parseTyped } from './names.ts'
import type { Scanner } from './scanner.ts'

/** `%z: f32[n, 10] = matmul %x, %w`. */
export function parseStep(s: Scanner, scope: HostScope): Step {
  const origin = s.origin()
  const outputs = parseOutputs(s)
  s.expect('=')
  const op = s.name()
  return { op, ...(parseStructural(s, scope, op) ?? parsePlain(s, scope)), outputs, origin }
}

function parseOutputs(s: Scanner): readonly Value[] {
  if (s.accept('(')) {
    s.expect(')')
    return []
  }
  return commaList(s, () => parseTyped(s))
}

/** At least one item, with commas between them. */
export function commaList<T>(s: Scanner, item: () => T): readonly T[] {
  const items = [item()]
  while (s.accept(',')) items.push(item())
  return items
}

type Application = Pick<Step, 'inputs' | 'attrs'>

function parseStructural(s: Scanner, scope: HostScope, op: string): Application | undefined {
  if (op === 'call' && s.onThisLine(/[ \t]+(?:"(?:[^"\\]|\\.)*"|[\w.[\]]+)\(/y)) return parseCall(s, scope)
  if (op === 'host' && s.onThisLine(/[ \t]*\{/y))
    return { inputs: [], attrs: { value: parseBraced(s, scope) } }
  if (op === 'read' && s.onThisLine(/[ \t]+(?:"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.[\]]*)(?!=)(?:\s|$)/y))
    return { inputs: [], attrs: { parameter: s.name() } }
  return undefined
}

function parseCall(s: Scanner, scope: HostScope): Application {
  const func = s.name()
  s.expect('(')
  const inputs: string[] = []
  for (let input = s.valueMaybe(); input !== undefined; input = s.valueMaybe()) {
    inputs.push(input)
    if (!s.accept(',')) break
  }
  const host = s.accept(';') ? commaList(s, () => parseExpr(s, scope)) : []
  s.expect(')')
  return { inputs, attrs: { func, host } }
}

function parsePlain(s: Scanner, scope: HostScope): Application {
  const inputs = s.onThisLine(/[ \t]*%/y) ? commaList(s, () => s.value()) : []
  return { inputs, attrs: parseAttrs(s, scope) }
}

const attrStart = /[ \t]+(?:"(?:[^"\\]|\\.)*"|[\w.[\]]+)=(?!=)/y

function parseAttrs(s: Scanner, scope: HostScope): Attrs {
  const attrs: [string, Attr][] = []
  while (s.onThisLine(attrStart)) {
    const key = s.name()
    s.expect('=')
    attrs.push([key, parseAttr(s, scope)])
  }
  return Object.fromEntries(attrs)
}

function parseAttr(s: Scanner, scope: HostScope): Attr {
  if (s.accept('[')) return s.items(']', () => parseAttr(s, scope))
  return s.onThisLine(/\s*\{/y) ? parseBraced(s, scope) : parseLiteral(s)
}

function parseBraced(s: Scanner, scope: HostScope) {
  s.expect('{')
  const expr = parseExpr(s, scope)
  s.expect('}')
  return expr
}

const docLine = /\/\/\/.*/y

/** Documentation before a function or a closure; undefined where there is none. */
export function parseDoc(s: Scanner): string | undefined {
  const lines: string[] = []
  for (let text = s.take(docLine); text !== undefined; text = s.take(docLine))
    lines.push(text.slice('/// '.length))
  return lines.length === 0 ? undefined : lines.join('\n')
}

/** A function with its documentation; undefined where something else stands. */
export function parseFunc(s: Scanner, outer: HostScope): Func | undefined {
  const doc = parseDoc(s)
  const origin = s.origin()
  if (!s.accept('func'))
    return doc === undefined ? undefined : s.fail('expected the function that this documents')
  const name = s.name()
  const { params, hostParams } = parseParams(s)
  s.expect('->')
  const results = s.list('(', ')', () => parseResult(s))
  const role = s.oneOf(roles)
  const declaration = s.accept('of') ? s.name() : name
  s.expect('{')
  const scope: HostScope = { ...outer, args: new Set(hostParams) }
  return {
    name,
    declaration,
    role,
    ...(doc === undefined ? {} : { doc }),
    params,
    hostParams,
    steps: s.block('}', () => parseStep(s, scope)),
    results: results.map(result => result.value),
    ...fieldsOf(results),
    origin,
  }
}

const roles = [
  'fn',
  'loss',
  'forward',
  'inverse',
  'check',
  'log_det',
  'update',
  'compute',
  'init',
  'fields',
  'lambda',
  'method',
  'scan',
  'graph',
] as const satisfies readonly Func['role'][]

function parseParams(s: Scanner): Pick<Func, 'params' | 'hostParams'> {
  s.expect('(')
  const params: FuncParam[] = []
  while (s.onThisLine(/\s*%/y)) {
    const typed = parseTyped(s)
    params.push(s.accept('as') ? { ...typed, member: s.name() } : typed)
    if (!s.accept(',')) break
  }
  const hostParams = s.accept(';') ? commaList(s, () => s.name()) : []
  s.expect(')')
  return { params, hostParams }
}

interface Result {
  readonly value: string
  readonly field?: string
}

/** `%h`, or `h = %h` in a record. */
function parseResult(s: Scanner): Result {
  const value = s.valueMaybe()
  if (value !== undefined) return { value }
  const field = s.name()
  s.expect('=')
  return { value: s.value(), field }
}

function fieldsOf(results: readonly Result[]): Pick<Func, 'fields'> {
  const fields = results.flatMap(({ field }) => (field === undefined ? [] : [field]))
  return fields.length === 0 ? {} : { fields }
}
