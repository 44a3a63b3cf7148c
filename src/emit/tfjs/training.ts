import { bug } from '../../base/bug.ts'
import { annotation, type Code, ts } from '../../base/code.ts'
import { hostNumbers } from '../../ir/hostNumbers.ts'
import type { Accumulation, Hyper, Metric, Optimizer, OptimizerGroup, TrainerSettings } from '../../ir/ir.ts'
import { type Line, statement } from '../layout.ts'
import { dtypes } from './data.ts'
import { type Env, funcOf, holderName, isAverage, isCompiled, traceOf } from './env.ts'
import { emitFunction, functionValue } from './functions.ts'
import type { Style } from './functionText.ts'
import { type HostNames, hostCode } from './host.ts'
import { refersTo } from './imports.ts'
import { listCode, literal, objectCode, type Plain } from './literals.ts'
import { claim, memberAccess, propertyKey, quote, typeName } from './names.ts'
import { typeAlias } from './self.ts'

// ── Optimizers ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** An optimizer: its slots, and for each group of parameters the settings and the update. */
export function optimizerLine(
  env: Env,
  optimizer: Optimizer,
  /** The name of the function that moves its parameters together, where it does. */
  closure?: string,
): Line {
  const groups = closure === undefined ? optimizer.groups : []
  const spec = objectCode([
    ['name', quote(optimizer.name)],
    ['slots', literal(Object.fromEntries(optimizer.slots.map(({ name, value }) => [name, value])))],
    ['groups', listCode(groups.map(group => groupCode(env, optimizer, group)))],
    ['closure', closure && closureCode(optimizer, closure)],
    ['follows', optimizer.follows && quote(optimizer.follows)],
    ['clip', optimizer.clip && literal({ ...optimizer.clip })],
    ['accumulate', accumulateCode(optimizer.accumulate)],
    ['trace', quote(traceOf(env, optimizer.origin))],
  ])
  const kind = isAverage(optimizer) ? 'average' : 'optimizer'
  return statement(ts`const ${holderName(env, kind, optimizer.name)} = optimizer(${spec})`)
}

/** `{ parameters: […], settings: …, shapes: { steps: [10, 650] }, update: lbfgsUpdate }`. */
function closureCode(optimizer: Optimizer, update: string): Code {
  const [group] = optimizer.groups
  const shapes = optimizer.slots.map(({ name, type }) => [name, (type?.shape ?? []).map(Number)] as const)
  return objectCode([
    ['parameters', literal(group?.parameters ?? [])],
    ['settings', group && settingsCode(optimizer, group)],
    ['shapes', literal(Object.fromEntries(shapes))],
    ['update', update],
  ])
}

function groupCode(env: Env, optimizer: Optimizer, group: OptimizerGroup): Code {
  const update = group.update ?? bug(`${optimizer.name} moves its parameters together`)
  const style: Style = {
    kind: 'update',
    slots: optimizer.slots.map(({ name }) => name),
    settings: optimizer.settings,
  }
  return objectCode([
    ['parameters', literal(group.parameters)],
    ['settings', settingsCode(optimizer, group)],
    ['update', emitFunction(env, funcOf(env, update), style, 'optimizers').name],
    ['module', isCompiled(env) ? moduleCode(env, optimizer, update) : undefined],
  ])
}

/** `{ name: 'Adam.update', scalars: (t, { lr, beta1 }) => [beta1, 1 - beta1] }`: what a compiled engine hands to its form of the same update. */
function moduleCode(env: Env, { settings }: Optimizer, update: string): Code | undefined {
  const exprs = hostNumbers(funcOf(env, update))
  if (exprs === undefined) return undefined
  const names: HostNames = {
    clock: 'clock',
    argument: name => (name === 't' ? 't' : `settings_${memberAccess(name)}`),
    size: dim => bug(`an update reads the size \`${dim}\``),
    item: value => bug(`an update reads %${value}`),
  }
  const scalars = exprs.map(expr => hostCode(expr, names))
  const taken = settings.length === 0 ? 't' : 't, settings_'
  return objectCode([
    ['name', quote(update)],
    ['scalars', ts`(${taken}) => ${listCode(scalars)}`],
  ])
}

/** `clock => ({ lr: settings.lr, … })`, read anew at each update. */
function settingsCode({ settings }: Optimizer, group: OptimizerGroup): Code {
  return readAnew(names => {
    const entries = settings.map((name, i) => {
      const expr = group.settings[i] ?? bug(`no value for the setting \`${name}\``)
      return [name, hostCode(expr, names)] as const
    })
    return ts`(${objectCode(entries)})`
  })
}

/** A number that is always the same, or `clock => …`, which the epoch decides. */
function accumulateCode(batches: Accumulation | undefined): Code | undefined {
  if (batches === undefined || typeof batches === 'number') return batches?.toString()
  return readAnew(names => hostCode(batches, names))
}

