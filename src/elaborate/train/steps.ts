import { canSkip } from '../../base/hookEvents.ts'
import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import type {
  DataField,
  DType,
  HostExpr,
  HostStatement,
  LogFlags,
  Phase,
  ReturnField,
  StepStream,
  TrainingStep,
} from '../../ir/ir.ts'
import type {
  Block,
  Expr,
  If,
  Log,
  Minimize,
  Return,
  Statement,
  Stream,
  TrainStep,
} from '../../syntax/ast.ts'
import type { Shape, TensorType } from '../../types/tensor.ts'
import { type Context, complain, originOf } from '../context.ts'
import { debug } from '../debug.ts'
import { checkShadowing } from '../declaring.ts'
import { describe } from '../describe.ts'
import type { Env } from '../env.ts'
import { expression } from '../evaluate.ts'
import { constantOf } from '../host.ts'
import { hostNumber, notBool } from '../operators.ts'
import { executeLet, executeVar, named } from '../statements.ts'
import { toTensor } from '../tensors.ts'
import { type ErrorValue, errorValue, int, type TensorValue, type Value } from '../values.ts'
import { setStatement } from './assignments.ts'
import { freezeStatement } from './freezing.ts'
import { callHost } from './hostCalls.ts'
import { forLoop, whileLoop } from './loops.ts'
import { message } from './messages.ts'
import { type MetricScope, metricUpdate } from './metrics.ts'
import { checkCarried, minimize } from './minimize.ts'
import type { Part } from './modes.ts'
import { watching } from './monitors.ts'
import { changedIn } from './snapshots.ts'
import { logName, type StepContext, weightOf } from './stepContext.ts'
import { StepRegion } from './stepRegion.ts'
import { checkNumbers, decodings } from './texts.ts'
import type { Training } from './training.ts'
import { inBlocks } from './variables.ts'

/** One step for each phase that it names: modes and draws differ. */
export function elaborateStep(training: Training, node: TrainStep): readonly TrainingStep[] {
  return node.phases.flatMap(phase => {
    const step = stepOfPhase(training, node, phase)
    return step ? [step] : []
  })
}

function stepOfPhase(training: Training, node: TrainStep, phase: Phase): TrainingStep | undefined {
  const region = new StepRegion(training.frozen)
  const env = training.ctx.env.child()
  const changing = changedIn(node.body)
  const ctx: Context = {
    ...training.ctx,
    env,
    region,
    watching: watching(training, phase, { region, phase, changing }),
    mode: { phase, training: phase === 'train', onRead: () => {} },
    declaration: node.id,
  }
  const [first, ...others] = node.streams
  if (first?.cycle) complain(ctx, 'LTM4349', first.span, { name: first.name.text, only: others.length === 0 })
  const streams = node.streams.map(stream =>
    streamOf(training, ctx, env, stream, phase, node.streams.length === 1),
  )
  for (const size of streams.flatMap(stream => stream?.size ?? [])) region.batches.add(String(size))
  const prefix = node.name ? `${phase}.${node.name.text}` : phase
  const step: StepContext = {
    training,
    ctx,
    region,
    phase,
    prefix,
    names: new Map(),
    variables: new Map(),
    changing,
    updated: false,
  }
  if (phase === 'train') bodyByMode(step, node.body, training.parts, path => training.frozen.has(path))
  else body(step, node.body)
  if (streams.some(stream => stream === undefined)) {
    training.failedSteps.add(phase)
    return undefined
  }
  return {
    phase,
    ...(node.name ? { name: node.name.text } : {}),
    streams: streams.filter(stream => stream !== undefined),
    ...(region.usedKey === undefined ? {} : { key: region.usedKey }),
    body: region.body,
    origin: originOf(node.span),
  }
}

function body(step: StepContext, block: Block): void {
  statements(step, block)
  checkCarried(step)
  step.region.writeBuffers()
}

/**
 * The body for each way in which parts are frozen: which of them runs is decided when the step begins (F15). A part that the body
 * does not look at makes no difference.
 */
