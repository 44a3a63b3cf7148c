import type { Glob, GlobSegment } from '../../syntax/ast.ts'
import type { Context } from '../context.ts'
import { expression } from '../evaluate.ts'
import { knownNumber } from '../values.ts'

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
      return segment.index ? `\\[${knownNumber(expression(ctx, segment.index)) ?? ''}\\]` : '\\[\\d+\\]'
  }
}
