import { nearest } from '../../base/names.ts'
import type { Span } from '../../base/source.ts'
import { textOf } from '../../base/source.ts'
import type { HostExpr, HostVar, Hyper, Optimizer, OptimizerGroup } from '../../ir/ir.ts'
import type {
  Arg,
  Call,
  Except,
  Expr,
  Formal,
  Method,
  Optimizer as OptimizerDeclaration,
  OptimizerMember,
  Slot,
} from '../../syntax/ast.ts'
import { add, type Dim, product } from '../../types/dim.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Context, complain, isBroken, originOf } from '../context.ts'
import { convert } from '../conversion.ts'
import { describe } from '../describe.ts'
import type { Env } from '../env.ts'
import { expression } from '../evaluate.ts'
import { bindFormals, type FormalValue } from '../formals.ts'
import type { FunctionArg } from '../functionRequest.ts'
import { functionInstance } from '../functions.ts'
import { iterate } from '../iteration.ts'
import { memberValue } from '../members.ts'
import { freshSizes } from '../receiver.ts'
import { requirementsHold } from '../requirement.ts'
import { type PlacedParam, type PlacedState, parametersOf } from '../states.ts'
import { declaredType } from '../types.ts'
import { bool, errorValue, knownNumber, type OptimizerValue, type Value } from '../values.ts'
import { elaborateClosure, type Stretch, takesClosure } from './closures.ts'
import { globPattern } from './globs.ts'
import { settable } from './settings.ts'
import { accumulationOf, clipOf } from './updating.ts'

/** `optimizer adam = AdamW(net, lr: 1e-3, except net.**.bias: { weight_decay: 0 })`. */
export function elaborateOptimizer(
  ctx: Context,
  member: Pick<OptimizerMember, 'name' | 'value' | 'span'>,
  setting: { readonly isSet: ReadonlySet<string>; readonly hypers: readonly Hyper[] },
  /** An average moves something else than its argument, and counts the updates of what it follows. */
  average?: { readonly params: readonly PlacedState[]; readonly clock: string },
): ElaboratedOptimizer | undefined {
  const call = member.value
  const callee = call.kind === 'Call' ? expression(ctx, call.callee) : expression(ctx, call)
  if (callee.kind === 'error') return undefined
  if (call.kind !== 'Call' || callee.kind !== 'declaration' || callee.declaration.kind !== 'Optimizer') {
    complain(ctx, 'LTM2109', call.span, {
      wanted: 'an optimizer, as in `Adam(net, lr: 1e-3)`',
      got: describe(callee),
    })
    return undefined
  }
  const { declaration } = callee
  if (secondTarget(ctx, call)) return undefined
  const params = average?.params ?? targetParameters(ctx, call)
  const within: Context = { ...ctx, optimizer: average?.clock ?? member.name.text }
  const scope = callee.env.child()
  const bound = bindFormals(
    within,
    declaration.signature.formals,
    {
      args: settingsArguments(call, declaration),
      span: call.span,
      shown: textOf(call.callee.span),
      declaration,
    },
    undefined,
    scope,
  )
  const here = { span: call.span, text: 'made here' }
  const asked: Context = { ...within, env: scope, instantiations: [...ctx.instantiations, here] }
  if (bound && !isBroken(ctx, declaration.id) && !requirementsHold(asked, declaration)) return undefined
  const { settings, vars } = bound
    ? settable(member.name.text, bound, setting.isSet, setting.hypers, call.span)
    : { settings: undefined, vars: [] }
  const except =
    params && !isBroken(ctx, declaration.id)
      ? exceptions(within, call, params, declaration.signature.formals)
      : []
  const update = declaration.members.find(
    (item): item is Method => item.kind === 'Method' && item.role === 'update',
  )
  if (!update) complain(ctx, 'LTM3015', declaration.name.span, { what: 'optimizer', member: 'update' })
  if (!params || !settings || !update || isBroken(ctx, declaration.id)) return undefined
  const hostSettings = settings.filter(setting => setting.type?.kind === 'float')
  const made: Made = { ctx: within, declaration, env: callee.env, update, span: call.span }
  const moves = takesClosure(update)
    ? together(made, params, settings, call, average !== undefined)
    : oneByOne(made, groupsOf(within, params, settings, except))
  if (!moves) return undefined
  const optimizer: Optimizer = {
    name: member.name.text,
    declaration: declaration.name.text,
    settings: hostSettings.map(setting => setting.formal.name.text),
    ...moves,
    ...(average ? {} : updatingOf(within, call, declaration)),
    origin: originOf(member.span),
  }
  const value: OptimizerValue = {
    kind: 'optimizer',
    name: optimizer.name,
    settings: new Map(settings.map(({ formal, value }) => [formal.name.text, value])),
    written: new Map(
      call.args.flatMap(arg => (arg.kind === 'Named' ? [[arg.name.text, arg.value.span] as const] : [])),
    ),
  }
  return { optimizer, vars, value }
}

