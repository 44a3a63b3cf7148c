import { NameSupply } from '../base/fresh.ts'
import { nearest } from '../base/names.ts'
import { textOf } from '../base/source.ts'
import type {
  Constraint,
  Declaration,
  Fn,
  Formal,
  Loss,
  Method,
  Metric,
  Module,
  Optimizer,
  Schedule,
  Signature,
  Slot,
} from '../syntax/ast.ts'
import { variablesOf } from '../types/dim.ts'
import { isRest, type Shape, sameType, type TensorType } from '../types/tensor.ts'
import { newBindings, undecided, unifyShape } from '../types/unify.ts'
import { defineBuffers } from './constraintBuffers.ts'
import { inverseOf } from './constraints.ts'
import { type Context, checkLater, complain, isBroken } from './context.ts'
import { checkDeclared, convert } from './conversion.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { executeBody, expecting, expression, unexpecting } from './evaluate.ts'
import { FunctionRegion } from './functionRegion.ts'
import { resultSpan } from './functions.ts'
import { moduleSpec } from './modules.ts'
import { settle } from './naming.ts'
import { freshSizes } from './receiver.ts'
import { requirement } from './requirement.ts'
import { isLost } from './tensors.ts'
import { elaborateClosure, takesClosure } from './train/closures.ts'
import { checkDataset } from './train/datasets.ts'
import { statesOf } from './train/metrics.ts'
import { type DeclaredType, declaredType, shapeOf, showDeclared } from './types.ts'
import { errorValue, int, isRawStart, type StateSpec, type Value } from './values.ts'

/**
 * Checks a definition on its own, with symbols for its arguments and sizes, so that a mistake is reported once, where it
 * was written. What symbols can't decide is left to the instances.
 */
export function checkDefinition(ctx: Context, env: Env, declaration: Declaration): void {
  const within: Context = {
    ...ctx,
    env: env.child(),
    generic: true,
    region: new FunctionRegion(),
    declaration: declaration.id,
  }
  switch (declaration.kind) {
    case 'Fn':
    case 'Loss':
    case 'Schedule':
      return checkFunction(within, declaration)
    case 'Module':
      return checkModule(within, declaration)
    case 'Constraint':
      return checkConstraint(within, declaration)
    case 'Metric':
      return checkMetric(within, declaration)
    case 'Optimizer':
      return checkOptimizer(within, declaration)
    case 'Const':
      return void settle(within, { kind: 'lazy', declaration, env }, declaration.span)
    case 'Dataset':
      return checkDataset({ ...within, generic: false }, declaration)
    case 'Import':
    case 'Train':
      return
  }
}

/** A function on its own. */
export function checkFunction(ctx: Context, declaration: Fn | Loss | Schedule | Method): void {
  defineSymbols(ctx, declaration.signature)
  checkBody(
    ctx,
    declaration.signature,
    declaration.body,
    'name' in declaration ? declaration.name.text : declaration.role,
  )
}

/** A body against its declared result. */
function checkBody(ctx: Context, signature: Signature, body: Fn['body'], name: string): void {
  const chosen = new Set<string>()
  const result = signature.result && declaredType(ctx, signature.result, chosen)
  for (const condition of signature.where) requirement(ctx, condition)
  const value = executeBody(expecting(ctx, result?.kind === 'tensor' ? result.type : undefined), body)
  if (result?.kind === 'tensor' && value.kind === 'tensor' && !leavesOpen(value.type, result.type, chosen))
    complain(
      ctx,
      'LTM2115',
      resultSpan(body),
      { name: `the result of \`${name}\``, expected: showDeclared(result), got: describe(value) },
      { help: chosenHelp(ctx, [...chosen]) },
    )
  else if (result && value.kind !== 'error')
    checkDeclared(ctx, value, result, resultSpan(body), `the result of \`${name}\``, signature.result?.span)
}

/** Sizes that stand in the result alone are the caller's choice: a body that gives others does not give those. */
function leavesOpen(got: TensorType, declared: TensorType, chosen: ReadonlySet<string>): boolean {
  if (got.shape.length !== declared.shape.length || got.shape.some(size => isRest(size) || isLost(size)))
    return true
  return declared.shape.every(
    (size, i) =>
      isRest(size) || ![...variablesOf(size)].some(name => chosen.has(name)) || got.shape[i] === size,
  )
}

