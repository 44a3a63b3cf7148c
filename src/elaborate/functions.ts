import { bug } from '../base/bug.ts'
import { NameSupply } from '../base/fresh.ts'
import type { Span } from '../base/source.ts'
import type { Func, FuncParam, HostExpr, Value as IrValue, Step } from '../ir/ir.ts'
import type { Body, Signature } from '../syntax/ast.ts'
import type { TensorType } from '../types/tensor.ts'
import { unifyShape } from '../types/unify.ts'
import type { CallSite, Piped } from './arguments.ts'
import {
  type Context,
  complain,
  type FunctionInstance,
  isBroken,
  type MemberRead,
  type ModeReads,
  originOf,
  type Region,
  spend,
} from './context.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { executeBody } from './evaluate.ts'
import {
  bindFormals,
  checkDeclared,
  defineSizes,
  type FormalValue,
  freshSizes,
  type Sizes,
} from './formals.ts'
import { valueKey } from './keys.ts'
import { checkLogits } from './logits.ts'
import { joinPath } from './members.ts'
import { requirement } from './requirement.ts'
import { type DeclaredType, declaredType } from './types.ts'
import {
  errorValue,
  type FunctionValue,
  type ModuleValue,
  type ParamSpec,
  type TensorValue,
  type Value,
} from './values.ts'

/** Calls a declared function: inline where it only computes host values, else as a specialised function of the IR. */
export function callFunction(ctx: Context, callee: FunctionValue, site: CallSite, piped?: Piped): Value {
  const { declaration } = callee
  const scope = callee.env.child()
  const sizes = freshSizes()
  const owner = callee.self ? `${callee.self.spec.declaration.name.text}.${callee.name}` : callee.name
  const args = bindFormals(ctx, declaration.signature.formals, { ...site, owner }, piped, scope, sizes)
  if (!args || isBroken(ctx, declaration.id)) return errorValue
  const relied = declaration.signature.where
  if (!relied.every(condition => requirement({ ...ctx, env: scope }, condition, site.span))) return errorValue
  if (declaration.kind === 'Loss') checkLogits(ctx, callee.name, args)
  const rests = restsOf(sizes)
  const result = declaration.signature.result
    ? declaredType(
        {
          ...ctx,
          env: scope,
          expected: undefined,
          rests,
          instantiations: [
            ...ctx.instantiations,
            { span: site.span, text: `in this call of \`${site.shown}\`` },
          ],
        },
        declaration.signature.result,
        sizes.variables,
      )
    : undefined
  if (isHostFunction(callee, args, result)) return callInline(ctx, callee, args, scope, site, result)
  const wanted = resultType(ctx, result, sizes, site)
  if (wanted === 'error') return errorValue
  defineSizes(scope, sizes)
  const request: FunctionRequest = {
    name: owner,
    declaration: {
      id: declaration.id,
      signature: declaration.signature,
      body: declaration.body,
      doc: declaration.doc,
      span: declaration.span,
    },
    role: roleOf(declaration),
    scope,
    self: callee.self,
    holds: callee.holds ?? [],
    args: args.map(arg => ({ name: arg.formal.name.text, value: arg.value, span: arg.formal.name.span })),
    rests: restsOf(sizes),
    result: wanted,
    resultKey:
      wanted?.kind === 'tensor'
        ? valueKey({ kind: 'tensor', name: '', type: wanted.type, span: undefined })
        : '',
  }
  const instance = functionInstance(ctx, request, {
    span: site.span,
    text: `in this call of \`${site.shown}\``,
  })
  return instance ? emitCall(ctx, instance, request, site.span) : errorValue
}

function roleOf(declaration: FunctionValue['declaration']): Func['role'] {
  if (declaration.kind === 'Method') return declaration.role === 'log_forward' ? 'forward' : declaration.role
  return declaration.kind === 'Loss' ? 'loss' : 'fn'
}

/**
 * A function of host values only: no tensor comes in and none is declared to come out. What a module has is about its
 * parameters, which its own paths name: a method is one only if it says so.
 */
function isHostFunction(
  callee: FunctionValue,
  args: readonly FormalValue[],
  result: DeclaredType | undefined,
): boolean {
  if (callee.self && !result) return false
  const holdsTensor = (value: Value): boolean =>
    value.kind === 'tensor' ||
    (value.kind === 'record' && [...value.fields.values()].some(holdsTensor)) ||
    (value.kind === 'list' && value.items.some(holdsTensor))
  return !args.some(arg => holdsTensor(arg.value)) && result?.kind !== 'tensor' && result?.kind !== 'record'
}

