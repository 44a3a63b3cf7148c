import { type Span, textOf } from '../base/source.ts'
import type { Buffer, Module, ModuleMember, Name, Param } from '../syntax/ast.ts'
import { sameType, type TensorType } from '../types/tensor.ts'
import type { CallSite } from './arguments.ts'
import { holding } from './conditions.ts'
import { mayKeep } from './constraintBuffers.ts'
import { buffersFor, constraintOf, rawTypeOf } from './constraints.ts'
import { type Context, complain, isBroken, spend } from './context.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { expression, unexpecting } from './evaluate.ts'
import { bindFormals, type FormalValue } from './formals.ts'
import { valueKey } from './keys.ts'
import { tiesOf } from './lambdas.ts'
import { conditionOf } from './operators.ts'
import { joinPath } from './paths.ts'
import { requirement } from './requirement.ts'
import { asArgument, instancesOf, mapInstances } from './sharing.ts'
import { declaredType, showDeclared } from './types.ts'
import {
  type BufferSpec,
  type ConstraintSpec,
  errorValue,
  lazy,
  type ModuleMemberValue,
  type ModuleSpec,
  type ModuleValue,
  type ParamSpec,
  type Value,
} from './values.ts'

/** `Linear(64, 10)`: an instance without a place yet; whoever declares it gives it one. */
export function instantiate(ctx: Context, declaration: Module, env: Env, site: CallSite): Value {
  const scope = env.child()
  const args = bindFormals(
    ctx,
    declaration.signature.formals,
    { ...site, shown: declaration.name.text, declaration },
    undefined,
    scope,
  )
  if (!args || isBroken(ctx, declaration.id)) return errorValue
  if (!ctx.generic && !args.every(arg => goesAlong(ctx, arg, declaration, site))) return errorValue
  const given = new Map<string, ModuleValue>()
  const own = args.map(arg => ({ ...arg, value: asArgument(arg.value, arg.formal.name.text, given) }))
  for (const { formal, value } of own) scope.define(formal.name.text, value, formal.name.span)
  const made = (spec: ModuleSpec): ModuleValue => ({
    kind: 'module',
    spec,
    path: '',
    ...(given.size > 0 ? { given } : {}),
  })
  const key = `${declaration.name.text}#${declaration.id}(${own.map(arg => valueKey(arg.value)).join(', ')})`
  const known = ctx.world.modules.get(key)
  if (known) return made(known)
  if (ctx.active.includes(key))
    return complain(ctx, 'LTM3011', site.span, { cycle: `module \`${declaration.name.text}\`` })
  if (recurs(ctx, declaration.id) || !spend(ctx, site.span, `\`${declaration.name.text}\``)) return errorValue
  const within: Context = {
    ...unexpecting(ctx),
    env: scope,
    declaration: ctx.generic ? ctx.declaration : declaration.id,
    holds: [],
    active: [...ctx.active, key],
    instantiations: [
      ...ctx.instantiations,
      { span: site.span, text: `in this \`${declaration.name.text}\`` },
    ],
  }
  if (!declaration.signature.where.every(condition => requirement(within, condition))) return errorValue
  const spec = moduleSpec(within, declaration, key, own)
  if (!spec) return errorValue
  ctx.world.modules.set(key, spec)
  return made(spec)
}

/** A module's functions stand for themselves: a lambda that reads what is around it has nothing to read there. */
function goesAlong(ctx: Context, { formal, value }: FormalValue, { name }: Module, site: CallSite): boolean {
  const [read] = tiesOf(value)
  if (read !== undefined)
    complain(ctx, 'LTM3029', site.span, { argument: formal.name.text, read, module: name.text })
  return read === undefined
}

/** In a definition a module inside itself, with other arguments, is not followed: only instances know where that ends. */
function recurs(ctx: Context, id: number): boolean {
  return ctx.generic && ctx.active.some(key => key.includes(`#${id}(`))
}

/**
 * Elaborates the members of a module in the scope of its arguments, in order; undefined where a requirement fails. Modules
 * among the arguments are members as well: its own where the call has made them, as in `Residual(Linear(4, 4))`.
 */
export function moduleSpec(
  ctx: Context,
  declaration: Module,
  key: string,
  args: readonly FormalValue[],
): ModuleSpec | undefined {
  const members = new Map<string, ModuleMemberValue>()
  for (const { formal, value } of args)
    if (instancesOf(value).length > 0) members.set(formal.name.text, { kind: 'layer', value })
  const spec: ModuleSpec = { declaration, key, env: ctx.env, members, generic: ctx.generic }
  const self: ModuleValue = { kind: 'module', spec, path: '' }
  defineFunctions(ctx, declaration.members, self, members)
  const within = { ...ctx, self }
  for (const member of declaration.members) {
    if (member.kind !== 'Require') addMember(within, member, members, [])
    else if (!requirement(within, member.condition)) return undefined
  }
  return spec
}

