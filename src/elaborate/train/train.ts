import { NameSupply } from '../../base/fresh.ts'
import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import type { Diagnostic } from '../../diagnostics/diagnostic.ts'
import type { Dataset, Optimizer, Parameter, Program, TrainerSettings, WeightFile } from '../../ir/ir.ts'
import type { Glob, Hyper, Train, TrainMember } from '../../syntax/ast.ts'
import { visit } from '../../syntax/walk.ts'
import { type Context, checkLater, complain, isBroken, originOf, type World } from '../context.ts'
import { openCounts } from '../counts.ts'
import { checkFunction } from '../definitions.ts'
import type { Binding, Env } from '../env.ts'
import { expression } from '../evaluate.ts'
import { liesBelow, withFrozenParts } from '../frozen.ts'
import { FunctionRegion } from '../functionRegion.ts'
import { FunctionTable } from '../functionTable.ts'
import { readsClock } from '../host.ts'
import { paramSpec, place } from '../modules.ts'
import { settle } from '../naming.ts'
import { buffersOf, hasError, type PlacedBuffer, type PlacedParam, parametersOf } from '../states.ts'
import { errorValue, lazy, type Value } from '../values.ts'
import { type AverageModel, averageModel, averageOptimizer } from './averages.ts'
import { dataMembers, elaborateData } from './datasets.ts'
import { globPattern, rootIsKnown } from './globs.ts'
import { elaborateHook } from './hooks.ts'
import { elaborateHyper, hyperValue } from './hypers.ts'
import { elaborateMetric, type MetricScope } from './metrics.ts'
import { neverLetGo, partsOf } from './modes.ts'
import { checkReadings } from './monitors.ts'
import { elaborateOptimizer } from './optimizers.ts'
import { elaborateBuffer, elaborateParameter, type Start } from './parameters.ts'
import { Plateaus } from './plateaus.ts'
import { settingsThatAreSet } from './settings.ts'
import { elaborateStep } from './steps.ts'
import { elaborateTrainer } from './trainer.ts'
import type { Training } from './training.ts'
import { elaborateVar } from './vars.ts'
import { elaborateWeights } from './weightFile.ts'

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
  const vars = membersOf(train, 'Var').map(member => {
    const item = elaborateVar(ctx, member)
    names.define(member.name.text, item.value, member.name.span, { mutable: true, persistent: true })
    return item
  })
  const lets = membersOf(train, 'Let')
  for (const member of lets) letOf(ctx, member, names)
  const datasets = dataOf(ctx, train, names)
  const freezes = membersOf(train, 'Freeze').map(({ glob }) => ({ glob, pattern: globPattern(ctx, glob) }))
  const models = modelsOf(ctx, train, names, freezes)
  const ownParams = ownParameters(ctx, train, names, freezes)
  const averages = averagesOf(ctx, train, names)
  const owned = [...models.flatMap(model => model.parameters), ...ownParams]
  const placed = [...owned, ...averages.flatMap(average => ownedBy(average))]
  const ownBuffers = ownParams.flatMap(({ param: { path, spec } }) =>
    buffersOf({ kind: 'param', path, spec }),
  )
  const placedBuffers = [...[...models, ...averages].flatMap(model => model.buffers), ...ownBuffers]
  checkFreezes(
    ctx,
    freezes,
    [...owned.map(({ param }) => param), ...models.flatMap(model => model.buffers)].map(({ path }) => path),
  )
  for (const member of membersOf(train, 'Fn'))
    names.define(
      member.name.text,
      { kind: 'function', declaration: member, name: member.name.text, env, self: undefined },
      member.name.span,
    )
  for (const member of membersOf(train, 'Fn')) checkLater(ctx, member.id, () => checkOwnFunction(ctx, member))
  for (const member of lets) for (const name of member.names) checkLet(ctx, name.text, name.span)
  for (const member of membersOf(train, 'Fn')) isBroken(ctx, member.id)
  const inits = new Map<string, Start>()
  const parameters = placed.flatMap(({ param, frozen }): Parameter[] => {
    const parameter = elaborateParameter(ctx, param, frozen, inits)
    if (!parameter) ctx.world.silent.push(param.spec.declaration.span)
    return parameter ? [parameter] : []
  })
  const tensorVars = vars.flatMap(({ buffer }) => buffer ?? [])
  const buffers = [...placedBuffers, ...tensorVars].flatMap((buffer): Program['buffers'] => {
    const elaborated = elaborateBuffer(ctx, buffer, inits)
    if (!elaborated) ctx.world.silent.push(buffer.spec.declaration.span)
    return elaborated ? [elaborated] : []
  })
  const plateaus = new Plateaus()
  const watchful: Context = { ...ctx, plateau: (place, node) => plateaus.read(place, node) }
  const { optimizers, settings: setVars } = optimizersOf(watchful, train, names, hypers)
  const metrics = metricsOf(ctx, train, names)
  const failed = failedOf(train, optimizers)
  const movers = averages.flatMap(
    average => averageOptimizer(ctx, average, optimizers, failed.size > 0) ?? [],
  )
  const frozen = new Set(parameters.flatMap(({ path, frozen }) => (frozen ? [path] : [])))
  const parts = partsOf(
    ctx,
    train,
    membersOf(train, 'Model').map(({ name }) => ctx.env.lookup(name.text)?.value ?? errorValue),
    frozen,
  )
  const training: Training = {
    ctx,
    datasets: new Map(datasets.map(dataset => [dataset.name, dataset])),
    optimizers,
    averages: movers,
    metrics,
    parameters: parameters.map(({ path }) => path),
    frozen,
    standing: neverLetGo(ctx, train, frozen),
    parts,
    logged: new Set(),
    returned: [],
    readings: [...plateaus.readings],
    cadences: [],
    phases: new Set(membersOf(train, 'TrainStep').flatMap(step => step.phases)),
    stalls: new NameSupply(),
    losses: [],
    silent: ctx.world.silent,
    reached: { paths: new Set(), all: false },
    minimised: new Map(),
    failedData: datasets.length < membersOf(train, 'Data').length,
    failedSteps: new Set(),
    failedOptimizers: failed,
  }
  checkRepeated(ctx, train)
  const steps = membersOf(train, 'TrainStep').flatMap(member => elaborateStep(training, member))
  const own = membersOf(train, 'Hook').flatMap(member => elaborateHook(training, member, steps) ?? [])
  const hooks = [...own, ...plateaus.hooks]
  const [trainer] = membersOf(train, 'Trainer')
  const settings = elaborateTrainer(
    training,
    trainer,
    membersOf(train, 'TrainStep').some(step => step.phases.includes('train')) ? train.name.span : undefined,
  )
  checkReadings(training)
  checkAccumulating(ctx, train, optimizers, settings)
  checkTogether(training, settings)
  checkTotal(ctx, train, optimizers, settings)
  checkOwners(ctx, train, placed, optimizers, training.failedOptimizers.size > 0)
  for (const average of averages) checkFollows(ctx, train, average, optimizers)
  checkReached(training, placed)
  return {
    name: train.name.text,
    file: train.span.source.name,
    hypers,
    datasets: datasets.map(dataset => ({ ...dataset, counts: countsOf(ctx.world, dataset) })),
    parameters,
    buffers,
    weights: models.flatMap(({ weights }) => weights ?? []),
    vars: [
      ...vars.flatMap(({ host }) => host ?? []),
      ...setVars,
      ...plateaus.vars,
      ...parts.map(({ variable, frozen: value }) => ({
        name: variable,
        type: 'bool' as const,
        value,
        origin: originOf(train.name.span),
      })),
    ],
    optimizers: [...optimizers, ...movers],
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

  define(
    name: string,
    value: Value,
    span: Span,
    traits: Partial<Pick<Binding, 'mutable' | 'persistent'>> = {},
  ): void {
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
    env.define(name, value, span, { ...traits, unshadowed: true })
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
    names.define(
      member.name.text,
      hyper ? hyperValue(hyper, train.span.source.name) : errorValue,
      member.name.span,
    )
    return hyper ? [hyper] : []
  })
}

