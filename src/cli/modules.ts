import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bug } from '../base/bug.ts'
import type { Training } from '../runtime/training.ts'

/** Imports a generated module. Its file is gone again before anything of it runs, so that nothing that is killed leaves it behind. */
export async function importGenerated(name: string, text: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-'))
  try {
    const file = join(folder, `${name}.mjs`)
    writeFileSync(file, text)
    return await import(pathToFileURL(file).href)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every generated program exports one; the types of the emitted TypeScript say so, not those of an import at run time. */
export function trainingOf(module: unknown): Training {
  const found =
    typeof module === 'object' && module !== null && 'training' in module ? module.training : undefined
  return (found as Training | undefined) ?? bug('the generated program exports no `training`')
}
