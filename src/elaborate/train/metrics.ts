import { textOf } from '../../base/source.ts'
import type { Metric, MetricState } from '../../ir/ir.ts'
import type {
  Arg,
  Call,
  Expr,
  Method,
  Metric as MetricDeclaration,
  MetricMember,
  State,
} from '../../syntax/ast.ts'
import { type Context, complain, isBroken, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import type { Env } from '../env.ts'
import { expression } from '../evaluate.ts'
import { bindFormals, defineSizes } from '../formals.ts'
import type { FunctionArg, FunctionRequest } from '../functionRequest.ts'
import { functionInstance } from '../functions.ts'
import { valueKey } from '../keys.ts'
import { freshSizes } from '../receiver.ts'
import { requirementsHold } from '../requirement.ts'
import { declaredType } from '../types.ts'
import { errorValue, knownNumber, type Value } from '../values.ts'
import type { StepContext } from './stepContext.ts'

/** A metric of a training, ready to be updated from its steps. */
export interface MetricScope {
  readonly metric: Metric
  readonly declaration: MetricDeclaration
  readonly env: Env
  readonly key: string
  /** Names of the fields that `compute` gives, where it gives a record. */
  readonly fields: readonly string[]
  /** Whether `compute` gives one number. */
  readonly isNumber: boolean
}

/** `metric accuracy = Accuracy(classes: 10)`. */
export function elaborateMetric(ctx: Context, member: MetricMember): MetricScope | undefined {
  const call = member.value
  const callee = call.kind === 'Call' ? expression(ctx, call.callee) : expression(ctx, call)
  if (callee.kind === 'error') return undefined
  if (call.kind !== 'Call' || callee.kind !== 'declaration' || callee.declaration.kind !== 'Metric') {
    complain(ctx, 'LTM2109', call.span, {
      wanted: 'a metric, as in `Accuracy(classes: 10)`',
      got: describe(callee),
    })
    return undefined
  }
  const { declaration } = callee
  const env = callee.env.child()
  const args = bindFormals(
    ctx,
    declaration.signature.formals,
    { args: call.args, span: call.span, shown: textOf(call.callee.span), declaration },
    undefined,
    env,
  )
  if (!args || isBroken(ctx, declaration.id)) return undefined
  const within: Context = {
    ...ctx,
    env,
    instantiations: [...ctx.instantiations, { span: call.span, text: 'made here' }],
  }
  if (!requirementsHold(within, declaration)) return undefined
  const states = statesOf(within, declaration)
  const compute = methodOf(declaration, 'compute')
  if (!compute || !states) {
    if (!compute) complain(ctx, 'LTM3015', declaration.name.span, { what: 'metric', member: 'compute' })
    return undefined
  }
  const key = args.map(arg => valueKey(arg.value)).join(', ')
  const instance = functionInstance(
    within,
    metricRequest(within, declaration, env, compute, states, [], key),
    undefined,
  )
  if (!instance) return undefined
  const metric: Metric = {
    name: member.name.text,
    declaration: declaration.name.text,
    states,
    compute: instance.func.name,
    origin: originOf(member.span),
  }
  const { result } = instance
  const isNumber = result.kind !== 'tensor' || result.type.shape.length === 0
  return { metric, declaration, env, key, fields: instance.func.fields ?? [], isNumber }
}

const methodOf = (declaration: MetricDeclaration, role: Method['role']): Method | undefined =>
  declaration.members.find((member): member is Method => member.kind === 'Method' && member.role === role)

export function statesOf(ctx: Context, declaration: MetricDeclaration): readonly MetricState[] | undefined {
  const states = declaration.members
    .filter((member): member is State => member.kind === 'State')
    .map(member => stateOf(ctx, member))
  return states.every(state => state !== undefined) ? states : undefined
}

function stateOf(ctx: Context, member: State): MetricState | undefined {
  const type = declaredType(ctx, member.type)
  const value = knownNumber(expression(ctx, member.value))
  const merge = member.merge?.text ?? 'sum'
  if (type.kind === 'error') return undefined
  if (merge !== 'sum' && merge !== 'max' && merge !== 'min') {
    complain(
      ctx,
      'LTM2102',
      member.merge?.span ?? member.span,
      { what: '`merge`', expected: '`sum`, `max` or `min`', got: `\`${merge}\`` },
      { help: 'a mean is a sum and a count, divided in `compute`' },
    )
    return undefined
  }
  if (type.kind !== 'tensor' || value === undefined) {
    complain(ctx, 'LTM2109', member.span, {
      wanted: 'a tensor that starts at one number, as in `state hits: f32[classes] = 0`',
      got: `\`${textOf(member.span)}\``,
    })
    return undefined
  }
  return { name: member.name.text, type: type.type, value, merge }
}

const stateArgs = (states: readonly MetricState[]): readonly FunctionArg[] =>
  states.map(state => ({
    name: state.name,
    value: { kind: 'tensor', name: state.name, type: state.type, span: undefined },
    span: undefined,
  }))

function metricRequest(
  ctx: Context,
  declaration: MetricDeclaration,
  env: Env,
  method: Method,
  states: readonly MetricState[],
  args: readonly FunctionArg[],
  key: string,
): FunctionRequest {
  const { result } = method.signature
  return {
    name: `${declaration.name.text}.${method.role}`,
    declaration: {
      id: method.id,
      signature: method.signature,
      body: method.body,
      doc: declaration.doc,
      span: method.span,
    },
    role: method.role === 'update' ? 'update' : 'compute',
    scope: env.child(),
    self: undefined,
    args,
    vars: stateArgs(states),
    rests: undefined,
    result: result && declaredType({ ...ctx, env: env.child() }, result, new Set()),
    resultKey: key,
    ...(method.role === 'update' ? { finish: within => newStates(within, states, method) } : {}),
  }
}

/** What an update leaves in the states. */
function newStates(ctx: Context, states: readonly MetricState[], method: Method): Value {
  const fields = new Map<string, Value>()
  for (const state of states) {
    const value = ctx.env.lookup(state.name)?.value ?? errorValue
    if (value.kind === 'error') return value
    if (
      value.kind === 'tensor' &&
      value.type.dtype === state.type.dtype &&
      value.type.shape.join() === state.type.shape.join()
    )
      fields.set(state.name, value)
    else
      return complain(ctx, 'LTM2115', method.span, {
        name: `\`${state.name}\``,
        expected: describe({ kind: 'tensor', name: '', type: state.type, span: undefined }),
        got: describe(value),
      })
  }
  return { kind: 'record', fields }
}

/** What stands behind `over` is the argument `weight` of the update; a mask counts as zeros and ones. */
function weightArgument(over: Expr): Arg {
  const { id, span } = over
  const callee: Expr = { kind: 'Name', id, span, text: 'f32' }
  const value: Expr = {
    kind: 'Call',
    id,
    span,
    callee,
    args: [{ kind: 'Positional', id, span, value: over }],
  }
  return { kind: 'Named', id, span, name: { kind: 'Name', id, span, text: 'weight' }, value }
}

/** `accuracy(logits, label)` in a `log`: the update specialised for these tensors. */
export function metricUpdate(
  step: StepContext,
  scope: MetricScope,
  call: Call,
  over?: Expr,
): { readonly func: string; readonly inputs: readonly string[] } | undefined {
  const { ctx } = step
  const update = methodOf(scope.declaration, 'update')
  if (!update)
    return void complain(ctx, 'LTM3015', scope.declaration.name.span, { what: 'metric', member: 'update' })
  if (over && !update.signature.formals.some(formal => formal.name.text === 'weight'))
    return void complain(ctx, 'LTM4343', over.span, { metric: scope.declaration.name.text })
  const env = scope.env.child()
  const sizes = freshSizes()
  const args = bindFormals(
    ctx,
    update.signature.formals,
    {
      args: over ? [...call.args, weightArgument(over)] : call.args,
      span: call.span,
      shown: textOf(call.callee.span),
      owner: `${scope.declaration.name.text}.update`,
      instance: scope.metric.name,
      declaration: update,
    },
    undefined,
    env,
    sizes,
  )
  if (!args) return undefined
  defineSizes(env, sizes)
  const given = args.map(
    (arg): FunctionArg => ({ name: arg.formal.name.text, value: arg.value, span: arg.formal.name.span }),
  )
  const request = {
    ...metricRequest({ ...ctx, env }, scope.declaration, env, update, scope.metric.states, given, scope.key),
    rests: new Map([...sizes.bindings.rests].map(([name, shape]) => [name.slice(3), shape])),
  }
  const instance = functionInstance({ ...ctx, returns: 'optional' }, request, {
    span: call.span,
    text: `in this update of \`${scope.metric.name}\``,
  })
  const inputs = given.flatMap(arg => (arg.value.kind === 'tensor' ? [arg.value.name] : []))
  return instance && { func: instance.func.name, inputs }
}
