import { bug } from './base/bug.ts'
import { exportedNames } from './base/exports.ts'
import type { Source } from './base/source.ts'
import { type Diagnostic, Diagnostics, diagnose, type Report } from './diagnostics/diagnostic.ts'
import { withoutAbsences } from './elaborate/absence.ts'
import {
  checkLibrary,
  type Elaborated,
  elaborateFile,
  type HostFile,
  type Library,
  type LoadedFile,
  reportUnusedNames,
} from './elaborate/program.ts'
import type { Import } from './syntax/ast.ts'
import { NodeIds, parse } from './syntax/build.ts'
import { outline } from './syntax/outline.ts'

/** How the compiler sees files: it never touches them itself. */
export interface FileSystem {
  /** Undefined where there is no such file. */
  read(path: string): Source | undefined
  /** The path that a path in a file means. */
  resolve(from: string, relative: string): string
  /** The files of the standard library, in scope everywhere. */
  library(): readonly Source[]
}

export interface CheckOptions {
  /** Values for hypers, as they stand on the command line; what names no hyper of a program is for the caller to refuse. */
  readonly hypers?: ReadonlyMap<string, string>
  /** The sizes that the data of a `train` has, by its name and `data.field`. */
  readonly counts?: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** What is known before anything is lowered; without programs where there are errors. */
export interface Checked extends Pick<Elaborated, 'programs' | 'open'> {
  readonly diagnostics: readonly Diagnostic[]
}

/** Text in, diagnostics and elaborated programs out: parse, load imports, elaborate. Whoever wants no more need load no more. */
export function check(path: string, files: FileSystem, options: CheckOptions = {}): Checked {
  const diagnostics = new Diagnostics()
  const { library, ids } = outlineLibrary(files.library())
  const loaded = new Loader(files, ids, diagnostics.report).load(path)
  if (!loaded) return { diagnostics: diagnostics.list, programs: [], open: [] }
  const report = diagnostics.hasErrors ? withoutAbsences(diagnostics.report) : diagnostics.report
  const given = { hypers: options.hypers ?? new Map(), counts: options.counts ?? new Map() }
  const { programs, open, silent } = elaborateFile(library, loaded, given, report)
  if (diagnostics.hasErrors) return { diagnostics: diagnostics.list, programs: [], open: [] }
  reportUnusedNames(loaded, diagnostics.report)
  const [left] = silent
  if (left) bug(`${left.source.name}, offset ${left.start}: left out without a word`)
  return { diagnostics: diagnostics.list, programs, open }
}

/** The standard library checked as a user's definitions are; the tests want no diagnostics. */
export function compileLibrary(files: FileSystem): readonly Diagnostic[] {
  const diagnostics = new Diagnostics()
  const library = files.library().map(source => parse(source, diagnostics.report, new NodeIds()))
  checkLibrary(library, diagnostics.report)
  for (const file of library)
    reportUnusedNames({ file, imports: new Map(), hosts: new Map() }, diagnostics.report)
  return diagnostics.list
}

interface OutlinedLibrary {
  readonly library: Library
  /** Goes on where the library ends: no other node may have an id of one of its nodes. */
  readonly ids: NodeIds
}

const libraries = new WeakMap<readonly Source[], OutlinedLibrary>()

/** Outlined once for each list of sources. Mistakes of the library are found by its tests, not in users' programs. */
function outlineLibrary(sources: readonly Source[]): OutlinedLibrary {
  const known = libraries.get(sources)
  if (known) return known
  const ids = new NodeIds()
  const declarations = sources.flatMap(source => outline(source, ids))
  const outlined = { library: { sources, declarations }, ids }
  libraries.set(sources, outlined)
  return outlined
}

/** Parses a file and, before it is elaborated, the files that it imports. */
class Loader {
  readonly #files: FileSystem
  readonly #ids: NodeIds
  readonly #report: Report
  readonly #loaded = new Map<string, LoadedFile>()
  readonly #open: string[] = []

  constructor(files: FileSystem, ids: NodeIds, report: Report) {
    this.#files = files
    this.#ids = ids
    this.#report = report
  }

  load(path: string): LoadedFile | undefined {
    const known = this.#loaded.get(path)
    if (known) return known
    const source = this.#files.read(path)
    if (!source) return undefined
    this.#open.push(path)
    const file = parse(source, this.#report, this.#ids)
    const imports = new Map<Import, LoadedFile>()
    const hosts = new Map<Import, HostFile>()
    for (const declaration of file.declarations) {
      if (declaration.kind !== 'Import') continue
      const isHost = /\.m?[jt]s$/.test(declaration.from.text)
      const host = isHost ? this.#host(path, declaration) : undefined
      const target = isHost ? undefined : this.#import(path, declaration)
      if (host) hosts.set(declaration, host)
      if (target) imports.set(declaration, target)
    }
    this.#open.pop()
    const loaded = { file, imports, hosts }
    this.#loaded.set(path, loaded)
    return loaded
  }

  /** Nothing of it runs: what it exports is seen in its text. */
  #host(from: string, { from: { text, span } }: Import): HostFile | undefined {
    const source = this.#files.read(this.#files.resolve(from, text))
    if (source) return { exports: exportedNames(source.text) }
    this.#report(diagnose('LTM3018', span, { path: text }))
    return undefined
  }

  #import(from: string, node: Import): LoadedFile | undefined {
    const { text, span } = node.from
    if (!text.endsWith('.ltm')) {
      this.#report(diagnose('LTM3025', span, { file: text }))
      return undefined
    }
    const path = this.#files.resolve(from, text)
    if (this.#open.includes(path)) {
      this.#report(
        diagnose('LTM3011', span, { cycle: `\`${text}\`` }, { help: `${[...this.#open, path].join(' → ')}` }),
      )
      return undefined
    }
    const loaded = this.load(path)
    if (!loaded) this.#report(diagnose('LTM3018', span, { path: text }))
    return loaded
  }
}