/** Functions may call each other whatever their order, so their names are there first. */
function defineFunctions(
  ctx: Context,
  list: readonly ModuleMember[],
  self: ModuleValue,
  members: Map<string, ModuleMemberValue>,
  conditions: readonly string[] = [],
): void {
  for (const member of list) {
    if (member.kind !== 'Fn' && member.kind !== 'Method') continue
    const name = member.kind === 'Fn' ? member.name.text : member.role
    members.set(name, { kind: 'function', declaration: member, conditions })
    if (member.kind === 'Fn')
      ctx.env.define(
        name,
        { kind: 'function', declaration: member, name, env: ctx.env, self, holds: conditions },
        member.name.span,
        { conditions },
      )
  }
}

function addMember(
  ctx: Context,
  member: ModuleMember,
  members: Map<string, ModuleMemberValue>,
  conditions: readonly string[],
): void {
  switch (member.kind) {
    case 'Param':
      return addParam(ctx, member, members, conditions)
    case 'Layer': {
      const placed = place(ctx, expression(ctx, member.value), member.name.text, member.value.span)
      const own = claimed(ctx, member.name, placed)
      members.set(member.name.text, { kind: 'layer', value: own })
      return ctx.env.define(member.name.text, own, member.name.span, { conditions })
    }
    case 'Let': {
      for (const name of member.names) {
        const own = claimed(ctx, name, lazy(member, ctx.env, name))
        members.set(name.text, { kind: 'let', name: name.text })
        ctx.env.define(name.text, own, name.span, { conditions })
      }
      return
    }
    case 'Require':
      return void requirement(ctx, member.condition)
    case 'MemberIf':
      return conditionalMembers(ctx, member, members, conditions)
    case 'Buffer':
      return addBuffer(ctx, member, members, conditions)
    case 'Fn':
    case 'Method':
      return
  }
}

/** The value under a name, which stands for one thing in a module; the branches of an `if` may each declare it. Of two nothing is known. */
function claimed(ctx: Context, name: Name, value: Value): Value {
  const before = ctx.env.owns(name.text) ? ctx.env.lookup(name.text) : undefined
  if (!before || name.text === '' || (before.conditions ?? []).length > 0) return value
  return complain(
    ctx,
    'LTM3002',
    name.span,
    { name: name.text, what: 'module' },
    before.span ? { labels: [{ span: before.span, text: 'the other one' }] } : {},
  )
}

/** Members of the branch that is taken; in a definition those of both, each under its condition. */
function conditionalMembers(
  ctx: Context,
  member: Extract<ModuleMember, { kind: 'MemberIf' }>,
  members: Map<string, ModuleMemberValue>,
  conditions: readonly string[],
): void {
  const decided = conditionOf(ctx, expression(ctx, member.condition), member.condition.span)
  const text = textOf(member.condition.span)
  const add = (list: readonly ModuleMember[], condition: string): void => {
    const known = typeof decided === 'boolean' || decided === 'error'
    const within = known ? ctx : holding(ctx, condition)
    const all = known ? conditions : [...conditions, condition]
    defineFunctions(within, list, within.self!, members, all)
    for (const inner of list) addMember(within, inner, members, all)
  }
  // A condition with an error may be either.
  if (decided !== false) add(member.then, text)
  if (decided !== true) add(member.otherwise, `not (${text})`)
  if (typeof decided === 'boolean') return
  // What both branches declare exists in any case; only an instance knows what it is.
  const names = declaredNames(member.then).filter(name => declaredNames(member.otherwise).includes(name))
  for (const name of names) ctx.env.define(name, errorValue, ctx.env.lookup(name)?.span, { conditions })
}

const declaredNames = (list: readonly ModuleMember[]): readonly string[] =>
  list.flatMap(member => {
    if (member.kind === 'Let') return member.names.map(name => name.text)
    return 'name' in member ? [member.name.text] : []
  })

/** Items of a list of layers are placed by their index, fields of a record by their name. */
function numbered(value: Value): Value {
  if (value.kind === 'list')
    return { kind: 'list', items: value.items.map((item, i) => placeRoot(numbered(item), `[${i}]`)) }
  if (value.kind === 'record')
    return {
      ...value,
      fields: new Map([...value.fields].map(([name, field]) => [name, placeRoot(numbered(field), name)])),
    }
  if (value.kind === 'uniform_list') return { ...value, item: placeRoot(numbered(value.item), '[_]') }
  return value
}

function placeRoot(value: Value, root: string): Value {
  if (value.kind === 'module')
    return {
      ...value,
      path: value.path === '' ? root : `${root}${value.path.startsWith('[') ? '' : '.'}${value.path}`,
    }
  return placedUnder(value, root)
}

/** Instances of a list or record, moved below its name; what they were given stays where it is. */
const placedUnder = (value: Value, root: string): Value =>
  mapInstances(value, module => ({ ...module, path: joinPath(root, module.path) }))

