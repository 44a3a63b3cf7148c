import type { Glob, GlobSegment } from '../../syntax/ast.ts'
import type { Context } from '../context.ts'
import { expression } from '../evaluate.ts'
import { unknownName } from '../naming.ts'
import { knownNumber, type Value } from '../values.ts'

/** A glob as a regular expression over paths: `.*` is one level, `.**` the subtree, `[*]` any index (F26). */
export function globPattern(ctx: Context, glob: Glob): RegExp {
  const pieces = glob.segments.map(segment => segmentPattern(ctx, segment))
  return new RegExp(`^${literally(glob.root.text)}${pieces.join('')}(?:[.[].*)?$`)
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function segmentPattern(ctx: Context, segment: GlobSegment): string {
  switch (segment.kind) {
    case 'GlobName':
      return `\\.${literally(segment.name.text)}${segment.prefix ? '[^.[]*' : ''}`
    case 'GlobAny':
      return '\\.[^.[]+'
    case 'GlobSubtree':
      return '(?:[.[].*)?'
    case 'GlobIndex':
      return `\\[${segment.index ? indexPattern(expression(ctx, segment.index)) : anyIndex}\\]`
  }
}

const anyIndex = '\\d+'

/** One with an error may be any. */
const indexPattern = (value: Value): string =>
  value.kind === 'error' ? anyIndex : String(knownNumber(value) ?? '')

/** Whether the name that a path begins with is something here; one that isn't is reported. */
export function rootIsKnown(ctx: Context, { root }: Glob): boolean {
  const value = ctx.env.lookup(root.text)?.value
  if (!value) unknownName(ctx, root)
  return value !== undefined && value.kind !== 'error'
}
