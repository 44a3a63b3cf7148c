import { type Span, textOf } from '../base/source.ts'
import type { Constraint, Method, Ref, Type } from '../syntax/ast.ts'
import { substitute, variablesOf } from '../types/dim.ts'
import { showType, type TensorType } from '../types/tensor.ts'
import { type Bindings, newBindings, undecided, unifyShape } from '../types/unify.ts'
import type { CallSite } from './arguments.ts'
import { checkReadsNone, defineBuffers } from './constraintBuffers.ts'
import { type Context, complain, type FunctionInstance, isBroken } from './context.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { unexpecting } from './evaluate.ts'
import { bindFormals } from './formals.ts'
import type { FunctionRequest } from './functionRequest.ts'
import { functionInstance } from './functions.ts'
import { valueKey } from './keys.ts'
import { unknownName } from './naming.ts'
import { requirement } from './requirement.ts'
import { declaredType, shapeOf } from './types.ts'
import { type ConstraintSpec, int, type OwnBuffer, type Value } from './values.ts'

/** What carries a constrained value back to the raw one, where the constraint says it. */
export function inverseOf({ declaration }: ConstraintSpec): Method | undefined {
  return declaration.members.find(
    (member): member is Method => member.kind === 'Method' && member.role === 'inverse',
  )
}

/** `in interval(0, 1)`: the constraint with its arguments. */
export function constraintOf(ctx: Context, ref: Ref): ConstraintSpec | undefined {
  const name = ref.path.parts.map(part => part.text).join('.')
  const found = ctx.env.lookup(name)?.value
  if (!found) {
    unknownName(ctx, { ...ref.path.parts[0]!, text: name, span: ref.path.span })
    return undefined
  }
  if (found.kind !== 'declaration' || found.declaration.kind !== 'Constraint') {
    if (found.kind !== 'error')
      complain(ctx, 'LTM2109', ref.span, { wanted: 'a constraint', got: describe(found) })
    return undefined
  }
  const { declaration } = found
  const site = { args: ref.args ?? [], span: ref.span, shown: name }
  return constraintArguments(ctx, { ...found, declaration }, site)
}

/** A constraint with its arguments, as far as these satisfy what it requires. */
export function constraintArguments(
  ctx: Context,
  { declaration, env }: { readonly declaration: Constraint; readonly env: Env },
  site: CallSite,
): ConstraintSpec | undefined {
  const name = declaration.path.parts.map(part => part.text).join('.')
  const scope = env.child()
  const args = bindFormals(
    unexpecting(ctx),
    declaration.signature.formals,
    { ...site, declaration },
    undefined,
    scope,
  )
  if (!args || isBroken(ctx, declaration.id)) return undefined
  const shown =
    site.args.length === 0 ? name : `${name}(${site.args.map(arg => textOf(arg.span)).join(', ')})`
  const within: Context = {
    ...unexpecting(ctx),
    env: scope,
    instantiations: [...ctx.instantiations, { span: site.span, text: `in \`${shown}\`, written here` }],
  }
  if (!declaration.signature.where.every(condition => requirement(within, condition))) return undefined
  for (const member of declaration.members)
    if (member.kind === 'Require' && !requirement(within, member.condition)) return undefined
  const key = `${name}(${args.map(arg => valueKey(arg.value)).join(', ')})`
  return { declaration, env: scope, text: shown, key }
}

const methodsOf = (spec: ConstraintSpec): readonly Method[] =>
  spec.declaration.members.filter(member => member.kind === 'Method')

/** The raw type of a parameter of this type: sizes are bound by what `forward` says it gives. */
export function rawTypeOf(
  ctx: Context,
  spec: ConstraintSpec,
  type: TensorType,
  span: Span,
): TensorType | undefined {
  const sizes = constraintSizes(ctx, spec, type, span)
  if (!sizes) return undefined
  const scope = spec.env.child()
  for (const [name, dim] of sizes.dims) scope.define(name, int(dim))
  const relied = methodsOf(spec).find(method => method.role === 'forward')?.signature.where ?? []
  if (!relied.every(condition => requirement({ ...ctx, env: scope }, condition, span))) return undefined
  const raw = spec.declaration.members.find(member => member.kind === 'Raw')
  return raw ? typeWith(ctx, spec, raw.type, sizes) : type
}

/** The type that a raw tensor of this type becomes: sizes are bound by the declared raw type. */
export function valueTypeOf(
  ctx: Context,
  spec: ConstraintSpec,
  raw: TensorType,
  span: Span,
): TensorType | undefined {
  const declared = spec.declaration.members.find(member => member.kind === 'Raw')
  const result = methodsOf(spec).find(method => method.role === 'forward')?.signature.result
  if (declared?.type.kind !== 'NamedType') return raw
  const { shape, variables } = patternOf(ctx, spec, declared.type)
  const bindings = newBindings()
  const matched = unifyShape(shape, variables, raw.shape, bindings)
  const open = undecided(variables, bindings)
  const solved = matched.ok && open.every(name => solveSize(name, bindings))
  // What a definition does not know of its sizes, its instances do.
  if (ctx.generic && open.length > 0) return undefined
  if (solved) return result ? typeWith(ctx, spec, result, bindings) : raw
  complain(ctx, 'LTM2101', span, {
    callee: spec.text,
    problem: `it takes ${showType({ dtype: 'f32', shape })}, and this is ${showType(raw)}`,
  })
  return undefined
}

