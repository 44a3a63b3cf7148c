import { NameSupply } from '../../base/fresh.ts'
import type { Func, Origin, Step, ValueType } from '../../ir/ir.ts'
import { findOp } from '../../ops/index.ts'
import { multiplyAddsAt } from '../../ops/multiplyAdds.ts'
import type { FixedType, OnnxContext, OnnxProvider, OnnxValue } from '../../ops/onnx.ts'
import { GraphBuilder } from './builder.ts'
import { type ChoosingFacts, type Facts, factsOf } from './facts.ts'
import { encodeModel, type OnnxModel } from './proto.ts'
import type { Tile } from './rules/rule.ts'
import { tileOf } from './tiles.ts'

/** A function as a model of ONNX. Its outputs are the results in order, each under a name of its own. */
export interface OnnxFunction {
  readonly bytes: Uint8Array
  /** What the bytes say. */
  readonly model: OnnxModel
  readonly inputs: readonly OnnxParam[]
  readonly outputs: readonly OnnxParam[]
  /** The products that its steps add up. */
  readonly multiplyAdds: number
}

/** A tensor that goes in or comes out, by its name in the model. */
export interface OnnxParam extends FixedType {
  readonly name: string
}

export interface LoweringOptions {
  readonly provider: OnnxProvider
  /** How many channels lie side by side in the layout in which the processor's kernels convolve; absent where there is none. */
  readonly channelBlock?: number
}

/** A step that no graph can hold; whoever splits a program into graphs leaves such steps out. */
export class NotLowered extends Error {
  readonly op: string
  readonly origin: Origin

  constructor(op: string, origin: Origin, why: string) {
    super(`${origin.file}:${origin.line}:${origin.column}: ${op} ${why}`)
    this.name = 'NotLowered'
    this.op = op
    this.origin = origin
  }
}

/**
 * A function of operators alone, all of whose sizes are numbers, as a model of ONNX.
 *
 * Steps that no result needs leave nothing behind, nor do those that are part of a larger {@link Tile}. Throws
 * {@link NotLowered} for a step that a graph can't hold.
 */
export function lowerToOnnx(func: Func, options: LoweringOptions): OnnxFunction {
  const facts = factsOf(func)
  const tiles = chooseTiles(func, facts, options.provider)
  const graph = new GraphBuilder()
  const values = new Map(func.params.map(param => [param.name, graph.input()]))
  for (const { step, tile } of tiles) {
    graph.place = `${step.op} ${step.origin.file}:${step.origin.line}:${step.origin.column}`
    const context = contextOf(step, facts, graph, options)
    const inputs = tile.inputs.map(name => values.get(name)!)
    values.set(step.outputs[0]!.name, tile.lower(inputs, context))
  }
  return finish(func, facts, graph, values, options)
}

interface Chosen {
  readonly step: Step
  readonly tile: Tile
}

/** From the results backwards, so that each step is asked only if something chosen so far needs its value. */
function chooseTiles(func: Func, facts: Facts, provider: OnnxProvider): readonly Chosen[] {
  const needed = new Set(func.results)
  const known: ChoosingFacts = { ...facts, isNeeded: value => needed.has(value) }
  const chosen: Chosen[] = []
  for (const step of [...func.steps].reverse()) {
    if (!step.outputs.some(output => needed.has(output.name))) continue
    const tile = emptyTile(step) ?? tileOf(step, known, provider) ?? plainTile(step)
    if (provider === 'webgpu') refuseEmpty(step, tile, facts)
    for (const input of tile.inputs) needed.add(input)
    chosen.push({ step, tile })
  }
  return chosen.reverse()
}

/** What has no elements is computed from nothing: not every kernel takes tensors without any. */
function emptyTile({ outputs }: Step): Tile | undefined {
  const type = outputs[0]?.type
  if (type === undefined || type === 'key' || !isEmpty(type)) return undefined
  return { inputs: [], lower: (_, { graph, outputs: [y] }) => graph.constant(y!.dtype, [], y!.shape) }
}