function bodyByMode(
  step: StepContext,
  block: Block,
  parts: readonly Part[],
  isFrozen: (path: string) => boolean,
): void {
  const [part, ...more] = parts
  if (!part) return body(step, block)
  const { ctx, region } = step
  let asked = false
  const bodies = [true, false].map(stands => {
    const now = <T>(others: (path: string) => T) => {
      return (path: string): T | boolean => {
        if (!part.paths.has(path)) return others(path)
        asked = true
        return stands
      }
    }
    const frozenNow = now(path => ctx.frozenNow?.(path))
    const inner: StepContext = { ...step, ctx: { ...ctx, frozenNow }, names: new Map(), updated: false }
    const run = (): void => {
      if (stands || asked) bodyByMode(inner, block, more, now(isFrozen))
    }
    return { isFrozen: now(isFrozen), run }
  })
  const [then = [], otherwise = []] = region.instead(bodies)
  if (!asked) {
    for (const statement of then) emit(step, statement)
    return
  }
  const condition: HostExpr = { kind: 'var', name: part.variable }
  emit(step, { kind: 'if', condition, then, otherwise, origin: originOf(block.span) })
}

/** A batch: a record of fields with the batch's size in front, and `size`. */
function streamOf(
  training: Training,
  ctx: Context,
  env: Env,
  stream: Stream,
  phase: Phase,
  only: boolean,
): StepStream | undefined {
  checkShadowing(ctx, stream.name)
  const parts = stream.from?.parts.map(part => part.text) ?? []
  const names = [...training.datasets.keys()]
  const data = parts[0] ?? (names.length === 1 ? names[0] : undefined)
  const dataset = data === undefined ? undefined : training.datasets.get(data)
  if (!dataset) {
    env.define(stream.name.text, errorValue, stream.name.span)
    if (!training.failedData) {
      if (data === undefined) complain(ctx, 'LTM4303', stream.span, { name: stream.name.text, data: names })
      else
        complain(ctx, 'LTM3001', stream.from?.span ?? stream.span, { name: data, near: nearest(data, names) })
    }
    return undefined
  }
  const splits = dataset.split.length > 0 ? dataset.split.map(split => split.name) : ['train']
  const split =
    parts[1] ?? (phase === 'predict' ? ['test', 'val', 'train'].find(name => splits.includes(name))! : phase)
  if (!splits.includes(split)) {
    complain(ctx, 'LTM4301', stream.from?.span ?? stream.span, {
      data: dataset.name,
      split,
      near: nearest(split, splits),
      splits,
    })
  }
  const size = only ? 'batch' : stream.name.text
  const sizes = { batch: size, ofField: (name: string) => (only ? name : `${stream.name.text}_${name}`) }
  const fields = dataset.fields.flatMap(field => streamFields(ctx, field, sizes))
  const declared = fieldSpans(training, dataset.name)
  const tensors = new Map(
    fields.map(({ field, value }): [string, TensorValue] => [
      field,
      { kind: 'tensor', name: value.name, type: value.type, span: stream.span },
    ]),
  )
  const values = dataset.fields.flatMap((field): readonly [string, Value][] => {
    const tensor = tensors.get(field.name)
    if (!tensor) return []
    const span = declared.get(field.name)
    const origin = span && { name: `${dataset.declaration}.${field.name}`, span }
    const parts = field.ragged && partsOf(tensors, field.name)
    return [[field.name, { ...tensor, ...(origin ? { origin } : {}), ...(parts ? { parts } : {}) }]]
  })
  env.define(
    stream.name.text,
    {
      kind: 'record',
      fields: new Map([...values, ['size', int(size)]]),
      of: `a batch of \`${dataset.declaration}\``,
    },
    stream.name.span,
    { unshadowed: true },
  )
  return { name: stream.name.text, data: dataset.name, split, cycle: stream.cycle, size, fields }
}

interface StreamField {
  readonly field: string
  readonly value: { readonly name: string; readonly type: TensorType }
}

interface StreamSizes {
  readonly batch: string
  /** The symbol of a ragged size: what the longest example of a batch, or its bucket, has. */
  ofField(name: string): string
}