function callInline(
  ctx: Context,
  callee: FunctionValue,
  args: readonly FormalValue[],
  scope: Env,
  site: CallSite,
  result: DeclaredType | undefined,
): Value {
  const key = `inline ${callee.declaration.id}(${args.map(arg => valueKey(arg.value)).join(', ')})`
  if (ctx.active.includes(key)) return complain(ctx, 'LTM3011', site.span, { cycle: `\`${callee.name}\`` })
  if (recurs(ctx, `inline ${callee.declaration.id}(`) || !spend(ctx, site.span, `\`${callee.name}\``))
    return errorValue
  const within: Context = {
    ...ctx,
    env: scope,
    self: callee.self,
    holds: callee.holds ?? [],
    declaration: ctx.generic ? ctx.declaration : callee.declaration.id,
    active: [...ctx.active, key],
    expected: undefined,
  }
  const value = executeBody(within, callee.declaration.body)
  if (!result) return value
  const { body, signature } = callee.declaration
  const what = `the result of \`${callee.name}\``
  return checkDeclared(within, value, result, resultSpan(body), what, signature.result?.span)
}

/** In a definition a function inside itself, with other arguments, is not followed: only instances know where that ends. */
const recurs = (ctx: Context, start: string): boolean =>
  ctx.generic && ctx.active.some(key => key.startsWith(start))

const restsOf = (sizes: Sizes): ReadonlyMap<string, readonly (number | string)[]> =>
  new Map([...sizes.bindings.rests].map(([name, shape]) => [name.replace(/^\.\.\./, ''), shape]))

/** The declared result with its sizes bound; sizes that no argument binds come from where the result goes. */
function resultType(
  ctx: Context,
  result: DeclaredType | undefined,
  sizes: Sizes,
  site: CallSite,
): DeclaredType | undefined | 'error' {
  if (result?.kind !== 'tensor') return result
  const open = result.type.shape.filter(
    size => typeof size === 'string' && sizes.variables.has(size) && !isBound(size, sizes),
  )
  if (open.length === 0) return result
  if (ctx.expected) {
    const matched = unifyShape(result.type.shape, sizes.variables, ctx.expected.shape, sizes.bindings)
    if (matched.ok) return { kind: 'tensor', type: { dtype: result.type.dtype, shape: ctx.expected.shape } }
  }
  if (!ctx.generic) complain(ctx, 'LTM2105', site.span, { callee: site.shown })
  return 'error'
}

const isBound = (size: string, sizes: Sizes): boolean =>
  sizes.bindings.dims.has(size) || sizes.bindings.rests.has(size)

/** What a specialised function is made from. */
export interface FunctionRequest {
  readonly name: string
  readonly declaration: {
    readonly id: number
    readonly signature: Signature
    readonly body: Body
    readonly doc: string | undefined
    readonly span: Span
  }
  readonly role: Func['role']
  /** The scope of its formals, which are defined in it anew, as the function's own values. */
  readonly scope: Env
  readonly self: ModuleValue | undefined
  /** Conditions that hold in its body. */
  readonly holds?: readonly string[]
  readonly args: readonly FunctionArg[]
  readonly rests: ReadonlyMap<string, readonly (number | string)[]> | undefined
  readonly result: DeclaredType | undefined
  /** What else tells this specialisation from others. */
  readonly resultKey: string
  /** Checks and completes the result: the new states of an update. */
  readonly finish?: (ctx: Context, result: Value) => Value
  /** Defined in its scope besides the formals: states, slots. */
  readonly vars?: readonly FunctionArg[]
}
/** What a call of an instance needs of the request that made it. */
export type CallRequest = Pick<FunctionRequest, 'name' | 'self' | 'args' | 'vars'>
export interface FunctionArg {
  readonly name: string
  readonly value: Value
  readonly span: Span | undefined
}