/** WebGPU crashes on tensors without elements. */
function refuseEmpty(step: Step, { inputs }: Tile, facts: Facts): void {
  if (inputs.some(name => isEmpty(facts.type(name))))
    throw new NotLowered(
      step.op,
      step.origin,
      'reads a tensor without elements, for which WebGPU has no kernels',
    )
}

const isEmpty = (type: ValueType | undefined): boolean =>
  type !== undefined && type !== 'key' && type.shape.includes(0)

/** A step by itself, as the entry of its operator says. */
function plainTile(step: Step): Tile {
  const op = findOp(step.op)
  if (op === undefined) throw new NotLowered(step.op, step.origin, 'is no operator of the table')
  const { onnx } = op
  if (onnx === 'drawn') throw new NotLowered(step.op, step.origin, 'is drawn by the host')
  return { inputs: step.inputs, lower: (inputs, context) => onnx(inputs, step.attrs, context) }
}

function contextOf(step: Step, facts: Facts, graph: GraphBuilder, options: LoweringOptions): OnnxContext {
  return {
    ...options,
    graph,
    inputs: step.inputs.map(name => fixedType(step, facts.type(name))),
    outputs: step.outputs.map(({ type }) => fixedType(step, type)),
  }
}

function fixedType(step: Step, type: ValueType): FixedType {
  if (type === 'key') throw new NotLowered(step.op, step.origin, 'has to do with a key')
  const shape = type.shape.map(size => {
    if (typeof size === 'number') return size
    throw new NotLowered(step.op, step.origin, `has the size ${size}, which is no number`)
  })
  return { dtype: type.dtype, shape }
}

/** Names values after those of the IR, results first, and gives a copy to each result that has no name to itself. */
function finish(
  func: Func,
  facts: Facts,
  graph: GraphBuilder,
  values: ReadonlyMap<string, OnnxValue>,
  { provider }: LoweringOptions,
): OnnxFunction {
  const supply = new NameSupply()
  const names = new Map<string, string>()
  const claim = (value: OnnxValue, wanted: string): string => {
    const name = supply.fresh(wanted)
    names.set(value.name, name)
    return name
  }
  const info = (name: string, of: string): OnnxParam => {
    const { dtype, shape } = fixedParam(func, of, facts.type(of))
    return { name, dtype, shape }
  }
  const inputs = func.params.map(({ name }) => info(claim(values.get(name)!, name), name))
  const results = func.results.map(name => {
    const value = values.get(name)!
    const isOwn = !names.has(value.name) && graph.isComputed(value)
    const own = isOwn ? value : copied(graph, value, facts.type(name), provider)
    return { own, output: info(claim(own, name), name) }
  })
  const outputs = results.map(({ output }) => output)
  for (const [name, value] of values) if (!names.has(value.name)) claim(value, name)
  const own = results.map(result => result.own)
  const { nodes, constants } = graph.finish(own, name => names.get(name) ?? claim({ name }, 'value'))
  const model = { name: func.name, nodes, constants, inputs, outputs }
  return { bytes: encodeModel(model), model, inputs, outputs, multiplyAdds: multiplyAddsIn(func, facts) }
}

function multiplyAddsIn({ steps }: Func, facts: Facts): number {
  const each = steps.map(({ op, inputs, outputs, attrs }) =>
    multiplyAddsAt(op, inputs.map(facts.type), outputs[0]?.type, attrs),
  )
  return each.reduce<number>((sum, count) => sum + Number(count), 0)
}

/** WebGPU has no kernel that copies booleans. */
function copied(graph: GraphBuilder, value: OnnxValue, type: ValueType, provider: OnnxProvider): OnnxValue {
  const isOdd = provider === 'webgpu' && type !== 'key' && type.dtype === 'bool'
  return isOdd ? graph.copy('And', [value, value]) : graph.copy('Identity', [value])
}

/** The type of a parameter or result, which has no step of its own to blame. */
function fixedParam(func: Func, name: string, type: ValueType): FixedType {
  return fixedType({ op: name, inputs: [], attrs: {}, outputs: [], origin: func.origin }, type)
}
