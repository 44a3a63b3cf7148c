import { annotation, type Code, join, ts } from '../../base/code.ts'
import { columnBehind } from '../../ir/datasets.ts'
import type { ColumnInput, DataField, DataSource, Dataset, Func } from '../../ir/ir.ts'
import { type Line, statement } from '../layout.ts'
import { type Env, funcOf, holderName, traceOf } from './env.ts'
import { emitFunction } from './functions.ts'
import { type Argument, renderFunction } from './functionText.ts'
import { listCode, literal, objectCode, type Plain } from './literals.ts'
import { lengthOf } from './values.ts'

/** Longer ones are declared as functions. */
const longestArrow = 120

export const dtypes = { f32: 'float32', i32: 'int32', bool: 'bool' } as const

/** A dataset as the loader takes it. */
export function datasetLine(env: Env, data: Dataset): Line {
  const func = funcOf(env, data.func)
  const spec = objectCode([
    ['name', literal(data.name)],
    ['source', literal(sourceLiteral(env, data.source))],
    ['columns', listCode(data.columns.map(column => literal(columnLiteral(column))))],
    ['vocabularies', data.vocabularies.length === 0 ? undefined : vocabulariesCode(env, data)],
    ['fits', fitsCode(env, data)],
    [
      'filters',
      data.filters.length === 0
        ? undefined
        : listCode(data.filters.map(filter => columnsFunction(env, data, funcOf(env, filter.func), false))),
    ],
    ['fields', columnsFunction(env, data, func, true)],
    ['augment', data.augment === undefined ? undefined : augmentCode(env, data, funcOf(env, data.augment))],
    [
      'schema',
      listCode(
        data.fields.map((field, i) =>
          fieldCode(env, field, columnsOf(data, func, func.results[i]), data.columns),
        ),
      ),
    ],
    ['split', literal(data.split.map(({ name, share }) => [name, share]))],
    ['stratify', data.stratify === undefined ? undefined : literal(data.stratify)],
    ['group', data.group === undefined ? undefined : literal(data.group)],
    ['batch', literal(data.batch)],
    ['shuffle', literal(data.shuffle)],
    ['dropLast', literal(data.dropLast)],
    ['buckets', data.buckets && literal(data.buckets)],
    ['counts', data.counts.length === 0 ? undefined : countsCode(env, data, func)],
    ['trace', literal(traceOf(env, data.origin))],
  ])
  return statement(ts`const ${holderName(env, 'data', data.name)} = dataset(${spec})`)
}

function columnLiteral({ from, to, single, name, shape, tokens }: ColumnInput): Plain {
  if (name === undefined && !shape && !tokens) return single ? from : [from, to]
  const laid = shape && { shape: shape.map(size => (typeof size === 'number' ? size : 'ragged')) }
  return { column: name ?? from, ...laid, ...(tokens && { tokens: { ...tokens } }) }
}

function sourceLiteral(env: Env, source: DataSource): Plain {
  const trace = traceOf(env, source.origin)
  switch (source.kind) {
    case 'csv':
      return {
        kind: 'csv',
        path: source.path,
        skip: source.skip,
        ...(source.missing === undefined ? {} : { missing: source.missing }),
        trace,
      }
    case 'inline':
      return { kind: 'inline', columns: source.columns.map(({ values }) => values), trace }
    case 'synthetic':
      return { kind: 'synthetic', count: source.count, trace }
    case 'arrays': {
      const files = Object.fromEntries(source.files.map(({ name, path }) => [name, path]))
      return { kind: source.format, files, trace }
    }
    case 'file':
      return { kind: source.format, path: source.path, trace }
    case 'images': {
      const { path, channels, height, width } = source
      return { kind: 'images', path, shape: [channels, height, width], trace }
    }
    case 'text': {
      const { path, tokens, window, stride, size } = source
      return { kind: 'text', path, tokens, window, stride, ...(size === undefined ? {} : { size }), trace }
    }
  }
}

function fieldCode(
  env: Env,
  { name, type, whole, ragged, origin }: DataField,
  columns: readonly ColumnInput[],
  all: readonly ColumnInput[],
): Code {
  const like = all.findIndex(column => columns.includes(column) && typeof column.shape?.[0] === 'string')
  return objectCode([
    ['name', literal(name)],
    ['dtype', literal(dtypes[type.dtype])],
    ['shape', literal(type.shape.filter(size => typeof size === 'number'))],
    ['ragged', ragged && literal({ size: String(type.shape[0]), like, ...ragged })],
    ['whole', literal(whole)],
    ['columns', columnList(columns)],
    ['trace', literal(traceOf(env, origin))],
  ])
}

