import type { Span } from '../base/source.ts'
import type { Func, FuncParam } from '../ir/ir.ts'
import type { Body } from '../syntax/ast.ts'
import { isToldBy } from '../types/dim.ts'
import { unifyShape } from '../types/unify.ts'
import { type CallSite, causeOf, type Piped } from './arguments.ts'
import {
  type Context,
  complain,
  type FunctionInstance,
  isBroken,
  type ModeReads,
  originOf,
  spend,
} from './context.ts'
import { checkDeclared } from './conversion.ts'
import { heldFast } from './declaring.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { executeBody, unexpecting } from './evaluate.ts'
import { looksAtRun } from './fleeting.ts'
import { bindFormals, defineSizes, type FormalValue } from './formals.ts'
import { frozenInside, withPartsFrozenNow } from './frozen.ts'
import { emitCall, ownerOf } from './functionCalls.ts'
import { FunctionRegion, resultsOf, tensorsOf, withWrites } from './functionRegion.ts'
import { type FunctionRequest, isHostArgument } from './functionRequest.ts'
import { valueKey } from './keys.ts'
import { isTied } from './lambdas.ts'
import { checkLogits } from './logits.ts'
import { PlacedRegion } from './placedRegion.ts'
import { freshSizes, type Sizes } from './receiver.ts'
import { requirement } from './requirement.ts'
import { asArgument } from './sharing.ts'
import { statesOf } from './states.ts'
import { isLost } from './tensors.ts'
import { type DeclaredType, declaredType } from './types.ts'
import { errorValue, type FunctionValue, type ModuleValue, type Value } from './values.ts'

/** Calls a declared function: inline where it only computes host values, else as a specialised function of the IR. */
export function callFunction(ctx: Context, declared: FunctionValue, site: CallSite, piped?: Piped): Value {
  const called = asItStandsNow(ctx, declared)
  if (called.self && isHomeless(ctx, called.self))
    return complain(ctx, 'LTM4313', site.span, { made: called.self.spec.declaration.name.text })
  const { callee, mode } = inItsMode(ctx, called)
  const { declaration } = callee
  const scope = callee.env.child()
  const sizes = freshSizes()
  const owner = callee.self ? `${callee.self.spec.declaration.name.text}.${callee.name}` : callee.name
  const place = { ...site, owner, instance: callee.self?.path, declaration }
  const args = bindFormals(ctx, declaration.signature.formals, place, piped, scope, sizes)
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
  if (isHostFunction(callee, args, result)) {
    for (const { formal, value } of args)
      scope.define(formal.name.text, heldFast(ctx, value, formal.name), formal.name.span)
    return callInline({ ...unexpecting(ctx), mode }, callee, args, scope, site, result)
  }
  const wanted = resultType(ctx, result, sizes, place)
  if (wanted === 'error') return errorValue
  // A size that could not be made out has been reported; the body would only say so again.
  if (result?.kind === 'tensor' && result.type.shape.some(isLost)) return errorValue
  defineSizes(scope, sizes)
  const given = new Map<string, ModuleValue>()
  const own = args.map(arg => ownArgument(partsOfArgumentNow(ctx, arg), callee, given))
  for (const { formal, value } of own) scope.define(formal.name.text, value, formal.name.span)
  if (!ctx.generic && (hasUntoldSizes(args, wanted) || args.some(({ value }) => isTied(value))))
    return splice({ ...ctx, mode }, callee, own, given, scope, site, wanted)
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
    given,
    holds: callee.holds ?? [],
    args: own.map(arg => ({ name: arg.formal.name.text, value: arg.value, span: arg.formal.name.span })),
    rests: restsOf(sizes),
    result: wanted,
    resultKey:
      wanted?.kind === 'tensor'
        ? valueKey({ kind: 'tensor', name: '', type: wanted.type, span: undefined })
        : '',
  }
  const instance = functionInstance(mode === ctx.mode ? ctx : { ...ctx, mode }, request, {
    span: site.span,
    text: `in this call of \`${site.shown}\``,
  })
  if (!instance?.looksAtRun) return instance ? emitCall(ctx, instance, request, site.span) : errorValue
  for (const { formal, value } of own)
    scope.define(formal.name.text, heldFast(ctx, value, formal.name), formal.name.span)
  return splice({ ...ctx, mode }, callee, own, given, scope, site, wanted)
}

