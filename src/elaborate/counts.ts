import { nearest } from '../base/names.ts'
import type { Span } from '../base/source.ts'
import { type Context, type CountTable, complain } from './context.ts'
import { describe } from './describe.ts'
import { type DataMemberValue, type DataValue, int, type Value } from './values.ts'

/** `reviews.words`, a field or a fit of a dataset: not its values, which batches have, but what is known of it before. */
export function dataMember(ctx: Context, data: DataValue, name: string, span: Span): Value {
  const member = data.members.get(name)
  if (member === 'size') return asked(ctx, data.name, name, span)
  if (member) return { kind: 'data_member', data: data.name, name, member }
  const known = [...data.members.keys()]
  return complain(ctx, 'LTM3003', span, {
    object: describe(data),
    name,
    near: nearest(name, known),
    has: `it has ${known.map(each => `\`${each}\``).join(', ')}`,
  })
}

/** `reviews.words.count`: how many different values a field can have, or how many texts a vocabulary has. */
export function countOf(ctx: Context, value: DataMemberValue, name: string, span: Span): Value {
  const { data, name: field, member } = value
  if (name === 'decode') return complain(ctx, 'LTM4344', span, {})
  if (name !== 'count')
    return complain(ctx, 'LTM3003', span, {
      object: describe(value),
      name,
      near: nearest(name, ['count', 'decode']),
      has: `its values are in batches; \`${data}.${field}.count\` says how many different ones there are`,
    })
  if (typeof member === 'string') return asked(ctx, data, field, span)
  return complain(ctx, 'LTM4346', span, {
    what: data === '' ? field : `${data}.${field}`,
    holds: member.uncounted,
  })
}

/** A number where the data has been read, else a symbol, which stands for any. */
function asked({ world: { counts } }: Context, data: string, of: string, span: Span): Value {
  const key = `${data}.${of}`
  if (!counts.asked.has(key)) counts.asked.set(key, { data, of, span })
  return int(counts.known.get(key) ?? `${key}.count`)
}

/** Sizes that the program asks for and nobody knows yet. */
export function openCounts({ known, asked }: CountTable): number {
  return [...asked.keys()].filter(key => !known.has(key)).length
}

export const noCounts = (known: CountTable['known'] = new Map()): CountTable => ({ known, asked: new Map() })
