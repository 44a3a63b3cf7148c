import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { Cell, ColumnInput, DataSource, Tokens, Vocabulary } from '../../ir/ir.ts'
import type { Arg, Call, Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { errorValue, knownNumber } from '../values.ts'
import { textUnits } from '../words.ts'
import { fileColumn, type Layouts, namesColumns } from './fileColumns.ts'
import type { MemberType } from './memberTypes.ts'

/** The vocabularies of a dataset by their names; undefined where one has an error. */
export type Vocabularies = ReadonlyMap<string, Vocabulary | undefined>

/** A column as a call reads it. */
export type ColumnRead = Omit<ColumnInput, 'value' | 'origin'>

/**
 * `columns(0..64)`, `column(64)`, `column("x")`, `array("x")`; `tokenize(column("text"), words, size: 20000)` and
 * `encode(column("kind"))`, which make numbers of texts. `owner` is the declared type of the field that reads it.
 */
export function columnRead(
  ctx: Context,
  node: Call,
  source: DataSource,
  owner: MemberType | undefined,
  layouts: Layouts,
  vocabularies: Vocabularies,
): ColumnRead | undefined {
  const name = node.callee.kind === 'Name' ? node.callee.text : ''
  if (name === 'tokenize' || name === 'encode')
    return tokensRead(ctx, node, source, owner, vocabularies, name)
  const place = placeOf(ctx, node, source)
  if (place?.name !== undefined && source.kind !== 'csv')
    return fileColumn(ctx, node, source, place.name, layouts)
  if (place && namesColumns(source))
    return void complain(ctx, 'LTM2102', node.span, {
      what: `\`${name}\``,
      expected: 'the name of a column, as this source has names for them',
      got: textOf(node.span),
    })
  return place && laidOut(ctx, node, source, place, owner)
}

type Place = Pick<ColumnInput, 'name' | 'from' | 'to' | 'single'>

export function placeOf(ctx: Context, node: Call, source: DataSource): Place | undefined {
  const callee = node.callee.kind === 'Name' ? node.callee.text : ''
  const [arg] = node.args
  const value = arg && arg.kind !== 'Except' ? expression(ctx, arg.value) : errorValue
  if (value.kind === 'error') return undefined
  if (
    callee === 'columns' &&
    value.kind === 'range' &&
    typeof value.from === 'number' &&
    typeof value.to === 'number'
  )
    return checkedRange(ctx, node, source, { from: value.from, to: value.to, single: false })
  if (callee === 'column' && value.kind === 'int' && typeof value.dim === 'number')
    return checkedRange(ctx, node, source, { from: value.dim, to: value.dim + 1, single: true })
  if (callee !== 'columns' && value.kind === 'string') return namedColumn(ctx, node, source, value.text)
  const expected: Readonly<Record<string, string>> = {
    columns: 'a range of columns, as in `columns(0..64)`',
    column: 'one column, as in `column(64)` or `column("age")`',
    array: 'the name of an array, as in `array("x")`',
  }
  return void complain(ctx, 'LTM2102', node.span, {
    what: `\`${callee}\``,
    expected: expected[callee] ?? '',
    got: describe(value),
  })
}

function namedColumn(ctx: Context, node: Call, source: DataSource, name: string): Place | undefined {
  if (source.kind === 'synthetic')
    return void complain(ctx, 'LTM4309', node.span, {
      index: `"${name}"`,
      has: 'of a synthetic dataset are one, `index`',
    })
  if (source.kind !== 'inline') return { name, from: 0, to: 1, single: true }
  const names = source.columns.map(column => column.name)
  const at = names.indexOf(name)
  if (at >= 0) return { from: at, to: at + 1, single: true }
  return void complain(ctx, 'LTM3001', node.span, { name, near: nearest(name, names) })
}

/** Columns that a table can have: how many a file has is checked when it is read. */
function checkedRange(ctx: Context, node: Expr, source: DataSource, range: Place): Place | undefined {
  const count = source.kind === 'inline' ? source.columns.length : Number.POSITIVE_INFINITY
  if (range.from >= 0 && range.from < range.to && range.to <= count) return range
  const has = count === Number.POSITIVE_INFINITY ? 'are counted from 0' : `are 0 to ${count - 1}`
  const index = range.single ? String(range.from) : `${range.from}..${range.to}`
  return void complain(ctx, 'LTM4309', node.span, { index, has })
}

/** The shape of a column for one example: a table has numbers, a list of numbers is as long as it says or as the field. */
function laidOut(
  ctx: Context,
  node: Call,
  source: DataSource,
  place: Place,
  owner: MemberType | undefined,
): ColumnRead | undefined {
  if (source.kind === 'csv' || source.kind === 'synthetic') return place
  if (source.kind !== 'inline') return owner && { ...place, shape: owner.type.shape }
  const cells = source.columns.slice(place.from, place.to).flatMap(column => column.values)
  if (cells.some(cell => typeof cell === 'string'))
    return void complain(ctx, 'LTM4330', node.span, { column: textOf(node.span) })
  const lengths = new Set(cells.map(lengthOf))
  const [length] = lengths
  if (lengths.size === 1 && length === undefined) return place
  const [ragged] = owner?.ragged ? owner.type.shape : []
  const size = ragged ?? (lengths.size === 1 ? length : undefined)
  if (place.single && size !== undefined && !lengths.has(undefined)) return { ...place, shape: [size] }
  return void complain(ctx, 'LTM4332', node.span, { column: textOf(node.span) })
}

const lengthOf = (cell: Cell): number | undefined => (isNumbers(cell) ? cell.length : undefined)
const isNumbers = (cell: Cell): cell is readonly number[] => typeof cell === 'object'

// ── Texts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function tokensRead(
  ctx: Context,
  node: Call,
  source: DataSource,
  owner: MemberType | undefined,
  vocabularies: Vocabularies,
  callee: 'tokenize' | 'encode',
): ColumnRead | undefined {
  const [column, how] = node.args.filter(arg => arg.kind === 'Positional')
  const inner = column?.value
  if (!isColumnCall(inner)) return void complain(ctx, 'LTM4335', node.span, { callee, of: undefined })
  const place = placeOf(ctx, inner, source)
  const tokens = tokensOf(ctx, node, how, vocabularies, callee)
  if (!place || !tokens) return undefined
  if (tokens.unit === 'whole') return { ...place, tokens }
  const [ragged] = owner?.ragged ? owner.type.shape : []
  if (ragged !== undefined) return { ...place, shape: [ragged], tokens }
  return void complain(ctx, 'LTM4332', node.span, { column: textOf(node.span) })
}

