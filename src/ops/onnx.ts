import { bug } from '../base/bug.ts'
import type { GraphProvider } from '../base/graphs.ts'
import type { Dim } from '../types/dim.ts'
import type { DType } from '../types/tensor.ts'

/** A value of an ONNX graph, known by its name. */
export interface OnnxValue {
  readonly name: string
}

/** What constants of a graph hold: the dtypes of ltm, and the 64-bit integers that ONNX wants for shapes and axes. */
export type OnnxDType = DType | 'i64'

/** An attribute of a node. A plain number is an integer to ONNX, so a float says that it is one. */
export type OnnxAttr = number | readonly number[] | string | { readonly float: number }
export type OnnxAttrs = Readonly<Record<string, OnnxAttr>>

/** Where the nodes of a lowering go. Equal nodes are one: the same type, inputs and attributes give the same value. */
export interface OnnxGraph {
  /** A node of one output. The domain is that of standard operators where it isn't given. An absent input is undefined. */
  node(
    type: string,
    inputs: readonly (OnnxValue | undefined)[],
    attrs?: OnnxAttrs,
    domain?: OnnxDomain,
  ): OnnxValue
  /** A node of several outputs. */
  nodes(
    type: string,
    inputs: readonly (OnnxValue | undefined)[],
    outputs: number,
    attrs?: OnnxAttrs,
    domain?: OnnxDomain,
  ): readonly OnnxValue[]
  /** The node that gives a value; undefined for what comes from outside, and for constants. */
  maker(value: OnnxValue): { readonly type: string; readonly inputs: readonly OnnxValue[] } | undefined
  /** A constant; equal ones are one. */
  constant(dtype: OnnxDType, values: readonly number[], shape: readonly number[]): OnnxValue
}

/** The operators that ONNX Runtime adds to the standard ones, and those of its layout of blocks of channels. */
export type OnnxDomain = 'com.microsoft' | 'com.microsoft.nchwc'

/** What a graph will run on. */
export type OnnxProvider = GraphProvider

/** A tensor type whose sizes are all known. */
export interface FixedType {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** What a lowering to ONNX may look at besides its inputs. */
export interface OnnxContext {
  readonly graph: OnnxGraph
  readonly inputs: readonly FixedType[]
  readonly outputs: readonly FixedType[]
  readonly provider: OnnxProvider
  /** How many channels lie side by side in the layout in which the processor's kernels convolve; absent where there is none. */
  readonly channelBlock?: number
}

/** A lowering to one node of the given type, for operators whose inputs and meaning are those of ONNX. */
export function one(
  type: string,
): (inputs: readonly OnnxValue[], attrs: unknown, context: OnnxContext) => OnnxValue {
  return (inputs, _, { graph }) => graph.node(type, inputs)
}

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A single number. */
export function scalar({ graph }: OnnxContext, value: number, dtype: DType = 'f32'): OnnxValue {
  return graph.constant(dtype, [value], [])
}

/** The 64-bit integers that nodes take as axes, shapes and places. */
export function integers({ graph }: OnnxContext, values: readonly number[]): OnnxValue {
  return graph.constant('i64', values, [values.length])
}

/** A size of a graph, all of which are numbers. */
export function fixed(size: Dim): number {
  return typeof size === 'number' ? size : bug(`the size ${size} is not known in a graph`)
}

/** The sizes of a shape. */
export function fixedShape(shape: readonly Dim[]): readonly number[] {
  return shape.map(fixed)
}

const elementTypes: Readonly<Record<OnnxDType, number>> = { f32: 1, i32: 6, i64: 7, bool: 9 }

/** The number by which ONNX knows a dtype (`TensorProto.DataType`). */
export function elementType(dtype: OnnxDType): number {
  return elementTypes[dtype]
}

/** The value in another dtype. */
export function castTo({ graph }: OnnxContext, x: OnnxValue, dtype: OnnxDType): OnnxValue {
  return graph.node('Cast', [x], { to: elementType(dtype) })
}

/** The value under another shape. A 0 means "as before" to ONNX unless it is told otherwise. */
export function reshapeTo(context: OnnxContext, x: OnnxValue, shape: readonly number[]): OnnxValue {
  const attrs = shape.includes(0) ? { allowzero: 1 } : {}
  return context.graph.node('Reshape', [x, integers(context, shape)], attrs)
}

/** Elements of a tensor of one value up to which it stands in the graph. */
const largestStored = 1024

/** A tensor of one value. Large ones are made as the graph runs. */
export function filled(
  context: OnnxContext,
  dtype: DType,
  value: number,
  shape: readonly number[],
): OnnxValue {
  const { graph } = context
  const count = shape.reduce((product, size) => product * size, 1)
  if (count <= largestStored) return graph.constant(dtype, Array(count).fill(value), shape)
  return graph.node('Expand', [scalar(context, value, dtype), integers(context, shape)])
}

/** The value with some axes from their end to their start. */
export function reversed(context: OnnxContext, x: OnnxValue, axes: readonly number[]): OnnxValue {
  const each = (value: number) =>
    integers(
      context,
      axes.map(() => value),
    )
  // From the last place to before the first, which is as far below 0 as there are numbers.
  return context.graph.node('Slice', [x, each(-1), each(-(2 ** 31)), integers(context, axes), each(-1)])
}

/** The whole numbers from one up to another, which is not among them. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

/** Some positions of an axis, in this order. */
export function gathered(
  { graph }: OnnxContext,
  x: OnnxValue,
  axis: number,
  places: readonly number[],
): OnnxValue {
  return graph.node('Gather', [x, graph.constant('i32', places, [places.length])], { axis })
}

/** What moves elements about, done to values of this dtype: WebGPU has kernels for numbers alone, so booleans go through as numbers. */
export function moved(
  context: OnnxContext,
  xs: readonly OnnxValue[],
  dtype: DType,
  move: (xs: readonly OnnxValue[], dtype: DType) => OnnxValue,
): OnnxValue {
  if (context.provider !== 'webgpu' || dtype !== 'bool') return move(xs, dtype)
  const numbers = xs.map(x => castTo(context, x, 'i32'))
  return castTo(context, move(numbers, 'i32'), 'bool')
}

/** Whether either holds. WebGPU leaves Or to the processor. */
export function either({ graph, provider }: OnnxContext, a: OnnxValue, b: OnnxValue): OnnxValue {
  if (provider !== 'webgpu') return graph.node('Or', [a, b])
  return graph.node('Not', [graph.node('And', [graph.node('Not', [a]), graph.node('Not', [b])])])
}

/** Whether just one holds. WebGPU leaves Xor to the processor. */
export function justOne(context: OnnxContext, a: OnnxValue, b: OnnxValue): OnnxValue {
  const { graph, provider } = context
  if (provider !== 'webgpu') return graph.node('Xor', [a, b])
  return graph.node('Not', [graph.node('Equal', [castTo(context, a, 'i32'), castTo(context, b, 'i32')])])
}

/** The value with its axes in another order; itself where they keep theirs. */
export function transposed({ graph }: OnnxContext, x: OnnxValue, perm: readonly number[]): OnnxValue {
  return perm.every((from, to) => from === to) ? x : graph.node('Transpose', [x], { perm })
}