/** An optimizer, the `var`s of its settings that the program sets, and what its name stands for. */
export interface ElaboratedOptimizer {
  readonly optimizer: Optimizer
  readonly vars: readonly HostVar[]
  readonly value: OptimizerValue
}

/** The first argument names parameters; the rest are settings, and how its updates are made. */
function settingsArguments(call: Call, declaration: OptimizerDeclaration): readonly Arg[] {
  const isUpdating = (arg: Arg) => arg.kind === 'Named' && updatingArgument(arg.name.text, declaration)
  // Without a target in front, what stands behind names is no setting either.
  const [first, ...others] = call.args
  const settings = first?.kind === 'Named' ? call.args.filter(arg => arg.kind === 'Named') : others
  return settings.filter(arg => arg.kind !== 'Except' && !isUpdating(arg))
}

/** Whether an argument is one that every optimizer takes; a setting that is declared comes first. */
function updatingArgument(name: string, { signature }: OptimizerDeclaration): boolean {
  const own = signature.formals.some(formal => formal.name.text === name)
  return !own && (name === 'clip' || name === 'accumulate')
}

/** `clip: norm(1.0)` and `accumulate: 4` in place of the trainer's. */
function updatingOf(
  ctx: Context,
  call: Call,
  declaration: OptimizerDeclaration,
): Pick<Optimizer, 'clip' | 'accumulate'> {
  const node = (name: string) => {
    const arg = call.args.find(each => each.kind === 'Named' && each.name.text === name)
    return arg?.kind === 'Named' && updatingArgument(name, declaration) ? arg.value : undefined
  }
  const [clip, accumulate] = [node('clip'), node('accumulate')]
  const clipped = clip && clipOf(ctx, clip)
  const batches = accumulate && accumulationOf(ctx, accumulate)
  return {
    ...(clipped === undefined ? {} : { clip: clipped }),
    ...(batches === undefined ? {} : { accumulate: batches }),
  }
}

function targetParameters(ctx: Context, call: Call): readonly PlacedParam[] | undefined {
  const [first] = call.args
  if (first?.kind !== 'Positional') {
    complain(ctx, 'LTM3006', call.span, {
      callee: textOf(call.callee.span),
      name: 'parameters',
      signature: 'the first argument says what it moves: a model, a path or a list of them',
    })
    return undefined
  }
  const value = target(ctx, first.value)
  const params = parametersOf(value)
  if (params.length === 0 && !holdsError(value))
    complain(ctx, 'LTM2109', first.span, {
      wanted: 'a model, a parameter or a list of them',
      got: describe(value),
    })
  const twice = params.find((param, i) => params.findIndex(other => other.path === param.path) !== i)
  if (twice) {
    const callee = textOf(call.callee.span)
    complain(ctx, 'LTM3007', first.span, { callee, name: twice.path })
  }
  return params.length > 0 && !twice && !holdsError(value) ? params : undefined
}

