import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeFolder } from './ownFiles.ts'

/** What code of the user's own has thrown, with the innermost place in files of the user: `no answer (notify.ts:3:31)`. */
export function thrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const place = placeOf(error)
  return place === undefined ? error.message : `${error.message} (${place})`
}

/** Where the stack first leaves Node, packages and these files. Types leave no lines behind, so a line is that of the source. */
function placeOf({ stack = '' }: Error): string | undefined {
  const own = fileURLToPath(codeFolder())
  for (const line of stack.split('\n')) {
    const [, url, row, column] = line.match(frame) ?? []
    const path = url && pathOf(url)
    if (path && !path.startsWith(own) && !path.split(sep).includes('node_modules'))
      return `${shown(path)}:${row}:${column}`
  }
  return undefined
}

/** `at post (file:///home/me/notify.ts:3:31)`, with or without the name of a function. */
const frame = /^\s+at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\).*?)(?:\?[^:]*)?:(\d+):(\d+)\)?$/

const pathOf = (url: string): string => (url.startsWith('file:') ? fileURLToPath(url) : url)

/** A path as one would write it from here, where it lies below. */
function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