/** The specialisation for these arguments: found, or built now. Undefined where its body has errors. */
export function functionInstance(
  ctx: Context,
  request: FunctionRequest,
  made: { readonly span: Span; readonly text: string } | undefined,
): FunctionInstance | undefined {
  const key = functionKey(ctx, request)
  const { byKey } = ctx.world.functions
  const known =
    byKey.get(key) ?? byKey.get(modeKey(ctx, key, 'training')) ?? byKey.get(modeKey(ctx, key, 'phase'))
  if (known) {
    if (known.readsMode !== 'nothing') ctx.mode.onRead(known.readsMode)
    return known
  }
  if (ctx.active.includes(key)) {
    complain(ctx, 'LTM3011', made?.span ?? request.declaration.span, { cycle: `\`${request.name}\`` })
    return undefined
  }
  const at = made?.span ?? request.declaration.span
  if (recurs(ctx, `${request.declaration.id} `) || !spend(ctx, at, `\`${request.name}\``)) return undefined
  return buildFunction(ctx, request, key, made)
}

function functionKey(ctx: Context, request: FunctionRequest): string {
  const args = [...request.args, ...(request.vars ?? [])].map(
    arg => `${arg.name}: ${isHostArgument(arg.value) ? 'host' : valueKey(arg.value)}`,
  )
  const self = request.self?.spec.key ?? ''
  return `${request.declaration.id} ${self} ${ctx.generic}(${args.join(', ')}) ${request.resultKey} ${request.name}`
}

/** The key of what is specialised for the mode as well, or for the phase. */
function modeKey(ctx: Context, key: string, reads: ModeReads): string {
  if (reads === 'nothing') return key
  return reads === 'training' ? `${key} training ${ctx.mode.training}` : `${key} in ${ctx.mode.phase}`
}

/** Numbers that only the host knows are passed; known ones are specialised for. */
function isHostArgument(value: Value): boolean {
  return value.kind === 'float' && value.expr.kind !== 'number'
}

function buildFunction(
  ctx: Context,
  request: FunctionRequest,
  key: string,
  made: { readonly span: Span; readonly text: string } | undefined,
): FunctionInstance | undefined {
  const region = new FunctionRegion()
  let readsMode: ModeReads = 'nothing'
  const scope = request.scope
  const params: FuncParam[] = []
  for (const arg of [...(request.vars ?? []), ...request.args]) {
    const mutable = request.vars?.includes(arg) ?? false
    scope.define(arg.name, ownValue(region, arg.name, arg.value, params, arg.span), arg.span, { mutable })
  }
  const within: Context = {
    ...ctx,
    env: scope,
    region,
    mode: {
      ...ctx.mode,
      onRead: what => {
        readsMode = readsMode === 'phase' ? 'phase' : what
        ctx.mode.onRead(what)
      },
    },
    self: request.self && { ...request.self, path: '' },
    declaration: ctx.generic ? ctx.declaration : request.declaration.id,
    holds: request.holds ?? [],
    instantiations: made ? [...ctx.instantiations, made] : ctx.instantiations,
    active: [...ctx.active, key],
    rests: request.rests,
    expected: request.result?.kind === 'tensor' ? request.result.type : undefined,
  }
  const raw = executeBody(within, request.declaration.body)
  const typed = request.result && raw.kind !== 'error' ? checkResult(within, raw, request) : raw
  const result = request.finish ? request.finish(within, typed) : typed
  const results = resultsOf(result)
  if (!results) {
    if (result.kind !== 'error')
      complain(within, 'LTM2109', request.declaration.body.span, {
        wanted: 'a tensor, or a record of tensors',
        got: describe(result),
      })
    return undefined
  }
  const hostParams = request.args.filter(arg => isHostArgument(arg.value)).map(arg => arg.name)
  const { doc, span } = request.declaration
  const func = region.finish(
    {
      name: ctx.world.functions.fresh(request.name),
      declaration: request.name,
      role: request.role,
      ...(doc === undefined ? {} : { doc }),
      origin: originOf(span),
    },
    params,
    hostParams,
    results,
  )
  const instance: FunctionInstance = {
    func,
    result,
    members: region.members,
    drawsRandom: region.drawsRandom,
    readsMode,
  }
  ctx.world.functions.byKey.set(modeKey(ctx, key, readsMode), instance)
  ctx.world.functions.list.push(func)
  return instance
}

/** A result that is a number where a tensor is declared becomes one; a declared shape is checked at the body. */
function checkResult(ctx: Context, value: Value, request: FunctionRequest): Value {
  const { body, signature } = request.declaration
  const what = `the result of \`${request.name}\``
  return checkDeclared(ctx, value, request.result!, resultSpan(body), what, signature.result?.span)
}

