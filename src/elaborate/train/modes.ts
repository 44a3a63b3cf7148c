import type { Declaration, Freeze, Glob, Train, Unfreeze } from '../../syntax/ast.ts'
import { visit } from '../../syntax/walk.ts'
import { type Context, complain } from '../context.ts'
import { liesBelow } from '../frozen.ts'
import { joinPath } from '../paths.ts'
import { mapInstances } from '../sharing.ts'
import { statesOf } from '../states.ts'
import { isBuffer, type ModuleValue, type Value } from '../values.ts'
import { globPattern } from './globs.ts'

/**
 * Parts of the models that stand still at times and whose functions look at that: the mode of what is frozen is that of evaluation, and its
 * buffers stand still (F15). What the same statements freeze and let go is one part. Whether it is frozen lies in a variable of the host.
 */
export interface Part {
  readonly variable: string
  /** Of instances, and of parameters whose constraints keep something. */
  readonly paths: ReadonlySet<string>
  /** The ids of the statements that freeze it or let it go. */
  readonly statements: ReadonlySet<number>
  readonly frozen: boolean
}

/** A training step is compiled for each combination of parts. */
const mostParts = 4

/** What of the models hooks and steps freeze and let go, as far as it matters. */
export function partsOf(
  ctx: Context,
  train: Train,
  models: readonly Value[],
  frozen: ReadonlySet<string>,
): readonly Part[] {
  const statements = togglesIn(ctx, train)
  if (statements.length === 0) return []
  const parts = new Map<string, { paths: Set<string>; statements: Set<number>; frozen: boolean }>()
  const standing = new Set([...frozen, ...models.flatMap(instancesThatStand)])
  for (const place of models.flatMap(value => placesIn(value, ''))) {
    const own = statements.filter(({ pattern }) => isReached(place, path => pattern.test(path)))
    if (own.length === 0) continue
    const stands = standing.has(place.path)
    const key = `${own.map(({ id }) => id).join(' ')} ${stands}`
    const part = parts.get(key) ?? {
      paths: new Set(),
      statements: new Set(own.map(({ id }) => id)),
      frozen: stands,
    }
    part.paths.add(place.path)
    parts.set(key, part)
  }
  const made = [...parts.values()].map(part => ({ ...part, variable: `${[...part.paths][0]}.frozen` }))
  const first = made[mostParts]
  const at = first && statements.find(({ id }) => first.statements.has(id))
  if (at) complain(ctx, 'LTM4395', at.glob.span, { most: mostParts })
  return made.slice(0, mostParts)
}

/** Of what is frozen from the start, that which no `unfreeze` names. */
export function neverLetGo(ctx: Context, train: Train, frozen: ReadonlySet<string>): ReadonlySet<string> {
  if (frozen.size === 0) return frozen
  const letGo = togglesIn(ctx, train).filter(({ freezes }) => !freezes)
  return new Set([...frozen].filter(path => !letGo.some(({ pattern }) => pattern.test(path))))
}

interface Toggle {
  readonly id: number
  readonly freezes: boolean
  readonly glob: Glob
  readonly pattern: RegExp
}

function togglesIn(ctx: Context, train: Train): readonly Toggle[] {
  const found: Toggle[] = []
  const add = ({ id, kind, glob }: Freeze | Unfreeze): void => {
    found.push({ id, freezes: kind === 'Freeze', glob, pattern: globPattern(ctx, glob) })
  }
  for (const member of train.members)
    if (member.kind === 'Hook' || member.kind === 'TrainStep') visit(member, { Freeze: add, Unfreeze: add })
  return found
}

/** An instance that looks at its mode, or a parameter whose constraint does. */
interface Place {
  readonly path: string
  /** Its parameters and buffers. */
  readonly states: readonly string[]
}

/** Instances that are frozen from the start. */
function instancesThatStand(value: Value): readonly string[] {
  const found: string[] = []
  mapInstances(value, module => {
    found.push(
      ...(module.frozen ?? []).map(part => (part === '' ? module.path : joinPath(module.path, part))),
    )
    return module
  })
  return found
}

function placesIn(value: Value, at: string): readonly Place[] {
  const found: Place[] = []
  mapInstances(value, module => {
    if (!module.borrowed) found.push(...placesOf(module, joinPath(at, module.path)))
    return module
  })
  return found
}

function placesOf(module: ModuleValue, path: string): readonly Place[] {
  const own = statesOf({ ...module, path }).map(state => state.path)
  const inside = [...module.spec.members].flatMap(([name, member]): readonly Place[] => {
    if (member.kind === 'layer') return placesIn(member.value, path)
    if (member.kind !== 'param' || isBuffer(member.spec) || member.spec.buffers.length === 0) return []
    const param = joinPath(path, name)
    return [{ path: param, states: [] }]
  })
  return looksAtMode(module.spec.declaration) ? [{ path, states: own }, ...inside] : inside
}

function looksAtMode(declaration: Declaration): boolean {
  let looks = false
  visit(declaration, {
    Name: ({ text }) => {
      if (text === 'training' || text === 'phase') looks = true
    },
  })
  return looks
}

/** An instance is reached where its path is, or all that it holds. */
function isReached({ path, states }: Place, isNamed: (path: string) => boolean): boolean {
  const inside = states.filter(state => liesBelow(state, path))
  return isNamed(path) || (inside.length > 0 && inside.every(isNamed))
}
