import { bug } from '../../base/bug.ts'
import { columnBehind, vocabularyName } from '../../ir/datasets.ts'
import type { TrainingStep } from '../../ir/ir.ts'
import { type Env, funcOf } from './env.ts'
import { statementsIn } from './uses.ts'

/** A prediction whose numbers are written out as texts, and the vocabulary that has them. */
export interface TextOutput {
  readonly output: string
  readonly data: string
  readonly vocabulary: string
}

/** Which fields a step returns as texts. */
export function textOutputs(env: Env, step: TrainingStep): readonly TextOutput[] {
  const fields = statementsIn(step.body).flatMap(host => (host.kind === 'return' ? host.fields : []))
  return fields.flatMap(({ name, texts }) => {
    if (texts === undefined) return []
    return [{ output: name, data: texts.data, vocabulary: vocabularyOf(env, texts.data, texts.field) }]
  })
}

function vocabularyOf(env: Env, data: string, field: string): string {
  const dataset =
    env.program.datasets.find(({ name }) => name === data) ?? bug(`there is no data \`${data}\``)
  if (dataset.vocabularies.some(({ name }) => name === field)) return field
  const column = columnBehind(dataset, funcOf(env, dataset.func), field)
  return column ? vocabularyName(column) : bug(`\`${field}\` of \`${data}\` is no column`)
}