/** What a field brings to a batch: its values, and where it is ragged which of them are its own, and how many. */
function streamFields(
  ctx: Context,
  { name, type, ragged }: DataField,
  sizes: StreamSizes,
): readonly StreamField[] {
  const [first, ...rest] = type.shape
  if (!ragged || typeof first !== 'string') {
    const value = { name: ctx.region.fresh(name), type: { ...type, shape: [sizes.batch, ...type.shape] } }
    return [{ field: name, value }]
  }
  const places = [sizes.batch, sizes.ofField(first)]
  const part = (field: string, dtype: DType, shape: Shape): StreamField => ({
    field,
    value: { name: ctx.region.fresh(field.replace('.', '_')), type: { dtype, shape } },
  })
  return [
    part(name, type.dtype, [...places, ...rest]),
    part(`${name}.mask`, 'bool', places),
    part(`${name}.length`, 'i32', [sizes.batch]),
  ]
}

function partsOf(tensors: ReadonlyMap<string, TensorValue>, field: string): ReadonlyMap<string, TensorValue> {
  const parts = ['mask', 'length'].flatMap((part): readonly [string, TensorValue][] => {
    const value = tensors.get(`${field}.${part}`)
    return value ? [[part, value]] : []
  })
  return new Map(parts)
}

/** Where the fields of a dataset are declared. */
function fieldSpans(training: Training, name: string): ReadonlyMap<string, Span> {
  const data = training.ctx.env.lookup(name)?.value
  const members = data?.kind === 'data' ? data.declaration.members : []
  return new Map(members.flatMap(item => (item.kind === 'Field' ? [[item.name.text, item.span]] : [])))
}

/** Statements in order, in a scope of their own. */
export function statements(step: StepContext, block: Block): void {
  const within: StepContext = { ...step, ctx: { ...step.ctx, env: step.ctx.env.child() } }
  for (const node of block.statements) {
    statement(within, node)
    if (within.updated) step.updated = true
  }
}

function emit(step: StepContext, statement: HostStatement): void {
  step.region.body.push(statement)
}

function statement(step: StepContext, node: Statement): void {
  const { ctx } = step
  const origin = originOf(node.span)
  switch (node.kind) {
    case 'Let':
      return executeLet(ctx, node)
    case 'Var':
      return executeVar(ctx, node)
    case 'SetStatement':
      return setStatement(step, node)
    case 'If':
      return branch(step, node)
    case 'Return':
      return returned(step, node)
    case 'Minimize':
      return minimised(step, node)
    case 'Log':
      return log(step, node)
    case 'Skip':
      if (step.updated) complain(ctx, 'LTM4503', node.span, undefined)
      if (step.event !== undefined && !canSkip(step.event))
        complain(ctx, 'LTM4502', node.span, {
          statement: 'skip',
          place:
            'this hook, which comes too late to leave a batch out; hooks on the start of a batch and on `nonfinite` can',
        })
      return emit(step, { kind: 'skip', origin })
    case 'Stop':
      return emit(
        step,
        node.message
          ? { kind: 'stop', message: message(ctx, node.message), origin }
          : { kind: 'stop', origin },
      )
    case 'Print':
      return emit(step, { kind: 'print', message: message(ctx, node.message), origin })
    case 'Debug':
      return debug(ctx, node)
    case 'CheckpointStatement':
      return emit(step, { kind: 'checkpoint', message: message(ctx, node.name), origin })
    case 'Freeze':
    case 'Unfreeze':
      return freezeStatement(step, node)
    case 'Yield':
      return void complain(ctx, 'LTM4502', node.span, {
        statement: 'yield',
        place: 'a step; it belongs to a loop over an axis, `for … in along(…)`',
      })
    case 'For':
      return forLoop(step, node, statements)
    case 'While':
      return whileLoop(step, node, statements, hostCondition)
    case 'Break':
      if (step.loop === 'host') {
        step.region.writeBuffers()
        return emit(step, { kind: 'break', origin })
      }
      return void complain(ctx, 'LTM4502', node.span, {
        statement: 'break',
        place: step.loop ? 'a loop over a list, which is written out' : 'a step outside of any loop',
      })
    case 'CallStatement':
      return callHost(step, node)
  }
}

function minimised(step: StepContext, node: Minimize): void {
  if (step.phase !== 'train')
    return void complain(step.ctx, 'LTM4502', node.span, {
      statement: 'minimize',
      place: step.phase ? `a \`${step.phase}\` step` : 'a hook',
    })
  minimize(step, node)
  step.updated = true
}

