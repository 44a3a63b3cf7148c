import { payloadOf } from '../../base/hookEvents.ts'
import { nearest } from '../../base/names.ts'
import type { HookPayload, Value as IrValue, StepStream, TrainingStep } from '../../ir/ir.ts'
import type { Name } from '../../syntax/ast.ts'
import { sameType } from '../../types/tensor.ts'
import { complain } from '../context.ts'
import { errorValue, int, type Value } from '../values.ts'
import type { StepContext } from './stepContext.ts'
import type { Training } from './training.ts'

/** Gives the names in the parentheses of a hook their values; undefined where it takes no tensors. */
export function bindPayload(
  step: StepContext,
  event: string,
  names: readonly Name[],
  steps: readonly TrainingStep[],
): HookPayload | undefined {
  const known = payloadOf(event)
  const payload = sharedBy(step, steps)
  const lost = isLost(step.training, event, steps)
  for (const name of names) {
    const told = known.find(each => each === name.text)
    const found = told && payloadValue(told, payload, steps, lost)
    step.ctx.env.define(name.text, found ?? errorValue, name.span, { unshadowed: true })
    if (!found) lostPayload(step, event, name, known)
  }
  const takes = names.some(({ text }) => text === 'outputs' || text === 'batch')
  return takes ? payload : undefined
}

/** The name that was meant may stand where it is used: both are there, and nobody knows what they are. */
function lostPayload(step: StepContext, event: string, name: Name, known: readonly string[]): void {
  const near = nearest(name.text, known)
  if (near !== undefined) step.ctx.env.define(near, errorValue, name.span)
  const has =
    known.length === 0
      ? 'it hands over nothing'
      : `it hands over ${known.map(each => `\`${each}\``).join(', ')}`
  complain(step.ctx, 'LTM4384', name.span, { event, name: name.text, near, has })
}

/** The steps that a batch event stands around. */
export function stepsAround(event: string, steps: readonly TrainingStep[]): readonly TrainingStep[] {
  return event.includes('_batch_') ? steps.filter(step => step.phase === phaseOf(event)) : []
}

const phaseOf = (event: string): string =>
  event.startsWith('validation') ? 'val' : (event.split('_')[0] ?? event)

/** Whether what the steps hand over is not known, because of an error. */
function isLost({ returned, failedSteps }: Training, event: string, steps: readonly TrainingStep[]): boolean {
  const titles = titlesOf(steps)
  return (
    [...failedSteps].some(phase => phase === phaseOf(event)) ||
    returned.some(({ step, lost }) => lost && titles.includes(step))
  )
}

/** What all steps hand over alike: a hook does not know which of them it follows. */
function sharedBy({ region, training }: StepContext, steps: readonly TrainingStep[]): HookPayload {
  const [first, ...others] = steps
  if (!first) return { outputs: [], batches: [] }
  const outputs = returnedByAll(training, steps)
  const streams = first.streams.filter((stream, i) =>
    others.every(step => step.streams[i]?.size === stream.size),
  )
  const batches = streams.map((stream, i) => ({
    ...stream,
    fields: stream.fields
      .filter(({ field, value }) =>
        others.every(step =>
          step.streams[i]?.fields.some(other => other.field === field && sameValue(other.value, value.type)),
        ),
      )
      .map(({ field, value }) => ({ field, value: { ...value, name: region.fresh(field) } })),
  }))
  return {
    outputs: outputs.map(({ name, type }) => ({ field: name, value: { name: region.fresh(name), type } })),
    batches,
  }
}

/** What every `return` of these steps has; a step without one gives nothing. */
function returnedByAll({ returned }: Training, steps: readonly TrainingStep[]): readonly IrValue[] {
  const titles = titlesOf(steps)
  const returns = returned.filter(({ step }) => titles.includes(step))
  const [first, ...others] = returns
  if (!first || titles.some(title => !returns.some(({ step }) => step === title))) return []
  return first.fields.filter(({ name, type }) =>
    others.every(({ fields }) => fields.some(other => other.name === name && sameValue(other, type))),
  )
}

const titlesOf = (steps: readonly TrainingStep[]): readonly string[] =>
  steps.map(({ phase, name }) => (name === undefined ? phase : `${phase}.${name}`))

function sameValue({ type }: IrValue, wanted: IrValue['type']): boolean {
  return type !== 'key' && wanted !== 'key' && sameType(type, wanted)
}

function payloadValue(
  name: ReturnType<typeof payloadOf>[number],
  payload: HookPayload,
  steps: readonly TrainingStep[],
  lost: boolean,
): Value {
  if (name === 'gradient_norm') return { kind: 'float', expr: { kind: 'told', what: name } }
  if (name !== 'outputs' && name !== 'batch')
    return { kind: 'run_string', expr: { kind: 'told', what: name } }
  if (lost) return errorValue
  if (name === 'outputs') return recordOf(payload.outputs, `what ${titles(steps)} returns`)
  const batches = payload.batches.map(batch => [batch.name, batchOf(batch)] as const)
  const [only] = batches
  if (only && batches.length === 1) return only[1]
  return { kind: 'record', fields: new Map(batches), of: 'the batches of the step' }
}

function titles(steps: readonly TrainingStep[]): string {
  const all = steps.map(({ phase, name }) => `\`step ${phase}${name === undefined ? '' : ` ${name}`}\``)
  return all.length > 1 ? `each of ${all.join(', ')}` : (all[0] ?? 'a step')
}

function batchOf(batch: StepStream): Value {
  const { fields, of } = recordOf(batch.fields, `a batch of \`${batch.data}\``)
  return { kind: 'record', fields: new Map([...fields, ['size', int(batch.size)]]), of }
}

function recordOf(fields: HookPayload['outputs'], of: string) {
  const values = fields.map(({ field, value }): [string, Value] => [
    field,
    value.type === 'key'
      ? errorValue
      : { kind: 'tensor', name: value.name, type: value.type, span: undefined },
  ])
  return { kind: 'record' as const, fields: new Map(values), of }
}
