import { type Span, textOf } from '../base/source.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Arg, Name } from '../syntax/ast.ts'
import { compareDims, type Dim, substitute } from '../types/dim.ts'
import { isRest, type Shape, type TensorType } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import type { Env } from './env.ts'
import { callValue } from './evaluate.ts'
import { FunctionRegion } from './functionRegion.ts'
import { FunctionTable } from './functionTable.ts'
import { type DeclaredType, type FunctionType, showDeclared } from './types.ts'
import type { Value } from './values.ts'

/** A bare `fn`. */
const elementwise: Pick<FunctionType, 'params' | 'result'> = {
  params: [{ kind: 'tensor', type: { dtype: 'f32', shape: ['...s'] } }],
  result: { kind: 'tensor', type: { dtype: 'f32', shape: ['...s'] } },
}

/**
 * Whether a function can stand where a type is declared: it is tried with arguments of exactly the declared types, whose
 * sizes are symbols, and must take them and give what is declared; where a rest stands for any number of axes, for some
 * number of them. What symbols can't decide is left to its calls.
 */
export function fitsType(
  ctx: Context,
  value: Value,
  type: FunctionType,
  what: string,
  span: Span,
  declared: Span | undefined,
): boolean {
  if (type.kind === 'module' && !type.params) return true
  const wanted = type.params ? type : { ...type, ...elementwise }
  const { params = [], result } = wanted
  if (value.kind === 'opaque_function' || !params.every(isPlain)) return true
  const ranks = ranksToTry(params)
  const problems = ranks.map(axes =>
    problemOf(
      ctx,
      value,
      params.map(param => withAxes(param, axes)),
      result && withAxes(result, axes),
      span,
    ),
  )
  const [problem] = problems
  // A number is a tensor of no axes, which says little of a function that takes others and reduces them.
  const reduces = problems.every((each, i) => (each === undefined ? ranks[i] === 0 : each.takes))
  if (problem === undefined || (problems.includes(undefined) && !reduces)) return true
  // Of a definition of the user's own the declared type may be what is wrong.
  const own = declared && !ctx.world.library.has(declared.source)
  complain(
    ctx,
    'LTM2124',
    span,
    {
      what,
      wanted: `\`${showDeclared(wanted)}\``,
      thing: value.kind === 'module' ? 'module' : 'function',
      problem: problem.text,
    },
    {
      labels: declared ? [{ span: declared, text: 'declared here' }] : [],
      cause: own ? `${declared.source.name} ${declared.start}: ${problem.text}` : undefined,
    },
  )
  return false
}

/** Two axes come first, for what goes wrong with them is told. */
const ranksToTry = (params: readonly DeclaredType[]): readonly number[] =>
  params.some(param => shapesIn(param).some(shape => shape.some(isRest))) ? [2, 1, 3, 4, 0] : [0]

function shapesIn(type: DeclaredType): readonly Shape[] {
  if (type.kind === 'tensor') return [type.type.shape]
  return type.kind === 'record' ? [...type.fields.values()].flatMap(shapesIn) : []
}

/** The type with a number of axes in the place of each rest: `s1, s2` for `...s`. */
function withAxes(type: DeclaredType, axes: number): DeclaredType {
  if (type.kind === 'tensor') {
    const shape = type.type.shape.flatMap((size): Shape => {
      if (!isRest(size)) return [size]
      return Array.from({ length: axes }, (_, i) => `${size.slice(3)}${i + 1}`)
    })
    return { kind: 'tensor', type: { dtype: type.type.dtype, shape } }
  }
  if (type.kind !== 'record') return type
  return {
    kind: 'record',
    fields: new Map([...type.fields].map(([name, field]) => [name, withAxes(field, axes)])),
  }
}

/** What a function gives for arguments of such types; undefined where it doesn't take them. */
export function givenFor(ctx: Context, value: Value, params: readonly DeclaredType[]): Value | undefined {
  if (!params.every(isPlain) || params.some(param => shapesIn(param).some(shape => shape.some(isRest))))
    return undefined
  const { given, found } = tried(ctx, value, params, noSpan)
  return found.length === 0 ? given : undefined
}

const noSpan: Span = { source: { name: '', text: '' }, start: 0, end: 0 }

/** The type with some of its sizes known. */
export function withSizes(type: FunctionType, known: ReadonlyMap<string, Dim>): FunctionType {
  const inner = (part: DeclaredType): DeclaredType => partWithSizes(part, known)
  return { ...type, params: type.params?.map(inner), result: type.result && inner(type.result) }
}