function chosenHelp(ctx: Context, names: readonly string[]): string {
  const others = ctx.env.names().filter(name => !names.includes(name))
  const misspelt = names.flatMap(name => {
    const near = nearest(name, others)
    return near === undefined ? [] : [`did you mean \`${near}\`?`]
  })
  return (
    misspelt[0] ?? `\`${names[0]}\` stands in the result alone, so it would be any size that a caller wants`
  )
}

/** Each formal as a symbol of its type; sizes of the signature are symbols too, and a call must be able to tell them. */
function defineSymbols(ctx: Context, { formals, scarred }: Pick<Signature, 'formals' | 'scarred'>): void {
  if (scarred) ctx.world.broken.add(ctx.declaration)
  const variables = new Set<string>()
  const types: { readonly formal: Formal; readonly type: DeclaredType }[] = []
  for (const formal of formals) {
    const type = formal.type && declaredType(ctx, formal.type, variables)
    if (type) types.push({ formal, type })
    if (formal.value) checkDefault(ctx, formal, type)
    defineOwnSizes(ctx, type)
    defineFormal(ctx, formal, type ? symbol(ctx, formal.name.text, type) : errorValue)
  }
  checkSizes(ctx, variables, types)
}

/** The sizes that the type of a module names are known behind it. */
function defineOwnSizes(ctx: Context, type: DeclaredType | undefined): void {
  if (type?.kind === 'list') return defineOwnSizes(ctx, type.item)
  if (type?.kind !== 'module') return
  for (const name of type.sizes) if (!ctx.env.lookup(name)) ctx.env.define(name, int(name))
}

function defineFormal(ctx: Context, formal: Formal, value: Value): void {
  const { text, span } = formal.name
  const before = ctx.env.owns(text) ? ctx.env.lookup(text) : undefined
  if (before?.size)
    complain(
      ctx,
      'LTM2117',
      span,
      { what: 'the argument', name: text },
      {
        labels: before.span ? [{ span: before.span, text: 'the size is named here' }] : [],
        help: `put \`${textOf(formal.span)}\` in front, so that the shape means it`,
      },
    )
  // What recovery left without a name has been reported.
  else if (before && text !== '')
    complain(
      ctx,
      'LTM3002',
      span,
      { name: text, what: 'signature' },
      before.span ? { labels: [{ span: before.span, text: 'the other one' }] } : {},
    )
  ctx.env.define(text, value, span)
}

/** A default must be of its type, as far as that needs no sizes. */
function checkDefault(ctx: Context, formal: Formal, type: DeclaredType | undefined): void {
  const value = expression(unexpecting(ctx), formal.value!)
  if (type && type.kind !== 'tensor' && type.kind !== 'record')
    convert(ctx, value, type, freshSizes(), {
      what: `the default of \`${formal.name.text}\``,
      callee: '',
      span: formal.value!.span,
      declared: undefined,
    })
}

/** Sizes that stand only inside expressions can't be told from what a call gives. */
function checkSizes(
  ctx: Context,
  variables: ReadonlySet<string>,
  types: readonly { readonly formal: Formal; readonly type: DeclaredType }[],
): void {
  const bindings = newBindings()
  for (const { type } of types)
    for (const shape of shapesOf(type)) unifyShape(shape, variables, shape, bindings)
  for (const name of undecided(variables, bindings)) {
    const place = types.find(({ type }) =>
      shapesOf(type).some(shape => shape.some(size => !isRest(size) && variablesOf(size).has(name))),
    )
    // Where the argument stands behind the tensor, that is what has been said.
    if (place && !types.some(({ formal }) => formal.name.text === name))
      complain(ctx, 'LTM2104', place.formal.span, { name })
  }
}

function shapesOf(type: DeclaredType): readonly Shape[] {
  if (type.kind === 'tensor') return [type.type.shape]
  if (type.kind === 'list') return shapesOf(type.item)
  return type.kind === 'record' ? [...type.fields.values()].flatMap(shapesOf) : []
}

function symbol(ctx: Context, name: string, type: DeclaredType): Value {
  switch (type.kind) {
    case 'tensor':
      return { kind: 'tensor', name: ctx.region.fresh(name), type: type.type, span: undefined }
    case 'int':
      return int(name)
    case 'float':
      return { kind: 'float', expr: { kind: 'argument', name }, ...(type.unit ? { unit: type.unit } : {}) }
    case 'bool':
      return { kind: 'bool', expr: { kind: 'argument', name } }
    case 'list':
      return { kind: 'uniform_list', name, item: symbol(ctx, name, type.item), length: `len(${name})` }
    case 'record':
      return {
        kind: 'record',
        fields: new Map([...type.fields].map(([field, inner]) => [field, symbol(ctx, field, inner)])),
      }
    case 'function':
    case 'module':
      return { kind: 'opaque_function', name, type }
    case 'string':
    case 'like':
    case 'error':
      return errorValue
  }
}

