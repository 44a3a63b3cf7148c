import { bug } from '../../base/bug.ts'
import type { TrainingStep } from '../../ir/ir.ts'
import { type Env, funcOf } from './env.ts'
import { statementsIn } from './uses.ts'

/** A prediction whose numbers are written out as texts, and the column in whose vocabulary they are. */
export interface TextOutput {
  readonly output: string
  readonly data: string
  readonly column: string | number
}

/** Which fields a step returns as texts. */
export function textOutputs(env: Env, step: TrainingStep): readonly TextOutput[] {
  const fields = statementsIn(step.body).flatMap(host => (host.kind === 'return' ? host.fields : []))
  return fields.flatMap(({ name, texts }) => {
    if (texts === undefined) return []
    return [{ output: name, data: texts.data, column: columnOf(env, texts.data, texts.field) }]
  })
}

function columnOf(env: Env, data: string, field: string): string | number {
  const dataset =
    env.program.datasets.find(({ name }) => name === data) ?? bug(`there is no data \`${data}\``)
  const result = funcOf(env, dataset.func).results[dataset.fields.findIndex(({ name }) => name === field)]
  const column = dataset.columns.find(({ value }) => value === result)
  return column?.name ?? column?.from ?? bug(`\`${field}\` of \`${data}\` is no column`)
}
