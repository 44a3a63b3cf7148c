import type { Chance } from './chance.ts'
import { type DeclaredData, declareData, inBatch } from './data.ts'
import type { Declarations } from './declarations.ts'
import { grow } from './grow.ts'
import { declareModule, type ModuleDeclared } from './modules.ts'
import { type DeclaredOptimizer, declareOptimizer } from './optimizers.ts'
import { Scope } from './scope.ts'
import { indented, type Value } from './values.ts'

interface Model {
  readonly name: string
  readonly declared: ModuleDeclared
  /** The fields that it takes. */
  readonly takes: readonly Value[]
  readonly average?: string
}

interface Making {
  readonly program: Declarations
  readonly chance: Chance
  readonly data: DeclaredData
  readonly models: readonly Model[]
}

/** A training of one dataset, with all it needs. */
export function declareTraining(program: Declarations, chance: Chance): void {
  const data = declareData(program, chance)
  const models = Array.from({ length: chance.pick([1, 1, 2, 3]) }, () => declareModel(program, chance, data))
  const making: Making = { program, chance, data, models }
  const hasShift = chance.maybe(0.3)
  const optimizers = ownersOf(making, hasShift)
  const metrics = metricsOf(making)
  const train = trainStep(making, optimizers, metrics, hasShift)
  const members = [
    `data ${data.local} = ${data.name}(${data.options})`,
    ...models.flatMap(({ name, declared, average }) => [
      `model ${name} = ${declared.instance}`,
      ...(average === undefined ? [] : [`average ${average} = ${chance.pick(['Ema', 'Average'])}(${name})`]),
    ]),
    ...(hasShift
      ? [`param shift: f32${chance.pick([' = 0.1', ' in positive = 0.3', ' in interval(-1, 1)'])}`]
      : []),
    'var seen: float = 0',
    ...optimizers.map(({ text }) => text),
    ...metrics.map(({ text }) => text),
    ...train,
    ...(data.hasVal ? valStep(making, metrics) : []),
  ]
  const hooks = hooksOf(making, optimizers)
  const all = [...members, ...hooks, trainerOf(making, hooks)]
  program.declare(['train Random {', ...indented(all), '}'].join('\n'))
}

function declareModel(program: Declarations, chance: Chance, data: DeclaredData): Model {
  const takes = chance.shuffled(data.inputs).slice(0, chance.between(1, data.inputs.length))
  const values = takes.map(value => inBatch('batch', value))
  const declared = declareModule(program, chance, grow, values, program.size)
  const average = chance.maybe(0.15) ? program.fresh('slow') : undefined
  return { name: program.fresh('net'), declared, takes, ...(average === undefined ? {} : { average }) }
}

/** Each model, and the parameter of the training, has one optimizer. */
function ownersOf({ program, chance, models }: Making, hasShift: boolean): readonly DeclaredOptimizer[] {
  const names = models.map(({ name }) => name)
  const isOne = names.length === 1 || chance.maybe(0.4)
  const groups = isOne ? [names] : [names.slice(0, 1), names.slice(1)]
  return groups.map((owned, i) =>
    declareOptimizer(program, chance, [...owned, ...(hasShift && i === 0 ? ['shift'] : [])]),
  )
}

interface DeclaredMetric {
  readonly text: string
  readonly name: string
  readonly takes: 'numbers' | 'classes'
}

const range = `metric Range() {
  state low: f32 = inf merge min
  state high: f32 = -inf merge max
  state count: i32 = 0
  update(x: f32[n], y: f32[n]) {
    set low = min(low, min(x - y))
    set high = max(high, max(x))
    set count = count + i32(sum(ones_like(x)))
  }
  compute() -> { low: f32, high: f32, count: f32 } = { low, high, count: f32(count) }
}
fn ones_like(x: f32[n]) -> f32[n] = 0 * x + 1`

function metricsOf({ program, chance, data, models }: Making): readonly DeclaredMetric[] {
  const metrics: DeclaredMetric[] = []
  if (chance.maybe(0.5)) {
    const kind = chance.pick([
      'MeanSquaredError()',
      'MeanAbsoluteError()',
      'R2()',
      'RootMeanSquaredError()',
      'Range()',
    ])
    if (kind === 'Range()') program.need(range)
    const name = program.fresh('metric')
    metrics.push({ name, takes: 'numbers', text: `metric ${name} = ${kind}` })
  }
  if (models.some(({ declared }) => isClassifier(declared, data)) && chance.maybe(0.7)) {
    const { top = 2 } = data.targets[1]!
    const name = program.fresh('metric')
    metrics.push({
      name,
      takes: 'classes',
      text: `metric ${name} = ${chance.pick(['Accuracy', 'F1', 'Precision'])}(classes: ${top})`,
    })
  }
  return metrics
}

