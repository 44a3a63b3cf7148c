import { nearest } from '../../base/names.ts'
import type { DataSource } from '../../ir/ir.ts'
import type { DatasetMember, Expr } from '../../syntax/ast.ts'
import { children } from '../../syntax/walk.ts'
import type { Shape } from '../../types/tensor.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { knownNumber } from '../values.ts'
import type { ColumnRead } from './columnCalls.ts'
import type { MemberType } from './memberTypes.ts'

/** The columns that a source has for certain, which its fields name as they stand: `images`, `tokens`, `index`. */
export function spokenNames(source: DataSource): readonly string[] {
  switch (source.kind) {
    case 'arrays':
      return source.files.map(file => file.name)
    case 'images':
      return ['image', 'label']
    case 'text':
      return ['tokens', 'next']
    case 'synthetic':
      return ['index']
    default:
      return []
  }
}

/** Whether the columns of a source have names alone, and no places. */
export function namesColumns({ kind }: DataSource): boolean {
  return kind !== 'csv' && kind !== 'inline' && kind !== 'synthetic'
}

/** A column of a source in files, which names them. */
export function fileColumn(
  ctx: Context,
  node: Expr,
  source: DataSource,
  name: string,
  layouts: Layouts,
): ColumnRead | undefined {
  const known = spokenNames(source)
  if (known.length > 0 && !known.includes(name))
    return void complain(ctx, 'LTM3001', node.span, { name, near: nearest(name, known) })
  const said = node.kind === 'Call' ? saidShape(ctx, node) : undefined
  if (said === 'wrong') return undefined
  const shape = said ?? ownShape(source, name) ?? layouts.get(name) ?? []
  return { name, from: 0, to: 1, single: true, ...(shape.length > 0 ? { shape } : {}) }
}

/** The shape of an example where the program itself decides it. */
function ownShape(source: DataSource, name: string): Shape | undefined {
  if (source.kind === 'images') return name === 'image' ? [source.channels, source.height, source.width] : []
  return source.kind === 'text' ? [source.window] : undefined
}

/** `array("x", shape: [28, 28])`. */
function saidShape(ctx: Context, node: Extract<Expr, { kind: 'Call' }>): Shape | undefined | 'wrong' {
  const [, arg] = node.args
  if (arg === undefined) return undefined
  const callee = node.callee.kind === 'Name' ? node.callee.text : ''
  if (arg.kind !== 'Named' || arg.name.text !== 'shape') {
    if (arg.kind === 'Named')
      complain(ctx, 'LTM3004', arg.name.span, { callee, name: arg.name.text, near: 'shape' })
    else complain(ctx, 'LTM3005', arg.span, { callee, count: 1, signature: 'another one is named `shape:`' })
    return 'wrong'
  }
  const value = expression(ctx, arg.value)
  const sizes = value.kind === 'list' ? value.items.map(knownNumber) : [undefined]
  const shape = sizes.filter(size => size !== undefined && Number.isInteger(size) && size >= 1)
  if (value.kind !== 'error' && shape.length !== sizes.length)
    complain(ctx, 'LTM4351', arg.value.span, { column: callee })
  return value.kind === 'error' || shape.length !== sizes.length
    ? 'wrong'
    : shape.filter(size => size !== undefined)
}

/**
 * How the columns of a file are laid out for a program, by name: without the file nobody knows, so a column is taken to be
 * laid out as the first field that reads it (or else fit), and the loader holds the file against that. Where a field takes
 * several columns of rows together, each is a number.
 */
export type Layouts = ReadonlyMap<string, Shape>

export function layoutsOf(
  members: readonly DatasetMember[],
  source: DataSource,
  types: ReadonlyMap<DatasetMember, MemberType>,
): Layouts {
  const layouts = new Map<string, Shape>()
  const spoken = spokenNames(source)
  const isRows = source.kind === 'file' && rowFormats.includes(source.format)
  for (const kind of ['Field', 'Fit'] as const)
    for (const member of members) {
      if (member.kind !== kind) continue
      const names = namesRead(member.value, spoken)
      const shape = isRows && names.size > 1 ? [] : (types.get(member)?.type.shape ?? [])
      for (const name of names) if (!layouts.has(name)) layouts.set(name, shape)
    }
  return layouts
}

const rowFormats: readonly string[] = ['jsonl', 'parquet', 'typescript']

function namesRead(node: Parameters<typeof children>[0], spoken: readonly string[]): ReadonlySet<string> {
  const name = nameRead(node, spoken)
  const inner = [...children(node)].flatMap(child => [...namesRead(child, spoken)])
  return new Set(name === undefined ? inner : [name, ...inner])
}

/** The column that a node names: `images`, `array("x")`. */
function nameRead(node: Parameters<typeof children>[0], spoken: readonly string[]): string | undefined {
  if (node.kind === 'Name') return spoken.includes(node.text) ? node.text : undefined
  if (node.kind !== 'Call' || node.callee.kind !== 'Name') return undefined
  if (node.callee.text !== 'array' && node.callee.text !== 'column') return undefined
  const [arg] = node.args
  return arg?.kind === 'Positional' && arg.value.kind === 'StringLiteral' ? arg.value.text : undefined
}
