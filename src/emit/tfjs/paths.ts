import { bug } from '../../base/bug.ts'
import { annotation, type Code, join, ts } from '../../base/code.ts'
import { memberAccess, propertyKey } from './names.ts'

/** A step into a module: a member's name, or an index into a list of modules. */
export type Segment = string | number

/** `hidden[0].weight` as steps. */
export function segmentsOf(path: string): readonly Segment[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? bug(`no member in the path ${path}`)) : Number(index),
  )
}

/** `self.hidden[0]!.weight`: indexing a list may miss for all that the checker knows. */
export function access(root: Code, segments: readonly Segment[]): Code {
  if (segments.length === 0) return root
  return join(
    [
      root,
      ...segments.map(segment =>
        typeof segment === 'number' ? ts`[${segment}]${annotation`!`}` : memberAccess(segment),
      ),
    ],
    '',
  )
}

/** Members by their paths, nested as modules nest them. */
export type Tree<T> =
  | { readonly kind: 'leaf'; readonly value: T }
  | { readonly kind: 'record'; readonly entries: ReadonlyMap<string, Tree<T>> }
  | { readonly kind: 'list'; readonly items: readonly Tree<T>[] }

/** Builds the tree of a list of paths; places of a list that hold nothing become empty records. */
export function treeOf<T>(
  members: readonly { readonly path: readonly Segment[]; readonly value: T }[],
): Tree<T> {
  const [first] = members
  if (members.length === 1 && first?.path.length === 0) return { kind: 'leaf', value: first.value }
  const groups = new Map<Segment, { path: readonly Segment[]; value: T }[]>()
  for (const { path, value } of members) {
    const [head, ...rest] = path
    if (head === undefined) return bug('a parameter is also a module')
    const group = groups.get(head)
    if (group === undefined) groups.set(head, [{ path: rest, value }])
    else group.push({ path: rest, value })
  }
  if ([...groups.keys()].every(key => typeof key === 'number')) return listOf(groups)
  return { kind: 'record', entries: new Map([...groups].map(([key, group]) => [String(key), treeOf(group)])) }
}

function listOf<T>(groups: ReadonlyMap<Segment, { path: readonly Segment[]; value: T }[]>): Tree<T> {
  if (groups.size === 0) return { kind: 'record', entries: new Map() }
  const length = Math.max(...[...groups.keys()].map(Number)) + 1
  const items = Array.from({ length }, (_, i) => treeOf(groups.get(i) ?? []))
  return { kind: 'list', items }
}

/** A literal of this shape; `whole` may print a subtree in one piece, `depth` steps below the root. */
export function treeLiteral<T>(
  tree: Tree<T>,
  leaf: (value: T) => Code,
  whole: (tree: Tree<T>, depth: number) => Code | undefined = () => undefined,
  depth = 0,
): Code {
  const short = whole(tree, depth)
  if (short !== undefined) return short
  if (tree.kind === 'leaf') return leaf(tree.value)
  const inner = (child: Tree<T>): Code => treeLiteral(child, leaf, whole, depth + 1)
  if (tree.kind === 'list') return ts`[${join(tree.items.map(inner))}]`
  if (tree.entries.size === 0) return '{}'
  return ts`{ ${join([...tree.entries].map(([key, entry]) => propertyCode(key, inner(entry))))} }`
}

function propertyCode(key: string, value: Code): Code {
  return value === key ? key : ts`${propertyKey(key)}: ${value}`
}

/** All leaves, in order. */
export function leavesOf<T>(tree: Tree<T>): readonly T[] {
  if (tree.kind === 'leaf') return [tree.value]
  return (tree.kind === 'list' ? [...tree.items] : [...tree.entries.values()]).flatMap(leavesOf)
}

/** Whether there is a list of modules anywhere in it. */
export function hasList<T>(tree: Tree<T>): boolean {
  return tree.kind === 'list' || (tree.kind === 'record' && [...tree.entries.values()].some(hasList))
}
