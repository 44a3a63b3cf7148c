import type { ColumnInput, Dataset, Func, Program } from './ir.ts'

/** The column that a field is, in another shape or dtype at most; undefined where something is computed. */
export function columnBehind(
  { columns, fields }: Pick<Dataset, 'columns' | 'fields'>,
  func: Pick<Func, 'steps' | 'results'>,
  field: string,
): ColumnInput | undefined {
  let value = func.results[fields.findIndex(({ name }) => name === field)]
  for (;;) {
    const made = func.steps.find(step => step.outputs.some(({ name }) => name === value))
    if (!made) return columns.find(column => column.value === value)
    if (made.op !== 'cast' && made.op !== 'reshape') return undefined
    value = made.inputs[0]
  }
}

/** The name of the vocabulary that a column of texts is numbered by, as checkpoints have it: its own is called like the column. */
export function vocabularyName({ name, from, tokens }: ColumnInput): string {
  return tokens?.vocabulary ?? `column(${JSON.stringify(name ?? from)})`
}

/** Whether a program waits for sizes that only its data tells. */
export function isOpen({ datasets }: Pick<Program, 'datasets'>): boolean {
  return datasets.some(({ counts }) => counts.some(({ is }) => is === undefined))
}
