import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bug } from '../base/bug.ts'
import type { Source } from '../base/source.ts'

/** The standard library, `stdlib/*.ltm` of the package, under the names that diagnostics show. */
export function readLibrary(): readonly Source[] {
  const folder = join(packageFolder(), 'stdlib')
  const names = readdirSync(folder).filter(name => name.endsWith('.ltm'))
  return names
    .sort()
    .map(name => ({ name: `stdlib/${name}`, text: readFileSync(join(folder, name), 'utf8') }))
}

/** The nearest folder above this file that holds the library: the sources and what is built from them lie at different depths. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'stdlib'))) {
    const above = dirname(folder)
    if (above === folder) return bug('the standard library is not where the package has it')
    folder = above
  }
  return folder
}
