import { type Dim, variablesOf } from '../types/dim.ts'
import { isRest, type Shape } from '../types/tensor.ts'
import type { Context } from './context.ts'
import { givenFor, withSizes } from './functionTypes.ts'
import { methodOf } from './members.ts'
import { type DeclaredType, declaredType, type FunctionType } from './types.ts'
import type { Value } from './values.ts'

/**
 * The sizes that a module decides where `module(f32[n, d]) -> f32[n, k]` is declared: `d` where its `forward` takes nothing
 * else, then `k` by what it gives for that. Sizes that it leaves open, as that of a batch, stay its own in each call.
 */
export function sizesDecided(ctx: Context, value: Value, type: FunctionType): ReadonlyMap<string, Dim> {
  // What the module itself knows may have the same names.
  const own = new Map([...type.sizes].map(name => [name, `${name}__`]))
  const names = new Set(own.values())
  const { params = [], result } = withSizes(type, own)
  const decided = new Map<string, Dim>()
  const taken = takenBy(ctx, value)
  for (const [i, param] of params.entries()) align(param, taken[i], names, decided)
  const known = withSizes({ ...type, params, result }, decided)
  const given = result && givenFor(ctx, value, known.params ?? [])
  if (given && result) alignValue(result, given, names, decided)
  return new Map(
    [...own].flatMap(([name, size]): [string, Dim][] => {
      const dim = decided.get(size)
      return dim === undefined ? [] : [[name, dim]]
    }),
  )
}

/** What the `forward` of a module declares to take. */
function takenBy(ctx: Context, value: Value): readonly DeclaredType[] {
  if (value.kind === 'opaque_function') return value.type.params ?? []
  const forward = value.kind === 'module' ? methodOf(value, 'forward') : undefined
  if (!forward) return []
  const within: Context = { ...ctx, env: forward.env.child(), rests: undefined, expected: undefined }
  const variables = new Set<string>()
  const { formals } = forward.declaration.signature
  const types = formals.map(
    (formal): DeclaredType =>
      formal.type ? declaredType(within, formal.type, variables) : { kind: 'error' },
  )
  return types.map(type => withoutVariables(type, variables))
}

/** Sizes that the function binds anew in each call tell nothing. */
function withoutVariables(type: DeclaredType, variables: ReadonlySet<string>): DeclaredType {
  if (type.kind !== 'tensor') return type
  const shape = type.type.shape.map(size =>
    !isRest(size) && [...variablesOf(size)].some(name => variables.has(name)) ? '_' : size,
  )
  return { kind: 'tensor', type: { ...type.type, shape } }
}

function align(
  pattern: DeclaredType,
  type: DeclaredType | undefined,
  sizes: ReadonlySet<string>,
  decided: Map<string, Dim>,
): void {
  if (pattern.kind === 'tensor' && type?.kind === 'tensor')
    alignShapes(pattern.type.shape, type.type.shape, sizes, decided)
}

function alignValue(
  pattern: DeclaredType,
  value: Value,
  sizes: ReadonlySet<string>,
  decided: Map<string, Dim>,
): void {
  if (pattern.kind === 'tensor' && value.kind === 'tensor')
    alignShapes(pattern.type.shape, value.type.shape, sizes, decided)
  if (pattern.kind === 'record' && value.kind === 'record')
    for (const [name, field] of pattern.fields) {
      const inner = value.fields.get(name)
      if (inner) alignValue(field, inner, sizes, decided)
    }
}

/** Sizes of a pattern by a shape that may have a rest: axis for axis from the front, and from the back behind the rest. */
function alignShapes(
  pattern: Shape,
  shape: Shape,
  sizes: ReadonlySet<string>,
  decided: Map<string, Dim>,
): void {
  if (pattern.some(isRest)) return
  const rest = shape.findIndex(isRest)
  const missing = pattern.length - shape.length
  if (rest < 0 ? missing !== 0 : missing < -1) return
  pattern.forEach((size, axis) => {
    const at = rest < 0 || axis < rest ? axis : axis - missing
    const other = rest >= 0 && axis >= rest && at <= rest ? undefined : shape[at]
    if (typeof size !== 'string' || !sizes.has(size) || other === undefined || isRest(other)) return
    const open = other === '_' || [...variablesOf(other)].some(name => sizes.has(name))
    if (!open && !decided.has(size)) decided.set(size, other)
  })
}