/** Columns one by one, but for a single long range. */
function columnList(columns: readonly ColumnInput[]): Code {
  const [only] = columns
  if (columns.length === 1 && only !== undefined && only.to - only.from > longestRange) {
    const index = only.from === 0 ? 'i' : `${only.from} + i`
    return `Array.from({ length: ${only.to - only.from} }, (_, i) => ${index})`
  }
  const places = columns.flatMap(({ name, from, to }): readonly (number | string)[] =>
    name === undefined ? Array.from({ length: to - from }, (_, i) => from + i) : [name],
  )
  return literal(places)
}

const longestRange = 8

/** The columns that a field is computed from. */
function columnsOf(data: Dataset, func: Func, result: string | undefined): readonly ColumnInput[] {
  const reached = new Set(result === undefined ? [] : [result])
  for (const step of [...func.steps].reverse()) {
    if (step.outputs.some(({ name }) => reached.has(name))) for (const name of step.inputs) reached.add(name)
  }
  return data.columns.filter(({ value }) => reached.has(value))
}

function vocabulariesCode(env: Env, { vocabularies }: Dataset): Code {
  return listCode(
    vocabularies.map(({ name, unit, size, from, origin }) => {
      const most = size === undefined ? {} : { size }
      return literal({ name, unit, ...most, columns: from, trace: traceOf(env, origin) })
    }),
  )
}

function countsCode(env: Env, data: Dataset, func: Func): Code {
  return listCode(
    data.counts.map(({ of, is, origin }) => {
      const column = columnBehind(data, func, of)
      const read = column === undefined ? {} : { column: data.columns.indexOf(column) }
      return literal({ of, ...read, ...(is === undefined ? {} : { is }), trace: traceOf(env, origin) })
    }),
  )
}

function fitsCode(env: Env, data: Dataset): Code | undefined {
  if (data.fits.length === 0) return undefined
  const fits = data.fits.map(fit =>
    objectCode([
      ['name', literal(fit.name)],
      ['compute', columnsFunction(env, data, funcOf(env, fit.func), false)],
    ]),
  )
  return listCode(fits)
}

function augmentCode(env: Env, data: Dataset, func: Func): Code {
  const given = func.params.flatMap(({ name, type }) => (type === 'key' ? [] : [name]))
  const count = given.length - data.fits.length
  return objectCode([
    ['fields', literal(func.fields ?? [])],
    ['compute', listsFunction(env, [given.slice(0, count), given.slice(count)], func, true)],
  ])
}

/** `([columns, label], [centre]) => …`. */
function columnsFunction(env: Env, data: Dataset, func: Func, list: boolean): Code {
  return listsFunction(
    env,
    [data.columns.map(({ value }) => value), data.fits.map(({ name }) => name)],
    func,
    list,
  )
}

/** A function of lists of tensors, and of a key where it draws; the checker doesn't know that the elements are there. */
function listsFunction(env: Env, lists: readonly (readonly string[])[], func: Func, list: boolean): Code {
  const key = func.params.flatMap(({ name, type }) => (type === 'key' ? [name] : []))
  const sources = [...lists, ...key]
  const text = renderFunction(env, func, { kind: 'columns', list }, 'data')
  if (text.lines.length === 0 && lengthOf(text.result) <= longestArrow) {
    return ts`(${patterns(
      sources,
      text.args.filter(({ used }) => used),
    )}) => ${text.result}`
  }
  const { name } = emitFunction(env, func, { kind: list ? 'list' : 'plain' }, 'data')
  const given = text.args.map(({ local, param }) =>
    param.type === 'key' ? local : ts`${local}${annotation`!`}`,
  )
  return ts`(${patterns(sources, text.args)}) => ${name}(${join(given)})`
}

/** Destructures lists; what isn't read leaves a hole, and what comes after the last one read is left out. */
function patterns(sources: readonly (string | readonly string[])[], args: readonly Argument[]): Code {
  const localOf = (name: string): string => args.find(({ param }) => param.name === name)?.local ?? ''
  const lists = sources.map(names => {
    if (typeof names === 'string') return localOf(names)
    const locals = names.map(localOf)
    return locals.slice(0, locals.findLastIndex(local => local !== '') + 1)
  })
  const last = lists.findLastIndex(list => list.length > 0)
  return lists
    .slice(0, last + 1)
    .map((list, i) => {
      if (list.length === 0) return `_${i}`
      return typeof list === 'string' ? list : `[${list.join(', ')}]`
    })
    .join(', ')
}
