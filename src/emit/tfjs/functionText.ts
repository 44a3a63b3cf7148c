import { bug } from '../../base/bug.ts'
import { annotation, type Code, join, renderCode, ts } from '../../base/code.ts'
import type { Func, FuncParam } from '../../ir/ir.ts'
import type { Line } from '../layout.ts'
import { writeStep } from './body.ts'
import { emitCalled, handedOn, usesIn } from './calls.ts'
import { type Env, localName, localScope, type Section, traceOf } from './env.ts'
import { claim, property, propertyKey } from './names.ts'
import { access, segmentsOf } from './paths.ts'
import { startsOf } from './scan.ts'
import { selfType } from './self.ts'
import { fieldsOf, isList, parametersOf, returnType } from './signature.ts'
import { sizeReader, sizesOf } from './sizes.ts'
import { allInputs, type Uses } from './uses.ts'
import { type Body, type Bound, type Part, valueCode } from './values.ts'

/** How a function takes its inputs and gives its results. */
export type Style =
  | { readonly kind: 'plain' }
  /** Several results as a list: the fields of a dataset. */
  | { readonly kind: 'list' }
  /** Written in place, its inputs destructured from lists. */
  | { readonly kind: 'columns'; readonly list: boolean }
  /** The states of a metric come as one record; `returns` says whether new ones leave likewise. */
  | {
      readonly kind: 'state'
      readonly states: readonly string[]
      readonly type: string
      readonly returns: boolean
    }
  /** An optimizer's update: `(slots, param, grad, t, settings)`, and the new slots and `param` back. */
  | { readonly kind: 'update'; readonly slots: readonly string[]; readonly settings: readonly string[] }

/** A function as text, but for its name. */
export interface FunctionText {
  readonly args: readonly Argument[]
  readonly params: readonly Code[]
  readonly returns: Code
  readonly lines: readonly Line[]
  readonly result: Code
  readonly resultTrace: string | undefined
  readonly needed: readonly boolean[]
  readonly fields: readonly string[] | undefined
  readonly selfType: string | undefined
  readonly parts: ReadonlyMap<string, Part>
}

/** A parameter while the body is being written: whether it has been read decides how it is declared. */
export interface Argument {
  readonly local: string
  readonly param: FuncParam
  used: boolean
}

/** Renders parameters, statements and result. */
export function renderFunction(
  env: Env,
  func: Func,
  style: Style,
  section: Section,
  anySize = false,
): FunctionText {
  const { uses, called } = liveUses(env, func, section)
  const scope = localScope([...called, 'settings'])
  const members = func.params.filter(param => param.member !== undefined && uses.has(param.name))
  const self = members.length > 0 ? claim(scope, 'self') : ''
  const args = func.params
    .filter(param => param.member === undefined)
    .map(param => argumentOf(param, uses, scope))
  const hosts = new Map(func.hostParams.map(name => [name, { local: localName(scope, name), used: false }]))
  const prologue: Line[] = []
  const lines: Line[] = []
  const shaped = shapesOf(args, members, self)
  const sizes = sizesOf(shaped, scope, prologue)
  const body: Body = {
    env,
    section,
    scope,
    uses,
    parts: new Map(),
    locals: new Map(),
    unnamed: new Set([...unnamedResults(func, style), ...startsOf(func.steps)]),
    lines,
    sizes,
    ...(anySize ? { measure: sizeReader(shaped) } : {}),
    values: boundInputs(args, members, self, style),
    types: new Map(func.params.map(param => [param.name, param.type])),
    host: {
      clock: 'run',
      argument: name => readHost(hosts, name),
      size: sizes,
      item: () => bug('a function waits for a number'),
    },
  }
  for (const step of func.steps) writeStep(body, step)
  const fields = fieldsOf(func, style)
  const result = resultCode(body, func, style, fields)
  const keys = args.filter(({ param, used }) => param.type === 'key' && used)
  const type = members.length === 0 ? undefined : selfType(body, func, members)
  return {
    args,
    params: parametersOf({
      style,
      self: type === undefined ? undefined : { local: self, type },
      args,
      hosts: [...hosts],
      keys,
    }),
    returns: returnType(func, style),
    lines: [...prologue, ...lines],
    result,
    resultTrace: resultTrace(env, func),
    needed: func.params.map(param => isNeeded(param, uses)),
    fields,
    selfType: type === undefined ? undefined : renderCode(type, 'typescript'),
    parts: body.parts,
  }
}

/** What a function needs, and the names of the functions that it calls. */
function liveUses(env: Env, func: Func, section: Section) {
  const called = emitCalled(env, func.steps, usesIn(func, allInputs), section)
  return { uses: usesIn(func, handedOn(env, section)), called }
}

function isNeeded({ name, member, type }: FuncParam, uses: Uses): boolean {
  return uses.has(name) || (member === undefined && type !== 'key')
}

function argumentOf(param: FuncParam, uses: Uses, scope: Body['scope']): Argument {
  return { local: localName(scope, param.name), param, used: uses.has(param.name) }
}

function boundInputs(
  args: readonly Argument[],
  members: readonly FuncParam[],
  self: string,
  style: Style,
): Map<string, Bound> {
  const mark = style.kind === 'columns' ? annotation`!` : ''
  return new Map<string, Bound>([
    ...args.map(
      ({ local, param }) =>
        [param.name, { kind: 'code', code: param.type === 'key' ? local : ts`${local}${mark}` }] as const,
    ),
    ...members.map(
      ({ name, member = '' }) => [name, { kind: 'place', root: self, segments: segmentsOf(member) }] as const,
    ),
  ])
}

/** What can tell a size: the arguments first, then the module's own tensors. */
function shapesOf(args: readonly Argument[], members: readonly FuncParam[], self: string) {
  const fromArgs = args.flatMap(argument => {
    const { local, param } = argument
    if (param.type === 'key') return []
    const read = (): Code => {
      argument.used = true
      return local
    }
    return [{ name: param.name, type: param.type, read }]
  })
  const fromSelf = members.flatMap(({ name, type, member = '' }) =>
    type === 'key' ? [] : [{ name, type, read: () => access(self, segmentsOf(member)) }],
  )
  return [...fromArgs, ...fromSelf]
}

function readHost(hosts: ReadonlyMap<string, { readonly local: string; used: boolean }>, name: string): Code {
  const host = hosts.get(name) ?? bug(`there is no argument \`${name}\``)
  host.used = true
  return host.local
}

// ── Results ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A single result, and the new states of a metric or optimizer, stand where they are returned. */
function unnamedResults(func: Func, style: Style): ReadonlySet<string> {
  const states = style.kind === 'state' || style.kind === 'update'
  return new Set(states || func.results.length === 1 ? func.results : [])
}

function resultCode(body: Body, func: Func, style: Style, fields: readonly string[] | undefined): Code {
  const values = func.results.map(name => valueCode(body, name))
  if (isList(style)) return ts`[${join(values)}]`
  if (fields === undefined) return values[0] ?? bug(`${func.name} returns nothing`)
  return ts`{ ${join(values.map((value, i) => fieldCode(fields[i] ?? bug('a result without a field'), value)))} }`
}

/** One entry of a record. */
export function fieldCode(field: string, value: Code): Code {
  return typeof value === 'string' ? property(field, value) : ts`${propertyKey(field)}: ${value}`
}

/** A record's fields come from several places. */
function resultTrace(env: Env, func: Func): string | undefined {
  if (func.results.length > 1) return undefined
  const step = func.steps.find(({ outputs }) => outputs.some(({ name }) => name === func.results[0]))
  return traceOf(env, (step ?? func).origin)
}
