import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Told } from '../base/hookEvents.ts'
import type { DType, TensorType } from '../types/tensor.ts'
import { notations } from './host.ts'
import type {
  Attr,
  Buffer,
  Cadence,
  Cell,
  Clip,
  Clock,
  Closure,
  ColumnInput,
  ComputedGradients,
  DataCount,
  DataField,
  DataSource,
  Dataset,
  Domain,
  Func,
  FuncParam,
  Hook,
  HookEvent,
  HookPayload,
  HostExpr,
  HostOperator,
  HostStatement,
  HostVar,
  Hyper,
  Limit,
  LogFlags,
  LossTerm,
  Message,
  Metric,
  MetricState,
  Monitor,
  Optimizer,
  OptimizerGroup,
  OptimizerSlot,
  Origin,
  Parameter,
  ParameterGradient,
  Program,
  Ragged,
  ReturnField,
  Step,
  StepStream,
  StopRule,
  Tokens,
  TrainerSettings,
  TrainingStep,
  UpdateCount,
  Value,
  Vocabulary,
  WeightFile,
} from './ir.ts'
import {
  anyOf,
  constant,
  type JsonSchema,
  list,
  number,
  oneOf,
  optional,
  record,
  ref,
  table,
  text,
  truth,
  union,
  whole,
} from './schema/build.ts'

const origin = ref<Origin>('Origin')
const tensorType = ref<TensorType>('TensorType')
const expr = ref<HostExpr>('HostExpr')
const value = ref<Value>('Value')
const step = ref<Step>('Step')
const statements = list(ref<HostStatement>('HostStatement'))
const flags = ref<LogFlags>('LogFlags')
const message = ref<Message>('Message')
const literal = anyOf(number, truth, text)
const valueType = anyOf(tensorType, constant('key'))
const clock = oneOf<Clock>({
  epoch: true,
  batch_index: true,
  batches: true,
  update: true,
  examples: true,
  seconds: true,
  total_updates: true,
  updates_per_epoch: true,
})
const named = { name: text, value: text }
const fieldOfData = record<{ readonly data: string; readonly field: string }>({ data: text, field: text })

const monitor = {
  direction: oneOf<Monitor['direction']>({ min: true, max: true }),
  monitor: text,
}
const stall = { ...monitor, patience: number, minDelta: number }

const hostExpr = union<HostExpr>({
  number: { value: number },
  bool: { value: truth },
  string: { value: text },
  hyper: { name: text },
  argument: { name: text },
  var: { name: text },
  clock: { clock, of: optional(text) },
  size: { dim: anyOf(whole, text) },
  item: { value: text },
  logged: { name: text },
  told: {
    what: oneOf<Told>({ error: true, stage: true, path: true, optimizer: true, gradient_norm: true }),
  },
  stalled: { place: text, ...stall, cooldown: optional(number), minShare: optional(number) },
  apply: { operator: ref<HostOperator>('HostOperator'), args: list(expr) },
  choose: { condition: expr, then: expr, otherwise: expr },
})

const region = {
  optimizer: text,
  terms: list(record<LossTerm>({ name: text, loss: text, weight: optional(text) })),
  body: list(step),
  exports: list(text),
  origin,
}

const hostArgument = anyOf(
  record<{ readonly expr: HostExpr }>({ expr }),
  record<{ readonly value: string }>({ value: text }),
  record<{ readonly text: Message }>({ text: message }),
)

