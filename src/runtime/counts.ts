import type { HostField } from './batches.ts'
import type { JsonValue, LoadedDataset, Snapshot } from './contracts.ts'
import { RunError } from './errors.ts'
import { columnName } from './inputs.ts'
import { memberOf } from './stored.ts'
import { isLaid, type Table } from './table.ts'
import type { CountSpec, DatasetSpec, Training } from './training.ts'

/**
 * The sizes that a program takes from a dataset. They are parts of its shapes: where it was compiled for others, the data
 * is not the same any more.
 */
export function checkedCounts(
  spec: DatasetSpec,
  table: Table,
  fields: readonly HostField[],
  fits: LoadedDataset['fits'],
): LoadedDataset['counts'] {
  const counts = (spec.counts ?? []).map(count => {
    const found = countOf(spec, count, table, fields, fits)
    if (count.is !== undefined && count.is !== found) throw otherData(spec, count, found)
    return [count.of, found] as const
  })
  return Object.fromEntries(counts)
}

function countOf(
  spec: DatasetSpec,
  count: CountSpec,
  table: Table,
  fields: readonly HostField[],
  fits: LoadedDataset['fits'],
): number {
  if (spec.vocabularies?.some(({ name }) => name === count.of)) return (fits[count.of] ?? []).length
  const field = fields.find(each => each.spec.name === count.of)
  if (field === undefined) return sizeIn(spec, count, fits[count.of]?.[0])
  const known = count.column === undefined ? undefined : countBehind(spec, count.column, table, fits)
  return known ?? countBelow(spec, count, field, table)
}

/** What the vocabulary of a column, or its source, says. */
function countBehind(
  { columns }: DatasetSpec,
  at: number,
  table: Table,
  fits: LoadedDataset['fits'],
): number | undefined {
  const wanted = columns[at]
  if (wanted !== undefined && isLaid(wanted) && wanted.tokens)
    return fits[wanted.tokens.vocabulary ?? columnName(wanted.column)]?.length
  const column = table.columns[at]
  return column?.kind === 'numbers' ? column.count : undefined
}

/** Whole numbers count from 0, so there are as many as the largest says, in whatever split it stands. */
function countBelow(spec: DatasetSpec, count: CountSpec, { data, size, offsets }: HostField, table: Table) {
  let most = -1
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0
    if (value < 0) {
      const at = Math.floor(i / size)
      const row = offsets === undefined ? at : offsets.findLastIndex(offset => offset <= at)
      throw uncounted(spec, count, `it is ${value} in ${table.place(row)}, and numbers are counted from 0`)
    }
    if (value > most) most = value
  }
  return most + 1
}

function sizeIn(spec: DatasetSpec, count: CountSpec, value: number | string | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw uncounted(spec, count, `it is ${value}, and sizes are whole numbers from 0`)
}

function uncounted({ name }: DatasetSpec, { of, trace }: CountSpec, why: string): RunError {
  return new RunError({ code: 'LTM5117', message: `\`${name}.${of}\` gives no size: ${why}`, trace })
}

function otherData({ name }: DatasetSpec, { of, is, trace }: CountSpec, found: number): RunError {
  return new RunError({
    code: 'LTM5118',
    message: `the program was compiled for \`${name}.${of}\` of ${is}, and the data has ${found}`,
    trace,
    help: 'the data has changed since, or the seed that splits it is another one: compile the program again',
  })
}

// ── Checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** The sizes of all datasets, as a checkpoint holds them. */
export function sizesState(data: ReadonlyMap<string, LoadedDataset>): JsonValue {
  return Object.fromEntries([...data].map(([name, { counts }]) => [name, counts]))
}

/** Weights have the sizes of the data that they were trained with: told before their shapes are compared. */
export function checkCounts({ data }: Training, { state }: Snapshot, path: string): void {
  for (const { name, counts = [] } of data)
    for (const { of, is, trace } of counts) {
      const was = memberOf(memberOf(memberOf(state, 'sizes'), name), of)
      if (typeof was !== 'number' || is === undefined || was === is) continue
      throw new RunError({
        code: 'LTM5115',
        message: `\`${name}.${of}\` is not what it was when ${path} was saved: it was ${was} and is ${is}`,
        trace,
        help: 'the data has changed since, or the training split is another one: bring it back, or train anew',
      })
    }
}