/** A call of a model in a step, with one number for each example and axis of what it gives. */
function called(scope: Scope, { name, declared, takes }: Model): Value {
  const inputs = takes.map(value => inBatch('batch', value).text)
  return scope.bind(`${name}(${inputs.join(', ')})`, declared.result)
}

/** One number for each example. */
function flat(scope: Scope, value: Value): Value {
  if (value.dims.length === 1) return value
  const axes = value.dims.slice(1).map((_, i) => i + 1)
  return scope.bind(`mean(${scope.use(value)}, axis: [${axes.join(', ')}])`, value.dims.slice(0, 1))
}

const focal = `loss focal(prediction: f32[n], target: f32[n], gamma: float = 1.5) -> f32[n] {
  let apart = abs(prediction - target)
  return apart ^ 2 / (1 + gamma * apart)
}`

/** A loss for each example. */
function lossOf({ program, chance, data }: Making, scope: Scope, value: Value): string {
  const [number, label, bit] = data.targets.map(each => inBatch('batch', each)) as [Value, Value, Value]
  const classes = value.dims.at(-1)?.size ?? 0
  if (value.dims.length === 2 && classes >= label.top! && chance.maybe(0.6))
    return `cross_entropy(${scope.use(value)}, ${label.text})`
  const x = flat(scope, value)
  const text = scope.use(x)
  if (chance.maybe(0.2)) program.need(focal)
  const kinds = [
    `mse(${text}, ${number.text})`,
    `bce(${text}, ${bit.text})`,
    `(${text} - ${number.text}) ^ 2`,
  ]
  return chance.pick(
    program.texts.includes(focal) ? [...kinds, `focal(${text}, ${number.text}, gamma: 2)`] : kinds,
  )
}

function trainStep(
  making: Making,
  optimizers: readonly DeclaredOptimizer[],
  metrics: readonly DeclaredMetric[],
  hasShift: boolean,
): readonly string[] {
  const { program, chance, models, data } = making
  const lines: string[] = []
  if (chance.maybe(0.2)) lines.push('if epoch == 1 and batch_index == 1 { skip }')
  optimizers.forEach((optimizer, i) => {
    const scope = new Scope({ program, chance }, [])
    const owned = models.filter(({ name }) => optimizer.owns.includes(name))
    const terms = owned.map((model, j) => {
      const value = called(scope, model)
      const loss = lossOf(making, scope, value)
      const over = chance.maybe(0.2) ? ` over 0.5 + ${inBatch('batch', data.targets[2]!).text}` : ''
      return `${optimizers.length + owned.length > 2 || i > 0 || chance.maybe(0.3) ? `loss${i}${j} = ` : ''}${loss}${over}`
    })
    if (optimizer.owns.includes('shift') && hasShift)
      terms.push(`own${i} = (shift - ${inBatch('batch', data.targets[0]!).text}) ^ 2`)
    const named =
      terms.length > 1
        ? terms.map((term, j) => (/^\w+ = /.test(term) ? term : `term${i}${j} = ${term}`))
        : terms
    const others = models.filter(({ name }) => !optimizer.owns.includes(name))
    if (others.length > 0 && chance.maybe(0.4)) {
      const other = flat(scope, called(scope, chance.pick(others)))
      named[0] = `${named[0]!.split(' over ')[0]} + 0.1 * stop_gradient(${scope.use(other)})`.replace(
        /^(.*)$/,
        '$1',
      )
    }
    const minimize = `minimize ${named.join(', ')}${optimizers.length > 1 ? ` with ${optimizer.name}` : ''}`
    const body = [...scope.lines, minimize]
    lines.push(
      ...(i > 0 && chance.maybe(0.4)
        ? [`if batch_index % 2 == ${chance.below(2)} {`, ...indented(body), '}']
        : body),
    )
  })
  const scope = new Scope({ program, chance }, [])
  if (metrics.length > 0 || chance.maybe(0.4)) logged(making, metrics, scope)
  lines.push(...scope.lines)
  lines.push('set seen = seen + 1')
  return ['step train(batch) {', ...indented(lines), '}']
}