function dataOf(ctx: Context, train: Train, names: TrainNames): readonly Dataset[] {
  return membersOf(train, 'Data').flatMap(member => {
    const dataset = settledData(ctx, member)
    names.define(member.name.text, dataset ? dataValue(ctx, member, dataset) : errorValue, member.name.span)
    if (!dataset) ctx.world.silent.push(member.span)
    return dataset ? [dataset] : []
  })
}

/** A dataset is read as it is, so there are no symbols in it: one that asks for sizes of another waits for them. */
function settledData(ctx: Context, member: MemberOf<'Data'>): Dataset | undefined {
  const before = openCounts(ctx.world.counts)
  const held: Diagnostic[] = []
  const world = { ...ctx.world, report: (each: Diagnostic) => void held.push(each) }
  const dataset = elaborateData({ ...ctx, world, generic: false }, member)
  if (openCounts(ctx.world.counts) > before) return undefined
  for (const each of held) ctx.world.report(each)
  return dataset
}

function dataValue(ctx: Context, member: MemberOf<'Data'>, dataset: Dataset): Value {
  const { value } = member
  const callee = value.kind === 'Call' ? expression(ctx, value.callee) : errorValue
  if (callee.kind !== 'declaration' || callee.declaration.kind !== 'Dataset') return errorValue
  const { declaration } = callee
  return { kind: 'data', name: dataset.name, declaration, members: dataMembers(dataset, declaration) }
}

