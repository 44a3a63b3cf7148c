import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RunError } from './errors.ts'
import { dataPath } from './sources/open.ts'
import { thrown } from './thrown.ts'
import type { Trace } from './training.ts'
import { allowTypeScript } from './typescript.ts'

/** Loads a file of the user's own, TypeScript or JavaScript; throws what it throws. */
export async function importUserModule(path: string): Promise<object> {
  if (/\.m?ts$/.test(path)) allowTypeScript()
  const module: object = await import(pathToFileURL(path).href)
  return module
}

/** Loads the file of functions that a program calls before the program itself, so that what is wrong with it is told at its place. */
export async function requireFunctions(
  directory: string,
  file: string,
  names: readonly { readonly name: string; readonly trace: Trace }[],
): Promise<void> {
  const [first] = names
  const module = await importUserModule(dataPath(directory, file)).catch((error: unknown) => {
    throw new RunError({
      code: 'LTM4394',
      message: `${basename(file)} can't be loaded: ${thrown(error)}`,
      trace: first?.trace,
    })
  })
  const members = new Map<string, unknown>(Object.entries(module))
  for (const { name, trace } of names) {
    if (typeof members.get(name) === 'function') continue
    const what = members.has(name) ? 'is not a function' : 'is not exported'
    throw new RunError({ code: 'LTM4394', message: `\`${name}\` of ${basename(file)} ${what}`, trace })
  }
}