function checkModule(ctx: Context, declaration: Module): void {
  defineSymbols(ctx, declaration.signature)
  const spec = moduleSpec(ctx, declaration, `${declaration.name.text}#${declaration.id} on its own`, [])
  if (!spec) return
  const self: Value = { kind: 'module', spec, path: '' }
  const functions: { readonly id: number }[] = []
  for (const member of spec.members.values()) {
    if (member.kind === 'param' || member.kind === 'buffer') checkStart(ctx, member.spec)
    if (member.kind !== 'function') continue
    const { declaration: own, conditions: holds } = member
    functions.push(own)
    checkLater(ctx, own.id, () => {
      const within = { ...ctx, env: spec.env.child(), region: new FunctionRegion(), self, holds }
      checkFunction({ ...within, declaration: own.id }, own)
    })
  }
  if (functions.filter(({ id }) => isBroken(ctx, id)).length > 0) ctx.world.broken.add(declaration.id)
}

/** The start value of a parameter against its type. */
function checkStart(ctx: Context, { declaration, constraint, raw, type, env }: StateSpec): void {
  const node = declaration.value
  const wanted = constraint && isRawStart(declaration) ? raw : type
  if (!node) return
  if (constraint && !isRawStart(declaration) && !inverseOf(constraint))
    complain(ctx, 'LTM4003', node.span, { constraint: constraint.text })
  const value = expression({ ...ctx, env, region: new FunctionRegion(), expected: wanted }, node)
  if (value.kind !== 'int' && value.kind !== 'float')
    checkDeclared(
      ctx,
      value,
      { kind: 'tensor', type: wanted },
      node.span,
      `\`${declaration.name.text}\``,
      declaration.type?.span,
    )
}

function checkRequirements(ctx: Context, { members }: Constraint | Metric | Optimizer): void {
  for (const member of members) if (member.kind === 'Require') requirement(ctx, member.condition)
}

/** The type with which each function of a constraint is checked: `forward` from raw, the others from what it gives. */
function checkConstraint(ctx: Context, declaration: Constraint): void {
  defineSymbols(ctx, declaration.signature)
  checkRequirements(ctx, declaration)
  const methods = declaration.members.filter((member): member is Method => member.kind === 'Method')
  checkBijective(ctx, declaration, methods)
  const raw = declaration.members.find(member => member.kind === 'Raw')
  const forward = methods.find(method => method.role === 'forward')
  const variables = new Set<string>()
  // What `forward` gives binds the sizes, so it is read first.
  const shape = (type: NonNullable<Signature['result']> | undefined): TensorType | undefined =>
    type?.kind === 'NamedType'
      ? { dtype: 'f32', shape: shapeOf(ctx, type.shape ?? [], variables) }
      : undefined
  const value = shape(forward?.signature.result) ?? shape(raw?.type)
  const rawType = shape(raw?.type) ?? value
  for (const { spec } of defineBuffers(ctx, declaration)) checkStart(ctx, spec)
  for (const method of methods) {
    const takesRaw = method.role === 'forward' || method.role === 'log_forward' || method.role === 'log_det'
    const type = takesRaw ? rawType : value
    const result = method.role === 'forward' ? value : method.role === 'inverse' ? rawType : undefined
    checkUnary({ ...ctx, env: ctx.env.child(), region: new FunctionRegion() }, method, type, result)
  }
}

/** A map that loses nothing has a way back and a volume term. */
function checkBijective(ctx: Context, { bijective, path }: Constraint, methods: readonly Method[]): void {
  const roles = ['inverse', 'log_det'] as const
  const absent = roles.filter(role => !methods.some(method => method.role === role))
  if (!bijective || absent.length === 0) return
  const declared = absent.map(role => `\`${role}(…)\``).join(' and ')
  const help = `declare ${declared} in it, or take \`bijective\` away`
  complain(
    ctx,
    'LTM3015',
    path.span,
    { what: 'bijective constraint', member: absent.join('` and no `') },
    { help },
  )
}

