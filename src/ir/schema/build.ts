/**
 * A JSON schema that describes exactly the values of `T`. The type lives only in the checker: pieces that do not fit
 * together as the types in ir.ts do are type errors, so schema and types can't drift apart.
 */
export interface Schema<T> {
  readonly json: JsonSchema
  /** Never there. A function of `T` to `T`, so that neither a wider nor a narrower schema passes for one of `T`. */
  readonly of?: (value: T) => T
}

/** A schema as text would have it. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** A property that may be left out. */
export interface Optional<T> {
  readonly optional: Schema<T>
}

/** Texts, numbers (JSON has no infinite ones; see json.ts), whole numbers, truth values. */
export const text: Schema<string> = { json: { type: 'string' } }
export const number: Schema<number> = { json: { type: 'number' } }
export const whole: Schema<number> = { json: { type: 'integer' } }
export const truth: Schema<boolean> = { json: { type: 'boolean' } }

/** One of several texts; each must be said, which the type of the record sees to. */
export function oneOf<T extends string>(choices: Readonly<Record<T, true>>): Schema<T> {
  return { json: { enum: Object.keys(choices) } }
}

/** A list of any length. */
export function list<T>(item: Schema<T>): Schema<readonly T[]> {
  return { json: { type: 'array', items: item.json } }
}

/** A record from any text. */
export function table<T>(item: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { json: { type: 'object', additionalProperties: item.json } }
}

/** Exactly this text. */
export function constant<const T extends string>(only: T): Schema<T> {
  return { json: { const: only } }
}

/** Any of several. */
export function anyOf<T extends readonly unknown[]>(
  ...choices: { readonly [K in keyof T]: Schema<T[K]> }
): Schema<T[number]> {
  return { json: { anyOf: choices.map(choice => choice.json) } }
}

/** A definition by its name. */
export function ref<T>(name: string): Schema<T> {
  return { json: { $ref: `#/definitions/${name}` } }
}

/** Marks a property as optional. */
export function optional<T>(schema: Schema<T>): Optional<T> {
  return { optional: schema }
}

type Properties<T extends object> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? Optional<NonNullable<T[K]>> : Schema<T[K]>
}

/** An object of exactly these properties. */
export function record<T extends object>(properties: Properties<T>): Schema<T> {
  return { json: objectOf(Object.entries(properties)) }
}

interface Piece {
  readonly json: JsonSchema
}
type Entry = readonly [string, Piece | { readonly optional: Piece }]

function objectOf(entries: readonly Entry[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([key, each]) => [key, 'optional' in each ? each.optional.json : each.json]),
    ),
    required: entries.filter(([, each]) => !('optional' in each)).map(([key]) => key),
    additionalProperties: false,
  }
}

/** Objects told apart by `kind`; each kind must be said. */
export function union<T extends { readonly kind: string }>(
  variants: {
    readonly [K in T['kind']]: Properties<Omit<Extract<T, { readonly kind: K }>, 'kind'>>
  },
): Schema<T> {
  const kinds: readonly (readonly [string, object])[] = Object.entries(variants)
  const choices = kinds.map(([kind, properties]) =>
    objectOf([['kind', constant(kind)], ...Object.entries(properties)]),
  )
  return {
    json: { type: 'object', discriminator: { propertyName: 'kind' }, required: ['kind'], oneOf: choices },
  }
}