/** Gives an instance, or the instances of a list or record, its place: a `layer` of a module, a `model` of a training. */
export function place(ctx: Context, value: Value, name: string, span: Span): Value {
  const placed = instancesOf(value).find(({ path }) => path !== '')
  if (placed || value.kind === 'opaque_function') {
    const taken = placed?.path ?? (value.kind === 'opaque_function' ? value.name : '')
    return complain(ctx, 'LTM4314', span, { name, path: taken })
  }
  const inner = numbered(value)
  if (inner.kind === 'module') return placeRoot(inner, name)
  if (inner.kind === 'list' || inner.kind === 'uniform_list' || inner.kind === 'record')
    return placedUnder(inner, name)
  if (inner.kind === 'error') return inner
  return complain(ctx, 'LTM2109', span, { wanted: 'a module, or a list of modules', got: describe(inner) })
}

function addParam(
  ctx: Context,
  member: Param,
  members: Map<string, ModuleMemberValue>,
  conditions: readonly string[],
): void {
  const spec = paramSpec(ctx, member)
  if (!spec) return lostMember(ctx, member.name, members)
  const own = claimed(ctx, member.name, { kind: 'param', path: member.name.text, spec })
  members.set(member.name.text, { kind: 'param', spec })
  ctx.env.define(member.name.text, own, member.name.span, { conditions })
}

/** A member with an error is there all the same: nobody knows what it is. */
function lostMember(ctx: Context, { text, span }: Name, members: Map<string, ModuleMemberValue>): void {
  members.set(text, { kind: 'layer', value: errorValue })
  ctx.env.define(text, errorValue, span)
}

function addBuffer(
  ctx: Context,
  member: Buffer,
  members: Map<string, ModuleMemberValue>,
  conditions: readonly string[],
): void {
  const { text, span } = member.name
  const type = declaredType(ctx, member.type)
  if (type.kind !== 'tensor') {
    if (type.kind !== 'error')
      complain(ctx, 'LTM2109', member.type.span, { wanted: 'a tensor', got: showDeclared(type) })
    return lostMember(ctx, member.name, members)
  }
  const spec: BufferSpec = {
    declaration: member,
    type: type.type,
    raw: type.type,
    constraint: undefined,
    env: ctx.env,
  }
  members.set(text, { kind: 'buffer', spec })
  const own = claimed(ctx, member.name, { kind: 'param', path: text, spec })
  ctx.env.define(text, own, span, { conditions })
}

/** The declared type of a parameter, its constraint, and the raw type that follows from both. */
export function paramSpec(ctx: Context, member: Param): ParamSpec | undefined {
  const type = declaredType(ctx, member.type)
  if (type.kind === 'error') return undefined
  if (type.kind !== 'tensor' || type.type.dtype !== 'f32') {
    complain(ctx, 'LTM2109', member.type.span, { wanted: 'an f32 tensor', got: showDeclared(type) })
    return undefined
  }
  if (type.type.shape.includes(0)) {
    complain(ctx, 'LTM2106', member.type.span, { got: '0, which leaves nothing to learn' })
    return undefined
  }
  const constraint = member.constraint && constraintOf(ctx, member.constraint)
  if (member.constraint && !constraint) return undefined
  if (!member.value && !constraint) {
    complain(ctx, 'LTM4001', member.span, { name: member.name.text })
    return undefined
  }
  const raw = constraint ? rawTypeOf(ctx, constraint, type.type, member.constraint!.span) : type.type
  const projection = member.project && projectionOf(ctx, member, type.type)
  if (!raw) return undefined
  const buffers = constraint ? buffersFor(ctx, constraint, type.type, member.span) : []
  return { declaration: member, type: type.type, raw, constraint, projection, buffers, env: ctx.env }
}

/**
 * `project max_norm(2)`: where the value is brought back to after each update. It is declared as a constraint that maps
 * a tensor to one of its own shape and has no inverse: what is put into place does not remember where it came from.
 */
function projectionOf(ctx: Context, member: Param, type: TensorType): ConstraintSpec | undefined {
  const { project, constraint } = member
  if (!project) return undefined
  if (constraint) {
    const labels = [{ span: constraint.span, text: 'its constraint' }]
    complain(ctx, 'LTM4008', project.span, { name: member.name.text }, { labels })
    return undefined
  }
  const spec = constraintOf(ctx, project)
  const from = spec && rawTypeOf(ctx, spec, type, project.span)
  if (!from || !mayKeep(ctx, spec, project.span)) return undefined
  const { members, path } = spec.declaration
  const invertible = members.some(each => each.kind === 'Method' && each.role === 'inverse')
  if (!invertible && sameType(from, type)) return spec
  const labels = [{ span: path.span, text: 'declared here' }]
  complain(ctx, 'LTM4009', project.span, { name: member.name.text, constraint: spec.text }, { labels })
  return undefined
}
