import { annotation, type Code, join, renderCode, ts } from '../../base/code.ts'
import type { Func, FuncParam, Program } from '../../ir/ir.ts'
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
  const text = typeText(tree, { parts, holed: holedLists(env.program) }, [])
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

/** What is known of the types of parts. */
interface Known {
  readonly parts: Body['parts']
  /** Lists of which some function needs a later module without one before it. */
  readonly holed: ReadonlySet<string>
}

function typeText(tree: Tree<string>, known: Known, path: readonly Segment[]): Code {
  const part = known.parts.get(path.join('/'))
  if (part?.size === leavesOf(tree).length && path.length > 0) return part.type
  if (tree.kind === 'leaf') return 'tf.Tensor'
  if (tree.kind === 'list') {
    const types = tree.items.map((item, i) => typeText(item, known, [...path, i]))
    return listText(types, known.holed.has(listName(path)))
  }
  if (tree.entries.size === 0) return 'object'
  const entries = [...tree.entries].map(([key, entry]) => {
    return ts`${propertyKey(key)}: ${typeText(entry, known, [...path, key])}`
  })
  return ts`{ ${join(entries, '; ')} }`
}

const listName = (path: readonly Segment[]): string =>
  String(path.findLast(segment => typeof segment === 'string') ?? '')

const holes = new WeakMap<Program, ReadonlySet<string>>()

/**
 * The names of lists of which a function needs a module without one before it that others need. It takes a tuple that may go
 * on, and what hands the list on has to know how long it is.
 */
function holedLists(program: Program): ReadonlySet<string> {
  const known = holes.get(program)
  if (known !== undefined) return known
  const places: Places = { needed: new Set(), passed: new Map() }
  for (const { params } of program.functions) {
    const members = params.flatMap(({ member }) => (member === undefined ? [] : [member]))
    notePlaces(treeOf(members.map(member => ({ path: segmentsOf(member), value: member }))), [], places)
  }
  const found = new Set(
    [...places.passed].flatMap(([place, name]) => (places.needed.has(place) ? [name] : [])),
  )
  holes.set(program, found)
  return found
}

/** Places of lists, `layers[0]`, that some function needs, and those that one passes over, with the list's name. */
interface Places {
  readonly needed: Set<string>
  readonly passed: Map<string, string>
}

function notePlaces(tree: Tree<string>, path: readonly Segment[], places: Places): void {
  if (tree.kind === 'leaf') return
  if (tree.kind === 'record') {
    for (const [key, child] of tree.entries) notePlaces(child, [...path, key], places)
    return
  }
  for (const [i, item] of tree.items.entries()) {
    const place = `${listName(path)}[${i}]`
    if (leavesOf(item).length > 0) places.needed.add(place)
    else places.passed.set(place, listName(path))
    notePlaces(item, [...path, i], places)
  }
}

/** Equal modules are a list, unless its length counts; different ones a tuple. */
function listText(types: readonly Code[], isTuple: boolean): Code {
  const texts = types.map(type => renderCode(type, 'typescript'))
  const [first = 'unknown'] = texts
  if (isTuple) return `readonly [${texts.join(', ')}, ...unknown[]]`
  if (texts.some(text => text !== first)) return `readonly [${texts.join(', ')}]`
  return /^([\w.]+|\{.*\})$/.test(first) ? `readonly ${first}[]` : `readonly (${first})[]`
}
