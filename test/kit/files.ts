import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Source } from '../../src/base/source.ts'
import type { FileSystem } from '../../src/compiler.ts'

const stdlib = fileURLToPath(new URL('../../stdlib/', import.meta.url))

/** The standard library, read once; its files are named as in messages. */
export const library: readonly Source[] = readdirSync(stdlib)
  .filter(name => name.endsWith('.ltm'))
  .sort()
  .map(name => ({ name: `stdlib/${name}`, text: readText(join(stdlib, name)) }))

/** The files of a folder under their short names, beside the standard library. */
export function libraryFiles(folder: string): FileSystem {
  return {
    read: path =>
      existsSync(join(folder, path)) ? { name: path, text: readText(join(folder, path)) } : undefined,
    resolve: (_, relative) => normalize(relative),
    library: () => library,
  }
}

/** Files that are only here: a program and what it imports, by name. */
export function memoryFiles(texts: Readonly<Record<string, string>>): FileSystem {
  return {
    read: path => {
      const text = Object.hasOwn(texts, path) ? texts[path] : undefined
      return text === undefined ? undefined : { name: path, text }
    },
    resolve: (_, relative) => normalize(relative),
    library: () => library,
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8').replaceAll('\r\n', '\n')
}
