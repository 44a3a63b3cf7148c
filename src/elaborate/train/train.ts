import type { Span } from '../../base/source.ts'
import type { Dataset, Optimizer, Parameter, Program } from '../../ir/ir.ts'
import type { Hyper, Train, TrainMember } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import type { Env } from '../env.ts'
import { expression } from '../evaluate.ts'
import { paramSpec, place } from '../modules.ts'
import { executeLet } from '../statements.ts'
import { errorValue, type Value } from '../values.ts'
import { elaborateData } from './datasets.ts'
import { elaborateHook } from './hooks.ts'
import { elaborateHyper, elaborateVar, hyperValue } from './hypers.ts'
import { elaborateMetric, type MetricScope } from './metrics.ts'
import { elaborateOptimizer } from './optimizers.ts'
import { elaborateParameter, type PlacedParam, parametersOf } from './parameters.ts'
import { elaborateStep } from './steps.ts'
import { elaborateTrainer } from './trainer.ts'
import type { Training } from './training.ts'

type MemberOf<K extends TrainMember['kind']> = Extract<TrainMember, { readonly kind: K }>

function membersOf<K extends TrainMember['kind']>(train: Train, kind: K): readonly MemberOf<K>[] {
  return train.members.filter((member): member is MemberOf<K> => member.kind === kind)
}

/** One `train` declaration as a program: settings first, then data and models, then what uses them. */
export function elaborateTrain(world: Context, train: Train, given: ReadonlyMap<string, string>): Program {
  const env = world.env.child()
  const ctx: Context = { ...world, env, declaration: train.id }
  const names = new TrainNames(ctx)
  const hypers = hypersOf(ctx, train, given, names)
  const vars = membersOf(train, 'Var').flatMap(member => {
    const item = elaborateVar(ctx, member)
    const kind = item?.type === 'bool' ? 'bool' : 'float'
    names.define(
      member.name.text,
      item ? { kind, expr: { kind: 'var', name: item.name } } : errorValue,
      member.name.span,
      true,
    )
    return item ? [item] : []
  })
  for (const member of membersOf(train, 'Let')) executeLet(ctx, member)
  const datasets = dataOf(ctx, train, names)
  const placed = [...modelsOf(ctx, train, names), ...ownParameters(ctx, train, names)]
  for (const member of membersOf(train, 'Fn'))
    names.define(
      member.name.text,
      { kind: 'function', declaration: member, name: member.name.text, env, self: undefined },
      member.name.span,
    )
  const parameters = placed.flatMap(({ param, frozen }): Parameter[] => {
    const parameter = elaborateParameter(ctx, param, frozen)
    return parameter ? [parameter] : []
  })
  const optimizers = optimizersOf(ctx, train, names, hypers)
  const metrics = metricsOf(ctx, train, names)
  pendingMembers(ctx, train, names)
  const training: Training = {
    ctx,
    datasets: new Map(datasets.map(dataset => [dataset.name, dataset])),
    optimizers,
    metrics,
    logged: new Set(),
    failedData: datasets.length < membersOf(train, 'Data').length,
    failedOptimizers: failedOf(train, optimizers),
  }
  const steps = membersOf(train, 'TrainStep').flatMap(member => elaborateStep(training, member))
  const hooks = membersOf(train, 'Hook').flatMap(member => elaborateHook(training, member) ?? [])
  const [trainer] = membersOf(train, 'Trainer')
  const settings = elaborateTrainer(training, trainer, train.name.span)
  checkOwners(
    ctx,
    placed.map(item => ({ ...item.param, frozen: item.frozen })),
    optimizers,
    training.failedOptimizers.size > 0,
    train.name.span,
  )
  return {
    name: train.name.text,
    file: train.span.source.name,
    hypers,
    datasets,
    parameters,
    vars,
    optimizers,
    metrics: [...metrics.values()].map(scope => scope.metric),
    functions: world.world.functions.list,
    steps,
    hooks,
    trainer: settings,
  }
}

function failedOf(train: Train, optimizers: readonly Optimizer[]): ReadonlySet<string> {
  const declared = membersOf(train, 'OptimizerMember').map(member => member.name.text)
  return new Set(declared.filter(name => !optimizers.some(optimizer => optimizer.name === name)))
}

/** The names of one `train`: none may stand for two things (F18). */
class TrainNames {
  readonly #ctx: Context

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  define(name: string, value: Value, span: Span, mutable = false): void {
    const { env } = this.#ctx
    const before = env.owns(name) ? env.lookup(name) : undefined
    if (before)
      complain(
        this.#ctx,
        'LTM3002',
        span,
        { name, what: '`train`' },
        before.span ? { labels: [{ span: before.span, text: 'the other one' }] } : {},
      )
    env.define(name, value, span, { mutable, unshadowed: true })
  }
}

