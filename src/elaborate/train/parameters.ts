import type { Buffer, Parameter } from '../../ir/ir.ts'
import type { Dim } from '../../types/dim.ts'
import { constraintFunction, inverseOf } from '../constraints.ts'
import { type Context, complain, type FunctionInstance, originOf } from '../context.ts'
import { checkDeclared, filled } from '../conversion.ts'
import { expression } from '../evaluate.ts'
import { emitCall } from '../functionCalls.ts'
import { FunctionRegion, functionFrom } from '../functionRegion.ts'
import { joinPath } from '../paths.ts'
import type { PlacedBuffer, PlacedParam, PlacedState } from '../states.ts'
import { applyOperator } from '../tensors.ts'
import {
  errorValue,
  isRawStart,
  type ParamSpec,
  type StateSpec,
  type TensorValue,
  type Value,
} from '../values.ts'
import { checkStart } from './startValues.ts'

/** The buffer as the IR has it. */
export function elaborateBuffer(ctx: Context, buffer: PlacedBuffer, starts: Starts): Buffer | undefined {
  const { path, spec } = buffer
  const start = startOf(ctx, buffer, starts)
  if (!start) return undefined
  const { given: _, ...kept } = start
  return { path, type: spec.type, ...kept, origin: originOf(spec.declaration.span) }
}

/** How a parameter or buffer starts. */
export interface Start extends Pick<Parameter, 'init' | 'copies'> {
  /** The function of the value before its way through the inverse, where only the run can tell whether it comes back. */
  readonly given?: string | undefined
}
/** By path, as they are elaborated. */
type Starts = Map<string, Start>

/** A copy has the function of what it copies. */
function startOf(ctx: Context, { path, spec, copies }: PlacedState, starts: Starts): Start | undefined {
  const known = copies === undefined ? undefined : starts.get(copies)
  const own = known ?? startFunctions(ctx, path, spec)
  if (own === undefined) return undefined
  const start = copies === undefined ? own : { ...own, copies }
  starts.set(path, start)
  return start
}

/** The parameter as the IR has it: types, constraint, and the function that gives its raw start value. */
export function elaborateParameter(
  ctx: Context,
  param: PlacedParam,
  frozen: boolean,
  starts: Starts,
): Parameter | undefined {
  const { path, spec } = param
  const start = startOf(ctx, param, starts)
  const constraint = constraintPart({ ...ctx, mode: { ...ctx.mode, training: false } }, path, spec)
  const projection = projectionFunction(ctx, spec)
  if (!start || constraint === 'error') return undefined
  const { given, ...kept } = start
  return {
    path,
    type: spec.type,
    raw: spec.raw,
    ...(constraint ? { constraint: given === undefined ? constraint : { ...constraint, start: given } } : {}),
    ...(projection ? { projection: { text: spec.projection?.text ?? '', func: projection.func.name } } : {}),
    ...kept,
    frozen,
    origin: originOf(spec.declaration.span),
  }
}

/** What is read outside of steps, such as the values of a checkpoint, is computed as in evaluation. */
function constraintPart(ctx: Context, path: string, spec: ParamSpec): Parameter['constraint'] | 'error' {
  const { constraint } = spec
  if (!constraint) return undefined
  const forward = constraintFunction(ctx, constraint, 'forward', spec.type, spec.raw, spec.type)
  const check = constraintFunction(ctx, constraint, 'check', spec.type, spec.type, undefined)
  if (!forward) return 'error'
  return {
    text: constraint.text,
    name: constraint.declaration.path.parts.map(part => part.text).join('.'),
    version: constraint.declaration.version,
    bijective: constraint.declaration.bijective,
    forward: forward.func.name,
    ...(check ? { check: check.func.name } : {}),
    ...(forward.members.length > 0
      ? { buffers: forward.members.map(read => joinPath(path, read.path)) }
      : {}),
  }
}

/** The start value is given where the constraint holds and carried back by its inverse; `raw` gives the raw one. */
function startFunctions(ctx: Context, path: string, spec: StateSpec): Start | undefined {
  const { declaration, constraint } = spec
  const region = new FunctionRegion()
  const type = constraint && isRawStart(declaration) ? spec.raw : spec.type
  const within: Context = { ...ctx, env: spec.env, region, expected: type, self: undefined }
  const value = declaration.value ? startValue(within, spec) : zeros(within, spec)
  const isSure = value.kind !== 'tensor' || checkStart(within, spec, path, region.steps, value)
  const raw =
    constraint && declaration.value && !isRawStart(declaration) && value.kind === 'tensor'
      ? inverse(within, spec, value)
      : value
  const start = raw.kind === 'tensor' ? projected(within, spec, raw) : raw
  if (start.kind !== 'tensor') return undefined
  const made = {
    name: `${path.replaceAll('[', '.').replaceAll(']', '')}.init`,
    declaration: declaration.name.text,
    role: 'init',
    span: declaration.span,
  } as const
  const init = functionFrom(ctx, region, { ...made, result: start }).name
  return isSure ? { init } : { init, given: givenFunction(ctx, spec, made) }
}

/** The start value as it is given: the same steps, and so the same draws, before the inverse. */
function givenFunction(
  ctx: Context,
  spec: StateSpec,
  made: Omit<Parameters<typeof functionFrom>[2], 'result'>,
): string {
  const region = new FunctionRegion()
  const within: Context = { ...ctx, env: spec.env, region, expected: spec.type, self: undefined }
  const name = made.name.replace(/init$/, 'start')
  return functionFrom(ctx, region, { ...made, name, result: startValue(within, spec) }).name
}

function projectionFunction(ctx: Context, { projection, type }: StateSpec): FunctionInstance | undefined {
  return projection && constraintFunction(ctx, projection, 'forward', type, type, type)
}

/** A start value is put where every update puts it. */
function projected(ctx: Context, spec: StateSpec, value: TensorValue): Value {
  const instance = projectionFunction(ctx, spec)
  if (!instance) return spec.projection ? errorValue : value
  const args = [{ name: 'w', value, span: undefined }]
  const name = spec.projection?.text ?? ''
  return emitCall(ctx, instance, { self: undefined, args, name }, spec.declaration.span)
}

function startValue(ctx: Context, spec: StateSpec): Value {
  const { declaration } = spec
  const node = declaration.value!
  const given = expression(ctx, node)
  const type = ctx.expected!
  if (given.kind === 'int' || given.kind === 'float') return filled(ctx, given, type, node.span)
  return checkDeclared(
    ctx,
    given,
    { kind: 'tensor', type },
    node.span,
    `\`${declaration.name.text}\``,
    declaration.type?.span,
  )
}

function zeros(ctx: Context, spec: StateSpec): TensorValue | { readonly kind: 'error' } {
  const shape: readonly Dim[] = spec.raw.shape
  return applyOperator(ctx, 'full', [], { shape, value: 0, dtype: 'f32' }, spec.declaration.span)
}

function inverse(ctx: Context, spec: StateSpec, value: TensorValue): Value {
  const constraint = spec.constraint!
  const instance = constraintFunction(ctx, constraint, 'inverse', spec.type, spec.type, spec.raw)
  if (!inverseOf(constraint))
    return complain(ctx, 'LTM4003', spec.declaration.value!.span, { constraint: constraint.text })
  if (!instance) return errorValue
  return emitCall(
    ctx,
    instance,
    { self: undefined, args: [{ name: 'x', value, span: undefined }], name: constraint.text },
    spec.declaration.value!.span,
  )
}