const hostStatement = union<HostStatement>({
  compute: { step },
  minimize: region,
  differentiate: region,
  move: {
    optimizer: text,
    names: list(text),
    by: optional(
      record<ComputedGradients>({
        apart: truth,
        terms: list(record<ComputedGradients['terms'][number]>({ mean: text, weight: text })),
        gradients: list(list(record<ParameterGradient>({ parameter: text, value: text }))),
      }),
    ),
    origin,
  },
  log: { ...named, weight: optional(text), flags, origin },
  log_host: { name: text, value: expr, flags, origin },
  log_metric: { name: text, metric: text, func: text, inputs: list(text), flags, origin },
  log_states: { name: text, metric: text, states: list(text), flags, origin },
  if: { condition: expr, then: statements, otherwise: statements, origin },
  for: { index: text, from: expr, to: optional(expr), body: statements, origin },
  break: { origin },
  var: { name: text, value: expr, origin },
  set: { name: text, value: expr, origin },
  var_tensor: { ...named, type: tensorType, origin },
  set_tensor: { ...named, origin },
  write: { buffer: text, value: text, origin },
  skip: { origin },
  stop: { message: optional(message), origin },
  print: { message, origin },
  call: { name: text, file: text, args: list(hostArgument), origin },
  checkpoint: { message, origin },
  freeze: { parameters: list(text), frozen: truth, origin },
  return: { fields: list(record<ReturnField>({ ...named, texts: optional(fieldOfData) })), origin },
})

const func = record<Func>({
  name: text,
  declaration: text,
  role: oneOf<Func['role']>({
    fn: true,
    loss: true,
    forward: true,
    inverse: true,
    check: true,
    log_det: true,
    update: true,
    compute: true,
    init: true,
    fields: true,
    lambda: true,
    method: true,
    scan: true,
    graph: true,
  }),
  doc: optional(text),
  params: list(record<FuncParam>({ name: text, type: valueType, member: optional(text) })),
  hostParams: list(text),
  steps: list(step),
  results: list(text),
  fields: optional(list(text)),
  origin,
})

const hyper = record<Hyper>({
  name: text,
  type: oneOf<Hyper['type']>({ float: true, int: true, bool: true, string: true }),
  value: literal,
  domain: optional(
    record<Domain>({
      kind: oneOf<Domain['kind']>({ range: true, log_range: true, choice: true }),
      values: list(literal),
    }),
  ),
  origin,
})

const hostVar = record<HostVar>({
  name: text,
  type: oneOf<HostVar['type']>({ float: true, int: true, bool: true }),
  value: anyOf(number, truth),
  origin,
})

const tokenUnit = oneOf<Tokens['unit']>({ words: true, characters: true, whole: true })

const dataset = record<Dataset>({
  name: text,
  declaration: text,
  source: union<DataSource>({
    csv: { path: text, skip: whole, missing: optional(number), origin },
    inline: {
      columns: list(
        record<{ readonly name: string; readonly values: readonly Cell[] }>({
          name: text,
          values: list(anyOf(number, text, list(number))),
        }),
      ),
      origin,
    },
    synthetic: { count: whole, origin },
    arrays: {
      format: oneOf<'idx' | 'npy'>({ idx: true, npy: true }),
      files: list(record<{ readonly name: string; readonly path: string }>({ name: text, path: text })),
      origin,
    },
    file: {
      format: oneOf<Extract<DataSource, { kind: 'file' }>['format']>({
        npz: true,
        safetensors: true,
        jsonl: true,
        parquet: true,
        typescript: true,
      }),
      path: text,
      origin,
    },
    images: { path: text, channels: whole, height: whole, width: whole, origin },
    text: {
      path: text,
      tokens: oneOf<Extract<DataSource, { kind: 'text' }>['tokens']>({
        bytes: true,
        characters: true,
        words: true,
      }),
      window: whole,
      stride: whole,
      size: optional(whole),
      origin,
    },
  }),
  columns: list(
    record<ColumnInput>({
      value: text,
      name: optional(text),
      from: whole,
      to: whole,
      single: truth,
      shape: optional(list(anyOf(number, text))),
      tokens: optional(
        record<Tokens>({
          unit: tokenUnit,
          size: optional(whole),
          vocabulary: optional(text),
        }),
      ),
      origin,
    }),
  ),
  vocabularies: list(
    record<Vocabulary>({
      name: text,
      unit: tokenUnit,
      size: optional(whole),
      from: list(anyOf(text, whole)),
      origin,
    }),
  ),
  fits: list(record<Dataset['fits'][number]>({ name: text, type: tensorType, func: text, origin })),
  filters: list(record<Dataset['filters'][number]>({ func: text, origin })),
  func: text,
  augment: optional(text),
  fields: list(
    record<DataField>({
      name: text,
      type: tensorType,
      whole: truth,
      ragged: optional(record<Ragged>({ bound: optional(whole), pad: number })),
      origin,
    }),
  ),
  split: list(record<Dataset['split'][number]>({ name: text, share: number })),
  stratify: optional(text),
  group: optional(text),
  batch: whole,
  shuffle: truth,
  dropLast: truth,
  buckets: optional(list(whole)),
  counts: list(record<DataCount>({ of: text, is: optional(whole), origin })),
  origin,
})