function flagsOf({ ctx }: StepContext, node: Log): LogFlags {
  const on = node.on.map(name => name.text)
  for (const { text, span } of node.on)
    if (text !== '' && text !== 'step' && text !== 'epoch')
      complain(ctx, 'LTM2102', span, { what: '`on`', expected: '`step` or `epoch`', got: `\`${text}\`` })
  return {
    bar: node.bar,
    on: on.length === 2 ? 'both' : on[0] === 'step' ? 'step' : on[0] === 'epoch' ? 'epoch' : 'default',
  }
}

/** `log accuracy(logits, label)`, `log loss = E over w`, `log tau`. */
function log(step: StepContext, node: Log): void {
  const { ctx } = step
  const metric = metricOf(step, node.value)
  const failed = metric ? undefined : failedMetric(step, node.value)
  if (failed !== undefined) {
    // What it would have logged is not known: monitors below this name are taken as they are.
    const name = node.target ? textOf(node.target.span) : failed
    step.training.logged.add(`${step.prefix}.${name}`)
    step.training.logged.add(`${step.prefix}.${name}.*`)
    return
  }
  const given = metric ? undefined : expression(ctx, node.value)
  if (given?.kind === 'error' && !node.target && node.value.kind === 'Call') {
    step.training.silent.push(node.value.span)
    step.training.logged.add(`${step.prefix}.*`)
    return
  }
  const name = loggedName(step, node, metric?.name)
  if (name === undefined || (!metric && !given)) return
  const origin = originOf(node.span)
  if (metric) {
    const update = metricUpdate(step, metric.scope, metric.call, node.over)
    const logged = logName(step, name, node.span, true)
    // What has several numbers is nothing that one could monitor.
    if (!metric.scope.isNumber) step.training.logged.delete(`${step.prefix}.${logged}`)
    for (const field of metric.scope.fields) step.training.logged.add(`${step.prefix}.${logged}.${field}`)
    if (update)
      emit(step, {
        kind: 'log_metric',
        name: logged,
        metric: metric.name,
        ...update,
        flags: flagsOf(step, node),
        origin,
      })
    return
  }
  const value = named(ctx, given ?? errorValue, name)
  const logged = logName(step, name, node.span, false)
  const number = hostNumber(value)
  if (number)
    return emit(step, {
      kind: 'log_host',
      name: logged,
      value: number.expr,
      flags: flagsOf(step, node),
      origin,
    })
  const tensor = toTensor(ctx, value, node.value.span)
  if (tensor.kind === 'error') step.training.silent.push(node.value.span)
  const weight = node.over && weightOf(step, node.over, tensor)
  if (tensor.kind === 'tensor')
    emit(step, {
      kind: 'log',
      name: logged,
      value: tensor.name,
      ...(weight ? { weight: weight.name } : {}),
      flags: flagsOf(step, node),
      origin,
    })
}

function metricOf(
  step: StepContext,
  value: Expr,
):
  | { readonly name: string; readonly scope: MetricScope; readonly call: Extract<Expr, { kind: 'Call' }> }
  | undefined {
  if (value.kind !== 'Call' || value.callee.kind !== 'Name') return undefined
  const found = step.ctx.env.lookup(value.callee.text)?.value
  const scope = found?.kind === 'metric' ? step.training.metrics.get(found.name) : undefined
  return scope && found?.kind === 'metric' ? { name: found.name, scope, call: value } : undefined
}

/** The name of a metric whose declaration failed; it has been reported. */
function failedMetric(step: StepContext, value: Expr): string | undefined {
  if (value.kind !== 'Call' || value.callee.kind !== 'Name') return undefined
  return step.ctx.env.lookup(value.callee.text)?.value.kind === 'error' ? value.callee.text : undefined
}

function loggedName(step: StepContext, node: Log, metric: string | undefined): string | undefined {
  if (node.target) return textOf(node.target.span)
  if (node.value.kind === 'ErrorExpr') return undefined
  if (metric !== undefined) return metric
  if (node.value.kind === 'Name') return node.value.text
  if (node.value.kind === 'Member') return node.value.name.text
  complain(
    step.ctx,
    'LTM2109',
    node.value.span,
    { wanted: 'a value with a name to log it under', got: 'an expression' },
    { help: `write \`log NAME = ${textOf(node.value.span)}\`` },
  )
  return undefined
}