/** How many sizes are tried for an equation that is not linear: a matrix of more rows would not fit into memory. */
const largestSize = 100_000

/** `k * (k - 1) / 2` is 6 for one `k`: found by trying, since such sizes rise with `k`. */
function solveSize(name: string, bindings: Bindings): boolean {
  const equation = bindings.pending.find(({ pattern }) => variablesOf(pattern).has(name))
  if (!equation || typeof equation.actual !== 'number') return false
  for (let size = 1; size <= largestSize; size++) {
    const found = substitute(equation.pattern, new Map([...bindings.dims, [name, size]]))
    if (found === equation.actual) {
      bindings.dims.set(name, size)
      return true
    }
    if (typeof found !== 'number' || found > equation.actual) return false
  }
  return false
}

/** A declared type with the sizes put in. */
function typeWith(
  ctx: Context,
  spec: ConstraintSpec,
  type: Type,
  sizes: Pick<Bindings, 'dims' | 'rests'>,
): TensorType | undefined {
  const scope = spec.env.child()
  for (const [name, dim] of sizes.dims) scope.define(name, int(dim))
  const rests = new Map([...sizes.rests].map(([name, shape]) => [name.slice(3), shape]))
  const declared = declaredType({ ...ctx, env: scope, rests }, type, new Set())
  return declared.kind === 'tensor' ? declared.type : undefined
}

/** The shape of a declared type, and the sizes that it leaves open. */
function patternOf(ctx: Context, spec: ConstraintSpec, type: Extract<Type, { kind: 'NamedType' }>) {
  const variables = new Set<string>()
  const shape = shapeOf({ ...ctx, env: spec.env.child(), rests: undefined }, type.shape ?? [], variables)
  return { shape, variables }
}

/** What the size names of a constraint stand for, given the type it constrains. */
function constraintSizes(
  ctx: Context,
  spec: ConstraintSpec,
  type: TensorType,
  span: Span,
): Bindings | undefined {
  const forward = methodsOf(spec).find(method => method.role === 'forward')
  const raw = spec.declaration.members.find(member => member.kind === 'Raw')
  const pattern = forward?.signature.result ?? raw?.type
  if (pattern?.kind !== 'NamedType') return newBindings()
  const { shape, variables } = patternOf(ctx, spec, pattern)
  const bindings = newBindings()
  const matched = unifyShape(shape, variables, type.shape, bindings)
  if (matched.ok) return bindings
  complain(ctx, 'LTM2101', span, {
    callee: spec.text,
    problem: `it constrains ${showType({ dtype: 'f32', shape })}, and this is ${showType(type)}`,
  })
  return undefined
}

/** The buffers of a parameter of this type that is constrained. */
export function buffersFor(
  ctx: Context,
  spec: ConstraintSpec,
  type: TensorType,
  span: Span,
): readonly OwnBuffer[] {
  const sizes = constraintSizes(ctx, spec, type, span)
  if (!sizes) return []
  return defineBuffers({ ...ctx, env: sizedScope(spec, sizes) }, spec.declaration)
}

function sizedScope(spec: ConstraintSpec, sizes: Bindings): Env {
  const scope = spec.env.child()
  for (const [name, dim] of sizes.dims) scope.define(name, int(dim))
  return scope
}

/** One of the constraint's functions, specialised for the type of its argument. */
export function constraintFunction(
  ctx: Context,
  spec: ConstraintSpec,
  role: Method['role'],
  parameter: TensorType,
  input: TensorType,
  result: TensorType | undefined,
): FunctionInstance | undefined {
  const method = methodsOf(spec).find(item => item.role === role)
  if (!method) return undefined
  const sizes = constraintSizes(ctx, spec, parameter, method.span)
  const [formal] = method.signature.formals
  if (!sizes || !formal) return undefined
  const scope = sizedScope(spec, sizes)
  defineBuffers({ ...ctx, env: scope }, spec.declaration)
  const name = spec.declaration.path.parts.map(part => part.text).join('.')
  const value: Value = { kind: 'tensor', name: formal.name.text, type: input, span: formal.name.span }
  const request: FunctionRequest = {
    name: `${name}.${role}`,
    declaration: {
      id: method.id,
      signature: method.signature,
      body: method.body,
      doc: spec.declaration.doc,
      span: method.span,
    },
    role: role === 'log_forward' ? 'forward' : role,
    scope,
    self: undefined,
    args: [{ name: formal.name.text, value, span: formal.name.span }],
    rests: new Map([...sizes.rests].map(([rest, shape]) => [rest.slice(3), shape])),
    result: result && { kind: 'tensor', type: result },
    resultKey: `${spec.key} ${showType(parameter)}`,
    constrains: true,
  }
  const made = { ...ctx, env: scope, self: undefined, expected: undefined, declaration: spec.declaration.id }
  const instance = functionInstance(made, request, undefined)
  if (instance) checkReadsNone(ctx, role, instance, method.span)
  return instance
}