/** The sizes that a program has asked of a dataset, in the order in which this declares what is counted. */
function countsOf({ counts: { known, asked } }: World, { name, fields, vocabularies, fits }: Dataset) {
  const order = [...fields, ...vocabularies, ...fits].map(each => each.name)
  return [...asked]
    .filter(([, { data }]) => data === name)
    .sort(([, a], [, b]) => order.indexOf(a.of) - order.indexOf(b.of))
    .map(([key, { of, span }]) => {
      const is = known.get(key)
      return { of, ...(is === undefined ? {} : { is }), origin: originOf(span) }
    })
}

interface Owned {
  readonly param: PlacedParam
  readonly frozen: boolean
  /** The member of the `train` that it belongs to. */
  readonly span: Span
}

interface OwnModel {
  readonly parameters: readonly Owned[]
  readonly buffers: readonly PlacedBuffer[]
  readonly weights: WeightFile | undefined
}

/** A `freeze` member: what it names stands still from the start. */
interface Freezing {
  readonly glob: Glob
  readonly pattern: RegExp
}

const isFrozenBy = (freezes: readonly Freezing[], path: string): boolean =>
  freezes.some(({ pattern }) => pattern.test(path))

function checkFreezes(ctx: Context, freezes: readonly Freezing[], paths: readonly string[]): void {
  for (const { glob, pattern } of freezes) {
    const text = textOf(glob.span)
    // A model that failed has been reported; what it would have is not known.
    if (!rootIsKnown(ctx, glob)) continue
    if (!paths.some(path => pattern.test(path)))
      complain(ctx, 'LTM4312', glob.span, { glob: text, near: nearest(text, paths) })
  }
}

function modelsOf(
  ctx: Context,
  train: Train,
  names: TrainNames,
  freezes: readonly Freezing[],
): readonly OwnModel[] {
  return membersOf(train, 'Model').map(member => {
    const name = member.name.text
    const made = place(ctx, expression(ctx, member.value), name, member.value.span)
    // A layer that is wrong has been reported: what the model lacks without it is no other mistake.
    const value = hasError(made) ? errorValue : made
    if (value.kind === 'error') ctx.world.silent.push(member.value.span)
    const parameters = parametersOf(value)
    const buffers = buffersOf(value)
    const own = [...parameters, ...buffers].map(({ path }) => path)
    const isFrozen = (path: string): boolean => member.frozen || isFrozenBy(freezes, path)
    const weights =
      member.from && value.kind !== 'error' ? elaborateWeights(ctx, member.from, name, own) : undefined
    names.define(name, frozenAs(value, own, isFrozen), member.name.span)
    return {
      parameters: parameters.map(param => ({
        param,
        frozen: isFrozen(param.path),
        span: member.name.span,
      })),
      buffers,
      weights,
    }
  })
}

/** An instance is frozen where its path is, or all that it holds. */
function frozenAs(value: Value, states: readonly string[], isFrozen: (path: string) => boolean): Value {
  return withFrozenParts(value, path => {
    const inside = states.filter(state => liesBelow(state, path))
    return isFrozen(path) || (inside.length > 0 && inside.every(isFrozen))
  })
}

function ownParameters(
  ctx: Context,
  train: Train,
  names: TrainNames,
  freezes: readonly Freezing[],
): readonly Owned[] {
  return membersOf(train, 'Param').flatMap(member => {
    const spec = paramSpec(ctx, member)
    const path = member.name.text
    names.define(path, spec ? { kind: 'param', path, spec } : errorValue, member.name.span)
    return spec ? [{ param: { path, spec }, frozen: isFrozenBy(freezes, path), span: member.name.span }] : []
  })
}

