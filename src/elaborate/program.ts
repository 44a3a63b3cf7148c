import { bug } from '../base/bug.ts'
import { NameSupply } from '../base/fresh.ts'
import { nearest } from '../base/names.ts'
import { pathFrom } from '../base/paths.ts'
import type { Source, Span } from '../base/source.ts'
import type { Diagnostic, Report } from '../diagnostics/diagnostic.ts'
import type { Program } from '../ir/ir.ts'
import type { Declaration, File, Import, Train } from '../syntax/ast.ts'
import type { Outlined } from '../syntax/outline.ts'
import { callValue } from './calls.ts'
import { type Context, type CountTable, checkLater, complain, isBroken, startFuel } from './context.ts'
import { noCounts, openCounts } from './counts.ts'
import { checkDefinition } from './definitions.ts'
import { type Binding, Env } from './env.ts'
import { expression as dispatch } from './expressions.ts'
import { FunctionRegion } from './functionRegion.ts'
import { FunctionTable, type MadeFunctions } from './functionTable.ts'
import { executeBody } from './statements.ts'
import { entriesByCall } from './surface.ts'
import { elaborateTrain } from './train/train.ts'
import { reportUnused } from './unused.ts'
import { errorValue, type Value } from './values.ts'

/** A file with the files that its imports name, found by the driver. */
export interface LoadedFile {
  readonly file: File
  readonly imports: ReadonlyMap<Import, LoadedFile>
  readonly hosts: ReadonlyMap<Import, HostFile>
}

/** A TypeScript or JavaScript file that an import names. */
export interface HostFile {
  /** What it exports; undefined where that can't be seen. */
  readonly exports: readonly string[] | undefined
}

/** The standard library: few of its declarations are read, since few are named. */
export interface Library {
  readonly sources: readonly Source[]
  readonly declarations: readonly Outlined[]
}

/** A fresh world: nothing made, nothing broken. */
function worldContext(
  report: Report,
  library: readonly Source[],
  file: string,
  made?: MadeFunctions,
  silent: Span[] = [],
  counts: CountTable = noCounts(),
): Context {
  const names = new NameSupply()
  return {
    world: {
      report,
      reported: { count: 0 },
      file,
      library: new Set(library),
      broken: new Set(),
      unchecked: new Map(),
      constants: new Map(),
      fuel: { left: startFuel },
      functions: new FunctionTable(name => names.fresh(name), made),
      modules: new Map(),
      counts,
      silent,
      rules: { expression: dispatch, body: executeBody, call: callValue },
    },
    env: new Env(),
    region: new FunctionRegion(),
    generic: false,
    mode: { phase: undefined, training: undefined, onRead: () => {} },
    self: undefined,
    declaration: -1,
    instantiations: [],
    active: [],
    holds: [],
    optimizer: undefined,
    rests: undefined,
    returns: undefined,
    watching: undefined,
    plateau: undefined,
    frozenNow: undefined,
    round: undefined,
    lost: false,
    expected: undefined,
  }
}

export interface Elaborated {
  readonly programs: readonly Program[]
  /** What asks its data for sizes that nobody knows yet: data alone, with what a command asks a program for. */
  readonly open: readonly Program[]
  /** Places that were left out of a program because of an error, which must have been reported. */
  readonly silent: readonly Span[]
}

/** Elaborates a file: its definitions on their own, then each `train` as a program. */
export function elaborateFile(
  library: Library,
  loaded: LoadedFile,
  { hypers, counts }: Given,
  report: Report,
): Elaborated {
  const file = loaded.file.span.source.name
  const ctx = worldContext(report, library.sources, file)
  const scopes = new FileScopes(ctx, libraryScope(library))
  checkDefinitions(ctx, scopes, loaded)
  const trains = loaded.file.declarations.filter(
    (declaration): declaration is Train => declaration.kind === 'Train',
  )
  const env = scopes.of(loaded)
  const made: MadeFunctions = new Map()
  const attempt = (train: Train, generic: boolean): Attempt => {
    const diagnostics: Diagnostic[] = []
    const silent: Span[] = []
    const table = noCounts(counts.get(train.name.text))
    // Each program has functions of its own, under its own names; what is known to be broken stays so.
    const own = worldContext(each => diagnostics.push(each), library.sources, file, made, silent, table)
    for (const id of ctx.world.broken) own.world.broken.add(id)
    const program = elaborateTrain({ ...own, env, generic }, train, hypers)
    return { program, diagnostics, silent, isOpen: openCounts(table) > 0 }
  }
  const attempts = trains.map(train => {
    const first = attempt(train, false)
    // Sizes that the data is yet to tell are symbols, and what these can't decide is left for when it has.
    return first.isOpen ? attempt(train, true) : first
  })
  for (const { diagnostics } of attempts) for (const each of diagnostics) report(each)
  const done = attempts.filter(({ isOpen }) => !isOpen)
  return {
    programs: done.map(({ program }) => program),
    open: attempts.flatMap(({ isOpen, program }) => (isOpen ? [dataAlone(program)] : [])),
    silent: done.flatMap(each => each.silent),
  }
}