/** Where hooks freeze parts of models: the function of an instance whose frozen parts are those of this moment. */
function asItStandsNow(ctx: Context, called: FunctionValue): FunctionValue {
  const self = called.self && partsNow(ctx, called.self)
  return self?.kind === 'module' && self !== called.self ? { ...called, self } : called
}

/** Only a step knows where its instances stand; inside a function they are those of its module. */
function partsNow(ctx: Context, value: Value): Value {
  return ctx.frozenNow && ctx.region.kind === 'step' && !ctx.self
    ? withPartsFrozenNow(value, ctx.frozenNow)
    : value
}

function partsOfArgumentNow(ctx: Context, arg: FormalValue): FormalValue {
  const value = partsNow(ctx, arg.value)
  return value === arg.value ? arg : { ...arg, value }
}

/** Made where it is used, and with parameters or buffers of its own. */
function isHomeless(ctx: Context, self: ModuleValue): boolean {
  return self.path === '' && self.spec !== ctx.self?.spec && statesOf(self).length > 0
}

/** The instances in an argument, by a name that nothing in the function's module has. */
function ownArgument(arg: FormalValue, callee: FunctionValue, given: Map<string, ModuleValue>): FormalValue {
  const { text } = arg.formal.name
  const taken = callee.self?.spec.members.has(text)
  const value = asArgument(arg.value, taken ? `${text}_` : text, given)
  return value === arg.value ? arg : { ...arg, value }
}

/** The `training` of a frozen instance is false, whoever calls it (F15); what is frozen inside it goes along. */
function inItsMode(
  ctx: Context,
  callee: FunctionValue,
): { readonly callee: FunctionValue; readonly mode: Context['mode'] } {
  const self = callee.self && ctx.self ? frozenInside(callee.self, ctx.self) : callee.self
  if (!self?.frozen?.includes(''))
    return { callee: self === callee.self ? callee : { ...callee, self }, mode: ctx.mode }
  const { frozen: _, ...whole } = self
  return { callee: { ...callee, self: whole }, mode: { ...ctx.mode, training: false } }
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
  }
  const value = executeBody(within, callee.declaration.body)
  if (!result) return value
  const { body, signature } = callee.declaration
  const what = `the result of \`${callee.name}\``
  return checkDeclared(within, value, result, resultSpan(body), what, signature.result?.span)
}

/**
 * A function takes its sizes from its tensors. One that is asked for a size that none of them tells, as in
 * `let z: f32[batch.size, 4] = zeros()`, has no form of its own: its steps go where it is called. So do those of one that
 * looks at a clock, or that is given a lambda which reads values of the place where it is written.
 */
function splice(
  ctx: Context,
  callee: FunctionValue,
  args: readonly FormalValue[],
  given: ReadonlyMap<string, ModuleValue>,
  scope: Env,
  site: CallSite,
  wanted: DeclaredType | undefined,
): Value {
  const owner = ownerOf({ self: callee.self, given })
  const region = new PlacedRegion(ctx, owner, owner.path === '' ? callee.name : owner.path, site.span)
  const self = callee.self && inside(callee.self)
  const expected = wanted?.kind === 'tensor' ? wanted.type : undefined
  return callInline({ ...ctx, region, expected }, { ...callee, self }, args, scope, site, wanted)
}

