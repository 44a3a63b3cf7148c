import { textOf } from '../../base/source.ts'
import type { DataSource } from '../../ir/ir.ts'
import type { Arg, Expr, Ref } from '../../syntax/ast.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { knownNumber } from '../values.ts'
import { dataPath } from './dataPath.ts'

/** A source in files by its name; the arguments are known to be ones that it has. */
export const fileSources: Readonly<
  Record<string, (ctx: Context, ref: Ref, args: SourceArgs) => DataSource | undefined>
> = {
  idx: (ctx, ref, args) => arrayFiles(ctx, ref, args, 'idx'),
  npy: (ctx, ref, args) => arrayFiles(ctx, ref, args, 'npy'),
  npz: (ctx, ref, args) => oneFile(ctx, ref, args, 'npz'),
  safetensors: (ctx, ref, args) => oneFile(ctx, ref, args, 'safetensors'),
  jsonl: (ctx, ref, args) => oneFile(ctx, ref, args, 'jsonl'),
  parquet: (ctx, ref, args) => oneFile(ctx, ref, args, 'parquet'),
  typescript: (ctx, ref, args) => oneFile(ctx, ref, args, 'typescript'),
  images: imagesSource,
  text: textSource,
}

/** The arguments of a source: the first without a name, and those with one. */
export interface SourceArgs {
  readonly first: Expr | undefined
  readonly named: (name: string) => Expr | undefined
  readonly list: readonly Arg[]
}

/** `images: "a.gz", labels: "b.gz"`: the program's names of the arrays. */
function arrayFiles(
  ctx: Context,
  ref: Ref,
  { list, first }: SourceArgs,
  format: 'idx' | 'npy',
): DataSource | undefined {
  const example = `\`${format}(images: "images.${format}", labels: "labels.${format}")\``
  if (first || list.length === 0)
    return void complain(ctx, 'LTM3006', first?.span ?? ref.span, {
      callee: format,
      name: 'NAME: PATH',
      signature: `as in ${example}: fields speak of \`images\` and \`labels\``,
    })
  const files: { readonly name: string; readonly path: string }[] = []
  for (const arg of list) {
    if (arg.kind !== 'Named') continue
    if (files.some(file => file.name === arg.name.text))
      return void complain(ctx, 'LTM3007', arg.name.span, { callee: format, name: arg.name.text })
    const path = dataPath(ctx, arg.value)
    if (path === undefined) return undefined
    files.push({ name: arg.name.text, path })
  }
  return { kind: 'arrays', format, files, origin: originOf(ref.span) }
}

type OneFile = Extract<DataSource, { kind: 'file' }>

function oneFile(
  ctx: Context,
  ref: Ref,
  args: SourceArgs,
  format: OneFile['format'],
): DataSource | undefined {
  const ending = format === 'typescript' ? '.ts' : `.${format}`
  const path = requiredPath(ctx, ref, args, format, `${format}("data${ending}")`)
  return path === undefined ? undefined : { kind: 'file', format, path, origin: originOf(ref.span) }
}

/** `images("pets", size: [64, 64], channels: 3)`. */
function imagesSource(ctx: Context, ref: Ref, args: SourceArgs): DataSource | undefined {
  const example = 'images("pets", size: [64, 64], channels: 3)'
  const path = requiredPath(ctx, ref, args, 'images', example)
  const size = args.named('size')
  if (!size) return missing(ctx, ref, 'images', 'size', example)
  const extents = pictureSize(ctx, size)
  const channels = optionalCount(ctx, args, 'channels', 3, 1)
  if (path === undefined || !extents || channels === undefined) return undefined
  if (channels !== 1 && channels !== 3 && channels !== 4)
    return wrong(
      ctx,
      args.named('channels') ?? size,
      'channels',
      '1 (grey), 3 (red, green, blue) or 4 (with alpha)',
    )
  const [height, width] = extents
  return { kind: 'images', path, channels, height, width, origin: originOf(ref.span) }
}

function pictureSize(ctx: Context, node: Expr): readonly [number, number] | undefined {
  const value = expression(ctx, node)
  if (value.kind === 'error') return undefined
  const given =
    value.kind === 'list' ? value.items.map(knownNumber) : [knownNumber(value), knownNumber(value)]
  const [height, width] = given
  const whole = (size: number | undefined): size is number =>
    size !== undefined && size >= 1 && Number.isInteger(size)
  if (given.length === 2 && whole(height) && whole(width)) return [height, width]
  return wrong(ctx, node, 'size', 'a height and a width, as in `[64, 64]`')
}

const units = ['bytes', 'characters', 'words'] as const

/** `text("plays.txt", tokens: characters, window: 64, stride: 64, size: 65)`. */
function textSource(ctx: Context, ref: Ref, args: SourceArgs): DataSource | undefined {
  const example = 'text("plays.txt", tokens: characters, size: 65, window: 64)'
  const path = requiredPath(ctx, ref, args, 'text', example)
  const node = args.named('tokens')
  if (!node) return missing(ctx, ref, 'text', 'tokens', example)
  const unit = node.kind === 'Name' ? node.text : node.kind === 'StringLiteral' ? node.text : ''
  const tokens = units.find(known => known === unit)
  if (!tokens) return wrong(ctx, node, 'tokens', '`bytes`, `characters` or `words`')
  if (!args.named('window')) return missing(ctx, ref, 'text', 'window', example)
  const window = optionalCount(ctx, args, 'window', 1, 1)
  const stride = optionalCount(ctx, args, 'stride', window ?? 1, 1)
  const sizeNode = args.named('size')
  const size = sizeNode && optionalCount(ctx, args, 'size', 256, 2)
  if (path === undefined || window === undefined || stride === undefined || (sizeNode && !size))
    return undefined
  if (tokens === 'bytes' && sizeNode && size !== 256)
    return wrong(ctx, sizeNode, 'size', '256 for `bytes`, so it may be left out')
  const most = size === undefined ? {} : { size }
  return { kind: 'text', path, tokens, window, stride, ...most, origin: originOf(ref.span) }
}

// ── Arguments ───────────────────────────────────────────────────────────────────────────────────────────────────────

function requiredPath(
  ctx: Context,
  ref: Ref,
  args: SourceArgs,
  callee: string,
  example: string,
): string | undefined {
  const node = args.first ?? args.named('path')
  return node ? dataPath(ctx, node) : missing(ctx, ref, callee, 'path', example)
}

function missing(ctx: Context, ref: Ref, callee: string, name: string, example: string): undefined {
  complain(ctx, 'LTM3006', ref.span, { callee, name, signature: `as in \`${example}\`` })
}

function optionalCount(
  ctx: Context,
  args: SourceArgs,
  name: string,
  otherwise: number,
  least: number,
): number | undefined {
  const node = args.named(name)
  if (!node) return otherwise
  const value = expression(ctx, node)
  const known = value.kind === 'int' ? knownNumber(value) : undefined
  if (known !== undefined && known >= least) return known
  if (value.kind === 'error') return undefined
  return wrong(ctx, node, name, `an int of ${least} or more`, describe(value))
}

function wrong(ctx: Context, node: Expr, name: string, expected: string, got = textOf(node.span)): undefined {
  complain(ctx, 'LTM2102', node.span, { what: `\`${name}\``, expected, got })
}