/** The expression that a body returns, where it ends with one. */
export function resultSpan(body: Body): Span {
  if (body.kind !== 'Block') return body.span
  const last = body.statements.at(-1)
  return last?.kind === 'Return' && last.value ? last.value.span : body.span
}

/** The formal as a value of the function itself. Tensors inside records become parameters of their own. */
function ownValue(
  region: FunctionRegion,
  name: string,
  value: Value,
  params: FuncParam[],
  span: Span | undefined,
): Value {
  switch (value.kind) {
    case 'tensor': {
      const own = region.fresh(name)
      params.push({ name: own, type: value.type })
      return { kind: 'tensor', name: own, type: value.type, span }
    }
    case 'record':
      return {
        ...value,
        fields: new Map(
          [...value.fields].map(([field, inner]) => [
            field,
            ownValue(region, `${name}_${field}`, inner, params, span),
          ]),
        ),
      }
    case 'list':
      return {
        kind: 'list',
        items: value.items.map((item, i) => ownValue(region, `${name}_${i}`, item, params, span)),
      }
    case 'float':
      return isHostArgument(value) ? { ...value, expr: { kind: 'argument', name } } : value
    default:
      return value
  }
}

/** The tensors of an argument, in the order in which `ownValue` makes parameters of them. */
function tensorsOf(value: Value): readonly TensorValue[] {
  if (value.kind === 'tensor') return [value]
  if (value.kind === 'record') return [...value.fields.values()].flatMap(tensorsOf)
  if (value.kind === 'list') return value.items.flatMap(tensorsOf)
  return []
}

interface Results {
  readonly values: readonly TensorValue[]
  readonly fields: readonly string[] | undefined
}

function resultsOf(value: Value): Results | undefined {
  if (value.kind === 'tensor') return { values: [value], fields: undefined }
  if (value.kind !== 'record') return undefined
  const values = [...value.fields.values()]
  if (!values.every(field => field.kind === 'tensor')) return undefined
  return { values: values as TensorValue[], fields: [...value.fields.keys()] }
}

/** The steps and names of one function under construction. */
export class FunctionRegion implements Region {
  readonly kind = 'function'
  readonly steps: Step[] = []
  readonly members: MemberRead[] = []
  readonly #names = new NameSupply()
  readonly #places = new NameSupply()
  readonly #named = new Set<string>()
  readonly #memberValues = new Map<string, TensorValue>()
  #key: string | undefined

  push(step: Step): void {
    this.steps.push(step)
  }

  fresh(name: string): string {
    return this.#names.fresh(name)
  }

