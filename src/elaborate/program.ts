import { NameSupply } from '../base/fresh.ts'
import { nearest } from '../base/names.ts'
import type { Report } from '../diagnostics/diagnostic.ts'
import type { Program } from '../ir/ir.ts'
import type { Const, Declaration, File, Import, Train } from '../syntax/ast.ts'
import { type Context, complain } from './context.ts'
import { checkDefinition } from './definitions.ts'
import { Env } from './env.ts'
import { expression } from './evaluate.ts'
import { expression as dispatch } from './expressions.ts'
import { checkDeclared } from './formals.ts'
import { FunctionRegion } from './functions.ts'
import { executeBody } from './statements.ts'
import { entriesByCall } from './surface.ts'
import { elaborateTrain } from './train/train.ts'
import { declaredType } from './types.ts'
import { errorValue, type Value } from './values.ts'

/** A file with the files that its imports name, found by the driver. */
export interface LoadedFile {
  readonly file: File
  readonly imports: ReadonlyMap<Import, LoadedFile>
}

/** A fresh world: nothing made, nothing broken. */
function worldContext(report: Report): Context {
  const names = new NameSupply()
  return {
    world: {
      report,
      broken: new Set(),
      functions: { byKey: new Map(), list: [], fresh: name => names.fresh(name) },
      modules: new Map(),
      rules: { expression: dispatch, body: executeBody },
    },
    env: new Env(),
    region: new FunctionRegion(),
    generic: false,
    mode: { phase: undefined, training: undefined, onRead: () => {} },
    self: undefined,
    declaration: -1,
    instantiations: [],
    active: [],
    optimizer: undefined,
    rests: undefined,
    expected: undefined,
  }
}

/** Elaborates a file: its definitions on their own, then each `train` as a program. */
export function elaborateFile(
  library: readonly File[],
  loaded: LoadedFile,
  given: ReadonlyMap<string, string>,
  report: Report,
): readonly Program[] {
  const ctx = worldContext(report)
  const scopes = new FileScopes(ctx, libraryScope(ctx, library))
  const env = scopes.of(loaded)
  for (const declaration of loaded.file.declarations) checkDefinition(ctx, env, declaration)
  const trains = loaded.file.declarations.filter(
    (declaration): declaration is Train => declaration.kind === 'Train',
  )
  return trains.map(train => {
    // Each program has functions of its own; what is known to be broken stays so.
    const own = worldContext(report)
    for (const id of ctx.world.broken) own.world.broken.add(id)
    const ownEnv = new FileScopes(
      { ...own, world: { ...own.world, report: () => {} } },
      libraryScope(own, library),
    ).of(loaded)
    return elaborateTrain({ ...own, env: ownEnv }, train, given)
  })
}

/** Checks the definitions of the standard library on their own, as a user's are. */
export function checkLibrary(library: readonly File[], report: Report): void {
  const ctx = worldContext(report)
  const env = libraryScope(ctx, library)
  for (const file of library)
    for (const declaration of file.declarations) checkDefinition(ctx, env, declaration)
}

/** Primitive operators and intrinsic functions, and the standard library on top of them. */
function libraryScope(ctx: Context, library: readonly File[]): Env {
  const root = new Env()
  for (const name of entriesByCall) root.define(name, { kind: 'operator', name })
  const env = root.child()
  for (const file of library) for (const declaration of file.declarations) define(ctx, env, declaration)
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
    for (const [node, target] of loaded.imports) this.#import(env, node, target)
    for (const declaration of loaded.file.declarations) define(this.#ctx, env, declaration)
    return env
  }

  #import(env: Env, node: Import, target: LoadedFile): void {
    const names = target.file.declarations.flatMap(nameOf)
    const other = this.of(target)
    for (const name of node.names) {
      const binding = names.includes(name.text) ? other.lookup(name.text) : undefined
      if (!binding)
        complain({ ...this.#ctx, env }, 'LTM3003', name.span, {
          object: `\`${node.from.text}\``,
          name: name.text,
          near: nearest(name.text, names),
          has: '',
        })
      env.define(name.text, binding?.value ?? errorValue, name.span)
    }
  }
}

const nameOf = (declaration: Declaration): readonly string[] => {
  if (declaration.kind === 'Import') return []
  return [
    declaration.kind === 'Constraint'
      ? declaration.path.parts.map(part => part.text).join('.')
      : declaration.name.text,
  ]
}

/** Gives a declaration its name in the scope of its file. */
function define(ctx: Context, env: Env, declaration: Declaration): void {
  if (declaration.kind === 'Import') return
  const [name] = nameOf(declaration)
  const span = declaration.kind === 'Constraint' ? declaration.path.span : declaration.name.span
  const before = env.owns(name!) ? env.lookup(name!) : undefined
  if (before)
    complain(
      { ...ctx, env },
      'LTM3002',
      span,
      { name: name!, what: 'file' },
      before.span ? { labels: [{ span: before.span, text: 'the other one' }] } : {},
    )
  if (declaration.kind === 'Train') env.define(name!, errorValue, span)
  else if (declaration.kind === 'Const')
    env.define(name!, constant({ ...ctx, env, declaration: declaration.id }, declaration), span, {
      constant: true,
    })
  else if (declaration.kind === 'Fn' || declaration.kind === 'Loss' || declaration.kind === 'Schedule') {
    env.define(name!, { kind: 'function', declaration, name: name!, env, self: undefined }, span)
  } else env.define(name!, { kind: 'declaration', declaration, env }, span)
}

/** `const J: int = 8`: a number, a string, a list. A constant tensor is computed where it is used. */
function constant(ctx: Context, declaration: Const): Value {
  const value = expression(ctx, declaration.value)
  if (!declaration.type) return value
  const type = declaredType(ctx, declaration.type)
  if (type.kind === 'tensor') return complain(ctx, 'LTM9001', declaration.span, { what: 'a constant tensor' })
  return checkDeclared(ctx, value, type, declaration.value.span, declaration.name.text)
}
