import { nearest } from '../../base/names.ts'
import type { ColumnInput, DataSource, Dataset, FuncParam } from '../../ir/ir.ts'
import type { DatasetMember, Expr } from '../../syntax/ast.ts'
import { children } from '../../syntax/walk.ts'
import type { TensorType } from '../../types/tensor.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import type { Env } from '../env.ts'
import { expression } from '../evaluate.ts'
import { FunctionRegion } from '../functionRegion.ts'
import { errorValue, type TensorValue } from '../values.ts'

/** The symbol of the number of rows that a field is computed for at once. */
export const rows = 'examples'

/** The columns that any member reads, each once, in the order of the members, and which of them each place reads. */
export interface Columns {
  readonly list: readonly ColumnInput[]
  /** The name of the column input by the offset of the call that reads it. */
  readonly readAt: ReadonlyMap<number, string>
}

export function columnsOf(ctx: Context, members: readonly DatasetMember[], source: DataSource): Columns {
  const columns: ColumnInput[] = []
  const readAt = new Map<number, string>()
  const add = (node: Expr): void => {
    const range = columnRange(ctx, node, source)
    if (!range) return
    const known = columns.find(
      column => column.from === range.from && column.to === range.to && column.single === range.single,
    )
    if (known) {
      readAt.set(node.span.start, known.value)
      return
    }
    const name = range.single ? `column${range.from}` : range.from === 0 ? 'columns' : `columns${range.from}`
    const value = columns.some(column => column.value === name) ? `${name}_${range.to}` : name
    columns.push({ ...range, value, origin: originOf(node.span) })
    readAt.set(node.span.start, value)
  }
  const visit = (node: Parameters<typeof children>[0]): void => {
    if (
      (node.kind === 'Call' &&
        node.callee.kind === 'Name' &&
        (node.callee.text === 'columns' || node.callee.text === 'column')) ||
      (node.kind === 'Name' && node.text === 'index' && source.kind === 'synthetic')
    )
      add(node)
    for (const child of children(node)) visit(child)
  }
  for (const member of members) if (member.kind === 'Field' || member.kind === 'Fit') visit(member.value)
  return { list: columns, readAt }
}

interface ColumnRange {
  readonly from: number
  readonly to: number
  readonly single: boolean
}

/** `columns(0..64)`, `column(64)`, `column("x")` of an inline table, `index` of a synthetic one. */
function columnRange(ctx: Context, node: Expr, source: DataSource): ColumnRange | undefined {
  if (node.kind === 'Name') return { from: 0, to: 1, single: true }
  if (node.kind !== 'Call' || node.callee.kind !== 'Name') return undefined
  const [arg] = node.args
  const value = arg && arg.kind !== 'Except' ? expression(ctx, arg.value) : errorValue
  if (value.kind === 'error') return undefined
  if (
    node.callee.text === 'columns' &&
    value.kind === 'range' &&
    typeof value.from === 'number' &&
    typeof value.to === 'number'
  ) {
    return checkedRange(ctx, node, source, { from: value.from, to: value.to, single: false })
  }
  if (node.callee.text === 'column' && value.kind === 'int' && typeof value.dim === 'number')
    return checkedRange(ctx, node, source, { from: value.dim, to: value.dim + 1, single: true })
  if (node.callee.text === 'column' && value.kind === 'string' && source.kind === 'inline') {
    const at = source.columns.findIndex(column => column.name === value.text)
    if (at >= 0) return { from: at, to: at + 1, single: true }
    complain(ctx, 'LTM3001', node.span, {
      name: value.text,
      near: nearest(
        value.text,
        source.columns.map(column => column.name),
      ),
    })
    return undefined
  }
  complain(ctx, 'LTM2102', node.span, {
    what: `\`${node.callee.text}\``,
    expected:
      node.callee.text === 'columns'
        ? 'a range of columns, as in `columns(0..64)`'
        : 'one column, as in `column(64)`',
    got: describe(value),
  })
  return undefined
}

/** Columns that a table can have: how many a file has is checked when it is read. */
function checkedRange(
  ctx: Context,
  node: Expr,
  source: DataSource,
  range: ColumnRange,
): ColumnRange | undefined {
  const count = source.kind === 'inline' ? source.columns.length : Number.POSITIVE_INFINITY
  if (range.from >= 0 && range.from < range.to && range.to <= count) return range
  const has = count === Number.POSITIVE_INFINITY ? 'are counted from 0' : `are 0 to ${count - 1}`
  const index = range.single ? String(range.from) : `${range.from}..${range.to}`
  return void complain(ctx, 'LTM4309', node.span, { index, has })
}

/** A region in which `columns(…)`, `column(…)`, `index` and the earlier fits are values. */
class TableRegion extends FunctionRegion {
  readonly params: FuncParam[] = []
  readonly #columns: Columns
  readonly #values = new Map<string, TensorValue>()

  constructor(columns: Columns, fits: Dataset['fits']) {
    super()
    this.#columns = columns
    for (const column of columns.list) {
      this.#add(column.value, {
        dtype: 'f32',
        shape: column.single ? [rows] : [rows, column.to - column.from],
      })
    }
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
}

/** The scope of a member: the dataset's arguments, its columns and its fits. */
export function tableContext(
  ctx: Context,
  columns: Columns,
  fits: Dataset['fits'],
  failed: ReadonlySet<string>,
): { readonly ctx: Context; readonly region: TableRegion } {
  const region = new TableRegion(columns, fits)
  const env: Env = ctx.env.child()
  for (const name of failed) env.define(name, errorValue)
  for (const fit of fits) env.define(fit.name, region.named(fit.name) ?? errorValue)
  for (const name of ['columns', 'column']) env.define(name, { kind: 'operator', name })
  const index = columns.list.find(column => column.single && column.from === 0)
  if (index) env.define('index', region.named(index.value) ?? errorValue)
  return { ctx: { ...ctx, env, region }, region }
}