/** Settings of optimizers keep the names of hypers, so that the program reads `settings.lr`. */
function optimizersOf(
  ctx: Context,
  train: Train,
  names: TrainNames,
  hypers: Program['hypers'],
): { readonly optimizers: readonly Optimizer[]; readonly settings: Program['vars'] } {
  const isSet = settingsThatAreSet(train)
  const env: Env = ctx.env.child()
  for (const hyper of hypers) {
    if (hyper.type === 'float')
      env.define(hyper.name, { kind: 'float', expr: { kind: 'hyper', name: hyper.name } })
  }
  const made = membersOf(train, 'OptimizerMember').flatMap(member => {
    const optimizer = elaborateOptimizer({ ...ctx, env }, member, { isSet, hypers })
    names.define(member.name.text, optimizer?.value ?? errorValue, member.name.span)
    if (!optimizer) ctx.world.silent.push(member.span)
    return optimizer ? [optimizer] : []
  })
  return {
    optimizers: made.map(({ optimizer }) => optimizer),
    settings: made.flatMap(({ vars }) => vars),
  }
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
    else ctx.world.silent.push(member.span)
  }
  return metrics
}

function averagesOf(ctx: Context, train: Train, names: TrainNames): readonly AverageModel[] {
  return membersOf(train, 'Average').flatMap(member => {
    const average = averageModel(ctx, member)
    names.define(member.name.text, average?.value ?? errorValue, member.name.span)
    return average ? [average] : []
  })
}

const ownedBy = ({ member, parameters }: AverageModel): readonly Owned[] =>
  parameters.map(param => ({ param, frozen: true, span: member.name.span }))

/** A train has one trainer, and one step of each phase and name. */
function checkRepeated(ctx: Context, train: Train): void {
  const seen = new Map<string, Span>()
  const see = (name: string, span: Span): void => {
    const before = seen.get(name)
    if (before)
      complain(
        ctx,
        'LTM3002',
        span,
        { name, what: '`train`' },
        { labels: [{ span: before, text: 'the other one' }] },
      )
    else seen.set(name, span)
  }
  for (const step of membersOf(train, 'TrainStep'))
    for (const phase of step.phases)
      see(`step ${phase}${step.name ? ` ${step.name.text}` : ''}`, {
        ...step.span,
        end: step.body.span.start,
      })
  for (const trainer of membersOf(train, 'Trainer'))
    see('trainer', { ...trainer.span, end: trainer.settings.span.start })
}

/** `let` members are computed where they are used, so that they may use whatever the `train` declares. */
function letOf(ctx: Context, member: MemberOf<'Let'>, names: TrainNames): void {
  for (const name of member.names) names.define(name.text, lazy(member, ctx.env, name), name.span)
}

/** A `let` that nobody uses is looked at as well. */
function checkLet(ctx: Context, name: string, span: Span): void {
  const value = ctx.env.lookup(name)?.value
  if (value?.kind === 'lazy') settle({ ...ctx, region: new FunctionRegion() }, value, span)
}

/** The functions of a `train` are checked on their own, as others are. */
function checkOwnFunction(ctx: Context, member: MemberOf<'Fn'>): void {
  const functions = new FunctionTable(ctx.world.functions.fresh)
  const world = { ...ctx.world, functions, modules: new Map(ctx.world.modules) }
  const env = ctx.env.child()
  const within: Context = { ...ctx, world, env, generic: true, declaration: member.id }
  checkFunction({ ...within, region: new FunctionRegion() }, member)
}

/** What looks at the loss of a batch again can't wait for others: said where the batches of a window are counted. */
function checkAccumulating(
  ctx: Context,
  train: Train,
  optimizers: readonly Optimizer[],
  settings: TrainerSettings,
): void {
  for (const { name, closure, accumulate } of optimizers) {
    if (closure === undefined || (accumulate ?? settings.accumulate) === 1) continue
    const member = membersOf(train, 'OptimizerMember').find(each => each.name.text === name)
    const own = member?.value.kind === 'Call' ? member.value.args : []
    const said = own.find(arg => arg.kind === 'Named' && arg.name.text === 'accumulate')
    const fields = membersOf(train, 'Trainer').flatMap(({ settings }) => settings.fields)
    const field = fields.find(each => each.name.text === 'accumulate')
    complain(ctx, 'LTM4111', said?.span ?? field?.value.span ?? train.name.span, { name })
  }
}