const buffer = record<Buffer>({ path: text, type: tensorType, init: text, copies: optional(text), origin })

const parameter = record<Parameter>({
  path: text,
  type: tensorType,
  raw: tensorType,
  constraint: optional(
    record<NonNullable<Parameter['constraint']>>({
      text,
      name: text,
      version: whole,
      bijective: truth,
      forward: text,
      check: optional(text),
      start: optional(text),
      buffers: optional(list(text)),
    }),
  ),
  projection: optional(record<NonNullable<Parameter['projection']>>({ text, func: text })),
  init: text,
  copies: optional(text),
  frozen: truth,
  origin,
})

const weightFile = record<WeightFile>({
  model: text,
  path: text,
  rename: list(record<WeightFile['rename'][number]>({ from: text, to: text })),
  missing: list(text),
  unused: list(text),
  origin,
})

const clip = record<Clip>({ kind: oneOf<Clip['kind']>({ norm: true, value: true }), limit: number })
const accumulation = anyOf(number, expr)
const updateCount = record<UpdateCount>({ count: number, of: optional(text) })

const optimizer = record<Optimizer>({
  name: text,
  declaration: text,
  slots: list(record<OptimizerSlot>({ name: text, value: number, type: optional(tensorType) })),
  settings: list(text),
  groups: list(
    record<OptimizerGroup>({ parameters: list(text), settings: list(expr), update: optional(text) }),
  ),
  follows: optional(text),
  closure: optional(record<Closure>({ inputs: list(value), body: statements, doc: optional(text), origin })),
  clip: optional(clip),
  accumulate: optional(accumulation),
  origin,
})

const metric = record<Metric>({
  name: text,
  declaration: text,
  states: list(
    record<MetricState>({
      name: text,
      type: tensorType,
      value: number,
      merge: oneOf<MetricState['merge']>({ sum: true, max: true, min: true }),
    }),
  ),
  compute: text,
  origin,
})

const outputs = list(record<StepStream['fields'][number]>({ field: text, value }))
const streams = list(
  record<StepStream>({ name: text, data: text, split: text, cycle: truth, size: text, fields: outputs }),
)

const trainingStep = record<TrainingStep>({
  phase: oneOf<TrainingStep['phase']>({ train: true, val: true, test: true, predict: true }),
  name: optional(text),
  streams,
  key: optional(text),
  body: statements,
  origin,
})

const cadenceUnit = oneOf<Cadence['unit']>({
  batches: true,
  updates: true,
  epochs: true,
  examples: true,
  seconds: true,
})

const hook = record<Hook>({
  event: union<HookEvent>({
    event: { name: text },
    every: {
      count: number,
      unit: cadenceUnit,
      of: optional(text),
    },
  }),
  payload: optional(record<HookPayload>({ outputs, batches: streams })),
  condition: optional(expr),
  body: statements,
  origin,
})

type Setting<K extends keyof TrainerSettings> = NonNullable<TrainerSettings[K]>

