import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { RunError } from './errors.ts'

/** Makes the folder of a new run, `runs/NAME/v3`; two runs that start at once get two. */
export async function makeRunFolder(
  runs: string,
  name: string,
): Promise<{ readonly folder: string; readonly version: string }> {
  const parent = join(runs, name)
  try {
    await mkdir(parent, { recursive: true })
    for (let number = (await newestVersion(parent)) + 1; ; number++) {
      const folder = join(parent, `v${number}`)
      if (await madeBy(() => mkdir(folder))) return { folder, version: `v${number}` }
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new RunError({ code: 'LTM6303', message: `can't make a folder for this run in ${parent}: ${why}` })
  }
}

async function newestVersion(parent: string): Promise<number> {
  const versions = (await readdir(parent)).map(entry => Number(/^v(\d+)$/.exec(entry)?.[1] ?? 0))
  return Math.max(0, ...versions)
}

/** Making a folder is atomic: whoever finds it made by another takes the next number. */
async function madeBy(make: () => Promise<unknown>): Promise<boolean> {
  try {
    await make()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
