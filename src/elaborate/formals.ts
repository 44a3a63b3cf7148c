import type { Formal, Node } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'
import { variablesOf } from '../types/dim.ts'
import { isRest } from '../types/tensor.ts'
import {
  argumentValue,
  type CallSite,
  elaborateArguments,
  type Given,
  matchArguments,
  type Piped,
} from './arguments.ts'
import { type Context, isBroken } from './context.ts'
import { convert } from './conversion.ts'
import type { Env } from './env.ts'
import { expecting } from './evaluate.ts'
import { freshSizes, knownShape, type Sizes } from './receiver.ts'
import { needsShape } from './shapes.ts'
import { type DeclaredType, declaredType } from './types.ts'
import { errorValue, int, type Value } from './values.ts'

/** A formal with the value that a call gives it. `given` is absent for a default. */
export interface FormalValue {
  readonly formal: Formal
  readonly type: DeclaredType | undefined
  readonly value: Value
  readonly given: Given | undefined
}

/**
 * Gives each formal its value, in order, and defines it in the callee's scope. Tensors bind the signature's sizes; what
 * needs a shape itself (`zeros()`, a number for a tensor) is looked at last, when the sizes are known.
 */
export function bindFormals(
  ctx: Context,
  formals: readonly Formal[],
  site: CallSite,
  piped: Piped | undefined,
  scope: Env,
  sizes: Sizes = freshSizes(),
): readonly FormalValue[] | undefined {
  // What a declaration with an error takes is not known.
  const isKnown = !site.declaration || !isBroken(ctx, site.declaration.id)
  const args = isKnown ? matchArguments(ctx, formals, site, piped) : undefined
  if (!isKnown) elaborateArguments(ctx, site)
  if (!args) {
    for (const formal of formals) scope.define(formal.name.text, errorValue, formal.name.span)
    return undefined
  }
  const typing: Context = { ...ctx, env: scope, rests: undefined, expected: undefined }
  const bound = new Map<string, FormalValue>()
  const late: (() => void)[] = []
  /** Arguments that are looked at last; a default that names one is as well. */
  const waiting = new Set<string>()
  let failed = false
  const settle = (formal: Formal, type: DeclaredType | undefined, given: Given): void => {
    const value = formalValue(ctx, formal, type, given, site, scope, sizes)
    if (value.kind === 'error') {
      failed = true
      sizes.clashed = true
    }
    bound.set(formal.name.text, { formal, type, value, given: given.kind === 'default' ? undefined : given })
    scope.define(formal.name.text, value, formal.name.span)
    // A module decides sizes that the types of the next arguments may name.
    defineDecided(ctx, type, scope, sizes)
  }
  for (const formal of formals) {
    const given = args.get(formal.name.text)!
    const type = formal.type && declaredType(typing, formal.type, sizes.variables)
    const waits =
      waiting.size > 0 && given.kind === 'default' && names(given.expr).some(name => waiting.has(name))
    if (waits || (type?.kind === 'tensor' && given.kind !== 'value' && needsShape(ctx, given.expr))) {
      waiting.add(formal.name.text)
      late.push(() => settle(formal, type, given))
    } else settle(formal, type, given)
  }
  for (const settleLate of late) settleLate()
  defineSizes(scope, sizes)
  return failed ? undefined : formals.map(formal => bound.get(formal.name.text)!)
}

function names(node: Node): readonly string[] {
  return node.kind === 'Name' ? [node.text] : children(node).flatMap(names)
}

/** Sizes that a module has decided are known from here on; what symbols leave open in a definition may be anything. */
function defineDecided(
  ctx: Context,
  type: DeclaredType | undefined,
  scope: Env,
  { bindings }: Pick<Sizes, 'bindings'>,
): void {
  if (type?.kind === 'list') return defineDecided(ctx, type.item, scope, { bindings })
  if (type?.kind !== 'module') return
  for (const name of type.sizes) {
    const dim = bindings.dims.get(name)
    if (dim !== undefined) scope.define(name, int(dim))
    else if (ctx.generic && namesSize(type.result, name) && !type.params?.some(each => namesSize(each, name)))
      scope.define(name, errorValue)
  }
}

function namesSize(type: DeclaredType | undefined, name: string): boolean {
  if (type?.kind === 'record') return [...type.fields.values()].some(field => namesSize(field, name))
  return type?.kind === 'tensor' && type.type.shape.some(size => !isRest(size) && variablesOf(size).has(name))
}

/** In the body a dimension variable is the size that the call bound it to. */
export function defineSizes(scope: Env, sizes: Sizes): void {
  for (const [name, dim] of sizes.bindings.dims) scope.define(name, int(dim))
}

function formalValue(
  ctx: Context,
  formal: Formal,
  type: DeclaredType | undefined,
  given: Given,
  site: CallSite,
  scope: Env,
  sizes: Sizes,
): Value {
  // A default may name the sizes that the arguments before it have bound.
  if (given.kind === 'default') defineSizes(scope, sizes)
  const where = given.kind === 'default' ? { ...ctx, env: scope } : ctx
  const wanted = type?.kind === 'tensor' ? knownShape(type.type, sizes) : undefined
  const value = argumentValue(expecting(where, wanted, wanted === undefined && sizes.clashed), given)
  if (!type || value.kind === 'error') return value
  if (sizes.refused) return errorValue
  const converted = convert(ctx, value, type, sizes, {
    what: `\`${formal.name.text}\``,
    name: formal.name.text,
    callee: site.shown,
    ...(site.owner === undefined ? {} : { owner: site.owner }),
    instance: site.instance,
    ...(site.declaration === undefined ? {} : { declaration: site.declaration }),
    span: given.span,
    ...(given.kind === 'expr' ? { node: given.expr } : {}),
    declared: formal.span,
  })
  if (converted.kind === 'error') sizes.refused = true
  return converted
}