/** Sizes of the result or among the arguments that the tensors among these don't tell. */
function hasUntoldSizes(args: readonly FormalValue[], wanted: DeclaredType | undefined): boolean {
  const axes = args.flatMap(arg => tensorsOf(arg.value).flatMap(tensor => tensor.type.shape))
  const asked = [
    ...(wanted?.kind === 'tensor' ? wanted.type.shape : []),
    ...args.flatMap(({ value }) => (value.kind === 'int' ? [value.dim] : [])),
  ]
  return asked.some(size => !isToldBy(size, axes))
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
  if (!ctx.generic && !ctx.lost)
    complain(ctx, 'LTM2105', site.span, { callee: site.shown }, causeOf(ctx, site, 'sizes'))
  return 'error'
}

const isBound = (size: string, sizes: Sizes): boolean =>
  sizes.bindings.dims.has(size) || sizes.bindings.rests.has(size)

/** An instance as its own functions see it. */
function inside({ given: _, ...self }: ModuleValue): ModuleValue {
  return { ...self, path: '' }
}

/** The specialisation for these arguments: found, or built now. Undefined where its body has errors. */
export function functionInstance(
  ctx: Context,
  request: FunctionRequest,
  made: { readonly span: Span; readonly text: string } | undefined,
): FunctionInstance | undefined {
  const key = functionKey(ctx, request)
  const known = ctx.world.functions.find([key, modeKey(ctx, key, 'training'), modeKey(ctx, key, 'phase')])
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
  const frozen = request.self?.frozen ? ` but ${request.self.frozen.join(', ')}` : ''
  const self = `${request.self?.spec.key ?? ''}${frozen}`
  return `${request.declaration.id} ${self} ${ctx.generic}(${args.join(', ')}) ${request.resultKey} ${request.name}`
}

/** The key of what is specialised for the mode as well, or for the phase. */
function modeKey(ctx: Context, key: string, reads: ModeReads): string {
  if (reads === 'nothing') return key
  return reads === 'training' ? `${key} training ${ctx.mode.training}` : `${key} in ${ctx.mode.phase}`
}

function buildFunction(
  ctx: Context,
  request: FunctionRequest,
  key: string,
  made: { readonly span: Span; readonly text: string } | undefined,
): FunctionInstance | undefined {
  const reported = ctx.world.reported.count
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
    self: request.self && inside(request.self),
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
    if (!holdsError(result))
      complain(within, 'LTM2109', request.declaration.body.span, {
        wanted: 'a tensor, or a record of tensors',
        got: describe(result),
      })
    // What one instance shows of a definition of the user, the others would only say again.
    if (!ctx.generic && !ctx.world.library.has(request.declaration.span.source))
      ctx.world.broken.add(request.declaration.id)
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
    request.constrains
      ? [...params, ...region.memberParams.map(({ name, type }) => ({ name, type }))]
      : params,
    hostParams,
    withWrites(results, region.writes),
  )
  const instance: FunctionInstance = {
    key: modeKey(ctx, key, readsMode),
    func,
    result,
    members: region.members,
    writes: region.writes,
    drawsRandom: region.drawsRandom,
    readsMode,
    looksAtRun: looksAtRun(func, ctx.world.functions.list),
  }
  if (instance.looksAtRun && !mayBeSpliced.has(request.role)) {
    complain(within, 'LTM4508', request.declaration.span, { name: request.name })
    return undefined
  }
  ctx.world.functions.add(instance, ctx.world.reported.count > reported)
  return instance
}

/** Whether some part of a value had an error, which is reported. */
function holdsError(value: Value): boolean {
  if (value.kind === 'record') return [...value.fields.values()].some(holdsError)
  return value.kind === 'list' ? value.items.some(holdsError) : value.kind === 'error'
}

/** What a step or another function calls; all else is called by the runtime, which knows no place for its steps. */
const mayBeSpliced: ReadonlySet<Func['role']> = new Set(['fn', 'loss', 'forward', 'method', 'lambda'])

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
export function ownValue(
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
