import { type Span, textOf } from '../base/source.ts'
import type { Method, Ref } from '../syntax/ast.ts'
import { showType, type TensorType } from '../types/tensor.ts'
import { newBindings, unifyShape } from '../types/unify.ts'
import { type Context, complain, type FunctionInstance, isBroken } from './context.ts'
import { describe } from './describe.ts'
import { unexpecting } from './evaluate.ts'
import { bindFormals } from './formals.ts'
import type { FunctionRequest } from './functionRequest.ts'
import { functionInstance } from './functions.ts'
import { valueKey } from './keys.ts'
import { unknownName } from './naming.ts'
import { requirement } from './requirement.ts'
import { declaredType, shapeOf } from './types.ts'
import { type ConstraintSpec, int, type Value } from './values.ts'

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
  const scope = found.env.child()
  const args = bindFormals(
    unexpecting(ctx),
    declaration.signature.formals,
    { args: ref.args ?? [], span: ref.span, shown: name },
    undefined,
    scope,
  )
  if (!args || isBroken(ctx, declaration.id)) return undefined
  const within: Context = {
    ...unexpecting(ctx),
    env: scope,
    instantiations: [
      ...ctx.instantiations,
      { span: ref.span, text: `in \`${textOf(ref.span)}\`, written here` },
    ],
  }
  if (!declaration.signature.where.every(condition => requirement(within, condition))) return undefined
  for (const member of declaration.members)
    if (member.kind === 'Require' && !requirement(within, member.condition)) return undefined
  for (const member of declaration.members)
    if (member.kind === 'Buffer')
      complain(within, 'LTM9001', member.span, { what: 'a constraint with a `buffer`' })
  const key = `${name}(${args.map(arg => valueKey(arg.value)).join(', ')})`
  return { declaration, env: scope, text: textOf(ref.span), key }
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
  const raw = spec.declaration.members.find(member => member.kind === 'Raw')
  if (!raw) return type
  const scope = spec.env.child()
  for (const [name, dim] of sizes.dims) scope.define(name, int(dim))
  const rests = new Map([...sizes.rests].map(([name, shape]) => [name.slice(3), shape]))
  const declared = declaredType({ ...ctx, env: scope, rests }, raw.type, new Set())
  return declared.kind === 'tensor' ? declared.type : undefined
}

/** What the size names of a constraint stand for, given the type it constrains. */
function constraintSizes(
  ctx: Context,
  spec: ConstraintSpec,
  type: TensorType,
  span: Span,
): ReturnType<typeof newBindings> | undefined {
  const forward = methodsOf(spec).find(method => method.role === 'forward')
  const raw = spec.declaration.members.find(member => member.kind === 'Raw')
  const pattern = forward?.signature.result ?? raw?.type
  if (pattern?.kind !== 'NamedType') return newBindings()
  const variables = new Set<string>()
  const shape = shapeOf({ ...ctx, env: spec.env.child(), rests: undefined }, pattern.shape ?? [], variables)
  const bindings = newBindings()
  const matched = unifyShape(shape, variables, type.shape, bindings)
  if (matched.ok) return bindings
  complain(ctx, 'LTM2101', span, {
    callee: spec.text,
    problem: `it constrains ${showType({ dtype: 'f32', shape })}, and this is ${showType(type)}`,
  })
  return undefined
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
  const scope = spec.env.child()
  for (const [name, dim] of sizes.dims) scope.define(name, int(dim))
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
  }
  const made = { ...ctx, env: scope, self: undefined, expected: undefined, declaration: spec.declaration.id }
  return functionInstance(made, request, undefined)
}