/** What the compiler is told besides the text: values for hypers, and the sizes that the data of each `train` has. */
export interface Given {
  readonly hypers: ReadonlyMap<string, string>
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>
}

interface Attempt {
  readonly program: Program
  readonly diagnostics: readonly Diagnostic[]
  readonly silent: readonly Span[]
  readonly isOpen: boolean
}

/** A program without all whose shapes the data decides. */
function dataAlone(program: Program): Program {
  const { seed, accumulate, nonfinite } = program.trainer
  const nothing = { parameters: [], buffers: [], weights: [], vars: [], optimizers: [], metrics: [] }
  return {
    ...program,
    ...nothing,
    steps: [],
    hooks: [],
    functions: calledFrom(program, namesOfData(program)),
    trainer: { seed, accumulate: typeof accumulate === 'number' ? accumulate : 1, nonfinite },
  }
}

function namesOfData({ datasets }: Program): readonly string[] {
  return datasets.flatMap(({ func, fits, filters, augment }) => [
    func,
    ...[...fits, ...filters].map(each => each.func),
    ...(augment === undefined ? [] : [augment]),
  ])
}

function calledFrom({ functions }: Program, names: readonly string[]): Program['functions'] {
  const reached = new Set<string>()
  const visit = (name: string): void => {
    if (reached.has(name)) return
    reached.add(name)
    for (const { attrs } of functions.find(func => func.name === name)?.steps ?? [])
      if (typeof attrs.func === 'string') visit(attrs.func)
  }
  for (const name of names) visit(name)
  return functions.filter(({ name }) => reached.has(name))
}

/** Warns of what a file and those that it imports declare and never use; for programs without errors. */
export function reportUnusedNames(loaded: LoadedFile, report: Report): void {
  for (const { file } of filesOf(loaded)) reportUnused(file, report)
}

/** Checks the definitions of a file and of those that it imports, each on its own and before it is used. */
function checkDefinitions(ctx: Context, scopes: FileScopes, loaded: LoadedFile): void {
  const definitions = filesOf(loaded).flatMap(each => {
    const env = scopes.of(each)
    return each.file.declarations.map(declaration => ({ env, declaration }))
  })
  for (const { env, declaration } of definitions)
    checkLater(ctx, declaration.id, () => checkDefinition(ctx, env, declaration))
  for (const { declaration } of definitions) isBroken(ctx, declaration.id)
}

/** Checks the definitions of the standard library on their own, as a user's are. */
export function checkLibrary(library: readonly File[], report: Report): void {
  const ctx = worldContext(report, [], '')
  const env = operatorScope().child()
  for (const file of library) defineAll(ctx, env, file.declarations)
  for (const file of library)
    for (const declaration of file.declarations) checkDefinition(ctx, env, declaration)
}

/** Primitive operators and intrinsic functions. */
function operatorScope(): Env {
  const root = new Env()
  for (const name of entriesByCall) root.define(name, { kind: 'operator', name })
  return root
}

/** The standard library on top of them. */
function libraryScope({ declarations }: Library): Env {
  const env = operatorScope().child()
  for (const { name, read } of declarations)
    env.defineLate(name, () => {
      const declaration = read()
      if (!declaration || declaration.kind === 'Import' || declaration.kind === 'Train')
        return bug(`the library's \`${name}\` can't be read`)
      return bindingOf(env, declaration, name)
    })
  return env
}

/** The scope of each file, made once. */
class FileScopes {
  readonly #known = new Map<LoadedFile, Env>()
  readonly #ctx: Context
  readonly #library: Env

  constructor(ctx: Context, library: Env) {
    this.#ctx = ctx
    this.#library = library
  }