/** `Adam(x, y, lr: …)`: several targets are a list. */
function secondTarget(ctx: Context, call: Call): boolean {
  const [first, second] = call.args
  const name = second?.kind === 'Positional' && second.value.kind === 'Name' ? second.value : undefined
  const value = name && ctx.env.lookup(name.text)?.value
  if (!name || !value || parametersOf(value).length === 0) return false
  const list = `${textOf(call.callee.span)}([${textOf(first!.span)}, ${name.text}], …)`
  complain(
    ctx,
    'LTM2109',
    name.span,
    { wanted: 'a setting', got: describe(value) },
    { help: `several targets are a list: \`${list}\`` },
  )
  return true
}

/** Whether a part of a value failed, which has been reported. */
const holdsError = (value: Value): boolean =>
  value.kind === 'error' || (value.kind === 'list' && value.items.some(holdsError))

/** A path of parameters: like an expression, but a parameter stays a reference instead of being read. */
function target(ctx: Context, node: Expr): Value {
  switch (node.kind) {
    case 'Name': {
      const binding = ctx.env.lookup(node.text)
      return binding
        ? binding.value
        : complain(ctx, 'LTM3001', node.span, { name: node.text, near: nearest(node.text, ctx.env.names()) })
    }
    case 'Member': {
      const object = target(ctx, node.object)
      const found = object.kind === 'module' ? object.spec.members.get(node.name.text) : undefined
      if (object.kind === 'module' && (found?.kind === 'param' || found?.kind === 'buffer'))
        return { kind: 'param', path: `${object.path}.${node.name.text}`, spec: found.spec }
      return memberValue(ctx, object, node.name.text, node.span)
    }
    case 'Index': {
      const list = target(ctx, node.object)
      const [item] = node.items
      const at =
        item && item.kind !== 'NewAxis' && item.kind !== 'Ellipsis'
          ? knownNumber(expression(ctx, item))
          : undefined
      return list.kind === 'list' && at !== undefined ? (list.items.at(at) ?? errorValue) : errorValue
    }
    case 'ListLiteral':
      return { kind: 'list', items: node.items.map(item => target(ctx, item)) }
    default:
      return expression(ctx, node)
  }
}

interface Exception {
  readonly paths: ReadonlySet<string>
  readonly settings: ReadonlyMap<string, Value>
  readonly span: Span
}

/** `except GLOB: { … } for i in …`: settings of their own for some of the parameters. */
function exceptions(
  ctx: Context,
  call: Call,
  params: readonly PlacedState[],
  formals: readonly Formal[],
): readonly Exception[] {
  return call.args.flatMap(arg =>
    arg.kind === 'Except' ? exceptRounds(ctx, arg, params, formals, textOf(call.callee.span)) : [],
  )
}

function exceptRounds(
  ctx: Context,
  arg: Except,
  params: readonly PlacedState[],
  formals: readonly Formal[],
  callee: string,
): readonly Exception[] {
  if (!arg.iterable) return exceptionOf(ctx, arg, params, formals, callee)
  const rounds = iterate(ctx, arg.names, arg.iterable)
  if (rounds === 'error') return []
  return rounds.bindings.flatMap(bind => {
    const env = ctx.env.child()
    bind(env)
    return exceptionOf({ ...ctx, env }, arg, params, formals, callee)
  })
}

function exceptionOf(
  ctx: Context,
  arg: Except,
  params: readonly PlacedState[],
  formals: readonly Formal[],
  callee: string,
): readonly Exception[] {
  const pattern = globPattern(ctx, arg.glob)
  const paths = new Set(params.map(param => param.path).filter(path => pattern.test(path)))
  if (paths.size === 0)
    complain(
      ctx,
      'LTM3001',
      arg.glob.span,
      { name: textOf(arg.glob.span), near: undefined },
      { help: 'no parameter of this optimizer has such a path' },
    )
  const record = expression(ctx, arg.value)
  if (record.kind !== 'record') {
    if (record.kind !== 'error')
      complain(ctx, 'LTM2109', arg.value.span, { wanted: 'a record of settings', got: describe(record) })
    return []
  }
  const names = formals.map(formal => formal.name.text)
  const settings = new Map<string, Value>()
  for (const [name, value] of record.fields) {
    const formal = formals.find(item => item.name.text === name)
    if (!formal) complain(ctx, 'LTM3004', arg.value.span, { callee, name, near: nearest(name, names) })
    else
      settings.set(
        name,
        formal.type
          ? convert(ctx, value, declaredType(ctx, formal.type), freshSizes(), {
              what: `\`${name}\``,
              callee,
              span: arg.value.span,
              declared: formal.span,
            })
          : value,
      )
  }
  return [{ paths, settings, span: arg.span }]
}

