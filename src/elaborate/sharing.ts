import { joinPath } from './paths.ts'
import { errorValue, type ModuleValue, type Value } from './values.ts'

/**
 * Instances that are given to a module or a function stay where they were declared (F14). Inside, they go by the name of
 * the argument: `encoder.weight` in every function of `Head(encoder)`, whichever encoder was given, so that the functions
 * of all heads on equal encoders are the same. The instance knows what it was given, and a call of one of its functions
 * finds the parameters by that.
 */
export type Owner = Pick<ModuleValue, 'path' | 'given'>
type Given = NonNullable<ModuleValue['given']>

/** The path of something that an instance names, where the instance stands: below it, or below what it was given. */
export function resolvePath(owner: Owner, path: string): string {
  const given = givenAt(owner, path)
  return given ? resolvePath(given.module, given.rest) : joinPath(owner.path, path)
}

function givenAt(
  { given = new Map() }: Owner,
  path: string,
): { readonly module: ModuleValue; readonly rest: string } | undefined {
  for (const [name, module] of given) {
    if (path === name) return { module, rest: '' }
    if (path.startsWith(name) && /^[.[]/.test(path.slice(name.length)))
      return { module, rest: path.slice(name.length).replace(/^\./, '') }
  }
  return undefined
}

/** A part of an instance, as it is where the instance stands. */
export function partOf(value: Value, owner: Owner): Value {
  return mapInstances(value, module => {
    const given = givenAt(owner, module.path)
    if (given?.rest === '') return given.module
    const { borrowed: _, ...own } = module
    const copies = module.copies === undefined ? undefined : resolvePath(owner, module.copies)
    return { ...own, path: resolvePath(owner, module.path), given: givenUnder(module.given, owner), copies }
  })
}

function givenUnder(given: Given | undefined, owner: Owner): Given | undefined {
  if (!given) return undefined
  const moved = [...given].flatMap(([name, module]): [string, ModuleValue][] => {
    const value = partOf(module, owner)
    return value.kind === 'module' ? [[name, value]] : []
  })
  return new Map(moved)
}

/** An argument as the inside of what it is given to sees it; the instances in it that stand elsewhere are added to `given`. */
export function asArgument(value: Value, name: string, given: Map<string, ModuleValue>): Value {
  switch (value.kind) {
    case 'module':
      return value.path === '' ? ownArgument(value, name, given) : borrow(value, name, given)
    case 'function':
      return value.self ? { ...value, self: borrow(value.self, name, given) } : value
    case 'list':
      return { kind: 'list', items: value.items.map((item, i) => asArgument(item, `${name}[${i}]`, given)) }
    case 'uniform_list':
      return { ...value, item: asArgument(value.item, `${name}[_]`, given) }
    case 'record':
      return {
        ...value,
        fields: new Map(
          [...value.fields].map(([field, inner]) => [field, asArgument(inner, `${name}.${field}`, given)]),
        ),
      }
    default:
      return value
  }
}

/** An instance that the call has made: what it was given itself stands elsewhere still. */
function ownArgument(module: ModuleValue, name: string, given: Map<string, ModuleValue>): ModuleValue {
  if (!module.given) return { ...module, path: name }
  const inner = [...module.given].map(
    ([key, other]) => [key, borrow(other, joinPath(name, key), given)] as const,
  )
  return { ...module, path: name, given: new Map(inner) }
}

/** One instance that is given twice has one name inside, so that what one call writes to its buffers the next one reads. */
function borrow(module: ModuleValue, name: string, given: Map<string, ModuleValue>): ModuleValue {
  const known = [...given].find(([, other]) => other.path === module.path && other.spec === module.spec)
  const path = known?.[0] ?? name
  if (!known) given.set(name, module)
  const { frozen } = module
  return { kind: 'module', spec: module.spec, path, borrowed: true, ...(frozen ? { frozen } : {}) }
}

/** The instances in a value, each replaced by another one. */
export function mapInstances(value: Value, change: (module: ModuleValue) => Value): Value {
  switch (value.kind) {
    case 'module':
      return change(value)
    case 'list':
      return { ...value, items: value.items.map(item => mapInstances(item, change)) }
    case 'uniform_list':
      return { ...value, item: mapInstances(value.item, change) }
    case 'record':
      return {
        ...value,
        fields: new Map([...value.fields].map(([name, field]) => [name, mapInstances(field, change)])),
      }
    default:
      return value
  }
}

/** All instances in a value, not those inside of them. */
export function instancesOf(value: Value): readonly ModuleValue[] {
  const found: ModuleValue[] = []
  mapInstances(value, module => {
    found.push(module)
    return errorValue
  })
  return found
}
