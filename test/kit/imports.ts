import { posix } from 'node:path'

/** One import of a file: what it names, and whether only types come in. */
export interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
}

const statement = /^(?:import|export)\s+(type\s)?([^'"`;]*?)\s*from\s*'([^']+)'/gm
const bare = /^import\s*'([^']+)'/gm
const dynamic = /\bimport\('([^']+)'\)/g

/** The imports of a TypeScript file, by the look of its lines; the formatter has made all of them look alike. */
export function importsOf(text: string): readonly Import[] {
  return [
    ...[...text.matchAll(statement)].map(([, type, names = '', specifier = '']) => ({
      specifier,
      typeOnly: type !== undefined || onlyTypes(names),
    })),
    ...[...text.matchAll(bare), ...text.matchAll(dynamic)].map(match => ({
      specifier: match[1] ?? '',
      typeOnly: false,
    })),
  ]
}

/** `{ type A, type B }` */
function onlyTypes(names: string): boolean {
  const listed = /^\{([^}]*)\}$/.exec(names.trim())?.[1]
  if (listed === undefined) return false
  const parts = listed
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
  return parts.length > 0 && parts.every(part => part.startsWith('type '))
}

/** The file that a relative import means, seen from the root of the project. */
export function resolveImport(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier)
}

/** `@tensorflow/tfjs-core` of `@tensorflow/tfjs-core/dist/x.js`; `node:fs` stays. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** A way along the edges that comes back to where it began, or nothing. */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]): readonly string[] | undefined => {
    const seenAt = path.indexOf(node)
    if (seenAt >= 0) return [...path.slice(seenAt), node]
    if (done.has(node)) return undefined
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next, [...path, node])
      if (cycle) return cycle
    }
    done.add(node)
    return undefined
  }
  for (const node of edges.keys()) {
    const cycle = visit(node, [])
    if (cycle) return cycle
  }
  return undefined
}
