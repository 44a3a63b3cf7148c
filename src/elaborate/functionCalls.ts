import type { Span } from '../base/source.ts'
import type { Func, HostExpr, Value as IrValue, Step } from '../ir/ir.ts'
import type { TensorType } from '../types/tensor.ts'
import { type Context, type FunctionInstance, originOf } from './context.ts'
import { lastOf, replaceTensors, tensorsOf } from './functionRegion.ts'
import { type CallRequest, isHostArgument } from './functionRequest.ts'
import { type Owner, resolvePath } from './sharing.ts'
import type { TensorValue, Value } from './values.ts'

/** The call of a specialised function: its tensors, the members of its module, the key of its draws. */
export function emitCall(ctx: Context, instance: FunctionInstance, request: CallRequest, span: Span): Value {
  const owner = ownerOf(request)
  const inputs = [...(request.vars ?? []), ...request.args].flatMap(arg =>
    tensorsOf(arg.value).map(tensor => tensor.name),
  )
  for (const read of instance.members) {
    const value = ctx.region.member(ctx, resolvePath(owner, read.path), read.spec, span, read.part)
    if (value.kind === 'error') return value
    inputs.push(value.name)
  }
  if (instance.drawsRandom) inputs.push(keyAt(ctx, owner.path === '' ? request.name : owner.path, span))
  const host: HostExpr[] = request.args
    .filter(arg => isHostArgument(arg.value))
    .map(arg => (arg.value as { expr: HostExpr }).expr)
  const { value, written } = pushCall(ctx, instance, inputs, host, span)
  for (const [i, { path, spec }] of instance.writes.entries())
    ctx.region.write({ path: resolvePath(owner, path), spec, value: written[i]! })
  return value
}

/** Where a function finds what it names: below its module, below what that was given, below its own arguments. */
export function ownerOf({
  self,
  given,
  parameter = '',
}: Pick<CallRequest, 'self' | 'given' | 'parameter'>): Owner {
  return { path: self?.path ?? parameter, given: new Map([...(self?.given ?? []), ...(given ?? [])]) }
}

/** The key below this region's for one draw or call. */
export function keyAt(ctx: Context, place: string, span: Span): string {
  const name = ctx.region.fresh('key_at')
  ctx.region.push({
    op: 'key_at',
    inputs: [ctx.region.key()],
    attrs: { place: ctx.region.place(place) },
    outputs: [{ name, type: 'key' }],
    origin: originOf(span),
  })
  return name
}

function pushCall(
  ctx: Context,
  instance: FunctionInstance,
  inputs: readonly string[],
  host: readonly HostExpr[],
  span: Span,
): { readonly value: Value; readonly written: readonly TensorValue[] } {
  const { func, result, writes } = instance
  const output = (name: string, type: TensorType): IrValue => ({ name: ctx.region.fresh(name), type })
  const types = resultTypes(result)
  const fields = result.kind === 'tensor' ? undefined : func.fields?.slice(0, types.length)
  const outputs = [
    ...(fields ? fields.map((field, i) => output(field, types[i]!)) : [output(callName(func), types[0]!)]),
    ...writes.map(({ path, spec }) => output(lastOf(path), spec.type)),
  ]
  const step: Step = { op: 'call', inputs, attrs: { func: func.name, host }, outputs, origin: originOf(span) }
  ctx.region.push(step, fields ? undefined : outputs[0]!.name)
  const values = outputs.map(
    (value): TensorValue => ({ kind: 'tensor', name: value.name, type: value.type as TensorType, span }),
  )
  const own = values.length - writes.length
  const value: Value = fields ? replaceTensors(result, values.slice(0, own)) : values[0]!
  return { value, written: values.slice(own) }
}

/** `Linear.forward` names its result `linear`, `gelu` names it `gelu`. */
function callName(func: Func): string {
  const parts = func.declaration.split('.')
  const last = parts.at(-1)!
  const name = last === 'forward' && parts.length > 1 ? parts.at(-2)! : last
  return name[0]!.toLowerCase() + name.slice(1)
}

function resultTypes(result: Value): readonly TensorType[] {
  return tensorsOf(result).map(value => value.type)
}