export function isColumnCall(node: Expr | undefined): node is Call {
  return node?.kind === 'Call' && node.callee.kind === 'Name' && node.callee.text === 'column'
}

/** How texts become numbers: by a vocabulary with a name, or by one of the column's own. */
function tokensOf(
  ctx: Context,
  node: Call,
  how: Arg | undefined,
  vocabularies: Vocabularies,
  callee: 'tokenize' | 'encode',
): Tokens | undefined {
  const name = how?.kind === 'Positional' && how.value.kind === 'Name' ? how.value.text : ''
  const known = vocabularies.get(name)
  if (vocabularies.has(name) && !known) return undefined
  if (name !== '' && !known && !unitOf(how)) {
    const others = [...vocabularies.keys(), ...(callee === 'encode' ? [] : textUnits)]
    return void complain(ctx, 'LTM3001', how?.span ?? node.span, { name, near: nearest(name, others) })
  }
  const unit = known?.unit ?? (callee === 'encode' && !how ? 'whole' : unitOf(how))
  if (!unit || (callee === 'encode') !== (unit === 'whole')) {
    const of = known && { name, unit: known.unit }
    return void complain(ctx, 'LTM4335', how?.span ?? node.span, { callee, of })
  }
  const size = sizeArgument(ctx, node)
  if (size === 'wrong') return undefined
  if (known && size !== undefined) return void complain(ctx, 'LTM4348', node.span, { name })
  return { unit, ...(known ? { vocabulary: name } : {}), ...(size === undefined ? {} : { size }) }
}

export function unitOf(arg: Arg | undefined): 'words' | 'characters' | undefined {
  const text = arg && arg.kind !== 'Except' && arg.value.kind === 'Name' ? arg.value.text : undefined
  return textUnits.find(unit => unit === text)
}

export function sizeArgument(ctx: Context, node: Call): number | undefined | 'wrong' {
  const named = node.args.find(arg => arg.kind === 'Named')
  if (named?.kind !== 'Named') return undefined
  const callee = textOf(node.callee.span)
  if (named.name.text !== 'size') {
    complain(ctx, 'LTM3004', named.name.span, {
      callee,
      name: named.name.text,
      near: nearest(named.name.text, ['size']),
    })
    return 'wrong'
  }
  const value = expression(ctx, named.value)
  if (value.kind === 'error') return 'wrong'
  const size = knownNumber(value)
  if (size !== undefined && Number.isInteger(size) && size >= 1) return size
  complain(ctx, 'LTM2102', named.value.span, {
    what: '`size`',
    expected: 'an int of 1 or more',
    got: textOf(named.value.span),
  })
  return 'wrong'
}
