import { existsSync, readFileSync } from 'node:fs'
import { bug } from '../base/bug.ts'

/** The version in package.json, which lies two folders up from the sources and three from what is built of them. */
export function readVersion(): string {
  const file = ['../../package.json', '../../../package.json']
    .map(path => new URL(path, import.meta.url))
    .find(url => existsSync(url))
  if (!file) return bug('package.json is not where it was installed')
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version)
  return bug('package.json has no version')
}
