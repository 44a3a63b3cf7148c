import { existsSync, readFileSync } from 'node:fs'
import { dirname, normalize, relative, resolve } from 'node:path'
import { dataPath } from '../runtime/sources/open.ts'
import { withoutTypes } from '../runtime/withoutTypes.ts'

/** A file to be written, by its path from the folder of a build. */
export interface Copied {
  readonly name: string
  readonly text: string
}

/** The path that a file of the user's own gets in a build: beside the program, where it was beside the `.ltm` file. */
export function placeInBuild(file: string): string {
  return normalize(file)
    .replaceAll('\\', '/')
    .replace(/^(\.\.\/)+/, '')
}

/** What a program of a build imports for it: a TypeScript file has a JavaScript form beside it. */
export function javascriptOf(place: string): string {
  return place.replace(/ts$/, 'js')
}

/**
 * Copies of files that a program calls functions of, and of those that they import from their own folders, so that a build runs by
 * itself. `remark` is put in front of each.
 */
export function copiesOf(
  files: readonly string[],
  folder: string,
  output: string,
  remark: string,
): readonly Copied[] {
  const waiting = files.map(file => dataPath(folder, file))
  const known = new Set<string>()
  const copies: Copied[] = []
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (known.has(path)) continue
    known.add(path)
    const own = path
    const text = readFileSync(path, 'utf8')
    const place = placeInBuild(relative(folder, path))
    const imported = (specifier: string): string => resolve(dirname(own), specifier)
    for (const [, , specifier = ''] of text.matchAll(relativeImport))
      if (existsSync(imported(specifier))) waiting.push(imported(specifier))
    if (path.endsWith('ts') && resolve(output, place) !== path)
      copies.push({ name: place, text: remark + text })
    const code = path.endsWith('ts') ? withoutTypes(text, path) : text
    const placed = code.replace(relativeImport, (all, before: string, specifier: string, end: string) => {
      const target = javascriptOf(placeInBuild(relative(folder, imported(specifier))))
      const way = relative(dirname(place), target).replaceAll('\\', '/')
      return existsSync(imported(specifier))
        ? `${before}${way.startsWith('.') ? way : `./${way}`}${end}`
        : all
    })
    if (resolve(output, javascriptOf(place)) !== path)
      copies.push({ name: javascriptOf(place), text: remark + placed })
  }
  return copies
}

const relativeImport = /(\b(?:from|import)\s*\(?\s*["'])(\.{1,2}\/[^"'\n]+\.m?[jt]s)(["'])/g
