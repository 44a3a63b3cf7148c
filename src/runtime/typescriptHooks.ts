import { readFile } from 'node:fs/promises'
import type { LoadHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { withoutTypes } from './withoutTypes.ts'

/** What Node asks for the text of a module: that of a TypeScript file comes without its types. */
export const load: LoadHook = async (url, context, next) => {
  if (!/^file:.*\.m?ts$/.test(url)) return next(url, context)
  const path = fileURLToPath(url)
  return { format: 'module', source: withoutTypes(await readFile(path, 'utf8'), path), shortCircuit: true }
}