function hypersOf(
  ctx: Context,
  train: Train,
  given: ReadonlyMap<string, string>,
  names: TrainNames,
): Program['hypers'] {
  const members = membersOf(train, 'Hyper')
  return members.flatMap((member: Hyper) => {
    const hyper = elaborateHyper(ctx, member, given.get(member.name.text))
    names.define(member.name.text, hyper ? hyperValue(hyper) : errorValue, member.name.span)
    return hyper ? [hyper] : []
  })
}

function dataOf(ctx: Context, train: Train, names: TrainNames): readonly Dataset[] {
  return membersOf(train, 'Data').flatMap(member => {
    const dataset = elaborateData(ctx, member)
    names.define(
      member.name.text,
      dataset ? dataValue(ctx, member, dataset.name) : errorValue,
      member.name.span,
    )
    return dataset ? [dataset] : []
  })
}

function dataValue(ctx: Context, member: MemberOf<'Data'>, name: string): Value {
  const { value } = member
  const callee = value.kind === 'Call' ? expression(ctx, value.callee) : errorValue
  return callee.kind === 'declaration' && callee.declaration.kind === 'Dataset'
    ? { kind: 'data', name, declaration: callee.declaration }
    : errorValue
}

interface Owned {
  readonly param: PlacedParam
  readonly frozen: boolean
}

function modelsOf(ctx: Context, train: Train, names: TrainNames): readonly Owned[] {
  return membersOf(train, 'Model').flatMap(member => {
    if (member.from) complain(ctx, 'LTM9001', member.from.span, { what: 'a model from a file' })
    const name = member.name.text
    const value = place(ctx, expression(ctx, member.value), name, member.value.span)
    names.define(name, value, member.name.span)
    return parametersOf(value).map(param => ({ param, frozen: member.frozen }))
  })
}

function ownParameters(ctx: Context, train: Train, names: TrainNames): readonly Owned[] {
  return membersOf(train, 'Param').flatMap(member => {
    const spec = paramSpec(ctx, member)
    const path = member.name.text
    names.define(path, spec ? { kind: 'param', path, spec } : errorValue, member.name.span)
    return spec ? [{ param: { path, spec }, frozen: false }] : []
  })
}

/** Settings of optimizers keep the names of hypers, so that the program reads `settings.lr`. */
function optimizersOf(
  ctx: Context,
  train: Train,
  names: TrainNames,
  hypers: Program['hypers'],
): readonly Optimizer[] {
  const env: Env = ctx.env.child()
  for (const hyper of hypers) {
    if (hyper.type === 'float')
      env.define(hyper.name, { kind: 'float', expr: { kind: 'hyper', name: hyper.name } })
  }
  return membersOf(train, 'OptimizerMember').flatMap(member => {
    const optimizer = elaborateOptimizer({ ...ctx, env }, member)
    names.define(
      member.name.text,
      optimizer ? { kind: 'optimizer', name: optimizer.name } : errorValue,
      member.name.span,
    )
    return optimizer ? [optimizer] : []
  })
}

function metricsOf(ctx: Context, train: Train, names: TrainNames): ReadonlyMap<string, MetricScope> {
  const metrics = new Map<string, MetricScope>()
  for (const member of membersOf(train, 'MetricMember')) {
    const scope = elaborateMetric(ctx, member)
    const name = member.name.text
    names.define(
      name,
      scope
        ? { kind: 'metric', name, declaration: scope.declaration, env: scope.env, key: scope.key }
        : errorValue,
      member.name.span,
    )
    if (scope) metrics.set(name, scope)
  }
  return metrics
}

function pendingMembers(ctx: Context, train: Train, names: TrainNames): void {
  for (const member of membersOf(train, 'Average')) {
    complain(ctx, 'LTM9001', member.span, { what: '`average`' })
    names.define(member.name.text, errorValue, member.name.span)
  }
  for (const member of membersOf(train, 'Freeze')) complain(ctx, 'LTM9001', member.span, { what: '`freeze`' })
}

/** Every parameter has one optimizer, or is frozen. */
function checkOwners(
  ctx: Context,
  params: readonly (PlacedParam & { readonly frozen: boolean })[],
  optimizers: readonly Optimizer[],
  failed: boolean,
  span: Span,
): void {
  for (const param of params) {
    const owners = optimizers.filter(optimizer =>
      optimizer.groups.some(group => group.parameters.includes(param.path)),
    )
    const [first, second] = owners
    if (first && second)
      complain(ctx, 'LTM4104', span, { path: param.path, first: first.name, second: second.name })
    else if (!first && !param.frozen && optimizers.length > 0 && !failed)
      complain(ctx, 'LTM4105', param.spec.declaration.span, { path: param.path })
  }
}
