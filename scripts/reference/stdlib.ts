import type { Source, Span } from '../../src/base/source.ts'
import { readLibrary } from '../../src/cli/package.ts'
import type { Declaration, Fn, Method } from '../../src/syntax/ast.ts'
import { NodeIds, parse } from '../../src/syntax/build.ts'
import { opening, page } from './page.ts'

/** What the library has for others to use. */
type Public = Exclude<Declaration, { readonly kind: 'Import' | 'Dataset' | 'Train' }>

/** A declaration, and the file it stands in. */
export interface LibraryEntry {
  readonly file: string
  readonly name: string
  readonly doc: string
  readonly signature: string
}

/** Every declaration of the standard library, by file and name. */
export function libraryEntries(): readonly LibraryEntry[] {
  return readLibrary().flatMap(source =>
    parse(source, () => {}, new NodeIds())
      .declarations.filter(isPublic)
      .map(declaration => ({
        file: source.name,
        name: nameOf(declaration, source),
        doc: declaration.doc ?? '',
        signature: signatureOf(declaration, source),
      }))
      .toSorted((a, b) => a.name.localeCompare(b.name)),
  )
}

/** The reference of the standard library: a section for each declaration, by file. */
export function stdlibPage(): string {
  const entries = libraryEntries()
  const files = [...new Set(entries.map(({ file }) => file))]
  const sections = files.flatMap(file => [
    `## ${file}`,
    ...entries
      .filter(entry => entry.file === file)
      .map(({ name, doc, signature }) => `### ${name}\n\n${doc}\n\n\`\`\`text\n${signature}\n\`\`\``),
  ])
  return page([
    opening('The standard library', 'stdlib/*.ltm'),
    'In scope everywhere, without an import. It is written in the language: a user’s own declarations can do all that these can.',
    ...sections,
  ])
}

function isPublic(declaration: Declaration): declaration is Public {
  return declaration.kind !== 'Import' && declaration.kind !== 'Dataset' && declaration.kind !== 'Train'
}

function nameOf(declaration: Public, { text }: Source): string {
  if (declaration.kind !== 'Constraint') return declaration.name.text
  return text.slice(declaration.path.span.start, declaration.path.span.end)
}

/** The declaration without its body, and of its members the ways in which it is used. */
function signatureOf(declaration: Public, { text }: Source): string {
  const { start } = declaration.span
  if (declaration.kind === 'Const') return text.slice(start, declaration.span.end)
  const head = text.slice(start, declaration.signature.span.end)
  const uses = usesOf(declaration).map(({ start: from, end }) => `  ${text.slice(from, end)}`)
  return [head, ...uses].join('\n')
}

/** Where it says how an instance is called, and what a constraint maps from and to. */
function usesOf(declaration: Public): readonly Range[] {
  switch (declaration.kind) {
    case 'Module':
    case 'Metric':
      return declaration.members.flatMap(member =>
        member.kind === 'Fn' || member.kind === 'Method' ? [headOf(member)] : [],
      )
    case 'Constraint':
      return declaration.members.flatMap(member => {
        if (member.kind === 'Raw') return [member.span]
        return member.kind === 'Method' && member.role === 'forward' ? [headOf(member)] : []
      })
    default:
      return []
  }
}

type Range = Pick<Span, 'start' | 'end'>

function headOf({ span, signature }: Fn | Method): Range {
  return { start: span.start, end: signature.span.end }
}