interface Group {
  readonly params: readonly PlacedState[]
  readonly constrained: boolean
  readonly settings: readonly FormalValue[]
}

/** Parameters with equal settings, constrained ones apart. */
function groupsOf(
  ctx: Context,
  params: readonly PlacedState[],
  settings: readonly FormalValue[],
  except: readonly Exception[],
): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const param of params) {
    const own = settingsFor(ctx, param, settings, except)
    const constrained = param.spec.constraint !== undefined
    const key = `${constrained} ${JSON.stringify(own.map(setting => setting.value))}`
    const group = groups.get(key)
    groups.set(key, { params: [...(group?.params ?? []), param], constrained, settings: own })
  }
  return [...groups.values()]
}

function settingsFor(
  ctx: Context,
  param: PlacedState,
  settings: readonly FormalValue[],
  except: readonly Exception[],
): readonly FormalValue[] {
  const matching = except.filter(exception => exception.paths.has(param.path))
  return settings.map(setting => {
    const name = setting.formal.name.text
    const own = matching.filter(exception => exception.settings.has(name))
    const [first, second] = own
    if (first && second)
      complain(
        ctx,
        'LTM3007',
        second.span,
        { callee: param.path, name },
        { labels: [{ span: first.span, text: 'and here' }] },
      )
    return first ? { ...setting, value: first.settings.get(name)! } : setting
  })
}

interface Made {
  readonly ctx: Context
  readonly declaration: OptimizerDeclaration
  readonly env: Env
  readonly update: Method
  readonly span: Span
}

type Moves = Pick<Optimizer, 'slots' | 'groups' | 'closure'>

const slotsOf = ({ members }: OptimizerDeclaration): readonly Slot[] =>
  members.filter(item => item.kind === 'Slot')

const slotNames = (declaration: OptimizerDeclaration): readonly string[] =>
  slotsOf(declaration).map(({ name }) => name.text)

/** Each parameter by itself. */
function oneByOne(made: Made, groups: readonly Group[]): Moves | undefined {
  const slots = slotsOf(made.declaration).map(({ name, value }) => ({
    name: name.text,
    value: knownNumber(expression({ ...made.ctx, env: made.env }, value)) ?? 0,
  }))
  const updates = groups.map(group => optimizerGroup(made, group))
  return updates.every(group => group !== undefined) ? { slots, groups: updates } : undefined
}

/** All parameters as one vector, by an update that may evaluate the loss again. */
function together(
  made: Made,
  params: readonly PlacedState[],
  settings: readonly FormalValue[],
  call: Call,
  follows: boolean,
): Moves | undefined {
  const { ctx, declaration, update } = made
  const name = declaration.name.text
  const except = call.args.find(arg => arg.kind === 'Except')
  if (except) return void complain(ctx, 'LTM4113', except.span, { name })
  if (follows) return void complain(ctx, 'LTM4114', call.span, { name })
  const scope = made.env.child()
  for (const { formal, type, value } of settings) {
    const text = formal.name.text
    const given: Value = { kind: 'float', expr: { kind: 'argument', name: text } }
    scope.define(text, type?.kind === 'float' ? given : value)
  }
  const stretches = params.map(({ spec }) => ({
    count: product(spec.raw.shape),
    constrained: spec.constraint !== undefined,
  }))
  const size = stretches.reduce((sum, { count }) => add(sum, count), 0 as Dim)
  const place = { span: made.span, text: 'made here' }
  const elaborated = elaborateClosure(
    { ...ctx, instantiations: [...ctx.instantiations, place] },
    { declaration, update, env: scope },
    merged(stretches),
    size,
  )
  const floats = settings.filter(setting => setting.type?.kind === 'float')
  const group = {
    parameters: params.map(({ path }) => path),
    settings: floats.map(({ value }) => hostExpr(value)),
  }
  return elaborated && { ...elaborated, groups: [group] }
}

