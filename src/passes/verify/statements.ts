import { boundsOf } from '../../ir/blocks.ts'
import { piecesOf } from '../../ir/hostFunctions.ts'
import type { ComputedGradients, HostStatement, Message, ReturnField, TrainingStep } from '../../ir/ir.ts'
import { elementCount, type TensorType } from '../../types/tensor.ts'
import { showValueType, sizesIn } from '../calls.ts'
import { changesState, endsOf } from '../values.ts'
import { complain, type Facts, inside, metricOf, rootSite } from './facts.ts'
import { verifyReads } from './reads.ts'
import { callTypes, define, type Scope, sameValueType, typeOf, verifyExpr, verifySteps } from './steps.ts'

/** Every step of training. */
export function verifyTrainingSteps(facts: Facts): void {
  for (const step of facts.program.steps) {
    const scope: Scope = {
      ...hostScope(facts, stepTitle(step), streamSizes(step.streams)),
      phase: step.phase,
    }
    if (step.key !== undefined) define(scope, step.key, 'key')
    for (const stream of step.streams) verifyStream(inside(scope, `stream ${stream.name}`), stream)
    verifyStatements(scope, step.body)
    verifyReads(scope, step.body)
  }
}

/** Every hook. */
export function verifyHooks(facts: Facts): void {
  for (const hook of facts.program.hooks) {
    const event =
      hook.event.kind === 'event' ? hook.event.name : `every ${hook.event.count} ${hook.event.unit}`
    const { outputs = [], batches = [] } = hook.payload ?? {}
    const scope = hostScope(facts, `hook on ${event}`, streamSizes(batches))
    for (const { value } of outputs) define(scope, value.name, value.type)
    for (const batch of batches) verifyStream(inside(scope, `batch ${batch.name}`), batch)
    if (hook.condition) verifyExpr(scope, hook.condition)
    verifyStatements(scope, hook.body)
    verifyReads(scope, hook.body)
  }
}

/** Every optimizer that moves its parameters together. */
export function verifyClosures(facts: Facts): void {
  for (const { name, slots, settings, groups, closure } of facts.program.optimizers) {
    if (closure === undefined) continue
    const site = hostScope(facts, `optimizer ${name}, its closure`, new Set())
    const [group, second] = groups
    if (group === undefined || second !== undefined) return complain(site, 'it has not one group')
    const types = group.parameters.map(path => facts.parameters.get(path)?.raw)
    const size = types.reduce((sum, type) => sum + Number(elementCount(type?.shape ?? ['?'])), 0)
    const vector: TensorType = { dtype: 'f32', shape: [size] }
    const scope: Scope = { ...site, closure: { args: new Set(['t', ...settings]), vector } }
    const given = [...slots.map(({ type }) => type), vector, vector, { dtype: 'f32', shape: [] } as const]
    for (const [i, type] of given.entries())
      if (type === undefined || !sameValueType(closure.inputs[i]?.type ?? 'key', type))
        complain(scope, `its input ${i + 1} is not what it is given`)
    for (const { name, type } of closure.inputs) define(scope, name, type)
    verifyStatements(scope, closure.body)
    verifyMoved(scope, [...slots.map(({ name }) => name), 'param'], given, closure.body.at(-1))
  }
}

/** The last statement gives back what was given, moved. */
function verifyMoved(
  scope: Scope,
  names: readonly string[],
  types: readonly (TensorType | undefined)[],
  last: HostStatement | undefined,
): void {
  const fields = last?.kind === 'return' ? last.fields : []
  const same = names.every((name, i) => {
    const [field, type] = [fields[i], types[i]]
    return field?.name === name && type !== undefined && sameValueType(typeOf(scope, field.value), type)
  })
  if (!same || fields.length !== names.length) complain(scope, `it does not return ${names.join(', ')} last`)
}

function stepTitle({ phase, name }: TrainingStep): string {
  return name === undefined ? `step ${phase}` : `step ${phase} ${name}`
}

function hostScope(facts: Facts, place: string, sizes: ReadonlySet<string>): Scope {
  const site = inside(rootSite(facts), place)
  return { ...site, values: new Map(), taken: new Set(), vars: new Map(), sizes, args: undefined }
}

/** The size of each batch, and those of ragged fields. */
function streamSizes(streams: TrainingStep['streams']): ReadonlySet<string> {
  const masks = streams.flatMap(({ fields }) => fields.filter(({ field }) => field.endsWith('.mask')))
  const lengths = masks.flatMap(({ value }) => sizesIn(value.type))
  return new Set([...streams.map(stream => stream.size), ...lengths])
}