const limit = optional(
  anyOf(
    record<Extract<Limit, { readonly batches: number }>>({ batches: number }),
    record<Extract<Limit, { readonly share: number }>>({ share: number }),
  ),
)

const cadence = record<Cadence>({ count: number, unit: cadenceUnit, of: optional(text) })

const trainer = record<TrainerSettings>({
  epochs: optional(number),
  updates: optional(updateCount),
  time: optional(number),
  minEpochs: optional(number),
  minUpdates: optional(updateCount),
  seed: number,
  clip: optional(clip),
  accumulate: accumulation,
  keep: optional(record<Setting<'keep'>>({ ...monitor, count: number })),
  keepEvery: optional(list(cadence)),
  restore: optional(constant('best')),
  stop: optional(
    list(
      record<StopRule>({
        ...stall,
        stoppingThreshold: optional(number),
        divergenceThreshold: optional(number),
        checkFinite: truth,
      }),
    ),
  ),
  validate: optional(cadence),
  sanity: optional(number),
  limits: optional(record<Setting<'limits'>>({ train: limit, val: limit, test: limit, predict: limit })),
  logEvery: optional(number),
  nonfinite: oneOf<TrainerSettings['nonfinite']>({ stop: true, skip: true, continue: true }),
})

const program = record<Program>({
  name: text,
  file: text,
  hypers: list(hyper),
  datasets: list(dataset),
  parameters: list(parameter),
  buffers: list(buffer),
  weights: list(weightFile),
  vars: list(hostVar),
  optimizers: list(optimizer),
  metrics: list(metric),
  functions: list(func),
  steps: list(trainingStep),
  hooks: list(hook),
  trainer,
})

/** What is used in several places, or by itself. */
const definitions = {
  Origin: record<Origin>({ file: text, line: whole, column: whole }).json,
  TensorType: record<TensorType>({
    dtype: oneOf<DType>({ f32: true, i32: true, bool: true }),
    shape: list(anyOf(whole, text)),
  }).json,
  Value: record<Value>({ name: text, type: valueType }).json,
  Attr: anyOf(number, text, truth, list(ref<Attr>('Attr')), expr).json,
  Step: record<Step>({
    op: text,
    inputs: list(text),
    attrs: table(ref<Attr>('Attr')),
    outputs: list(value),
    origin,
  }).json,
  HostOperator: { enum: Object.keys(notations) },
  HostExpr: hostExpr.json,
  LogFlags: record<LogFlags>({
    bar: truth,
    on: oneOf<LogFlags['on']>({ step: true, epoch: true, both: true, default: true }),
  }).json,
  Message: list(
    anyOf(
      text,
      record<{ readonly expr: HostExpr }>({ expr }),
      record<{ readonly value: string }>({ value: text }),
    ),
  ).json,
  HostStatement: hostStatement.json,
}

/** The JSON schema (draft 7) of a program: what `validateJson` accepts. */
export const programSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'A program in the intermediate representation of ltm',
  ...program.json,
  definitions,
}

/** JSON that is not a program; the message names the place by its path. */
export class IrFormatError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IrFormatError'
  }
}

let validator: ValidateFunction<Program> | undefined

/** Made when a program is first read, which few processes ever do: it takes half a second. */
function theValidator(): ValidateFunction<Program> {
  validator ??= new Ajv({ discriminator: true, strictNumbers: false }).compile<Program>(programSchema)
  return validator
}

/** The value as a program, if it is the JSON form of one; throws an {@link IrFormatError} where it isn't. */
export function validateJson(json: unknown): Program {
  const fits = theValidator()
  if (fits(json)) return json
  throw new IrFormatError(`This is not a program: ${(fits.errors ?? []).map(complaint).join('; ')}.`)
}

function complaint({ instancePath, message, params }: ErrorObject): string {
  const surplus = 'additionalProperty' in params ? ` (\`${params.additionalProperty}\`)` : ''
  return `${instancePath === '' ? 'it' : instancePath} ${message}${surplus}`
}
