import { annotation, type Code, join, renderCode, ts } from '../../base/code.ts'
import type { Func, FuncParam } from '../../ir/ir.ts'
import { blank, type Statement } from '../layout.ts'
import type { Env } from './env.ts'
import { claim, functionName, propertyKey, typeName, upperFirst } from './names.ts'
import { leavesOf, type Segment, segmentsOf, type Tree, treeOf } from './paths.ts'
import type { Body } from './values.ts'

/**
 * The type of a module's parameters. A module with several gets a named type, which those that hold it refer to: a part
 * that a function hands on has the type that it has there.
 */
export function selfType({ env, parts, section }: Body, func: Func, members: readonly FuncParam[]): Code {
  const tree = treeOf(members.map(({ member = '' }) => ({ path: segmentsOf(member), value: member })))
  const text = typeText(tree, parts, [])
  if (tree.kind !== 'record' || tree.entries.size < 2) return text
  const structure = `${func.declaration.split('.')[0]} ${renderCode(text, 'typescript')}`
  const known = env.structures.get(structure)
  if (known !== undefined) return known
  const named = claim(env.typeNames, aliasFor(env, func, members.length), '_')
  env.structures.set(structure, named)
  env.sections[section].push(() => [typeAlias(named, text), { ...blank, typeOnly: true }])
  return named
}

/** The module's name for the fullest of its types; a function that needs less gives its own. */
function aliasFor({ program }: Env, { declaration }: Func, size: number): string {
  const [module] = declaration.split('.')
  const others = program.functions.filter(other => other.declaration.split('.')[0] === module)
  const sizes = others.map(({ params }) => params.filter(({ member }) => member !== undefined).length)
  return size === Math.max(...sizes) ? typeName(declaration) : upperFirst(functionName(declaration))
}

/** `type Linear = { … }`; JavaScript leaves it out. */
export function typeAlias(name: string, type: Code): Statement {
  return { kind: 'statement', code: annotation`type ${name} = ${type}`, typeOnly: true }
}

function typeText(tree: Tree<string>, parts: Body['parts'], path: readonly Segment[]): Code {
  const known = parts.get(path.join('/'))
  if (known?.size === leavesOf(tree).length && path.length > 0) return known.type
  if (tree.kind === 'leaf') return 'tf.Tensor'
  if (tree.kind === 'list') return listText(tree.items.map((item, i) => typeText(item, parts, [...path, i])))
  if (tree.entries.size === 0) return 'object'
  const entries = [...tree.entries].map(([key, entry]) => {
    return ts`${propertyKey(key)}: ${typeText(entry, parts, [...path, key])}`
  })
  return ts`{ ${join(entries, '; ')} }`
}

/** Equal modules are a list, different ones a tuple. */
function listText(types: readonly Code[]): Code {
  const texts = types.map(type => renderCode(type, 'typescript'))
  const [first = 'unknown'] = texts
  if (texts.some(text => text !== first)) return `readonly [${texts.join(', ')}]`
  return /^([\w.]+|\{.*\})$/.test(first) ? `readonly ${first}[]` : `readonly (${first})[]`
}
