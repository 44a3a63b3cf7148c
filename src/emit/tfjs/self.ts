import { annotation, type Code, join, ts } from '../../base/code.ts'
import { blank, type Statement } from '../layout.ts'
import type { Env, Section } from './env.ts'
import { claim, propertyKey } from './names.ts'
import type { Tree } from './paths.ts'

/** The type of a module's parameters. A module with several gets a named type, which its users refer to. */
export function selfType(env: Env, tree: Tree<string>, name: string, section: Section): Code {
  const structure = structureOf(tree)
  const known = env.structures.get(structure)
  if (known !== undefined) return known
  const text = typeText(env, tree)
  if (tree.kind !== 'record' || tree.entries.size < 2) return text
  const named = claim(env.typeNames, name, '_')
  env.structures.set(structure, named)
  env.sections[section].push(() => [typeAlias(named, text), { ...blank, typeOnly: true }])
  return named
}

/** `type Linear = { … }`; JavaScript leaves it out. */
export function typeAlias(name: string, type: Code): Statement {
  return { kind: 'statement', code: annotation`type ${name} = ${type}`, typeOnly: true }
}

function structureOf(tree: Tree<string>): string {
  if (tree.kind === 'leaf') return '*'
  if (tree.kind === 'list') return `[${tree.items.map(structureOf).join()}]`
  return `{${[...tree.entries].map(([key, entry]) => `${key}:${structureOf(entry)}`).join()}}`
}

function typeText(env: Env, tree: Tree<string>): Code {
  if (tree.kind === 'leaf') return 'tf.Tensor'
  if (tree.kind === 'list')
    return listText(
      tree.items.map(item => knownType(env, item)),
      tree.items.map(structureOf),
    )
  if (tree.entries.size === 0) return 'object'
  return ts`{ ${join(
    [...tree.entries].map(([key, entry]) => ts`${propertyKey(key)}: ${knownType(env, entry)}`),
    '; ',
  )} }`
}

function knownType(env: Env, tree: Tree<string>): Code {
  return env.structures.get(structureOf(tree)) ?? typeText(env, tree)
}

/** Equal modules are a list, different ones a tuple. */
function listText(types: readonly Code[], structures: readonly string[]): Code {
  const [first = 'unknown'] = types
  const uniform = new Set(structures).size <= 1
  return uniform
    ? ts`readonly ${typeof first === 'string' && /^[\w.]+$/.test(first) ? first : ts`(${first})`}[]`
    : ts`readonly [${join(types)}]`
}