function verifyStream(scope: Scope, { data, split, fields }: TrainingStep['streams'][number]): void {
  const dataset =
    scope.facts.program.datasets.find(each => each.name === data) ??
    complain(scope, `there is no data ${data}`)
  const splits = dataset.split.length === 0 ? ['train'] : dataset.split.map(each => each.name)
  if (!splits.includes(split)) complain(scope, `${data} has no split ${split}`)
  for (const { field, value } of fields) {
    const owner = field.replace(/\.(mask|length)$/, '')
    if (!dataset.fields.some(each => each.name === field || (each.ragged && each.name === owner)))
      complain(scope, `${data} has no field ${field}`)
    define(scope, value.name, value.type)
  }
}

function verifyStatements(scope: Scope, statements: readonly HostStatement[]): void {
  for (const [i, statement] of statements.entries()) {
    if (statement.kind === 'move' && statement.by === undefined)
      verifyMove(scope, statement, statements.slice(0, i))
    verifyStatement(scope, statement)
  }
}

/** What moves has been differentiated before, and nothing has changed since. */
function verifyMove(
  scope: Scope,
  { names }: Extract<HostStatement, { readonly kind: 'move' }>,
  before: readonly HostStatement[],
): void {
  const first = before.findLastIndex(
    each => each.kind === 'differentiate' && each.terms.map(({ name }) => name).join() === names.join(),
  )
  if (first < 0 || before.slice(first).some(changesState))
    complain(scope, `${names.join(', ')} are moved without having been differentiated just before`)
}

/** The scope of a list within: it sees all and is not seen. */
function nested(scope: Scope): Scope {
  return { ...scope, values: new Map(scope.values) }
}

function verifyStatement(scope: Scope, statement: HostStatement): void {
  switch (statement.kind) {
    case 'compute':
      verifySteps(scope, [statement.step])
      break
    case 'move':
      if (!scope.facts.optimizers.has(statement.optimizer))
        complain(scope, `there is no optimizer ${statement.optimizer}`)
      if (statement.by) verifyGradients(inside(scope, `move ${statement.names.join(', ')}`), statement.by)
      break
    case 'minimize':
    case 'differentiate':
      verifyMinimize(inside(scope, minimizeTitle(statement)), statement)
      break
    case 'log':
      verifyTensors(inside(scope, `log ${statement.name}`), [statement.value, statement.weight])
      break
    case 'log_host':
      verifyExpr(inside(scope, `log ${statement.name}`), statement.value)
      break
    case 'log_metric':
      verifyMetricLog(inside(scope, `log ${statement.name}`), statement)
      break
    case 'log_states':
      verifyStates(inside(scope, `log ${statement.name}`), statement)
      break
    case 'if':
      verifyExpr(inside(scope, 'if'), statement.condition)
      verifyStatements(nested(scope), statement.then)
      verifyStatements(nested(scope), statement.otherwise)
      break
    case 'for': {
      const here = inside(scope, `for ${statement.index}`)
      for (const bound of boundsOf(statement)) verifyExpr(here, bound)
      defineVar(here, statement.index, 'host')
      verifyStatements({ ...nested(scope), looped: true }, statement.body)
      break
    }
    case 'break':
      if (!scope.looped) complain(scope, 'a break outside of a loop')
      break
    case 'var':
      verifyExpr(inside(scope, `var ${statement.name}`), statement.value)
      defineVar(scope, statement.name, 'host')
      break
    case 'var_tensor':
      verifyHeld(inside(scope, `var ${statement.name}`), statement.type, statement.value)
      defineVar(scope, statement.name, statement.type)
      break
    case 'set_tensor': {
      const type = scope.vars?.get(statement.name)
      if (type === undefined || type === 'host')
        complain(scope, `there is no tensor var ${statement.name} to set`)
      else verifyHeld(inside(scope, `set ${statement.name}`), type, statement.value)
      break
    }
    case 'set':
      if (scope.vars?.get(statement.name) === 'host') {
        verifyExpr(inside(scope, `set ${statement.name}`), statement.value)
        break
      }
      if (!scope.facts.vars.has(statement.name)) complain(scope, `there is no var ${statement.name} to set`)
      verifyExpr(inside(scope, `set ${statement.name}`), statement.value)
      break
    case 'write':
      verifyWrite(inside(scope, `write ${statement.buffer}`), statement)
      break
    case 'freeze': {
      const unknown = statement.parameters.find(path => !scope.facts.parameters.has(path))
      if (unknown !== undefined) complain(scope, `there is no parameter ${unknown} to freeze`)
      break
    }
    case 'skip':
      break
    case 'stop':
    case 'print':
    case 'checkpoint':
      verifyMessage(inside(scope, statement.kind), statement.message ?? [])
      break
    case 'call':
      verifyMessage(inside(scope, `call ${statement.name}`), statement.args.flatMap(piecesOf))
      break
    case 'return':
      for (const field of statement.fields) verifyReturned(inside(scope, 'return'), field)
  }
}

