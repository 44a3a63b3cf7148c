import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { Optimizer } from '../../ir/ir.ts'
import type { Average, Call, Expr } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { withFrozenParts } from '../frozen.ts'
import { buffersOf, type PlacedBuffer, type PlacedParam, parametersOf } from '../states.ts'
import type { ModuleValue, ParamReference, Value } from '../values.ts'
import { elaborateOptimizer } from './optimizers.ts'

/** `average ema = Ema(net, decay: 0.999)`: a frozen copy of a model, which an update of its own moves after it (F41). */
export interface AverageModel {
  readonly member: Average
  readonly call: Call
  readonly source: ModuleValue | ParamReference
  /** What its name stands for. */
  readonly value: Value
  readonly parameters: readonly PlacedParam[]
  readonly buffers: readonly PlacedBuffer[]
  /** `buffers: average`: they move as the parameters do, and are not taken over. */
  readonly averagesBuffers: boolean
}

/** The copy; undefined where there is no model to follow, which is reported. */
export function averageModel(ctx: Context, member: Average): AverageModel | undefined {
  const call = member.value
  const [first] = call.kind === 'Call' ? call.args : []
  if (call.kind !== 'Call' || first?.kind !== 'Positional') {
    complain(ctx, 'LTM4315', call.span, { got: textOf(call.span) })
    return undefined
  }
  const source = followed(ctx, first.value)
  if (source.kind !== 'param' && (source.kind !== 'module' || source.path === '')) {
    if (source.kind !== 'error') complain(ctx, 'LTM4315', first.value.span, { got: describe(source) })
    return undefined
  }
  const averagesBuffers = bufferMode(ctx, call)
  const name = member.name.text
  const copy = copyOf(source, name)
  const copies = <S extends PlacedParam | PlacedBuffer>(state: S): S => ({
    ...state,
    copies: source.path + state.path.slice(name.length),
  })
  return {
    member,
    call: { ...call, args: call.args.filter(arg => arg.kind !== 'Named' || arg.name.text !== 'buffers') },
    source,
    value: withFrozenParts(copy, () => true),
    parameters: parametersOf(copy).map(copies),
    buffers: buffersOf(copy).map(copies),
    averagesBuffers: averagesBuffers ?? false,
  }
}

/** A parameter of `train` is not read here. */
function followed(ctx: Context, node: Expr): Value {
  const named = node.kind === 'Name' ? ctx.env.lookup(node.text)?.value : undefined
  return named?.kind === 'param' ? named : expression(ctx, node)
}

function copyOf(source: ModuleValue | ParamReference, path: string): ModuleValue | ParamReference {
  if (source.kind === 'param') return { ...source, path }
  const { frozen: _, ...own } = source
  return { ...own, path, copies: source.path }
}

const bufferModes = ['copy', 'average']

function bufferMode(ctx: Context, call: Call): boolean | undefined {
  const given = call.args.find(arg => arg.kind === 'Named' && arg.name.text === 'buffers')
  if (given?.kind !== 'Named') return false
  const word = wordOf(given.value)
  if (bufferModes.includes(word)) return word === 'average'
  complain(ctx, 'LTM4317', given.value.span, {
    got: textOf(given.value.span),
    near: nearest(word, bufferModes),
  })
  return undefined
}

const wordOf = (node: Expr): string => (node.kind === 'Name' ? node.text : '')

/** How it moves: declared as an optimizer is, with the new value of what it follows in the place of a gradient. */
export function averageOptimizer(
  ctx: Context,
  average: AverageModel,
  optimizers: readonly Optimizer[],
  /** One of those that are missing may be the one that moves it. */
  othersFailed: boolean,
): Optimizer | undefined {
  const { member, call, source, parameters, buffers, averagesBuffers } = average
  const owned = parametersOf(source.kind === 'param' ? source : { ...source, copies: undefined }).map(
    ({ path }) => path,
  )
  const mover = optimizers.find(({ groups }) =>
    groups.some(group => group.parameters.some(path => owned.includes(path))),
  )
  if (!mover) {
    if (!othersFailed) complain(ctx, 'LTM4316', member.name.span, { name: member.name.text, of: source.path })
    return undefined
  }
  const floats = buffers.filter(({ spec }) => averagesBuffers && spec.type.dtype === 'f32')
  const made = elaborateOptimizer(
    ctx,
    { ...member, value: call },
    { isSet: new Set(), hypers: [] },
    { params: [...parameters, ...floats], clock: mover.name },
  )
  return made && { ...made.optimizer, follows: source.path }
}