  rename(value: string, name: string): string {
    const last = this.steps.at(-1)
    if (last?.outputs.length !== 1 || last.outputs[0]!.name !== value || this.#named.has(value)) return value
    const own = this.fresh(name)
    this.#named.add(own)
    this.steps[this.steps.length - 1] = { ...last, outputs: [{ ...last.outputs[0]!, name: own }] }
    return own
  }

  member(
    _ctx: Context,
    path: string,
    spec: ParamSpec,
    span: Span,
    part: MemberRead['part'] = 'value',
  ): TensorValue {
    const key = memberName(path, part)
    const known = this.#memberValues.get(key)
    if (known) return known
    const last = key
      .split(/[.[\]]/)
      .filter(piece => piece !== '')
      .at(-1)!
    const value: TensorValue = {
      kind: 'tensor',
      name: this.fresh(last),
      type: part === 'raw' ? spec.raw : spec.type,
      span,
      parameter: { path, spec },
    }
    this.#memberValues.set(key, value)
    this.members.push({ path, spec, part })
    return value
  }

  key(): string {
    this.#key ??= this.fresh('key')
    return this.#key
  }

  place(name: string): string {
    return this.#places.fresh(name)
  }

  maker(value: string): Step | undefined {
    return this.steps.find(step => step.outputs.some(output => output.name === value))
  }

  /** Only the region of a dataset has columns. */
  column(_offset: number): TensorValue | undefined {
    return undefined
  }

  get drawsRandom(): boolean {
    return this.#key !== undefined
  }

  /** The finished function: its own parameters, then what it reads of its module, then the key of its draws. */
  finish(
    made: FinishedFunction,
    params: readonly FuncParam[],
    hostParams: readonly string[],
    results: Results,
  ): Func {
    const members = this.members.map((read): FuncParam => {
      const value = this.#memberValues.get(memberName(read.path, read.part))!
      return { name: value.name, type: value.type, member: memberName(read.path, read.part) }
    })
    const key: FuncParam[] = this.#key === undefined ? [] : [{ name: this.#key, type: 'key' }]
    return {
      ...made,
      params: [...params, ...members, ...key],
      hostParams,
      steps: this.steps,
      results: results.values.map(value => value.name),
      ...(results.fields ? { fields: results.fields } : {}),
    }
  }
}

type FinishedFunction = Pick<Func, 'name' | 'declaration' | 'role' | 'doc' | 'origin'>

/** A function made from a region that was filled by hand: a start value, the fields of a dataset. */
export function functionFrom(
  ctx: Context,
  region: FunctionRegion,
  made: {
    readonly name: string
    readonly declaration: string
    readonly role: Func['role']
    readonly span: Span
    readonly result: Value
    readonly params?: readonly FuncParam[]
  },
): Func {
  const func = region.finish(
    {
      name: ctx.world.functions.fresh(made.name),
      declaration: made.declaration,
      role: made.role,
      origin: originOf(made.span),
    },
    made.params ?? [],
    [],
    resultsOf(made.result) ?? bug(`${made.name} gives no tensors`),
  )
  ctx.world.functions.list.push(func)
  return func
}

/** `weight`, `weight_raw`, `weight_log`: one member for each part that is read. */
function memberName(path: string, part: MemberRead['part']): string {
  return part === 'value' ? path : `${path}_${part}`
}

/** The call of a specialised function: its tensors, the members of its module, the key of its draws. */
export function emitCall(ctx: Context, instance: FunctionInstance, request: CallRequest, span: Span): Value {
  const owner = request.self?.path ?? ''
  const inputs = [...(request.vars ?? []), ...request.args].flatMap(arg =>
    tensorsOf(arg.value).map(tensor => tensor.name),
  )
  for (const read of instance.members) {
    const value = ctx.region.member(ctx, joinPath(owner, read.path), read.spec, span, read.part)
    if (value.kind === 'error') return value
    inputs.push(value.name)
  }
  if (instance.drawsRandom) inputs.push(keyAt(ctx, owner === '' ? request.name : owner, span))
  const host: HostExpr[] = request.args
    .filter(arg => isHostArgument(arg.value))
    .map(arg => (arg.value as { expr: HostExpr }).expr)
  return pushCall(ctx, instance, inputs, host, span)
}

/** The key below this region's for one draw or call. */
export function keyAt(ctx: Context, place: string, span: Span): string {
  const name = ctx.region.fresh('key_at')
  ctx.region.push({
    op: 'key_at',
    inputs: [ctx.region.key()],
    attrs: { place: ctx.region.place(place) },
    outputs: [{ name, type: 'key' }],
    origin: originOf(span),
  })
  return name
}

function pushCall(
  ctx: Context,
  instance: FunctionInstance,
  inputs: readonly string[],
  host: readonly HostExpr[],
  span: Span,
): Value {
  const { func, result } = instance
  const output = (name: string, type: TensorType): IrValue => ({ name: ctx.region.fresh(name), type })
  const outputs = func.fields
    ? func.fields.map((field, i) => output(field, resultTypes(result)[i]!))
    : [output(callName(func), resultTypes(result)[0]!)]
  ctx.region.push({ op: 'call', inputs, attrs: { func: func.name, host }, outputs, origin: originOf(span) })
  const values = outputs.map(
    (value): TensorValue => ({ kind: 'tensor', name: value.name, type: value.type as TensorType, span }),
  )
  if (!func.fields) return values[0]!
  return { kind: 'record', fields: new Map(func.fields.map((field, i) => [field, values[i]!])) }
}

/** `Linear.forward` names its result `linear`, `gelu` names it `gelu`. */
function callName(func: Func): string {
  const parts = func.declaration.split('.')
  const last = parts.at(-1)!
  const name = last === 'forward' && parts.length > 1 ? parts.at(-2)! : last
  return name[0]!.toLowerCase() + name.slice(1)
}

function resultTypes(result: Value): readonly TensorType[] {
  return tensorsOf(result).map(value => value.type)
}
