import type { Cell, ColumnInput, DataSource, Dataset, FuncParam, Vocabulary } from '../../ir/ir.ts'
import type { DatasetMember, Expr } from '../../syntax/ast.ts'
import { children } from '../../syntax/walk.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Context, originOf, type Standard } from '../context.ts'
import type { Env } from '../env.ts'
import { FunctionRegion } from '../functionRegion.ts'
import { columnCalls, datasetCalls } from '../surface.ts'
import { errorValue, type TensorValue } from '../values.ts'
import { type ColumnRead, columnRead, type Vocabularies } from './columnCalls.ts'
import { fileColumn, layoutsOf, spokenNames } from './fileColumns.ts'
import type { MemberType } from './memberTypes.ts'

/** The symbol of the number of rows that a field is computed for at once. */
export const rows = 'examples'

/** The columns that any member reads, each once, in the order of the members, and which of them each place reads. */
export interface Columns {
  readonly list: readonly ColumnInput[]
  /** The name of the column input by the offset of the call that reads it. */
  readonly readAt: ReadonlyMap<number, string>
  readonly vocabularies: readonly Vocabulary[]
  /** The name of the column input by the name that stands for it: `index`, `images`; empty where nothing reads it. */
  readonly spoken: ReadonlyMap<string, string>
}

export function columnsOf(
  ctx: Context,
  members: readonly DatasetMember[],
  source: DataSource,
  types: ReadonlyMap<DatasetMember, MemberType>,
  vocabularies: Vocabularies,
): Columns {
  const columns: ColumnInput[] = []
  const values = new Map<string, string>()
  const taken = new Set<string>()
  const readAt = new Map<number, string>()
  const layouts = layoutsOf(members, source, types)
  const spoken = spokenNames(source)
  const named = new Map(spoken.map(name => [name, '']))
  const add = (node: Expr, read: ColumnRead | undefined): void => {
    if (!read) return
    const key = JSON.stringify(Object.entries(read).sort())
    const known = values.get(key)
    const value = known ?? unusedName(nameOf(read), read.to, taken)
    if (known === undefined) {
      columns.push({ ...read, value, origin: originOf(node.span) })
      values.set(key, value)
      taken.add(value)
    }
    readAt.set(node.span.start, value)
    if (node.kind === 'Name') named.set(node.text, value)
  }
  const visit = (node: Parameters<typeof children>[0], owner: MemberType | undefined): void => {
    if (node.kind === 'Call' && node.callee.kind === 'Name' && columnCalls.includes(node.callee.text))
      return add(node, columnRead(ctx, node, source, owner, layouts, vocabularies))
    // What a column is to a function that there is not, nobody knows.
    if (node.kind === 'Call' && node.callee.kind === 'Name' && !isFunction(ctx, node.callee.text)) return
    if (node.kind === 'Name' && spoken.includes(node.text)) {
      const read =
        source.kind === 'synthetic'
          ? { from: 0, to: 1, single: true }
          : fileColumn(ctx, node, source, node.text, layouts)
      add(node, read)
    }
    for (const child of children(node)) visit(child, owner)
  }
  for (const member of members)
    if ((member.kind === 'Field' || member.kind === 'Fit') && types.has(member))
      visit(member.value, types.get(member))
    else if (member.kind === 'Filter') visit(member.condition, undefined)
  if (columns.length === 0) columns.push(...countingColumn(source, members))
  const learned = [...vocabularies.values()].flatMap(vocabulary => vocabulary ?? [])
  return { list: columns, readAt, vocabularies: learned, spoken: named }
}

const isFunction = (ctx: Context, name: string): boolean =>
  datasetCalls.includes(name) || ctx.env.lookup(name) !== undefined

