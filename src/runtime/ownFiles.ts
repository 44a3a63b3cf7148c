import { existsSync } from 'node:fs'
import { bug } from '../base/bug.ts'

/** Where this runs from: what is built is JavaScript, wherever in `dist` its bundle lies. */
export const isBuilt = import.meta.url.endsWith('.js')

/** The folder of ltm itself: it lies above the sources and above what is built of them. */
export function packageRoot(): URL {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', folder))) {
    const above = new URL('..', folder)
    if (above.href === folder.href) return bug('package.json is not where it was installed')
    folder = above
  }
  return folder
}

/** The folder with all that runs of ltm. */
export function codeFolder(): URL {
  return new URL(isBuilt ? 'dist/' : 'src/', packageRoot())
}

/** The URL of a module of ltm by its path in `src`, for what is loaded by URL: threads, loaders, the programs' runtime. */
export function moduleUrl(path: string): URL {
  return new URL(isBuilt ? `src/${path}.js` : `${path}.ts`, codeFolder())
}
