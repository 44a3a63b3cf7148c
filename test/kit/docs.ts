import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compile } from '../../src/compiler.ts'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import { memoryFiles } from './files.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A fenced block of a page. */
export interface Block {
  /** `docs/language.md:12`. */
  readonly place: string
  readonly file: string
  /** What stands behind the fence, in words: `ltm step fails LTM4108`. */
  readonly info: readonly string[]
  readonly text: string
}

/** The pages: README.md and everything under docs/. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .map(name => `docs/${name.replaceAll('\\', '/')}`)
    .filter(name => name.endsWith('.md'))
    .sort(),
]

/** The path of a file under docs/. */
export function docsFile(name: string): string {
  return `${root}docs/${name}`
}

export function readPage(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8').replaceAll('\r\n', '\n')
}

/** The blocks of a page, in order. */
export function blocksOf(file: string, text: string): readonly Block[] {
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(match => {
    const line = text.slice(0, match.index).split('\n').length
    return { place: `${file}:${line}`, file, info: (match[1] ?? '').split(' '), text: match[2] ?? '' }
  })
}

/** The word behind one of the words of a block: `LTM4108` behind `fails`. */
export function wordBehind(block: Block, word: string): string | undefined {
  const at = block.info.indexOf(word)
  return at < 0 ? undefined : block.info[at + 1]
}

/** The words that may stand behind `ltm`, beside the names of contexts. */
const clauses = ['fails', 'with', 'as']

/** What a fragment stands in: `docs/contexts/NAME.ltm`, at its line of `…`. */
const contexts: ReadonlyMap<string, string> = new Map(
  readdirSync(`${root}docs/contexts`).map(name => [
    name.replace('.ltm', ''),
    readPage(`docs/contexts/${name}`),
  ]),
)

/** The program that a block means. An info string that nobody knows is a mistake of the page. */
export function programOf(block: Block): string {
  const [, name] = block.info
  if (name === undefined || clauses.includes(name)) return block.text
  const context = contexts.get(name)
  if (context === undefined)
    throw new Error(`${block.place}: there is no docs/contexts/${name}.ltm, and no clause \`${name}\``)
  return context.replace(/^ *…$/m, () => block.text)
}

/**
 * Compiles a block; blocks of its page that say `as NAME` are files beside it. That a fragment does not use all of its
 * context is no news.
 */
export function compileBlock(block: Block, others: readonly Block[]): readonly Diagnostic[] {
  const files = Object.fromEntries(others.map(other => [wordBehind(other, 'as') ?? '', other.text]))
  const given = wordBehind(block, 'with')?.split('=')
  const hypers = new Map(given ? [[given[0] ?? '', given[1] ?? '']] : [])
  const text = programOf(block)
  const start = text.indexOf(block.text)
  const isOwn = ({ span }: Diagnostic) => span.start >= start && span.end <= start + block.text.length
  const { diagnostics } = compile('page.ltm', memoryFiles({ ...files, 'page.ltm': text }), { hypers })
  return diagnostics.filter(each => each.code !== 'LTM3016' || isOwn(each))
}
