import type { Span } from '../base/source.ts'
import type { Attr, Value as IrValue, Step } from '../ir/ir.ts'
import type { For } from '../syntax/ast.ts'
import { variablesOf } from '../types/dim.ts'
import type { TensorType } from '../types/tensor.ts'
import { tensorOfSize } from './captures.ts'
import { type Context, complain, originOf } from './context.ts'
import { keyAt } from './functionCalls.ts'
import { replaceTensors, tensorsOf } from './functionRegion.ts'
import type { Carried } from './scanCarried.ts'
import type { RoundBody } from './scanRound.ts'
import { sizesOfType } from './sizes.ts'
import type { SequenceValue, TensorValue, Value } from './values.ts'

/** A yield with the axis along which those of all rounds are put together, and the type of the whole. */
export interface Stacked {
  readonly own: TensorValue
  readonly axis: number
  readonly type: TensorType
}

/** A loop whose parts have been looked over. */
export interface Made {
  readonly sequences: readonly SequenceValue[]
  readonly carried: readonly Carried[]
  readonly body: RoundBody
  readonly ends: readonly Value[]
}

/** Adds the function of the body to the program, and the step that runs it to the region. */
export function emitScan(
  ctx: Context,
  node: For,
  { sequences, carried, body, ends }: Made,
  stacked: readonly Stacked[],
): { readonly carried: readonly Value[]; readonly stacked: readonly TensorValue[] } {
  const { region, captures } = body
  const results = [...ends.flatMap(tensorsOf), ...stacked.map(each => each.own)]
  const sized = sizedBy(ctx, body, results)
  const taken = captures.taken([...results, ...sized.map(tensor => captures.tensor(tensor))])
  const { hosts } = captures
  for (const { spec, value } of region.writes)
    complain(
      ctx,
      'LTM4311',
      value.span ?? node.span,
      { name: spec.declaration.name.text },
      { labels: [{ span: node.span, text: 'in this loop' }] },
    )
  const func = region.finish(
    {
      name: ctx.world.functions.fresh(`scan.${node.names[0]?.text ?? ''}`),
      declaration: 'scan',
      role: 'scan',
      origin: originOf(node.span),
    },
    [...body.params, ...taken.params],
    hosts.names,
    { values: results, fields: undefined },
  )
  ctx.world.functions.list.push(func)
  const members = region.members.flatMap(read => {
    const value = ctx.region.member(ctx, read.path, read.spec, node.span, read.part)
    return value.kind === 'error' ? [] : [value.name]
  })
  const starts = carried.flatMap(({ start }) => tensorsOf(start))
  const inputs = [
    ...starts.map(start => start.name),
    ...sequences.map(sequence => sequence.tensor.name),
    ...taken.inputs,
    ...members,
    ...(region.drawsRandom ? [keyAt(ctx, 'for', node.span)] : []),
  ]
  const attrs: Record<string, Attr> = {
    func: func.name,
    host: hosts.exprs,
    carried: starts.length,
    along: sequences.map(sequence => sequence.axis),
    stack: stacked.map(each => each.axis),
    reverse: sequences.some(sequence => sequence.reverse),
  }
  const output = (name: string, type: TensorType, span: Span | undefined): TensorValue => ({
    kind: 'tensor',
    name: ctx.region.fresh(name),
    type,
    span,
  })
  const finals = carried.map(({ name, start, span }) =>
    replaceTensors(
      start,
      tensorsOf(start).map(tensor => output(name, tensor.type, span)),
    ),
  )
  const all = stacked.map(each => output('yields', each.type, node.span))
  const outputs = [...finals.flatMap(tensorsOf), ...all].map(
    (value): IrValue => ({ name: value.name, type: value.type }),
  )
  const step: Step = { op: 'scan', inputs, attrs, outputs, origin: originOf(node.span) }
  ctx.region.push(step)
  return { carried: finals, stacked: all }
}

/** Tensors from outside that tell sizes which the body mentions and nothing that it takes has. */
function sizedBy(ctx: Context, body: RoundBody, results: readonly TensorValue[]): readonly TensorValue[] {
  const known = new Set(
    [...body.params, ...body.captures.taken(results).params].flatMap(param =>
      param.type === 'key' ? [] : sizesOfType(param.type),
    ),
  )
  const mentioned = body.region.steps.flatMap(step => [
    ...step.outputs.flatMap(value => (value.type === 'key' ? [] : sizesOfType(value.type))),
    ...Object.values(step.attrs).flatMap(sizesOfAttr),
  ])
  const missing = [...new Set(mentioned)].filter(size => !known.has(size))
  return missing.flatMap(size => tensorOfSize(ctx.env, size) ?? [])
}

/** The sizes in host expressions; those in other attributes show in the types of results. */
function sizesOfAttr(attr: Attr): readonly string[] {
  if (Array.isArray(attr)) return attr.flatMap(sizesOfAttr)
  if (typeof attr !== 'object' || !('kind' in attr)) return []
  switch (attr.kind) {
    case 'size':
      return [...variablesOf(attr.dim)]
    case 'apply':
      return attr.args.flatMap(sizesOfAttr)
    case 'choose':
      return [attr.condition, attr.then, attr.otherwise].flatMap(sizesOfAttr)
    default:
      return []
  }
}
