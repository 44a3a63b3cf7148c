import type { JsonValue } from './contracts.ts'

/** Reads of JSON that anyone may have written: what is not there, or is something else, counts as absent. */

export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

export function membersOf(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  return isObject(value) ? Object.entries(value) : []
}

/** The number of this name, which may stand there as a word where it is not finite; else 0. */
export function numberIn(value: JsonValue | undefined, name: string): number {
  const member = isList(value) ? value[Number(name)] : memberOf(value, name)
  if (typeof member === 'number') return member
  return member === 'NaN' || member === 'Infinity' || member === '-Infinity' ? Number(member) : 0
}

export function textIn(value: JsonValue | undefined, name: string): string | undefined {
  const member = memberOf(value, name)
  return typeof member === 'string' ? member : undefined
}

export function flagIn(value: JsonValue | undefined, name: string): boolean {
  return memberOf(value, name) === true
}

export function listIn(value: JsonValue | undefined, name: string): readonly JsonValue[] {
  const member = memberOf(value, name)
  return isList(member) ? member : []
}

export function textsIn(value: JsonValue | undefined, name: string): readonly string[] {
  return listIn(value, name).flatMap(each => (typeof each === 'string' ? [each] : []))
}

function isObject(value: JsonValue | undefined): value is { readonly [member: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !isList(value)
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}