/** A condition of the host: decided by the compiler, by clocks and numbers, or by a tensor of one element. */
export function hostCondition(step: StepContext, node: Expr): HostExpr | undefined {
  const value = expression(step.ctx, node)
  if (value.kind === 'bool') return value.expr
  if (value.kind === 'tensor' && value.type.dtype === 'bool' && value.type.shape.length === 0)
    return { kind: 'item', value: value.name }
  if (value.kind !== 'error') notBool(step.ctx, value, node.span)
  return undefined
}

function branch(step: StepContext, node: If): void {
  const condition = hostCondition(step, node.condition)
  if (!condition) {
    step.training.silent.push(node.condition.span)
    // It may be either: both branches are checked.
    step.region.branches([
      () => statements(step, node.then),
      () => node.otherwise && statements(step, node.otherwise),
    ])
    return
  }
  const known = constantOf(condition)
  if (known !== undefined) {
    if (known) statements(step, node.then)
    else if (node.otherwise) statements(step, node.otherwise)
    return
  }
  inBlocks(step, node.otherwise ? [node.then, node.otherwise] : [node.then], (within, refresh) => {
    const branches = [node.then, node.otherwise].map(block => {
      const inner: StepContext = { ...within, updated: step.updated }
      const run = (): void => {
        if (!block) return
        refresh()
        statements(inner, block)
      }
      return { inner, run }
    })
    const [then = [], otherwise = []] = step.region.branches(branches.map(({ run }) => run))
    if (branches.some(({ inner }) => inner.updated)) step.updated = true
    emit(step, { kind: 'if', condition, then, otherwise, origin: originOf(node.span) })
  })
}

/** A field of what a step returns. Texts are only made from numbers, when they are written out. */
function returnedTensor(step: StepContext, field: Value, span: Span): TensorValue | ErrorValue {
  if (field.kind !== 'string') return toTensor(step.ctx, field, span)
  const help =
    'a step returns numbers; where a vocabulary has their texts, write `data.field.decode(numbers)`'
  return complain(step.ctx, 'LTM2109', span, { wanted: 'a tensor', got: describe(field) }, { help })
}

function returned(step: StepContext, node: Return): void {
  if (step.onReturn) return step.onReturn(step, node)
  if (step.loop === 'host')
    return void complain(step.ctx, 'LTM4502', node.span, {
      statement: 'return',
      place: 'a loop; set a `var` in it and return that behind it',
    })
  if (!node.value) return
  const { numbers, texts } = decodings(step, node.value)
  const value = expression(step.ctx, numbers)
  if (value.kind !== 'record') {
    step.training.returned.push({ step: step.prefix, fields: [], lost: true })
    if (value.kind !== 'error')
      complain(
        step.ctx,
        'LTM2109',
        node.value.span,
        { wanted: 'a record', got: describe(value) },
        { help: 'write `return { name: value }`' },
      )
    return
  }
  const written = node.value.kind === 'RecordLiteral' ? node.value.fields : []
  const spans = new Map(written.map(field => [field.name.text, field.value.span]))
  const fields = [...value.fields].flatMap(([name, field]) => {
    const tensor = returnedTensor(step, field, spans.get(name) ?? node.span)
    if (tensor.kind !== 'error') return [{ name, value: tensor.name, type: tensor.type }]
    step.training.silent.push(node.span)
    return []
  })
  step.region.writeBuffers()
  step.training.returned.push({
    step: step.prefix,
    fields: fields.map(({ name, type }) => ({ name, type })),
    lost: fields.length < value.fields.size,
  })
  const given = fields.map(({ name, value, type }): ReturnField => {
    const decoding = texts.get(name)
    if (decoding === undefined) return { name, value }
    checkNumbers(step, decoding, type)
    return { name, value, texts: { data: decoding.data, field: decoding.field } }
  })
  emit(step, { kind: 'return', fields: given, origin: originOf(node.span) })
}
