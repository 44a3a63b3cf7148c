import { type Code, join, ts } from '../base/code.ts'
import { add, type Dim, floorDivide, multiply } from '../types/dim.ts'
import type { Shape } from '../types/tensor.ts'
import type { OnnxAttrs } from './onnx.ts'
import type { AttrSpec, Clash } from './op.ts'
import { listText } from './text.ts'

/** How a window moves over an image; a single number stands for both axes. */
export type Window = {
  stride: readonly number[]
  /** One number, [rows, columns], or [top, bottom, left, right]. */
  pad: readonly number[]
  dilation: readonly number[]
}

/** The same with the height and width of what was slid over, or of the kernel. */
export type SizedWindow = Window & { size: readonly Dim[] }

export const windowAttrs: { readonly [K in keyof Window]: AttrSpec } = {
  stride: { kind: 'ints', default: [1] },
  pad: { kind: 'ints', default: [0] },
  dilation: { kind: 'ints', default: [1] },
}

/** Both numbers of an attribute that may hold one. */
export function both(values: readonly number[]): readonly [number, number] {
  return [values[0]!, values[1] ?? values[0]!]
}

/** Padding on all four sides: top, bottom, left, right. */
function sides(pad: readonly number[]): readonly number[] {
  if (pad.length === 4) return pad
  const [rows, columns] = both(pad)
  return [rows, rows, columns, columns]
}

/** The window as ONNX names it; padding is [top, left, bottom, right] there. */
export function windowNodes({ stride, pad, dilation }: Window): {
  readonly strides: readonly number[]
  readonly pads: readonly number[]
  readonly dilations: readonly number[]
} {
  const [top, bottom, left, right] = sides(pad) as [number, number, number, number]
  return { strides: both(stride), pads: [top, left, bottom, right], dilations: both(dilation) }
}

/** What is wrong with a window's numbers, if anything. */
export function windowClash({ stride, pad, dilation }: Window, kernel: readonly number[]): Clash | undefined {
  for (const [name, values] of Object.entries({ kernel, stride, dilation }))
    if (values.length < 1 || values.length > 2 || values.some(v => v < 1))
      return { clash: `\`${name}\` is one positive number or two, not [${values.join(', ')}]` }
  if (![1, 2, 4].includes(pad.length) || pad.some(v => v < 0))
    return { clash: `\`pad\` is one, two or four numbers from 0 on, not [${pad.join(', ')}]` }
  return undefined
}

/** ⌊(size + pads - dilation·(kernel - 1) - 1) / stride⌋ + 1, as PyTorch's documentation of Conv2d has it. */
function places(size: Dim, kernel: Dim, i: 0 | 1, window: Window): Dim {
  const [before, after] = sides(window.pad).slice(2 * i) as [number, number]
  const reach = multiply(both(window.dilation)[i], add(kernel, -1))
  const room = add(add(size, before + after - 1), multiply(-1, reach))
  return add(floorDivide(room, both(window.stride)[i]), 1)
}

/** The height and width of what a window gives, or that it doesn't fit. */
export function slide(image: Shape, kernel: Shape, window: Window): readonly [Dim, Dim] | Clash {
  const result = [places(image[0]!, kernel[0]!, 0, window), places(image[1]!, kernel[1]!, 1, window)] as const
  const bad = result.findIndex(size => typeof size === 'number' && size < 1)
  if (bad < 0) return result
  const side = bad === 0 ? 'high' : 'wide'
  return {
    clash: `a window ${kernel[bad]} ${side} doesn't fit into an image ${image[bad]} ${side}, padding included`,
    input: 0,
  }
}

/** The window as a last argument, with what is assumed left out: `, { stride: [2, 2], pad: [1, 1] }`. */
export function windowText({ stride, pad, dilation }: Window, assumedStride: readonly number[] = [1]): Code {
  const same = (a: readonly number[], b: readonly number[]) => String(both(a)) === String(both(b))
  const said = [
    same(stride, assumedStride) ? [] : [ts`stride: ${listText(both(stride))}`],
    pad.every(p => p === 0) ? [] : [ts`pad: ${listText(pad.length === 4 ? pad : both(pad))}`],
    same(dilation, [1]) ? [] : [ts`dilation: ${listText(both(dilation))}`],
  ].flat()
  return said.length === 0 ? '' : ts`, { ${join(said)} }`
}

/** An empty stride is the kernel's size: windows lie side by side. */
export type MaxPool = { kernel: readonly number[] } & Window
export type AvgPool = Omit<MaxPool, 'dilation'>

/** The window of a pooling. */
export function windowOf({
  kernel,
  stride,
  pad,
  dilation = [1],
}: AvgPool & { dilation?: readonly number[] }): Window {
  return { stride: stride.length === 0 ? kernel : stride, pad, dilation }
}

/** A pooling as ONNX names it. */
export function poolNodes(pool: AvgPool & { dilation?: readonly number[] }) {
  return { kernel_shape: both(pool.kernel), ...windowNodes(windowOf(pool)) } satisfies OnnxAttrs
}
