import { joinPath } from './paths.ts'
import { mapInstances } from './sharing.ts'
import type { ModuleValue, Value } from './values.ts'

/** The instances in a value with the parts of each that are frozen, by paths that `isFrozen` knows. */
export function withFrozenParts(value: Value, isFrozen: (path: string) => boolean): Value {
  return mapInstances(value, module => {
    const frozen = instancesIn(module).filter(part => isFrozen(joinPath(module.path, part)))
    return frozen.length === 0 ? module : { ...module, frozen }
  })
}

/** Instances inside another one, as that one has them frozen; paths are relative to it. */
export function frozenLike(value: Value, owner: ModuleValue): Value {
  return mapInstances(value, module => frozenInside(module, owner))
}

/** One instance inside another one, likewise. */
export function frozenInside(module: ModuleValue, { frozen = [] }: ModuleValue): ModuleValue {
  const own = partsBelow(frozen, module.path)
  return own.length === 0 ? module : { ...module, frozen: own }
}

/** The instances in a value with those parts frozen that are now; of parts that `isFrozen` does not know it stays as it is. */
export function withPartsFrozenNow(value: Value, isFrozen: (path: string) => boolean | undefined): Value {
  return mapInstances(value, module => {
    const { frozen: before = [], ...own } = module
    const parts = instancesIn(module)
    const now = parts.filter(part => isFrozen(joinPath(module.path, part)) ?? before.includes(part))
    // What holds something that is let go is let go with it.
    const frozen = now.filter(part => parts.every(other => !isInside(other, part) || now.includes(other)))
    return frozen.length === 0 ? own : { ...own, frozen }
  })
}

const isInside = (part: string, owner: string): boolean => owner === '' || liesBelow(part, owner)

/** What of some frozen parts lies at a path or below it; all of it, `''`, where the path lies below one of them. */
function partsBelow(frozen: readonly string[], path: string): readonly string[] {
  if (path === '') return frozen
  if (frozen.some(part => part === '' || path === part || liesBelow(path, part))) return ['']
  return frozen.filter(part => liesBelow(part, path)).map(part => part.slice(path.length).replace(/^\./, ''))
}

/** Whether a path lies inside an instance. */
export const liesBelow = (path: string, owner: string): boolean =>
  path.startsWith(owner) && /^[.[]/.test(path.slice(owner.length))

/** The paths of an instance and of all inside it, relative to it: `''`, `hidden[0]`. */
function instancesIn({ spec }: ModuleValue): readonly string[] {
  const inside = [...spec.members.values()].flatMap(member => (member.kind === 'layer' ? [member.value] : []))
  const found: string[] = ['']
  for (const value of inside)
    mapInstances(value, module => {
      if (module.borrowed) return module
      found.push(
        ...instancesIn(module).map(part => (part === '' ? module.path : joinPath(module.path, part))),
      )
      return module
    })
  return found
}
