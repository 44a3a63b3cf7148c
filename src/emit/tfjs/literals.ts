import { type Code, join, ts } from '../../base/code.ts'
import { numberLiteral } from './host.ts'
import { propertyKey, quote } from './names.ts'

/** Data as it appears in a literal. */
export type Plain =
  | number
  | boolean
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain | undefined }

/** Plain data as a JavaScript literal; absent properties are left out. */
export function literal(value: Plain): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return numberLiteral(value)
  if (typeof value === 'boolean') return String(value)
  if (isList(value)) return `[${value.map(literal).join(', ')}]`
  const entries = Object.entries(value).flatMap(([key, entry]) =>
    entry === undefined ? [] : [`${propertyKey(key)}: ${literal(entry)}`],
  )
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value)
}

/** An object literal; entries that are undefined are left out. */
export function objectCode(entries: readonly (readonly [key: string, value: Code | undefined])[]): Code {
  const shown = entries.flatMap(([key, value]) => (value === undefined ? [] : [entryCode(key, value)]))
  return shown.length === 0 ? '{}' : ts`{ ${join(shown)} }`
}

function entryCode(key: string, value: Code): Code {
  return value === key ? key : ts`${propertyKey(key)}: ${value}`
}

/** A list literal. */
export function listCode(items: readonly Code[]): Code {
  return ts`[${join(items)}]`
}
