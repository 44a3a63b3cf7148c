import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { Cell, DataSource } from '../../ir/ir.ts'
import type { Arg, Expr, Ref } from '../../syntax/ast.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { knownNumber, type Value } from '../values.ts'
import { dataPath } from './dataPath.ts'
import { fileSources } from './fileSources.ts'

/** The arguments that each source has; others are reported. */
const sourceArguments: Readonly<Record<string, readonly string[]>> = {
  csv: ['path', 'skip', 'missing'],
  synthetic: ['count'],
  npz: ['path'],
  safetensors: ['path'],
  jsonl: ['path'],
  parquet: ['path'],
  typescript: ['path'],
  images: ['path', 'size', 'channels'],
  text: ['path', 'tokens', 'window', 'stride', 'size'],
}

function checkSourceArguments(ctx: Context, ref: Ref, kind: string): boolean {
  const known = Object.hasOwn(sourceArguments, kind) ? sourceArguments[kind]! : undefined
  if (!known) return true
  let positional = 0
  let good = true
  for (const arg of ref.args ?? []) {
    if (arg.kind === 'Named' && !known.includes(arg.name.text)) {
      complain(ctx, 'LTM3004', arg.name.span, {
        callee: kind,
        name: arg.name.text,
        near: nearest(arg.name.text, known),
      })
      good = false
    } else if (arg.kind === 'Positional' && ++positional > 1) {
      complain(ctx, 'LTM3005', arg.span, {
        callee: kind,
        count: 1,
        signature:
          known.length === 1
            ? 'it takes a path and nothing else'
            : `the others are named: ${known
                .slice(1)
                .map(name => `\`${name}:\``)
                .join(', ')}`,
      })
      good = false
    }
  }
  return good
}

export function sourceOf(ctx: Context, ref: Ref): DataSource | undefined {
  const kind = ref.path.parts.map(part => part.text).join('.')
  const args = ref.args ?? []
  const origin = originOf(ref.span)
  const named = (name: string): Expr | undefined => {
    const arg = args.find(item => item.kind === 'Named' && item.name.text === name)
    return arg?.kind === 'Named' ? arg.value : undefined
  }
  const first = args.find(arg => arg.kind === 'Positional')?.value
  if (!checkSourceArguments(ctx, ref, kind)) return undefined
  if (kind === 'csv') return csvSource(ctx, ref, first ?? named('path'), named, origin)
  if (kind === 'synthetic') {
    const node = first ?? named('count')
    const value = node && expression(ctx, node)
    const count = value?.kind === 'int' ? knownNumber(value) : undefined
    if (count !== undefined && count >= 1) return { kind: 'synthetic', count, origin }
    if (value?.kind === 'error') return undefined
    complain(ctx, 'LTM3006', ref.span, {
      callee: 'synthetic',
      name: 'count',
      signature: 'it is `synthetic(count: 1000)`: `index` is the number of the example',
    })
    return undefined
  }
  if (kind === 'inline') return inlineSource(ctx, args, origin)
  const inFiles = Object.hasOwn(fileSources, kind) ? fileSources[kind] : undefined
  if (inFiles) return inFiles(ctx, ref, { first, named, list: args })
  const known = ['csv', 'inline', 'synthetic', ...Object.keys(fileSources)]
  // What could not be read has been reported.
  if (kind !== '') complain(ctx, 'LTM4306', ref.span, { name: kind, near: nearest(kind, known) })
  return undefined
}

function csvSource(
  ctx: Context,
  ref: Ref,
  file: Expr | undefined,
  named: (name: string) => Expr | undefined,
  origin: DataSource['origin'],
): DataSource | undefined {
  if (!file)
    return void complain(ctx, 'LTM3006', ref.span, {
      callee: 'csv',
      name: 'path',
      signature: 'it is `csv("file.csv", skip: 1)`, with a path relative to this file',
    })
  const path = dataPath(ctx, file)
  if (path === undefined) return undefined
  const skip = named('skip')
  const lines = skip ? knownNumber(expression(ctx, skip)) : 0
  if (lines === undefined || lines < 0 || !Number.isInteger(lines)) {
    complain(ctx, 'LTM2102', skip?.span ?? ref.span, {
      what: '`skip`',
      expected: 'a number of lines',
      got: skip ? textOf(skip.span) : '',
    })
    return undefined
  }
  const missing = named('missing')
  const stands = missing && knownNumber(expression(ctx, missing))
  if (missing && stands === undefined)
    return void complain(ctx, 'LTM2102', missing.span, {
      what: '`missing`',
      expected: 'the number that stands for a cell without one',
      got: textOf(missing.span),
    })
  return { kind: 'csv', path, skip: lines, ...(stands === undefined ? {} : { missing: stands }), origin }
}

/** `inline(x: [1, 2, 3], y: [2, 4, 6])`. */
function inlineSource(ctx: Context, args: readonly Arg[], origin: DataSource['origin']): DataSource {
  const columns = args.flatMap(arg => {
    if (arg.kind !== 'Named') return []
    const list = expression(ctx, arg.value)
    const values = list.kind === 'list' ? list.items.map(cellOf) : []
    const cells = values.filter(value => value !== undefined)
    const known =
      list.kind === 'list' ? list.items.every(({ kind }) => kind !== 'error') : list.kind !== 'error'
    if (known && (list.kind !== 'list' || cells.length !== values.length))
      complain(ctx, 'LTM2109', arg.value.span, {
        wanted: 'a list of numbers, of texts or of lists of numbers',
        got: describe(list),
      })
    else if (new Set(cells.map(cell => typeof cell)).size > 1)
      complain(ctx, 'LTM2109', arg.value.span, {
        wanted: 'one kind of value: numbers, texts or lists of numbers',
        got: 'a mixture',
      })
    return [{ name: arg.name.text, values: cells }]
  })
  return { kind: 'inline', columns, origin }
}

function cellOf(value: Value): Cell | undefined {
  if (value.kind === 'string') return value.text
  if (value.kind !== 'list') return knownNumber(value)
  const numbers = value.items.map(knownNumber)
  const known = numbers.filter(number => number !== undefined)
  return known.length === numbers.length ? known : undefined
}
