import type { Attrs } from '../../src/ir/ir.ts'
import { findOp, opNames } from '../../src/ops/index.ts'
import type { Op, Sample } from '../../src/ops/op.ts'
import { inferType } from '../../src/ops/signature.ts'
import type { DType } from '../../src/types/tensor.ts'
import { elementCount } from '../../src/types/tensor.ts'
import { inputsOf } from './operator.ts'
import { type Case, caseOf } from './operatorCases.ts'

/** Numbers at which functions have kinks, poles, limits and signs of zero. */
const special: Readonly<Record<DType, readonly number[]>> = {
  f32: [Number.NaN, Infinity, -Infinity, 0, -0, 0.001, -0.5, 2.5, -2.5, 1e30, -30, 90, -100, 3, 17.5],
  i32: [-7, -2, -1, 0, 1, 3, 8, 2 ** 24, -(2 ** 24)],
  bool: [0, 1],
}

/** Of the same with as many places as are needed, those of one input the faster, the nearer it is to the front. */
function everyPair(lists: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const total = lists.reduce((product, list) => product * list.length, 1)
  let stride = 1
  return lists.map(list => {
    const step = stride
    stride *= list.length
    return Array.from({ length: total }, (_, i) => list[Math.floor(i / step) % list.length]!)
  })
}

function dtypesOf(name: string, op: Op, sample: Sample): readonly DType[] {
  return inputsOf(name, op, sample).flatMap(({ type }) => (type === 'key' ? [] : [type.dtype]))
}

/** Elementwise operators at every combination of special numbers, once for each choice of dtypes and attributes. */
function elementwise(name: string, op: Op): readonly Case[] {
  const seen = new Set<string>()
  return op.samples.flatMap((sample, index) => {
    const dtypes = dtypesOf(name, op, sample)
    const key = JSON.stringify([dtypes, sample.attrs])
    if (seen.has(key)) return []
    seen.add(key)
    // What a whole number is made of must have one near it.
    const wholes = sample.attrs.dtype === 'i32'
    const lists = dtypes.map(dtype => special[dtype].filter(v => !wholes || Math.abs(v) < 1000))
    const values = everyPair(lists).map(values => ({ values }))
    const edge = { ...sample, dtypes, shapes: values.map(each => [each.values.length]), inputs: values }
    return [caseOf(name, op, edge, index)]
  })
}

/**
 * Other operators with some of their floats replaced. Not those with a window: kernels may multiply what is infinite by the zeros of the
 * padding, or leave it out.
 */
function scattered(name: string, op: Op): readonly Case[] {
  if (op.attrs !== undefined && 'pad' in op.attrs) return []
  return op.samples.flatMap((sample, index) =>
    Array.from({ length: 6 }, (_, seed) => {
      const inputs = inputsOf(`${name} ${index}`, op, sample).map((input, place) => {
        if (input.type === 'key') return { values: [] }
        if (input.type.dtype !== 'f32') return { values: [...input.values] }
        const numbers = special.f32.slice(0, 7)
        const every = 1 + (seed % 4)
        const other = (i: number) => numbers[(7 * i + seed + place) % numbers.length]!
        return { values: Array.from(input.values, (v, i) => (i % every === 0 ? other(i) : v)) }
      })
      return caseOf(name, op, { ...sample, inputs }, index)
    }),
  )
}

/** Every operator at special numbers. */
export const edges: readonly Case[] = opNames.flatMap(name => {
  const op = findOp(name)!
  if (op.onnx === 'drawn') return []
  return op.lift === 'elementwise' ? elementwise(name, op) : scattered(name, op)
})

/** The samples with one of their sizes 0, wherever it occurs, where that is an application at all. */
export const empties: readonly Case[] = opNames.flatMap(name => {
  const op = findOp(name)!
  return op.onnx === 'drawn' ? [] : op.samples.flatMap((sample, index) => emptied(name, op, sample, index))
})

function emptied(name: string, op: Op, sample: Sample, index: number): readonly Case[] {
  const isWindowed = op.attrs !== undefined && 'pad' in op.attrs
  // An image has pixels, and a batch may have no examples.
  const sizes = isWindowed ? sample.shapes.flatMap(shape => shape.slice(0, 1)) : sample.shapes.flat()
  return [...new Set(sizes)].flatMap(size => {
    const shapes = sample.shapes.map(shape => shape.map(each => (each === size ? 0 : each)))
    const inputs = inputsOf(name, op, sample).map((input, i) => ({
      values: shapes[i]!.includes(0) || input.type === 'key' ? [] : [...input.values],
    }))
    const empty = { ...sample, shapes, inputs }
    return applies(name, op, empty, sample.attrs) ? [caseOf(name, op, empty, index)] : []
  })
}

function applies(name: string, op: Op, sample: Sample, attrs: Attrs): boolean {
  const types = inputsOf(name, op, sample).map(({ type }) => type)
  const inferred = inferType(op, types, attrs)
  if ('clash' in inferred || inferred.type === 'key') return false
  const given = types.every(type => type === 'key' || Number(elementCount(type.shape)) >= 0)
  return given && inferred.type.shape.every(size => Number(size) >= 0)
}
