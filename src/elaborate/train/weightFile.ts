import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import { beginsWith, nameInFile, plainName } from '../../base/weightNames.ts'
import type { WeightFile } from '../../ir/ir.ts'
import type { Arg, Expr, Ref } from '../../syntax/ast.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { dataPath } from './dataPath.ts'
import { checkOptions } from './options.ts'

const options = ['path', 'rename', 'missing', 'unused']

/** `from safetensors("vit.safetensors", rename: { "vit.": "backbone." }, missing: "head.")`: `paths` are those of the model. */
export function elaborateWeights(
  ctx: Context,
  ref: Ref,
  model: string,
  paths: readonly string[],
): WeightFile | undefined {
  const source = textOf(ref.path.span)
  if (source !== 'safetensors') return void complain(ctx, 'LTM4388', ref.path.span, { source })
  const args = ref.args ?? []
  checkOptions(ctx, args, source, options)
  const positional = args.filter(arg => arg.kind === 'Positional')
  if (positional[1])
    return void complain(ctx, 'LTM3005', positional[1].span, {
      callee: source,
      count: 1,
      signature: 'as in `safetensors("net.safetensors")`',
    })
  const node = positional[0]?.value ?? namedArg(args, 'path')
  if (!node)
    return void complain(ctx, 'LTM3006', ref.span, {
      callee: source,
      name: 'path',
      signature: 'as in `safetensors("net.safetensors")`',
    })
  const path = dataPath(ctx, node)
  const rename = namedArg(args, 'rename')
  const renamings = rename ? renamingsOf(ctx, rename) : []
  const missing = beginnings(ctx, args, 'missing')
  const unused = beginnings(ctx, args, 'unused')
  if (path === undefined || !renamings || !missing || !unused) return undefined
  const names = paths.map(each => nameInFile(each, model))
  for (const { text, span } of missing) checkPart(ctx, model, names, text, span)
  for (const { to, span } of renamings) if (to !== '') checkPart(ctx, model, names, to, span)
  return {
    model,
    path,
    rename: renamings.map(({ from, to }) => ({ from, to })),
    missing: missing.map(({ text }) => text),
    unused: unused.map(({ text }) => text),
    origin: originOf(ref.span),
  }
}

function namedArg(args: readonly Arg[], name: string): Expr | undefined {
  const arg = args.find(item => item.kind === 'Named' && item.name.text === name)
  return arg?.kind === 'Named' ? arg.value : undefined
}

/** Names begin with it in this model. */
function checkPart(ctx: Context, model: string, names: readonly string[], text: string, span: Span): void {
  if (names.some(name => beginsWith(name, text))) return
  const parts = new Set(names.flatMap(startsOf))
  complain(ctx, 'LTM4389', span, { model, part: text, near: nearest(plainName(text), [...parts]) })
}

/** `a.b.c`: `a`, `a.b` and `a.b.c`. */
function startsOf(name: string): readonly string[] {
  const parts = name.split('.')
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'))
}

interface Said {
  readonly text: string
  readonly span: Span
}

/** A text or a list of texts. */
function beginnings(ctx: Context, args: readonly Arg[], name: string): readonly Said[] | undefined {
  const node = namedArg(args, name)
  if (!node) return []
  const items = node.kind === 'ListLiteral' ? node.items : [node]
  const wanted = 'what names begin with, in quotes: `"head."` or `["head.", "pool."]`'
  const texts = items.map(item => textIn(ctx, item, name, wanted))
  return texts.every(text => text !== undefined) ? texts : undefined
}

function textIn(ctx: Context, node: Expr, what: string, expected: string): Said | undefined {
  const value = expression(ctx, node)
  if (value.kind === 'string' && (value.text !== '' || what === 'rename'))
    return { text: value.text, span: node.span }
  if (value.kind === 'error') return undefined
  const got = value.kind === 'string' ? 'an empty text' : describe(value)
  return void complain(ctx, 'LTM2102', node.span, { what: `\`${what}\``, expected, got })
}

interface Renamed {
  readonly from: string
  readonly to: string
  readonly span: Span
}

function renamingsOf(ctx: Context, node: Expr): readonly Renamed[] | undefined {
  const expected = 'a record of texts: `{ "encoder.": "backbone." }`'
  if (node.kind !== 'RecordLiteral')
    return void complain(ctx, 'LTM2102', node.span, {
      what: '`rename`',
      expected,
      got: textOf(node.span),
    })
  const all = node.fields.map(({ name, value }): Renamed | undefined => {
    const to = textIn(ctx, value, 'rename', expected)
    return to && { from: name.text, to: to.text, span: to.span }
  })
  return all.every(each => each !== undefined) ? all : undefined
}