/** What no member reads is read all the same where nothing else would say how many examples there are. */
function countingColumn(source: DataSource, members: readonly DatasetMember[]): readonly ColumnInput[] {
  const [member] = members
  const counts = source.kind === 'synthetic' || (source.kind === 'inline' && hasNumbers(source.columns[0]))
  if (!counts || !member) return []
  return [{ value: 'column0', from: 0, to: 1, single: true, origin: originOf(member.span) }]
}

const hasNumbers = (column: { readonly values: readonly Cell[] } | undefined): boolean =>
  column?.values.every(cell => typeof cell === 'number') ?? false

/** `columns`, `column4`, `column_text`. */
function nameOf({ name, from, single }: ColumnRead): string {
  if (name !== undefined) return `column_${name.replace(/\W+/g, '_')}`
  if (single) return `column${from}`
  return from === 0 ? 'columns' : `columns${from}`
}

/** `columns`, then `columns_8` for those up to 8, then `columns_2` and on. */
function unusedName(name: string, to: number, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name
  let found = `${name}_${to}`
  for (let i = 2; taken.has(found); i++) found = `${name}_${i}`
  return found
}

/** The type of a column for all rows at once. */
function typeOf({ from, to, single, shape, tokens }: ColumnInput): TensorType {
  return { dtype: tokens ? 'i32' : 'f32', shape: [rows, ...(shape ?? (single ? [] : [to - from]))] }
}

/** The names of the fits that the calls of `standardize` have, by the offsets of the calls. */
export type Standards = ReadonlyMap<number, { readonly mean: string; readonly spread: string }>

/** A region in which `columns(…)`, `column(…)`, `index` and the earlier fits are values. */
class TableRegion extends FunctionRegion {
  readonly params: FuncParam[] = []
  readonly #columns: Columns
  readonly #standards: Standards
  readonly #values = new Map<string, TensorValue>()
  /** The member at hand: what draws in others doesn't change its draws. */
  site = ''

  constructor(columns: Columns, fits: Dataset['fits'], standards: Standards) {
    super()
    this.#columns = columns
    this.#standards = standards
    for (const column of columns.list) this.#add(column.value, typeOf(column))
    for (const fit of fits) this.#add(fit.name, fit.type)
  }

  #add(name: string, type: TensorType): void {
    const value = this.fresh(name)
    this.params.push({ name: value, type })
    this.#values.set(name, { kind: 'tensor', name: value, type, span: undefined })
  }

  named(name: string): TensorValue | undefined {
    return this.#values.get(name)
  }

  override column(offset: number): TensorValue | undefined {
    return this.#values.get(this.#columns.readAt.get(offset) ?? '')
  }

  override standard(offset: number): Standard | undefined {
    const names = this.#standards.get(offset)
    const mean = this.#values.get(names?.mean ?? '')
    const spread = this.#values.get(names?.spread ?? '')
    return mean && spread && { mean, spread }
  }

  override place(name: string): string {
    return super.place(this.site === '' ? name : `${this.site}.${name}`)
  }
}

/** The count of a vocabulary is known when the dataset has been read. */
const learnedLater = { uncounted: 'a vocabulary, and inside of its dataset it has none yet' }

/** The scope of a member: the dataset's arguments, its columns and its fits. */
export function tableContext(
  ctx: Context,
  columns: Columns,
  fits: Dataset['fits'],
  failed: ReadonlySet<string>,
  standards: Standards = new Map(),
): { readonly ctx: Context; readonly region: TableRegion } {
  const region = new TableRegion(columns, fits, standards)
  const env: Env = ctx.env.child()
  for (const name of failed) env.define(name, errorValue)
  for (const { name } of columns.vocabularies)
    env.define(name, { kind: 'data_member', data: '', name, member: learnedLater })
  for (const fit of fits) env.define(fit.name, region.named(fit.name) ?? errorValue)
  for (const name of datasetCalls) env.define(name, { kind: 'operator', name })
  for (const [name, value] of columns.spoken) env.define(name, region.named(value) ?? errorValue)
  return { ctx: { ...ctx, env, region }, region }
}