  of(loaded: LoadedFile): Env {
    const known = this.#known.get(loaded)
    if (known) return known
    const env = this.#library.child()
    this.#known.set(loaded, env)
    for (const declaration of loaded.file.declarations) {
      if (declaration.kind !== 'Import') continue
      const target = loaded.imports.get(declaration)
      const host = loaded.hosts.get(declaration)
      if (target) this.#import(env, declaration, target)
      else if (host) this.#importHost(env, declaration, host)
      // The file could not be read, which is reported: its names may be anything.
      else for (const name of declaration.names) env.define(name.text, errorValue, name.span)
    }
    defineAll(this.#ctx, env, loaded.file.declarations)
    return env
  }

  #importHost(env: Env, { names, from }: Import, { exports }: HostFile): void {
    const file = pathFrom(this.#ctx.world.file, from.span.source.name, from.text)
    for (const { text, span } of names) {
      const known = text === '' || exports === undefined || exports.includes(text)
      if (!known)
        complain({ ...this.#ctx, env }, 'LTM3003', span, {
          object: `\`${from.text}\``,
          name: text,
          near: nearest(text, exports),
          has:
            exports.length === 0
              ? 'it exports nothing'
              : `it exports ${exports.map(each => `\`${each}\``).join(', ')}`,
        })
      env.define(text, known ? { kind: 'host_function', name: text, file } : errorValue, span)
    }
  }

  #import(env: Env, node: Import, target: LoadedFile): void {
    const names = target.file.declarations.flatMap(nameOf)
    const other = this.of(target)
    for (const name of node.names) {
      const binding = names.includes(name.text) ? other.lookup(name.text) : undefined
      const near = binding ? undefined : nearest(name.text, names)
      if (!binding && name.text !== '')
        complain({ ...this.#ctx, env }, 'LTM3003', name.span, {
          object: `\`${node.from.text}\``,
          name: name.text,
          near,
          has: '',
        })
      // The name that was meant may stand where it is used.
      if (near !== undefined && !env.owns(near)) env.define(near, errorValue, name.span)
      env.define(name.text, binding?.value ?? errorValue, name.span)
    }
  }
}

/** A file and all that it imports, those first. */
function filesOf(loaded: LoadedFile): readonly LoadedFile[] {
  const found = new Set<LoadedFile>()
  const visit = (each: LoadedFile): void => {
    if (found.has(each)) return
    for (const imported of each.imports.values()) visit(imported)
    found.add(each)
  }
  visit(loaded)
  return [...found]
}

const nameOf = (declaration: Declaration): readonly string[] => {
  if (declaration.kind === 'Import') return []
  return [
    declaration.kind === 'Constraint'
      ? declaration.path.parts.map(part => part.text).join('.')
      : declaration.name.text,
  ]
}

/** Gives the declarations of a file their names in its scope. */
function defineAll(ctx: Context, env: Env, declarations: readonly Declaration[]): void {
  // The name of a training stands for no value: it hides nothing.
  const trains = new Map<string, Span>()
  for (const declaration of declarations) {
    const [name] = nameOf(declaration)
    if (declaration.kind === 'Import' || !name) continue
    const { span } = nameNode(declaration)
    const before = env.owns(name) ? env.lookup(name)?.span : trains.get(name)
    if (before) declaredTwice({ ...ctx, env }, name, span, before)
    else if (declaration.kind === 'Train') trains.set(name, span)
    else env.bind(name, bindingOf(env, declaration, name))
  }
}

function declaredTwice(ctx: Context, name: string, span: Span, before: Span | undefined): void {
  complain(
    ctx,
    'LTM3002',
    span,
    { name, what: 'file' },
    before ? { labels: [{ span: before, text: 'the other one' }] } : {},
  )
}

const nameNode = (declaration: Exclude<Declaration, Import>) =>
  declaration.kind === 'Constraint' ? declaration.path : declaration.name

function bindingOf(env: Env, declaration: Exclude<Declaration, Import | Train>, name: string): Binding {
  const { span } = nameNode(declaration)
  return {
    value: declared(env, declaration, name),
    span,
    mutable: false,
    constant: declaration.kind === 'Const',
  }
}

function declared(env: Env, declaration: Exclude<Declaration, Import | Train>, name: string): Value {
  if (declaration.kind === 'Const') return { kind: 'lazy', declaration, env }
  if (declaration.kind === 'Fn' || declaration.kind === 'Loss' || declaration.kind === 'Schedule')
    return { kind: 'function', declaration, name, env, self: undefined }
  return { kind: 'declaration', declaration, env }
}
