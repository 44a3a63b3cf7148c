import { readdirSync, readFileSync } from 'node:fs'
import { bug } from '../base/bug.ts'
import type { Source } from '../base/source.ts'
import { packageRoot } from '../runtime/ownFiles.ts'

/** The version that package.json names. */
export function readVersion(): string {
  const content: unknown = JSON.parse(readFileSync(new URL('package.json', packageRoot()), 'utf8'))
  if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version)
  return bug('package.json has no version')
}

let library: readonly Source[] | undefined

/** The standard library, file by file in alphabetical order; read once in a process. */
export function readLibrary(): readonly Source[] {
  library ??= readFiles()
  return library
}

function readFiles(): readonly Source[] {
  const folder = new URL('stdlib/', packageRoot())
  const names = readdirSync(folder)
    .filter(name => name.endsWith('.ltm'))
    .sort()
  return names.map(name => ({ name: `stdlib/${name}`, text: readFileSync(new URL(name, folder), 'utf8') }))
}