/** What a loss compares within its batch it does not compare within an update of several batches (F6). */
function checkTogether({ ctx, optimizers, losses }: Training, settings: TrainerSettings): void {
  for (const { loss, optimizer, takesTogether, span } of losses) {
    const own = optimizers.find(({ name }) => name === optimizer)
    if ((own?.accumulate ?? settings.accumulate) !== 1 && takesTogether())
      complain(ctx, 'LTM4118', span, { loss })
  }
}

/** A run that only time ends makes nobody knows how many updates: a schedule over all of them would stay where it starts. */
function checkTotal(
  ctx: Context,
  train: Train,
  optimizers: readonly Optimizer[],
  { time, epochs, updates }: TrainerSettings,
): void {
  if (time === undefined || epochs !== undefined || updates !== undefined) return
  for (const { name, groups } of optimizers) {
    if (!groups.some(group => group.settings.some(expr => readsClock(expr, 'total_updates')))) continue
    const member = membersOf(train, 'OptimizerMember').find(each => each.name.text === name)
    let span = member?.name.span ?? train.name.span
    if (member)
      visit(member.value, {
        Name: node => {
          if (node.text === 'total_updates') span = node.span
        },
      })
    complain(ctx, 'LTM4211', span, undefined)
  }
}

/** Every parameter has one optimizer, or is frozen. */
function checkOwners(
  ctx: Context,
  train: Train,
  placed: readonly Owned[],
  optimizers: readonly Optimizer[],
  failed: boolean,
): void {
  const owners = (path: string): readonly Optimizer[] =>
    optimizers.filter(optimizer => optimizer.groups.some(group => group.parameters.includes(path)))
  for (const { param } of placed) {
    const [first, second] = owners(param.path)
    if (first && second) sharedParameter(ctx, train, param.path, first.name, second.name)
  }
  if (optimizers.length === 0 || failed) return
  const lost = placed.filter(({ param, frozen }) => !frozen && owners(param.path).length === 0)
  for (const [span, paths] of byPlace(lost)) complain(ctx, 'LTM4105', span, { paths })
}

function sharedParameter(
  ctx: Context,
  train: Train,
  path: string,
  first: string,
  second: string,
  help?: string,
): void {
  const movers = [...membersOf(train, 'OptimizerMember'), ...membersOf(train, 'Average')]
  const spanOf = (name: string): Span =>
    movers.find(member => member.name.text === name)?.name.span ?? train.name.span
  complain(
    ctx,
    'LTM4104',
    spanOf(second),
    { path, first, second },
    { labels: [{ span: spanOf(first), text: 'the first one' }], ...(help === undefined ? {} : { help }) },
  )
}

/** An average is moved by nothing but its own update. */
function checkFollows(
  ctx: Context,
  train: Train,
  { member, source, parameters }: AverageModel,
  optimizers: readonly Optimizer[],
): void {
  const paths = parameters.map(({ path }) => path)
  for (const { name, groups } of optimizers) {
    const path = groups.flatMap(group => group.parameters).find(each => paths.includes(each))
    if (path === undefined) continue
    const help = `\`${member.name.text}\` follows \`${source.path}\` by itself: take it out of \`${name}\``
    sharedParameter(ctx, train, path, member.name.text, name, help)
  }
}

/** A parameter that an optimizer has and no loss depends on. */
function checkReached(training: Training, placed: readonly Owned[]): void {
  const { paths, all } = training.reached
  if (all || paths.size === 0) return
  const owned = training.optimizers.flatMap(optimizer => optimizer.groups.flatMap(group => group.parameters))
  const idle = placed.filter(
    ({ param, frozen }) => !frozen && owned.includes(param.path) && !paths.has(param.path),
  )
  for (const [span, list] of byPlace(idle)) complain(training.ctx, 'LTM4110', span, { paths: list })
}

/** Paths by the member of the `train` that they belong to. */
function byPlace(owned: readonly Owned[]): ReadonlyMap<Span, readonly string[]> {
  const places = new Map<Span, readonly string[]>()
  for (const { span, param } of owned) places.set(span, [...(places.get(span) ?? []), param.path])
  return places
}
