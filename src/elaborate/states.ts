import { joinPath } from './paths.ts'
import { resolvePath } from './sharing.ts'
import {
  type BufferSpec,
  isBuffer,
  type ModuleSpec,
  type ModuleValue,
  type ParamSpec,
  type StateSpec,
  type Value,
} from './values.ts'

/** A parameter of the program with its place. */
export type PlacedParam = Placed<ParamSpec>
export type PlacedBuffer = Placed<BufferSpec>
export type PlacedState = Placed<StateSpec>
interface Placed<S extends StateSpec> {
  readonly path: string
  readonly spec: S
  /** The one that it starts as. */
  readonly copies?: string | undefined
}

/** All parameters below a value, in declared order, with their paths; what it was given belongs to others. */
export function parametersOf(value: Value): readonly PlacedParam[] {
  return statesOf(value).flatMap(({ spec, ...place }) => (isBuffer(spec) ? [] : [{ ...place, spec }]))
}

/** All buffers below a value, likewise. */
export function buffersOf(value: Value): readonly PlacedBuffer[] {
  return statesOf(value).flatMap(({ spec, ...place }) => (isBuffer(spec) ? [{ ...place, spec }] : []))
}

/** Whether something below a value has an error, so that nobody knows all that it holds. */
export function hasError(value: Value): boolean {
  switch (value.kind) {
    case 'error':
      return true
    case 'module':
      return [...value.spec.members.values()].some(each => each.kind === 'layer' && hasError(each.value))
    case 'list':
      return value.items.some(hasError)
    case 'record':
      return [...value.fields.values()].some(hasError)
    default:
      return false
  }
}

/** All parameters and buffers. */
export function statesOf(value: Value): readonly PlacedState[] {
  switch (value.kind) {
    case 'param':
      return withOwnBuffers(value)
    case 'module':
      if (value.borrowed) return []
      return moduleStates(value.spec).map(state => placedIn(value, state))
    case 'list':
      return value.items.flatMap(statesOf)
    case 'record':
      return [...value.fields.values()].flatMap(statesOf)
    default:
      return []
  }
}

function placedIn(module: ModuleValue, { path, spec, copies }: Placed<StateSpec>): Placed<StateSpec> {
  const inside = copies === undefined ? undefined : resolvePath(module, copies)
  const copied = module.copies === undefined ? inside : joinPath(module.copies, path)
  return { path: joinPath(module.path, path), spec, ...(copied === undefined ? {} : { copies: copied }) }
}

/** A parameter, and behind it what its constraint keeps for it. */
function withOwnBuffers({ path, spec }: Placed<StateSpec>): readonly Placed<StateSpec>[] {
  const own = isBuffer(spec) ? [] : spec.buffers
  return [{ path, spec }, ...own.map(({ name, spec }) => ({ path: joinPath(path, name), spec }))]
}

function moduleStates(spec: ModuleSpec): ReturnType<typeof statesOf> {
  return [...spec.members].flatMap(([name, member]) => {
    if (member.kind === 'param' || member.kind === 'buffer')
      return withOwnBuffers({ path: name, spec: member.spec })
    return member.kind === 'layer' ? statesOf(member.value) : []
  })
}
