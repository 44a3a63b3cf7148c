import { register } from 'node:module'
import { isBuilt, moduleUrl } from './ownFiles.ts'

let able = 'typescript' in process.features && Boolean(process.features.typescript)

/**
 * Lets this process import TypeScript: types are taken out when a file is loaded, and nothing else of it changes. Nodes that
 * can do so themselves, and processes whose loader has brought this very file as TypeScript, need nothing.
 */
export function allowTypeScript(): void {
  if (able || !isBuilt) return
  able = true
  register(moduleUrl('runtime/typescriptHooks'))
}
