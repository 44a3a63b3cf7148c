import type { JsonValue } from './contracts.ts'

export type JsonObject = { readonly [member: string]: JsonValue }

/** Reads a JSON object from bytes that anyone may have written; undefined when they hold anything else. */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  const value = parseJson(bytes)
  return isJsonObject(value) ? value : undefined
}

/**
 * Reads JSON from bytes that anyone may have written; undefined when it isn't JSON. Objects come without a prototype,
 * so that a member called `__proto__` or `constructor` is data like any other.
 */
export function parseJson(bytes: Uint8Array): JsonValue | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return JSON.parse(text, (_, value: unknown) => (isRecord(value) ? withoutPrototype(value) : value))
  } catch {
    return undefined
  }
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return isRecord(value)
}

export function isWhole(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** The first place in `value` that JSON would lose (`state.best: NaN`), or undefined where it keeps all. */
export function lossInJson(value: unknown, path = 'state'): string | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path}: ${value}`
  if (Array.isArray(value)) return firstLoss(value.map((item, index) => [`${path}[${index}]`, item]))
  if (!isRecord(value)) return `${path}: ${typeof value}`
  return firstLoss(Object.entries(value).map(([name, item]) => [`${path}.${name}`, item]))
}

function firstLoss(items: readonly (readonly [path: string, value: unknown])[]): string | undefined {
  for (const [path, item] of items) {
    const loss = lossInJson(item, path)
    if (loss !== undefined) return loss
  }
  return undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withoutPrototype(value: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null)
  for (const name of Object.keys(value)) copy[name] = value[name]
  return copy
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** A member that one object of this (valid) JSON text names twice; a parser would silently keep the last. */
export function repeatedMember(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') {
      const name = String(JSON.parse(last))
      if (open.at(-1)?.has(name)) return name
      open.at(-1)?.add(name)
    }
    last = token
  }
  return undefined
}