function checkUnary(
  ctx: Context,
  method: Method,
  type: TensorType | undefined,
  result: TensorType | undefined,
): void {
  const [formal] = method.signature.formals
  if (formal)
    ctx.env.define(
      formal.name.text,
      type ? { kind: 'tensor', name: formal.name.text, type, span: formal.name.span } : errorValue,
      formal.name.span,
    )
  const value = executeBody(expecting(ctx, result), method.body)
  if (result && value.kind === 'tensor')
    checkDeclared(ctx, value, { kind: 'tensor', type: result }, method.body.span, `\`${method.role}\``)
}

function checkMetric(ctx: Context, declaration: Metric): void {
  defineSymbols(ctx, declaration.signature)
  checkRequirements(ctx, declaration)
  checkRoles(ctx, declaration, ['update', 'compute'])
  const states = statesOf(ctx, declaration)
  if (!states) return
  for (const member of declaration.members) {
    if (member.kind !== 'Method') continue
    const env = ctx.env.child()
    const region = new FunctionRegion()
    for (const state of states)
      env.define(
        state.name,
        { kind: 'tensor', name: region.fresh(state.name), type: state.type, span: undefined },
        undefined,
        { mutable: member.role === 'update' },
      )
    checkFunction({ ...ctx, env, region, returns: member.role === 'update' ? 'optional' : undefined }, member)
  }
}

function checkRoles(ctx: Context, declaration: Metric | Optimizer, roles: readonly Method['role'][]): void {
  const what = declaration.kind === 'Metric' ? 'metric' : 'optimizer'
  for (const role of roles)
    if (!declaration.members.some(member => member.kind === 'Method' && member.role === role))
      complain(ctx, 'LTM3015', declaration.name.span, { what, member: role })
}

function checkOptimizer(ctx: Context, declaration: Optimizer): void {
  checkRoles(ctx, declaration, ['update'])
  defineSymbols(ctx, declaration.signature)
  checkRequirements(ctx, declaration)
  const type: TensorType = { dtype: 'f32', shape: ['...p'] }
  const region = new FunctionRegion()
  const env = ctx.env.child()
  const names = new NameSupply()
  const tensor = (name: string): Value => ({ kind: 'tensor', name: names.fresh(name), type, span: undefined })
  const slots = declaration.members.filter((member): member is Slot => member.kind === 'Slot')
  for (const slot of slots)
    env.define(slot.name.text, tensor(slot.name.text), slot.name.span, { mutable: true })
  env.define('constrained', { kind: 'bool', expr: { kind: 'argument', name: 'constrained' } })
  for (const method of declaration.members) {
    if (method.kind !== 'Method') continue
    if (takesClosure(method)) {
      const stretches = [{ count: 'size', constrained: false }]
      elaborateClosure(ctx, { declaration, update: method, env: ctx.env }, stretches, 'size')
      continue
    }
    if (!takesThree(ctx, method, slots)) continue
    const [param, grad, t] = method.signature.formals
    for (const formal of [param, grad])
      if (formal) env.define(formal.name.text, tensor(formal.name.text), formal.name.span)
    if (t)
      env.define(t.name.text, { kind: 'float', expr: { kind: 'argument', name: t.name.text } }, t.name.span)
    checkUpdated(
      { ...ctx, env, region },
      method,
      type,
      slots.map(slot => slot.name.text),
    )
  }
}

/** Whether an update of a single parameter takes no more than that has; its slots are like the parameter. */
function takesThree(ctx: Context, { signature, span }: Method, slots: readonly Slot[]): boolean {
  for (const { type } of slots)
    if (type.kind !== 'LikeType') complain(ctx, 'LTM4116', type.span, { got: textOf(type.span) })
  const count = signature.formals.length
  if (count > 3) complain(ctx, 'LTM4115', { ...span, end: signature.span.end }, { count })
  return count <= 3
}

/** What an update leaves in the slots and gives as the new parameter is like the parameter. */
function checkUpdated(ctx: Context, method: Method, type: TensorType, slots: readonly string[]): void {
  const result = executeBody(ctx, method.body)
  const values: [string, Value][] = slots.map(name => [name, ctx.env.lookup(name)?.value ?? errorValue])
  for (const [name, value] of [...values, ['the new parameter', result] as const])
    if (value.kind !== 'error' && (value.kind !== 'tensor' || !sameType(value.type, type)))
      complain(ctx, 'LTM2115', resultSpan(method.body), {
        name: slots.includes(name) ? `\`${name}\`` : name,
        expected: 'like param',
        got: describe(value),
      })
}