/** Neighbours that are alike are one stretch. */
function merged(stretches: readonly Stretch[]): readonly Stretch[] {
  const found: Stretch[] = []
  for (const stretch of stretches) {
    const last = found.at(-1)
    if (last?.constrained === stretch.constrained)
      found[found.length - 1] = { ...stretch, count: add(last.count, stretch.count) }
    else found.push(stretch)
  }
  return found
}

/** The update function of a group: float settings are passed by the host, others are specialised for. */
function optimizerGroup(made: Made, group: Group): OptimizerGroup | undefined {
  const { update, declaration } = made
  const type: TensorType = { dtype: 'f32', shape: ['...p'] }
  const tensor = (name: string): FunctionArg => ({
    name,
    value: { kind: 'tensor', name, type, span: undefined },
    span: undefined,
  })
  const host = (name: string): FunctionArg => ({
    name,
    value: { kind: 'float', expr: { kind: 'argument', name } },
    span: undefined,
  })
  const formals = update.signature.formals.map(formal => formal.name.text)
  const [param = 'param', grad = 'grad', t = 't'] = formals
  const scope = made.env.child()
  scope.define('constrained', bool(group.constrained))
  for (const setting of group.settings) scope.define(setting.formal.name.text, setting.value)
  const settings = group.settings.filter(setting => setting.type?.kind === 'float')
  const instance = functionInstance(
    { ...made.ctx, env: scope, expected: undefined },
    {
      name: `${declaration.name.text}.update`,
      declaration: {
        id: update.id,
        signature: update.signature,
        body: update.body,
        doc: declaration.doc,
        span: update.span,
      },
      role: 'update',
      scope,
      self: undefined,
      args: [
        tensor(param),
        tensor(grad),
        host(t),
        ...settings.map(setting => host(setting.formal.name.text)),
      ],
      vars: slotNames(declaration).map(tensor),
      rests: undefined,
      result: undefined,
      resultKey: JSON.stringify([
        group.constrained,
        group.settings.filter(setting => setting.type?.kind !== 'float').map(setting => setting.value),
      ]),
      finish: (ctx, result) => updated(ctx, made, result, type),
    },
    { span: made.span, text: 'made here' },
  )
  const exprs = settings.map(setting => hostExpr(setting.value))
  return (
    instance && {
      parameters: group.params.map(item => item.path),
      settings: exprs,
      update: instance.func.name,
    }
  )
}

const hostExpr = (value: Value): HostExpr =>
  value.kind === 'float' ? value.expr : { kind: 'number', value: knownNumber(value) ?? 0 }

/** The new slots, and the new parameter under `param`. */
function updated(ctx: Context, made: Made, result: Value, type: TensorType): Value {
  if (result.kind === 'error') return result
  const fields = new Map<string, Value>()
  for (const name of slotNames(made.declaration)) fields.set(name, ctx.env.lookup(name)?.value ?? errorValue)
  fields.set('param', result)
  const wrong = [...fields].find(
    ([, value]) => value.kind !== 'tensor' || value.type.shape.join() !== type.shape.join(),
  )
  if (!wrong) return { kind: 'record', fields }
  if (wrong[1].kind === 'error') return errorValue
  return complain(ctx, 'LTM2115', made.update.span, {
    name: `\`${wrong[0]}\``,
    expected: 'like param',
    got: describe(wrong[1]),
  })
}