function verifyReturned(scope: Scope, { name, value, texts }: ReturnField): void {
  const type = typeOf(scope, value)
  if (texts === undefined) return
  const data = scope.facts.program.datasets.find(each => each.name === texts.data)
  if (![...(data?.fields ?? []), ...(data?.vocabularies ?? [])].some(({ name }) => name === texts.field))
    complain(scope, `\`${name}\` has the texts of \`${texts.data}.${texts.field}\`, which has none`)
  if (type === 'key' || type.dtype !== 'i32')
    complain(scope, `\`${name}\` makes texts of what is not \`i32\``)
}

/** Makes a `var` of the step visible; no other may have its name. */
function defineVar(scope: Scope, name: string, holds: TensorType | 'host'): void {
  if (scope.facts.vars.has(name) || scope.vars?.has(name))
    complain(scope, `the var ${name} is declared twice`)
  scope.vars?.set(name, holds)
}

function verifyHeld(scope: Scope, type: TensorType, value: string): void {
  const given = typeOf(scope, value)
  if (!sameValueType(given, type))
    complain(scope, `it holds ${showValueType(type)}, not ${showValueType(given)}`)
}

function verifyTensors(scope: Scope, names: readonly (string | undefined)[]): void {
  for (const name of names)
    if (name !== undefined && typeOf(scope, name) === 'key')
      complain(scope, `%${name} is a key, not a tensor`)
}

function verifyWrite(
  scope: Scope,
  { buffer, value }: Extract<HostStatement, { readonly kind: 'write' }>,
): void {
  const { type } = scope.facts.buffers.get(buffer) ?? complain(scope, `there is no buffer ${buffer}`)
  if (scope.phase !== 'train' && buffer.includes('.'))
    complain(scope, 'only a training step writes buffers of modules')
  const given = typeOf(scope, value)
  if (!sameValueType(given, type))
    complain(scope, `it gets ${showValueType(given)}, not ${showValueType(type)}`)
}

type Minimize = Extract<HostStatement, { readonly kind: 'minimize' | 'differentiate' }>

function minimizeTitle({ kind, terms }: Minimize): string {
  return `${kind} ${terms.map(({ name }) => name).join(', ')}`
}

function verifyMinimize(scope: Scope, { optimizer, terms, body, exports }: Minimize): void {
  if (terms.length === 0) complain(scope, 'it has no loss')
  if (!scope.facts.optimizers.has(optimizer)) complain(scope, `there is no optimizer ${optimizer}`)
  const within = nested(scope)
  verifySteps(within, body)
  verifyTensors(within, endsOf(terms))
  const own = new Set(body.flatMap(step => step.outputs.map(value => value.name)))
  for (const name of exports) {
    if (!own.has(name)) complain(scope, `it exports %${name}, which is not its own`)
    scope.values.set(name, typeOf(within, name))
  }
}

type MetricLog = Extract<HostStatement, { readonly kind: 'log_metric' }>

function verifyMetricLog(scope: Scope, { metric, func, inputs }: MetricLog): void {
  const { states } = metricOf(scope, metric)
  const types = states.map(state => state.type)
  const results = callTypes(scope, func, [...types, ...inputs.map(name => typeOf(scope, name))], 0)
  const wrong = states.find((_, i) => results[i] === undefined || !sameValueType(results[i], types[i]!))
  if (wrong) complain(scope, `${func} does not give the state ${wrong.name} as ${showValueType(wrong.type)}`)
}

function verifyStates(
  scope: Scope,
  { metric, states }: Extract<HostStatement, { readonly kind: 'log_states' }>,
): void {
  const declared = metricOf(scope, metric).states
  if (declared.length !== states.length)
    complain(scope, `${metric} has ${declared.length} states, not ${states.length}`)
  const wrong = declared.find(({ type }, i) => !sameValueType(typeOf(scope, states[i]!), type))
  if (wrong) complain(scope, `the state ${wrong.name} is not given as ${showValueType(wrong.type)}`)
}

/** Means and weights are numbers, gradients have the types of the raw parameters. */
function verifyGradients(scope: Scope, { terms, gradients }: ComputedGradients): void {
  for (const name of terms.flatMap(({ mean, weight }) => [mean, weight]))
    if (!sameValueType(typeOf(scope, name), { dtype: 'f32', shape: [] }))
      complain(scope, `%${name} is no \`f32[]\``)
  for (const { parameter, value } of gradients.flat()) {
    const { raw } =
      scope.facts.parameters.get(parameter) ?? complain(scope, `there is no parameter ${parameter}`)
    const given = typeOf(scope, value)
    if (!sameValueType(given, raw))
      complain(scope, `the gradient of ${parameter} is ${showValueType(given)}, not ${showValueType(raw)}`)
  }
}

function verifyMessage(scope: Scope, message: Message): void {
  for (const piece of message) {
    if (typeof piece === 'string') continue
    if ('expr' in piece) verifyExpr(scope, piece.expr)
    else typeOf(scope, piece.value)
  }
}