function partWithSizes(type: DeclaredType, known: ReadonlyMap<string, Dim>): DeclaredType {
  if (type.kind === 'tensor') {
    const shape = type.type.shape.map(size => (isRest(size) ? size : substitute(size, known)))
    return { kind: 'tensor', type: { ...type.type, shape } }
  }
  if (type.kind !== 'record') return type
  const fields = [...type.fields].map(([name, field]) => [name, partWithSizes(field, known)] as const)
  return { kind: 'record', fields: new Map(fields) }
}

/** What goes wrong when a function gets such arguments, and such a result is wanted of it. */
function problemOf(
  ctx: Context,
  value: Value,
  params: readonly DeclaredType[],
  result: DeclaredType | undefined,
  span: Span,
): Problem | undefined {
  const { given, found } = tried(ctx, value, params, span)
  const [first] = found
  if (first) return { takes: false, text: `can't take that: ${first.message}` }
  return result && !agrees(given, result) ? { takes: true, text: `gives ${describe(given)}` } : undefined
}

interface Problem {
  /** Whether the function takes the arguments, and only its result is of another type. */
  readonly takes: boolean
  readonly text: string
}

function tried(
  ctx: Context,
  value: Value,
  params: readonly DeclaredType[],
  span: Span,
): { readonly given: Value; readonly found: readonly Diagnostic[] } {
  const found: Diagnostic[] = []
  const env = ctx.env.child()
  const within = trial(ctx, env, diagnostic => {
    if (diagnostic.severity === 'error') found.push(diagnostic)
  })
  const args = params.map((param, i): Arg => argument(within, env, param, i, span))
  // Where it will stand does not matter here.
  const placed: Value = value.kind === 'module' ? { ...value, path: 'it' } : value
  return { given: callValue(within, placed, { args, span, shown: textOf(span) }), found }
}

/** Nothing that is tried leaves a trace in the program. */
function trial(ctx: Context, env: Env, report: Context['world']['report']): Context {
  const { world } = ctx
  return {
    ...ctx,
    world: {
      ...world,
      report,
      broken: new Set(world.broken),
      functions: new FunctionTable(name => name),
      modules: new Map(world.modules),
    },
    env,
    region: new FunctionRegion(),
    generic: true,
    expected: undefined,
  }
}

const isPlain = (type: DeclaredType): boolean =>
  type.kind === 'tensor' || (type.kind === 'record' && [...type.fields.values()].every(isPlain))

/** An argument by a name that no user can write. */
function argument(ctx: Context, env: Env, type: DeclaredType, position: number, span: Span): Arg {
  const text = `#${position}`
  env.define(text, symbol(ctx, type, `x${position}`))
  const name: Name = { kind: 'Name', id: -1, span, text }
  return { kind: 'Positional', id: -1, span, value: name }
}

function symbol(ctx: Context, type: DeclaredType, name: string): Value {
  if (type.kind === 'tensor')
    return { kind: 'tensor', name: ctx.region.fresh(name), type: type.type, span: undefined }
  if (type.kind !== 'record') return { kind: 'error' }
  return {
    kind: 'record',
    fields: new Map(
      [...type.fields].map(([field, inner]) => [field, symbol(ctx, inner, `${name}_${field}`)]),
    ),
  }
}

/** Whether a value may be of a type; what is not known may. */
function agrees(value: Value, type: DeclaredType): boolean {
  if (value.kind === 'error') return true
  if (type.kind === 'tensor') return value.kind === 'tensor' && sameShapes(value.type, type.type)
  if (type.kind !== 'record') return true
  return (
    value.kind === 'record' &&
    [...type.fields].every(([name, field]) => {
      const inner = value.fields.get(name)
      return inner !== undefined && agrees(inner, field)
    })
  )
}

function sameShapes(a: TensorType, b: TensorType): boolean {
  if (a.dtype !== b.dtype) return false
  if ([...a.shape, ...b.shape].some(isRest)) return true
  return a.shape.length === b.shape.length && a.shape.every((size, i) => maybeEqual(size, b.shape[i]!))
}

/** Two symbols of the type are different sizes; of anything else what isn't known may be. */
function maybeEqual(a: Dim, b: Dim): boolean {
  const symbols = [a, b].every(size => typeof size === 'string' && /^\w+$/.test(size))
  return symbols ? a === b : compareDims(a, b) !== 'different'
}