/** What a step logs beside its losses. */
function logged(making: Making, metrics: readonly DeclaredMetric[], scope: Scope): void {
  const { chance, models, data } = making
  const model = models.find(({ declared }) => isClassifier(declared, data)) ?? models[0]!
  const value = called(scope, model)
  scope.lines.push(...metricLogs(making, metrics, scope, value))
  const each = flat(scope, value)
  scope.lines.push(
    chance.pick([`log level = ${scope.use(each)}`, `log widest = max(abs(${scope.use(each)})) on step`]),
  )
}

function metricLogs(
  { chance, data }: Making,
  metrics: readonly DeclaredMetric[],
  scope: Scope,
  value: Value,
): readonly string[] {
  const [number, label] = data.targets.map(target => inBatch('batch', target)) as [Value, Value]
  const isLogits = value.dims.length === 2 && value.dims[1]!.size === label.top
  return metrics.flatMap(({ name, takes }) => {
    if (takes === 'classes') return isLogits ? [`log ${name}(${value.text}, ${label.text})`] : []
    const each = flat(scope, value)
    return [`log ${name}(${scope.use(each)}, ${number.text})${chance.maybe(0.3) ? ' bar' : ''}`]
  })
}

/** Whether a model gives a number for each class. */
function isClassifier({ result }: ModuleDeclared, { targets }: DeclaredData): boolean {
  return result.length === 2 && result[1]!.size === targets[1]!.top
}

function valStep(making: Making, metrics: readonly DeclaredMetric[]): readonly string[] {
  const { program, chance, models } = making
  const scope = new Scope({ program, chance }, [])
  const model = chance.pick(models)
  const isAverage = model.average !== undefined && chance.maybe(0.7)
  const value = called(scope, isAverage ? { ...model, name: model.average! } : model)
  const lines = [`log loss = ${lossOf(making, scope, value)}`, ...metricLogs(making, metrics, scope, value)]
  return ['step val(batch) {', ...indented([...scope.lines, ...lines]), '}']
}

function hooksOf(
  { chance, data, models }: Making,
  optimizers: readonly DeclaredOptimizer[],
): readonly string[] {
  const hooks: string[] = []
  const { name } = chance.pick(models)
  if (chance.maybe(0.15))
    hooks.push(
      `on train_epoch_end if epoch == 0 { freeze ${name}.** }`,
      `on train_epoch_end if epoch == 1 { unfreeze ${name}.** }`,
    )
  const settable = optimizers.filter(({ isSettable }) => isSettable)
  if (settable.length > 0 && chance.maybe(0.2)) {
    const optimizer = chance.pick(settable)
    hooks.push(`on train_epoch_end { set ${optimizer.name}.lr = ${optimizer.name}.lr * 0.7 }`)
  }
  if (chance.maybe(0.2)) hooks.push('on train_epoch_end { log seen_so_far = seen }')
  if (chance.maybe(0.2)) hooks.push(`on every 2 updates of ${optimizers[0]!.name} { set seen = seen + 0.5 }`)
  if (data.hasVal && chance.maybe(0.3)) hooks.push('on validation_end { if val.loss < 0.5 { set seen = 0 } }')
  return hooks
}

function trainerOf({ chance, data }: Making, hooks: readonly string[]): string {
  // While all is frozen one value follows the other, equal but for the order of sums: either may be the better one.
  const isDecided = !hooks.some(hook => hook.includes('{ freeze'))
  const settings = [
    'epochs: 3',
    `seed: ${chance.below(100)}`,
    ...(chance.maybe(0.25) ? [chance.pick(['accumulate: 2', 'accumulate: if epoch < 1 then 1 else 3'])] : []),
    ...(chance.maybe(0.3) ? [chance.pick(['clip: norm(0.5)', 'clip: value(0.1)'])] : []),
    ...(data.hasVal && chance.maybe(0.3)
      ? [chance.pick(['validate: 2 batches', 'validate: 0.5 epochs'])]
      : []),
    ...(data.hasVal && chance.maybe(0.2) && isDecided ? ['keep: best(min: val.loss, count: 2)'] : []),
  ]
  return `trainer { ${settings.join(', ')} }`
}
