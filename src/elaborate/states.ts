import { joinPath } from './paths.ts'
import {
  type BufferSpec,
  isBuffer,
  type ModuleSpec,
  type ParamSpec,
  type StateSpec,
  type Value,
} from './values.ts'

/** A parameter of the program with its place. */
export interface PlacedParam {
  readonly path: string
  readonly spec: ParamSpec
}
export interface PlacedBuffer {
  readonly path: string
  readonly spec: BufferSpec
}

/** All parameters below a value, in declared order, with their paths; what it was given belongs to others. */
export function parametersOf(value: Value): readonly PlacedParam[] {
  return statesOf(value).flatMap(({ path, spec }) => (isBuffer(spec) ? [] : [{ path, spec }]))
}

/** All buffers below a value, likewise. */
export function buffersOf(value: Value): readonly PlacedBuffer[] {
  return statesOf(value).flatMap(({ path, spec }) => (isBuffer(spec) ? [{ path, spec }] : []))
}

/** All parameters and buffers. */
export function statesOf(value: Value): readonly { readonly path: string; readonly spec: StateSpec }[] {
  switch (value.kind) {
    case 'param':
      return [{ path: value.path, spec: value.spec }]
    case 'module':
      if (value.borrowed) return []
      return moduleStates(value.spec).map(state => ({ ...state, path: joinPath(value.path, state.path) }))
    case 'list':
      return value.items.flatMap(statesOf)
    case 'record':
      return [...value.fields.values()].flatMap(statesOf)
    default:
      return []
  }
}

function moduleStates(spec: ModuleSpec): ReturnType<typeof statesOf> {
  return [...spec.members].flatMap(([name, member]) => {
    if (member.kind === 'param' || member.kind === 'buffer') return [{ path: name, spec: member.spec }]
    return member.kind === 'layer' ? statesOf(member.value) : []
  })
}
