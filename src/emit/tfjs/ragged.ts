import type { StepStream, TrainingStep } from '../../ir/ir.ts'
import type { TensorType } from '../../types/tensor.ts'
import { statementsIn, stepsOf } from './uses.ts'

/** A field whose second size is this symbol. */
export function raggedField({ fields }: StepStream, symbol: string): string | undefined {
  return fields.find(({ value }) => value.type !== 'key' && value.type.shape[1] === symbol)?.field
}

/** A prediction whose axis is as long as the longest example of its batch, and the field that has each one's length. */
export interface RaggedOutput {
  readonly output: string
  readonly axis: number
  readonly length: string
}

/** Which axes of what a predict step returns are ragged, as its first stream's fields are. */
export function raggedOutputs(step: TrainingStep): readonly RaggedOutput[] {
  const [stream] = step.streams
  if (step.phase !== 'predict' || stream === undefined) return []
  const types = typesIn(step)
  const fields = statementsIn(step.body).flatMap(host => (host.kind === 'return' ? host.fields : []))
  return fields.flatMap(({ name, value }) => {
    const [first, ...sizes] = types.get(value)?.shape ?? []
    if (first !== stream.size) return []
    return sizes.flatMap((size, i) => {
      const field = typeof size === 'string' ? raggedField(stream, size) : undefined
      return field === undefined ? [] : [{ output: name, axis: i + 1, length: lengthField(field) }]
    })
  })
}

/** `words.length` tells of `words` and of `words.mask`. */
function lengthField(field: string): string {
  return `${field.replace(/\.mask$/, '')}.length`
}

function typesIn({ streams, body }: TrainingStep): ReadonlyMap<string, TensorType> {
  const given = streams.flatMap(({ fields }) => fields.map(({ value }) => value))
  const computed = stepsOf(body).flatMap(({ outputs }) => outputs)
  return new Map(
    [...given, ...computed].flatMap(({ name, type }) => (type === 'key' ? [] : [[name, type] as const])),
  )
}
