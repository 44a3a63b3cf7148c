import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bug } from '../base/bug.ts'
import type { Training } from '../runtime/training.ts'

/** Writes a generated module into a folder; gives the URL to import it by. */
export function writeModule(folder: string, name: string, text: string): string {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, text)
  return pathToFileURL(file).href
}

/** Every generated program exports one; the types of the emitted TypeScript say so, not those of an import at run time. */
export function trainingOf(module: unknown): Training {
  const found =
    typeof module === 'object' && module !== null && 'training' in module ? module.training : undefined
  return (found as Training | undefined) ?? bug('the generated program exports no `training`')
}