/** A function of the clocks, if it looks at them. */
function readAnew(body: (names: HostNames) => Code): Code {
  let clocks = false
  const outside = (what: string) => bug(`a setting of training reads ${what}`)
  const code = body({
    get clock() {
      clocks = true
      return 'clock'
    },
    argument: name => outside(`the argument \`${name}\``),
    size: dim => outside(`the size \`${dim}\``),
    item: value => outside(`%${value}`),
  })
  return ts`${clocks ? 'clock' : '()'} => ${code}`
}

// ── Metrics ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How functions of a metric take its states; the type of the state is declared once for a declaration. */
export function stateStyle(env: Env, metric: Metric, returns: boolean): Style {
  return {
    kind: 'state',
    states: metric.states.map(({ name }) => name),
    type: stateType(env, metric),
    returns,
  }
}

function stateType(env: Env, { declaration, states }: Metric): string {
  const structure = `state ${declaration} ${states.map(({ name }) => name).join()}`
  const known = env.structures.get(structure)
  if (known !== undefined) return known
  const name = claim(env.typeNames, `${typeName(declaration)}State`, '_')
  env.structures.set(structure, name)
  const members = states.map(state => `${state.name}: tf.Tensor`).join('; ')
  env.sections.metrics.unshift(() => [
    typeAlias(name, `{ ${members} }`),
    { kind: 'verbatim', text: '', typeOnly: true },
  ])
  return name
}

/** A metric: its states and how its value comes from them. */
export function metricLine(env: Env, metric: Metric): Line {
  const states = metric.states.map(({ name, type, value }) => {
    const state = { shape: type.shape.map(Number), dtype: dtypes[type.dtype], value }
    return [name, literal(state)] as const
  })
  const spec = objectCode([
    ['name', quote(metric.name)],
    ['states', objectCode(states)],
    ['compute', functionValue(env, funcOf(env, metric.compute), stateStyle(env, metric, false), 'metrics')],
    ['trace', quote(traceOf(env, metric.origin))],
  ])
  const typed = annotation`<${stateType(env, metric)}>`
  return statement(ts`const ${holderName(env, 'metric', metric.name)} = metric${typed}(${spec})`)
}

// ── Settings and the trainer ────────────────────────────────────────────────────────────────────────────────────────

/** The `hyper`s as this compilation has set them; those that the text does not read have shaped it. */
export function settingsLine(env: Env, text: string): Line {
  const { hypers } = env.program
  const isRead = ({ name }: Hyper) => refersTo(text, `settings${memberAccess(name)}`)
  if (hypers.every(isRead))
    return statement(
      `const settings = ${literal(Object.fromEntries(hypers.map(({ name, value }) => [name, value])))}`,
    )
  const body = hypers.map(hyper => {
    const entry = `${propertyKey(hyper.name)}: ${literal(hyper.value)},`
    return statement(entry, isRead(hyper) ? undefined : `compiled in: ${traceOf(env, hyper.origin)} sets it`)
  })
  return { kind: 'statement', code: 'const settings = {', body, close: '}' }
}

/** The host `var`s, which the program changes and checkpoints hold. */
export function varsLine(env: Env): Line {
  return statement(
    `const vars = ${literal(Object.fromEntries(env.program.vars.map(({ name, value }) => [name, value])))}`,
  )
}

/** The settings of the trainer, as the runtime takes them. */
export function trainerCode(trainer: TrainerSettings): Code {
  const { epochs, time, minEpochs, seed, accumulate, nonfinite, sanity, logEvery } = trainer
  const { updates, minUpdates, clip, keep, keepEvery, restore, stop, validate, limits } = trainer
  const plain = (value: Plain | undefined): Code | undefined => (value === undefined ? value : literal(value))
  // Interfaces have no index signature; their copies do.
  return objectCode([
    ['epochs', plain(epochs)],
    ['seed', plain(seed)],
    ['accumulate', accumulateCode(accumulate)],
    ['nonfinite', plain(nonfinite)],
    ['updates', plain(updates && { ...updates })],
    ['time', plain(time)],
    ['minEpochs', plain(minEpochs)],
    ['minUpdates', plain(minUpdates && { ...minUpdates })],
    ['clip', plain(clip && { ...clip })],
    ['keep', plain(keep && { ...keep })],
    ['keepEvery', plain(keepEvery?.map(cadence => ({ ...cadence })))],
    ['restore', plain(restore)],
    ['stop', plain(stop?.map(rule => ({ ...rule })))],
    ['validate', plain(validate && { ...validate })],
    ['sanity', plain(sanity)],
    ['limits', plain(limits && limitsOf(limits))],
    ['logEvery', plain(logEvery)],
  ])
}

function limitsOf(limits: NonNullable<TrainerSettings['limits']>): Plain {
  return Object.fromEntries(Object.entries(limits).map(([phase, limit]) => [phase, { ...limit }]))
}
